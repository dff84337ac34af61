"""Copies the journal and the photographs to the collector, in the background, over whatever is up.

What an outage costs:

1. No network, no collector, or rubbish from either: nothing is lost and nobody at the station has
   to wait. The relay tries again after 2, 4, 8 .. 60 s (+-50 %, so that kits do not come back in
   step) and goes on by itself. While a line moves anything at all, the wait starts again at 2 s.
2. A line cut in a photograph: only the bytes under way. The entry is sent again (it is idempotent)
   and its reply says at which byte to go on.
3. A cut after the collector took an entry and before its reply came: sent again, answered the same.
4. Power cut in the kit: at most the last acknowledgement is asked for again. Losing the whole state
   file costs sending the entries again, not the photographs.
5. A busy collector (408, 429, 5xx): the time it asks for, no more.
6. A refused entry (422) or a bad photograph holds up nothing else: it is marked, told, and not sent
   again unless the technician asks for it (a collector may have been without its list of keys).
7. An acknowledgement that does not verify counts as none.
8. Little data: results and corrections go first, then the other entries, then photographs by page
   and size. A new result waits for the end of one photograph at most.
"""

import asyncio
import binascii
import os

from firmware import cbor, record
from firmware.compat import const
from firmware.drivers import PartError
from firmware.http import Client
from firmware.relay_backlog import Backlog

BUSY = const(361)
BAD_ACK = const(362)
ODD_REPLY = const(363)
ENTRY_REFUSED = const(364)
PHOTO_MISSING = const(365)
PHOTO_REFUSED = const(366)
NO_LINE = const(367)
PHOTO_AWAY = const(368)

TEXTS = {
    BUSY: "The collector is busy: the kit tries again by itself.",
    BAD_ACK: "The collector's acknowledgement is not valid: tell the technician if this stays.",
    ODD_REPLY: "The collector's reply is not as agreed: tell the technician if this stays.",
    ENTRY_REFUSED: "The collector refused an entry: tell the technician.",
    PHOTO_MISSING: "A photograph is not on the card as signed: tell the technician.",
    PHOTO_REFUSED: "The collector refused a photograph: tell the technician.",
    PHOTO_AWAY: "A photograph is on a card that is not in the kit: put the card in.",
    NO_LINE: "There is no connection: the kit tries again by itself.",
}
_FIRST, _LONGEST = 2, 60  # s between tries
_TRIES = const(6)  # requests for one photograph in one round
_ODD = const(3)  # replies that are not as agreed before a round is given up


class Later(PartError):
    """The round cannot go on; `seconds` is the wait that the collector asked for, or None."""

    def __init__(self, code, seconds=None):
        super().__init__(code, TEXTS[code])
        self.seconds = seconds


class Status:
    """For the status bar: counts, whether the line works, and the last error as one sentence."""

    def __init__(self):
        self.waiting = 0  # entries not acknowledged yet
        self.sent = 0  # entries acknowledged
        self.photos_waiting = 0  # photographs not complete at the collector yet
        self.refused = 0  # entries and photographs refused
        self.online = False  # the last request was answered
        self.last_error = ""


