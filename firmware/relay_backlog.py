"""What the relay still has to send, read from the journal; what was sent is in relay_state.

Results and corrections come first, then the entries of pages, then the other entries, then the
photographs of pages and at last those of incidents, each from small to large.
"""

import asyncio

from firmware import record
from firmware.relay_state import RelayState

_SHEET, _INCIDENT = 0, 1  # photographs in the order of sending


class Backlog:
    """Entries and photographs of `journal` that wait. `store`: see relay_state."""

    def __init__(self, journal, store):
        self.journal = journal
        self.state = RelayState(store)
        self.journaled = set()  # rec-ids whose acknowledgement is in the journal
        self.known = False  # an entry was acknowledged: the collector has our certificate
        self.restart()

    def restart(self):
        """Read the whole journal anew at the next scan."""
        self._scanned = 0
        self._results = []  # seqs, ascending
        self._sheets = []
        self._others = []
        self._pages = []  # (_SHEET or _INCIDENT, size, digest) in sending order
        self._carriers = {}  # digest -> seqs of the entries that name it

    async def scan(self):
        """Take in what the journal got since the last scan."""
        journal = self.journal
        if self._scanned == 0 and journal.last:
            self.state.begin(record.rec_id(journal.entry(1)[0]))
        while self._scanned < journal.last:
            seq = self._scanned + 1
            data, manifest = journal.entry(seq)
            self._take(seq, record.parse(data).payload, manifest)
            self._scanned = seq
            await asyncio.sleep(0)  # parsing takes time: let the keys have theirs

    def _take(self, seq, payload, manifest):
        is_result = payload[0] != record.EVENT
        if self.state.is_acked(seq):
            self.known = True
        elif not self.state.is_refused(seq):
            self._queue(payload).append(seq)
        if is_result:
            for _, digest, size in record.parse_manifest(manifest)[0]:
                self._add_page(_SHEET, size, digest, seq)
            return
        number, detail = payload[3], payload[4]
        if number == record.PAGE:
            self._add_page(_SHEET, detail[3], detail[2], seq)
        elif number == record.INCIDENT and detail[1] is not None:
            self._add_page(_INCIDENT, detail[2], detail[1], seq)
        elif number == record.ACKNOWLEDGED:
            self.journaled.add(record.parse(detail[0]).payload[1])

    def _queue(self, payload):
        if payload[0] != record.EVENT:
            return self._results
        return self._sheets if payload[3] == record.PAGE else self._others

    def _add_page(self, what, size, digest, seq):
        if digest in self.state.photos or digest in self.state.photos_refused:
            return
        self._carriers.setdefault(digest, []).append(seq)
        if all(page[2] != digest for page in self._pages):
            self._pages.append((what, size, digest))
            self._pages.sort()

    def carrier(self, digest):
        """An entry that opens the upload of `digest`; 0 when all of them were refused."""
        for seq in self._carriers.get(digest, ()):
            if not self.state.is_refused(seq):
                return seq
        return 0

    def next_entry(self, skip):
        """The seq to send next, leaving out those in `skip`; 0 when there is none."""
        for queue in (self._results, self._sheets, self._others):
            for seq in queue:
                if seq not in skip:
                    return seq
        return 0

    def next_page(self, skip):
        """(kind, size, digest) to send next, without digests in `skip`; None at the end."""
        for page in self._pages:
            if page[2] not in skip and self.carrier(page[2]):
                return page
        return None

    def waits(self, digest):
        """True when this photograph waits."""
        return any(page[2] == digest for page in self._pages)

    def is_result(self, seq):
        """True when entry `seq` waits and is a result or correction."""
        if seq > self._scanned:
            return record.parse(self.journal.entry(seq)[0]).kind != record.EVENT
        return seq in self._results

    def _drop(self, seq):
        for queue in (self._results, self._sheets, self._others):
            if seq in queue:
                queue.remove(seq)

    def acked(self, seq):
        """Entry `seq` is acknowledged."""
        self._drop(seq)
        self.known = True
        self.state.ack(seq)

    def refused(self, seq):
        """Entry `seq` is refused."""
        self._drop(seq)
        self.state.refuse(seq)

    def photo(self, digest, refused=False):
        """Photograph `digest` is complete at the collector, or refused."""
        self._pages = [page for page in self._pages if page[2] != digest]
        self.state.photo(digest, refused)

    def count(self, status):
        """Put the numbers into `status` (relay.Status)."""
        state = self.state
        refused = sum(state.is_refused(seq) for seq in range(1, self._scanned + 1))
        status.waiting = len(self._results) + len(self._sheets) + len(self._others)
        status.sent = self._scanned - status.waiting - refused
        status.photos_waiting = len(self._pages)
        status.refused = refused + len(state.photos_refused)
