"""Copies the journal and the photographs to the collector, in the background, over whatever is up.

Requests are sent ahead of their replies, so that the line is never idle for a round trip.

What an outage costs:

1. No network, no collector, or rubbish from either: nothing is lost and nobody at the station has
   to wait. The relay tries again after 2, 4, 8 .. 60 s (+-50 %, so that kits do not come back in
   step) and goes on by itself. A line that moved anything at all is dialled again after 0.5 s.
2. A line cut in a photograph: only the bytes under way, and a HEAD of 150 bytes that asks at which
   byte to go on.
3. A cut after the collector took an entry and before its reply came: sent again, answered the same.
4. Power cut in the kit: at most the last acknowledgements are asked for again. Losing the whole
   state file costs sending the entries again, not the photographs.
5. A busy collector (408, 429, 5xx): the time it asks for, no more.
6. A refused entry (422) or a bad photograph holds up nothing else: it is marked, told, and not sent
   again unless the technician asks for it (a collector may have been without its list of keys).
7. An acknowledgement that does not verify counts as none.
8. Little data: results and corrections go first, then the entries of pages, then the others, then
   photographs from small to large, once the entries before them are answered but for the last. A
   new result waits for the end of one photograph at most.
9. The officers wait for nothing: after every 1400 bytes, entry or acknowledgement the other tasks
   have their turn, and the chip verifies acknowledgements while the kit goes on sending.
"""

import asyncio
import os

from firmware import cbor, record
from firmware.compat import const, ticks_diff, ticks_ms
from firmware.drivers import PartError
from firmware.http import Client
from firmware.relay_acks import MOST, Acks
from firmware.relay_backlog import Backlog
from firmware.relay_codes import BAD_ACK, BUSY, ENTRY_REFUSED, NO_LINE, ODD_REPLY, TEXTS
from firmware.relay_photos import PATCH, RelayPhotos