class Relay:
    """`open_stream()`: see http.Client. `verify_ack(ack bytes, rec-id) -> bool`, or ValueError.

    `store`: power-safe value (firmware.saved). `certificate`: DER or None. `on_ack(seq, ack bytes)`
    gets what is to be journaled: the acknowledgement of a result or correction, once each.
    `on_refused(seq, text)` tells of an entry that the collector will not take. `first_wait`: s; it
    doubles to 30 times itself, and a wait that the collector asks for scales with it (2 s = as
    asked). `timeout` as in http.Client.
    """

    def __init__(
        self,
        open_stream,
        journal,
        photos,
        verify_ack,
        store,
        host,
        certificate=None,
        on_ack=None,
        on_refused=None,
        first_wait=2.0,
        timeout=30,
    ):
        self.client = Client(open_stream, host, timeout)
        self.backlog = Backlog(journal, store)
        self.journal = journal
        self.photos = photos
        self.verify_ack = verify_ack
        self.certificate = certificate
        self.on_ack = on_ack
        self.on_refused = on_refused
        self.pace = first_wait / 2
        self.status = Status()
        self._offsets = {}  # digest -> byte to go on at, as told on this connection
        self._best = {}  # digest -> furthest offset ever told
        self._tries = {}
        self._odd = set()  # seqs and digests left aside until all the others were tried
        self._odds = 0  # odd replies in this round
        self._damaged = set()  # digests whose file on the card is not the one signed
        self._away = set()  # digests of which there is no file; looked for again in every round
        self._progress = False
        self._event = asyncio.Event()

    def wake(self):
        """Try now: cuts a wait short."""
        self._event.set()

    def retry_refused(self):
        """Try once more what was refused or damaged, when the technician has put it right."""
        self.backlog.state.forget_refusals()
        self.backlog.restart()
        self._damaged = set()
        self.status.last_error = ""
        self.wake()

    async def run(self):
        """Send for ever; never raises but for cancelling."""
        wait = _FIRST
        while True:
            asked = None
            done = False
            try:
                done = await self.round()
            except PartError as error:
                asked = getattr(error, "seconds", None)
                self.status.last_error = error.text
            except OSError:
                self.status.last_error = TEXTS[NO_LINE]
            except Exception as error:  # a full flash must not end the relay
                self.status.last_error = getattr(error, "text", str(error))
            await self.client.close()  # an idle modem can be asked for its signal
            if done:
                wait = _FIRST
                await self._pause(1)
                continue
            self.status.online = False
            if self._progress:
                wait = _FIRST
            jitter = 0.5 + os.urandom(1)[0] / 255
            await self._pause(asked if asked is not None else wait * jitter)
            wait = min(wait * 2, _LONGEST)

    async def _pause(self, seconds):
        try:
            await asyncio.wait_for(self._event.wait(), seconds * self.pace)
        except asyncio.TimeoutError:
            pass
        self._event.clear()

    async def round(self):
        """Send all that waits; True when nothing is left. Raises PartError or OSError."""
        self._offsets = {}  # a new connection: the entries' replies tell them again
        self._tries = {}
        self._odds = 0
        self._away = set()
        self._progress = False
        while True:
            await self.backlog.scan()
            self.backlog.count(self.status)
            seq = self.backlog.next_entry(self._odd)
            if seq:
                await self._submit(seq)
                continue
            page = self.backlog.next_page(self._odd | self._damaged | self._away)
            if page is None:
                break
            await self._upload(page)
        odd, self._odd = self._odd, set()
        if not odd and not self._damaged and not self._away and not self.status.refused:
            self.status.last_error = ""
        return not odd and not self._away

    # Entries.

    def _set_aside(self, key, code):
        """Go on without `key`; after too many of them the next round does."""
        self.status.last_error = TEXTS[code]
        self._odd.add(key)
        self._odds += 1
        if self._odds >= _ODD:
            raise Later(code)

    def _busy(self, response):
        if response.status in (408, 429) or response.status >= 500:
            asked = response.number("retry-after")
            raise Later(BUSY, asked if asked is None else min(asked, 3600))
        self.status.online = True

    async def _submit(self, seq):
        """POST entry `seq`: step 1 of the relay protocol (RECORD.md)."""
        data, manifest = self.journal.entry(seq)
        certificate = None if self.backlog.known else self.certificate
        response = await self._post(data, manifest, certificate)
        if response.status == 428 and certificate is None and self.certificate is not None:
            response = await self._post(data, manifest, self.certificate)
        self._busy(response)
        if response.status == 422:
            self._refused(seq, response.body)
        elif response.status in (200, 201):
            self._replied(seq, data, response.body)
        else:
            self._set_aside(seq, ODD_REPLY)

    async def _post(self, data, manifest, certificate):
        body = cbor.encode([data, manifest, certificate, []])
        headers = (("Content-Type", "application/cbor"),)
        return await self.client.request("POST", "/v1/records", headers, body)

    def _refused(self, seq, body):
        try:
            text = body[:200].decode()
        except (UnicodeError, ValueError):
            text = ""
        self.backlog.refused(seq)
        self.status.last_error = TEXTS[ENTRY_REFUSED]
        if self.on_refused:
            self.on_refused(seq, text or TEXTS[ENTRY_REFUSED])

    def _replied(self, seq, data, body):
        rec_id = record.rec_id(data)
        try:
            reply = cbor.decode(body)
            if not isinstance(reply, list):
                raise ValueError
            told, offsets, ack = reply
            if told != rec_id or not isinstance(ack, bytes):
                raise ValueError
            offsets = {digest: int(offset) for digest, offset in offsets}
        except (ValueError, TypeError):
            self._set_aside(seq, ODD_REPLY)
            return
        try:
            good = self.verify_ack(ack, rec_id)
        except ValueError:  # not even a record
            good = False
        if not good:
            self._set_aside(seq, BAD_ACK)
            return
        for digest, offset in offsets.items():
            self._told(digest, offset)
        backlog = self.backlog
        backlog.known = True
        if backlog.state.is_acked(seq):
            return
        # Journal first: if power fails here, the acknowledgement is asked for again, and an event
        # in the journal tells that it is there already.
        if backlog.is_result(seq) and self.on_ack and rec_id not in backlog.journaled:
            self.on_ack(seq, ack)
            backlog.journaled.add(rec_id)
        backlog.acked(seq)
        self._progress = True

    # Photographs.

    def _told(self, digest, offset):
        self._offsets[digest] = offset
        if offset > self._best.get(digest, 0):
            self._best[digest] = offset
            self._progress = True

    def _damage(self, digest):
        self._damaged.add(digest)
        self.status.last_error = TEXTS[PHOTO_MISSING]

    async def _upload(self, page):
        """One request for one photograph: steps 1 and 2 of the relay protocol."""
        _, size, digest = page
        self._tries[digest] = self._tries.get(digest, 0) + 1
        if not self.photos.has(digest):
            self._away.add(digest)
            self.status.last_error = TEXTS[PHOTO_AWAY]
        elif self.photos.size(digest) != size:
            self._damage(digest)
        elif self._tries[digest] > _TRIES:
            self._set_aside(digest, ODD_REPLY)
        elif digest not in self._offsets:
            seq = self.backlog.carrier(digest)
            await self._submit(seq)
            if seq in self._odd:
                self._odd.add(digest)
            elif not self.backlog.state.is_refused(seq):
                self._offsets.setdefault(digest, 0)
        elif self._offsets[digest] == size:
            self.backlog.photo(digest)
            self._progress = True
        elif self._offsets[digest] > size:
            self._set_aside(digest, ODD_REPLY)
        else:
            await self._patch(page, self._offsets[digest])

    async def _patch(self, page, offset):
        _, size, digest = page
        headers = (
            ("Tus-Resumable", "1.0.0"),
            ("Content-Type", "application/offset+octet-stream"),
            ("Upload-Offset", str(offset)),
        )
        path = "/v1/u/" + binascii.hexlify(digest).decode()
        file = self.photos.open(digest)
        try:
            file.seek(offset)
            response = await self.client.request("PATCH", path, headers, file, size - offset)
        finally:
            file.close()
        self._busy(response)
        status = response.status
        if status in (204, 409):
            told = response.number("upload-offset")
            if told is None:
                self._set_aside(digest, ODD_REPLY)
            else:
                self._told(digest, told)
        elif status == 460:  # what arrived has another digest: from the beginning
            self._offsets[digest] = 0
            self._tries[digest] += 2  # it costs a whole photograph each time
            if not await self.photos.is_sound(digest):
                self._damage(digest)
        elif status == 404:  # the collector does not know the entry any more
            del self._offsets[digest]
        elif status in (403, 413, 422):
            self.backlog.photo(digest, True)
            self.status.last_error = TEXTS[PHOTO_REFUSED]
        else:
            self._set_aside(digest, ODD_REPLY)
