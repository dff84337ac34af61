"""Acknowledgements that come on the card: for a kit whose journal a technician carried instead.

`saksi collect --import` leaves the file `acks-ELECTION` beside the journal's copy:

    [ size u16 | bytes ]...      bytes: an acknowledgement (kind 36), or 32: a photograph's SHA-256

An acknowledgement counts when the chip has verified it, exactly as one that came over the line, and
that of a result is journaled. A photograph's line is as good as an upload's offset, which nobody
signs either. Whatever else the file holds is passed over: the relay sends what is left.
"""

import asyncio
import os

from firmware import record
from firmware.compat import const

_LONGEST = const(400)  # bytes of an acknowledgement: 190 with a log's root
_MOST = const(2000)  # lines of the file: a day has under 100


class CardAcks:
    """The file `acks-ELECTION` in any of `folders` (card, flash); taken once for each change."""

    def __init__(self, folders, election):
        self.paths = ["%s/acks-%d" % (folder, election) for folder in folders]
        self._taken = {}  # path -> size that was read
        self.count = 0  # entries and photographs that became sent by it

    async def take(self, relay):
        """Mark what the files acknowledge as sent in `relay`; raises nothing for a bad file."""
        for path in self.paths:
            try:
                size = os.stat(path)[6]
                if self._taken.get(path) == size:
                    continue
                await self._read(path, relay)
                self._taken[path] = size
            except OSError:  # there is no file, or no card, or it was pulled meanwhile
                pass

    async def _read(self, path, relay):
        waiting = await _waiting(relay)
        with open(path, "rb") as file:
            for _ in range(_MOST):
                head = file.read(2)
                size = int.from_bytes(head, "big")
                if len(head) < 2 or size > _LONGEST:
                    return
                data = file.read(size)
                if len(data) < size:
                    return
                if size == 32:
                    self._photo(relay, data)
                else:
                    self._ack(relay, waiting, data)
                await asyncio.sleep(0)  # the chip may have taken a tenth of a second

    def _photo(self, relay, digest):
        if relay.backlog.waits(digest):
            relay.backlog.photo(digest)
            self.count += 1

    def _ack(self, relay, waiting, data):
        try:
            ack = record.parse(data)
        except record.RecordError:
            return
        seq = waiting.get(ack.payload[1]) if ack.kind == record.ACK else None
        # Only what still waits costs the chip's time.
        if seq and not relay.backlog.state.is_acked(seq):
            self.count += relay.acks.take(seq, ack.payload[1], data)


async def _waiting(relay):
    """{rec-id: seq} of the entries that are not sent."""
    found = {}
    for seq in range(1, relay.journal.last + 1):
        if not relay.backlog.state.is_acked(seq):
            found[record.rec_id(relay.journal.entry(seq)[0])] = seq
            await asyncio.sleep(0)
    return found
