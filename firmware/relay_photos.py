"""The relay's photographs: at which byte each goes on, what is sent of it, what is wrong with it.

Where a line broke is asked with HEAD; all other offsets stay known, so that a cut costs one
question and not one for each photograph. A photograph whose entry is just ahead starts at 0.
"""

import binascii

from firmware.compat import const
from firmware.relay_codes import (
    ODD_REPLY,
    PHOTO_AWAY,
    PHOTO_MISSING,
    PHOTO_REFUSED,
    TEXTS,
)

WHERE, PATCH = const(1), const(2)  # kinds of requests; an entry's is 0
_TRIES = const(6)  # requests for one photograph in one round


class RelayPhotos:
    """Sends the photographs of `relay` (firmware.relay.Relay) out of `photos`."""

    def __init__(self, relay, photos):
        self.relay = relay
        self.photos = photos
        self.asked = set()  # digests of which the collector was asked how much it has
        self.damaged = set()  # digests whose file on the card is not the one signed
        self.away = set()  # digests of which there is no file; looked for again in every round
        self._offsets = {}  # digest -> byte to go on at; forgotten when a line breaks in it
        self._best = {}  # digest -> furthest offset ever told
        self._begun = set()  # digests of which something was sent
        self._gone = set()  # digests that the collector does not know: their entry opens them
        self._tries = {}

    def new_round(self):
        """What failed before is tried again."""
        self.away = set()
        self._gone = set()
        self._tries = {}

    def lost(self, digest):
        """The line broke in this one: nobody knows how much of it arrived."""
        self._offsets.pop(digest, None)

    async def send_next(self):
        """Send what comes first; False when none can go now."""
        relay = self.relay
        while True:
            skip = relay.odd | relay.under_way | self.damaged | self.away
            page = relay.backlog.next_page(skip)
            if page is None:
                return False
            if self.asked and page[2] in self._offsets:
                return False  # an earlier photograph goes first, as soon as its place is known
            if await self._upload(page):
                return True

    def told(self, digest, offset):
        """The collector has this photograph up to `offset`."""
        self._gone.discard(digest)
        self._offsets[digest] = offset
        if offset > self._best.get(digest, 0):
            self._best[digest] = offset
            self.relay.progress = True

    def _damage(self, digest):
        self.damaged.add(digest)
        self.relay.status.last_error = TEXTS[PHOTO_MISSING]

    async def _upload(self, page):
        """What brings one photograph further; True when a request was sent."""
        _, size, digest = page
        self._tries[digest] = self._tries.get(digest, 0) + 1
        seq = self.relay.backlog.carrier(digest)
        if not self.photos.has(digest):
            self.away.add(digest)
            self.relay.status.last_error = TEXTS[PHOTO_AWAY]
        elif self.photos.size(digest) != size:
            self._damage(digest)
        elif self._tries[digest] > _TRIES:
            self.relay.set_aside(digest, ODD_REPLY)
        elif seq in self.relay.odd:
            self.relay.odd.add(digest)
        elif digest in self._gone:
            self._gone.discard(digest)
            self._offsets[digest] = 0
            await self.relay.submit(seq)
            return True
        elif digest not in self._offsets:
            if seq in self.relay.under_way and digest not in self._begun:
                self._offsets[digest] = 0  # its entry is just ahead: nobody has sent any of it
                await self._patch(size, digest)
            else:
                await self._ask(digest)
            return True
        elif self._offsets[digest] == size:
            self.relay.backlog.photo(digest)
            self.relay.progress = True
        elif self._offsets[digest] > size:
            self.relay.set_aside(digest, ODD_REPLY)
        else:
            await self._patch(size, digest)
            return True
        return False

    async def _ask(self, digest):
        """HEAD: at which byte to go on."""
        self.relay.under_way.add(digest)
        self.asked.add(digest)
        headers = (("Tus-Resumable", "1.0.0"),)
        await self.relay.client.send((WHERE, digest, None), "HEAD", _path(digest), headers)

    async def reply(self, kind, digest, response):
        """The answer to a HEAD or PATCH."""
        if kind == WHERE:
            self._where_reply(digest, response)
        else:
            await self._patch_reply(digest, response)

    def _where_reply(self, digest, response):
        told = response.number("upload-offset")
        if response.status == 200 and told is not None:
            self.told(digest, told)
        elif response.status in (403, 404, 410):
            self._gone.add(digest)
        else:
            self.relay.set_aside(digest, ODD_REPLY)

    async def _patch(self, size, digest):
        """PATCH: the rest of the photograph from the byte that is known."""
        offset = self._offsets[digest]
        headers = (
            ("Tus-Resumable", "1.0.0"),
            ("Content-Type", "application/offset+octet-stream"),
            ("Upload-Offset", str(offset)),
        )
        self.relay.under_way.add(digest)
        self._begun.add(digest)
        what = (PATCH, digest, None)
        file = self.photos.open(digest)
        try:
            file.seek(offset)
            await self.relay.client.send(what, "PATCH", _path(digest), headers, file, size - offset)
        finally:
            file.close()

    async def _patch_reply(self, digest, response):
        status = response.status
        told = response.number("upload-offset")
        if status in (204, 409) and told is not None:
            self.told(digest, told)
        elif status == 409:  # tus leaves the offset out: it is asked for
            self._offsets.pop(digest, None)
        elif status == 460:  # what arrived has another digest: from the beginning
            self._offsets[digest] = 0
            self._tries[digest] = self._tries.get(digest, 0) + 2  # a whole photograph each time
            if not await self.photos.is_sound(digest):
                self._damage(digest)
        elif status == 404:  # the collector does not know the entry any more
            self._gone.add(digest)
        elif status in (403, 413, 422):
            self.relay.backlog.photo(digest, True)
            self.relay.status.last_error = TEXTS[PHOTO_REFUSED]
        else:
            self.relay.set_aside(digest, ODD_REPLY)


def _path(digest):
    return "/v1/u/" + binascii.hexlify(digest).decode()