_SOON, _FIRST, _LONGEST = 0.5, 2, 60  # s between tries
_SLOW = const(2)  # ms that the line made the kit wait: it has enough for a while
_SELDOM = const(50)  # ms between looks at the chip on a line that never makes the kit wait
_LOOK = 0.002  # s between looks at the chip when there is nothing else to do
_ENTRY = const(0)  # kind of a request; relay_photos has the others
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
    """`open_stream()`: see http.Client. `verify_ack(ack bytes, rec-id) -> bool`, or ValueError;
    with a `begin()` like relay_acks.CollectorKey's nothing waits for the chip.

    `store`: power-safe value (firmware.saved). `certificate`: DER or None. `on_ack(seq, ack bytes)`
    gets what is to be journaled: the acknowledgement of a result or correction, once each.
    `on_refused(seq, text)` tells of an entry that the collector will not take. `first_wait`: s; it
    doubles to 30 times itself, and a wait that the collector asks for scales with it (2 s = as
    asked). `timeout` as in http.Client. `card`: relay_card.CardAcks or None; `carrier`:
    carrier.Carrier or None, whose entries go between this kit's own and its photographs.
    """

    BACKLOG = Backlog

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
        card=None,
        carrier=None,
    ):
        self.client = Client(open_stream, host, self._take, self._lost, self._line_waits, timeout)
        self.backlog = self.BACKLOG(journal, store)
        self.journal = journal
        self.photographs = RelayPhotos(self, photos)
        self.certificate = certificate
        self.on_refused = on_refused
        self.card = card
        self.carrier = carrier
        self.pace = first_wait / 2
        self.status = Status()
        self.under_way = set()  # seqs and digests whose reply or proof is awaited
        self.acks = Acks(self.backlog, verify_ack, on_ack, self.under_way)
        self._looked = ticks_ms()  # at the chip
        self.odd = set()  # seqs and digests left aside until all the others were tried
        self._odds = 0  # odd replies in this round
        self._introduced = False  # the certificate went over this connection
        self.progress = False
        self._event = asyncio.Event()

    def wake(self):
        """Try now: cuts a wait short."""
        self._event.set()

    def retry_refused(self):
        """Try once more what was refused or damaged, when the technician has put it right."""
        self.backlog.state.forget_refusals()
        self.backlog.restart()
        self.photographs.damaged = set()
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
            if self.progress:
                wait = _SOON
            jitter = 0.5 + os.urandom(1)[0] / 255
            await self._pause(asked if asked is not None else wait * jitter)
            wait = min(max(wait * 2, _FIRST), _LONGEST)

    async def _pause(self, seconds):
        try:
            await asyncio.wait_for(self._event.wait(), seconds * self.pace)
        except asyncio.TimeoutError:
            pass
        self._event.clear()

    async def round(self):
        """Send all that waits; True when nothing is left. Raises PartError or OSError."""
        self.photographs.new_round()
        if self.carrier:
            self.carrier.new_round()
        self._odds = 0
        self.progress = False
        self._introduced = False
        try:
            await self.backlog.scan()
            if self.card:
                await self.card.take(self)
                await self.backlog.scan()
            while await self._step():
                await self.backlog.scan()
        finally:
            self.backlog.count(self.status)
            self.backlog.state.save()
        odd, self.odd = self.odd, set()
        photographs = self.photographs
        wanting = odd or photographs.damaged or photographs.away or self.status.refused
        if not wanting:
            self.status.last_error = ""
        return not odd and not photographs.away

    async def _step(self):
        """Send one thing more, or take one reply, or wait for the chip; False when all is done."""
        self.backlog.count(self.status)
        pending = len(self.client.pending)
        if pending < self.client.ahead() and await self._send_next():
            while self.client.pending and self.client.waiting():
                await self.client.take()
        elif self.acks.unproved and not (pending and self.client.waiting()):
            await self._prove(_LOOK)
        elif pending:
            await self.client.take()
        else:
            return False
        return True

    async def _send_next(self):
        """Send the entry or photograph that comes first; False when none can go now."""
        seq = self.backlog.next_entry(self.odd | self.under_way)
        if seq and len(self.acks.unproved) < MOST:
            await self.submit(seq)
            return True
        if not seq and self.carrier and self.carrier.wants():
            if self.client.pending or self.acks.unproved:
                return False  # the modem has one line: ours ends first
            await self.client.close()
            self._introduced = False
            await self.carrier.forward()
        if sum([what[0] == _ENTRY for what, _, _ in self.client.pending]) > 1:
            return False  # a line that ends now would cost more than the wait
        if any(self.backlog.is_result(seq) for seq, _, _ in self.acks.unproved):
            return False  # the entry that journals its acknowledgement goes first
        return await self.photographs.send_next()

    # What comes back.

    async def _take(self, what, response):
        """A reply; `what` is (kind, seq or digest, what belongs to it)."""
        kind, key, detail = what
        self.under_way.discard(key)
        self.photographs.asked.discard(key)
        if response.status in (408, 429) or response.status >= 500:
            asked = response.number("retry-after")
            raise Later(BUSY, asked if asked is None else min(asked, 3600))
        self.status.online = True
        if kind == _ENTRY:
            self._entry_reply(key, detail, response)
        else:
            await self.photographs.reply(kind, key, response)

    def _lost(self, what):
        """The line broke before the reply to `what`."""
        kind, key, _ = what
        self.under_way.discard(key)
        self.photographs.asked.discard(key)
        if kind == PATCH:
            self.photographs.lost(key)
        self._introduced = False

    def set_aside(self, key, code):
        """Go on without `key`; after too many of them the next round does."""
        self.status.last_error = TEXTS[code]
        self.odd.add(key)
        self._odds += 1
        if self._odds >= _ODD:
            raise Later(code)

    async def _line_waits(self, ms):
        """A piece was written, for which the line made the kit wait."""
        looked = ticks_diff(ticks_ms(), self._looked)
        if self.acks.unproved and (ms >= _SLOW or looked >= _SELDOM):
            await self._prove()

    async def _prove(self, pause=0.0):
        """Have the chip verify what came, as far as it is; `pause`: s to wait if it is busy."""
        self._looked = ticks_ms()
        proved = self.acks.prove()
        if proved is None:
            await asyncio.sleep(pause)
            return
        seq, good = proved
        if good:
            self.progress = True
        else:
            self.set_aside(seq, BAD_ACK)
        await asyncio.sleep(0)

    # Entries.

    async def submit(self, seq):
        """POST entry `seq`: step 1 of the relay protocol (RECORD.md)."""
        data, manifest = self.journal.entry(seq)
        certificate = None if self.backlog.known or self._introduced else self.certificate
        what = (_ENTRY, seq, (record.rec_id(data), certificate is not None))
        if certificate is not None:
            self._introduced = True
        self.under_way.add(seq)
        body = cbor.encode([data, manifest, certificate, []])
        headers = (("Content-Type", "application/cbor"),)
        await self.client.send(what, "POST", "/v1/records", headers, body)

    def _entry_reply(self, seq, detail, response):
        rec_id, certified = detail
        if certified:
            self._introduced = False  # until the reply shows that it arrived
        if response.status == 428 and not certified and self.certificate is not None:
            self.backlog.known = False  # it goes again, with the certificate
        elif response.status == 422:
            self._refused(seq, response.body)
        elif response.status in (200, 201):
            self._replied(seq, rec_id, response.body)
        else:
            self.set_aside(seq, ODD_REPLY)

    def _refused(self, seq, body):
        try:
            text = body[:200].decode()
        except (UnicodeError, ValueError):
            text = ""
        self.backlog.refused(seq)
        self.status.last_error = TEXTS[ENTRY_REFUSED]
        if self.on_refused:
            self.on_refused(seq, text or TEXTS[ENTRY_REFUSED])

    def _replied(self, seq, rec_id, body):
        try:
            reply = cbor.decode(body)
            if not isinstance(reply, list):
                raise ValueError
            told, offsets, ack = reply
            if told != rec_id or not isinstance(ack, bytes):
                raise ValueError
            offsets = {digest: int(offset) for digest, offset in offsets}
        except (ValueError, TypeError):
            self.set_aside(seq, ODD_REPLY)
            return
        self._introduced = True
        for digest, offset in offsets.items():
            self.photographs.told(digest, offset)
        self.acks.add(seq, rec_id, ack)
