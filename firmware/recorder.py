"""Makes the kit's entries: the one place where the chip signs and the journal grows.

Order of one append, so that a power cut at any point is told apart at the next start:

    1. the chip's counter is at the number of entries (or one more: cut after step 2)
    2. count up        3. sign        4. write and sync

A counter that is further ahead means that entries were lost from flash, one that is behind means
another chip: both refuse to sign. A seq is never signed twice for what could have left the kit,
since printing and sending come after step 4.
"""

from firmware import record
from firmware.compat import CodedError, const

COUNTER_AHEAD = const(706)
COUNTER_BEHIND = const(707)


class RecorderError(CodedError):
    """Signing is refused."""


class Recorder:
    """Appends signed entries of one election and station to `journal`.

    `signer` plays the Signer role, `now()` gives Unix seconds.
    """

    def __init__(self, journal, signer, election, station, now):
        self.journal = journal
        self.signer = signer
        self.election = election
        self.station = station
        self.now = now
        self.kid = record.kid_of(signer.public_key())

    def check_counter(self):
        """The chip's counter; RecorderError if it and the journal do not belong together."""
        count = self.signer.count()
        if count > self.journal.last + 1:
            text = "Journal has %d entries, the chip counted %d: entries are missing"
            raise RecorderError(COUNTER_AHEAD, text, self.journal.last, count)
        if count < self.journal.last:
            text = "Journal has %d entries, the chip counted %d: this is another chip"
            raise RecorderError(COUNTER_BEHIND, text, self.journal.last, count)
        return count

    def _append(self, head, manifest=None):
        if self.check_counter() == self.journal.last:
            self.signer.count_up()
        payload = head + [self.journal.last + 1, self.journal.head, self.now()]
        data = record.assemble(payload, self.kid, self.signer.sign)
        self.journal.append(data, manifest)
        return record.parse(data)

    def event(self, number, detail):
        """Append a device event; returns its Entry."""
        return self._append([record.EVENT, self.election, self.station, number, detail])

    def result(self, contest, form, figures, pages, extra):
        """Append a result, or a correction when `extra` names the entry that it replaces."""
        manifest = record.manifest(pages, extra)
        kind = record.CORRECTION if record.REPLACES in extra else record.RESULT
        head = [kind, self.election, self.station, contest, form, figures, record.sha256(manifest)]
        return self._append(head, manifest)
