"""What the collector has acknowledged, so that a restart does not begin from the beginning.

One small value in a power-safe store: [1, journal id, seqs acknowledged (bitmap), seqs refused
(bitmap), [photographs complete], [photographs refused]]. It may be lost or damaged at any time:
everything is sent again, and the collector answers the same to what it knows. So it is not written
at every change: a write of flash costs the screen more than the last few entries cost the line.
"""

from firmware.compat import CodedError

_VERSION = 1
_CHANGES = 8  # that may be lost with the power


class RelayState:
    """The state in `store` (load() and store(value): firmware.saved), tied to one journal."""

    def __init__(self, store):
        self._store = store
        self.journal_id = None
        self._reset()

    def _reset(self):
        self._changes = 0
        self._acked = bytearray()
        self._refused = bytearray()
        self.photos = set()
        self.photos_refused = set()

    def begin(self, journal_id):
        """Load what belongs to the journal with `journal_id` (rec-id of its first entry)."""
        self.journal_id = journal_id
        self._reset()
        try:
            version, owner, acked, refused, photos, bad = self._store.load()
            if version == _VERSION and owner == journal_id:
                self._acked, self._refused = bytearray(acked), bytearray(refused)
                self.photos, self.photos_refused = set(photos), set(bad)
        except Exception:  # damaged, absent or of another version: all the same here
            self._reset()

    def _changed(self):
        self._changes += 1
        if self._changes >= _CHANGES:
            self.save()

    def save(self):
        """Write what has changed; what the flash does not take is sent again, no more."""
        if not self._changes or self.journal_id is None:
            return
        self._changes = 0
        lists = [sorted(self.photos), sorted(self.photos_refused)]
        maps = [bytes(self._acked), bytes(self._refused)]
        try:
            self._store.store([_VERSION, self.journal_id] + maps + lists)
        except (OSError, CodedError):
            pass

    def is_acked(self, seq):
        """True when entry `seq` is acknowledged."""
        return _bit(self._acked, seq)

    def is_refused(self, seq):
        """True when the collector refused entry `seq`."""
        return _bit(self._refused, seq)

    def ack(self, seq):
        """Entry `seq` is acknowledged."""
        _set(self._acked, seq)
        self._changed()

    def refuse(self, seq):
        """Entry `seq` is refused."""
        _set(self._refused, seq)
        self._changed()

    def photo(self, digest, refused=False):
        """Photograph `digest` is complete at the collector, or refused."""
        (self.photos_refused if refused else self.photos).add(digest)
        self._changed()

    def forget_refusals(self):
        """Nothing counts as refused any more."""
        self._refused = bytearray()
        self.photos_refused = set()
        self._changes += 1
        self.save()


def _bit(bitmap, n):
    return n >> 3 < len(bitmap) and bool(bitmap[n >> 3] >> (n & 7) & 1)


def _set(bitmap, n):
    while len(bitmap) <= n >> 3:
        bitmap.append(0)
    bitmap[n >> 3] |= 1 << (n & 7)
