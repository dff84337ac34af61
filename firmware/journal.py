"""The kit's journal: an append-only chain of signed entries on flash.

One file of frames, each written by one write and one sync:

    size u32 | crc32 u32 | manifest size u16 | manifest | entry

A frame exists or it does not: a torn last frame (power cut in mid-write) is cut off when the
journal is opened, which loses nothing that was ever printed, sent or acknowledged, since those
come after the sync. A frame that is whole but wrong, or wrong in the middle, is never cut: the
journal refuses to open with a code, because somebody has to look at it.
"""

import binascii
import os
import struct

from firmware import record
from firmware.compat import CodedError, const, exists, sync

_HEAD = const(10)
_LIMIT = const(65535)  # an entry must fit the public log (C2SP tlog-tiles: uint16 length)

DAMAGED = const(701)
BROKEN_CHAIN = const(702)
WRITE_FAILED = const(703)
WRONG_ENTRY = const(704)


class JournalError(CodedError):
    """The journal cannot be used as it is."""


def _frame(file, at, limit=2 * _LIMIT):
    """(size told, size of the manifest, body) of the frame at byte `at`.

    The body is None when it is not whole; the size is then -1 when it cannot be believed.
    """
    file.seek(at)
    head = file.read(_HEAD)
    if len(head) < _HEAD:
        return -1, 0, None
    size, crc, manifest_size = struct.unpack(">IIH", head)
    if size > limit or manifest_size > size:
        return -1, 0, None
    body = file.read(size)
    whole = len(body) == size and binascii.crc32(head[8:] + body) == crc
    return size, manifest_size, body if whole else None


def is_whole(file, at, end):
    """True when a whole frame, whatever it says, lies between two bytes of an open file."""
    return _frame(file, at, end - at)[2] is not None


class Journal:
    """The chain in file `path`; `genesis` is SHA-256 of the device certificate, the first prev.

    `last` is the seq of the last entry (0 when empty), `head` its rec-id (or genesis), `size` the
    bytes of all whole frames. `on_append()`, when set, is called after every append; it must not
    raise.
    """

    def __init__(self, path, genesis):
        self.path = path
        self.head = genesis
        self.last = 0
        self.dropped = 0  # bytes of a torn last frame found at opening
        self._offsets = []
        self.size = 0
        self.on_append = None
        self._dirty = False  # bytes of a failed write may lie behind the last frame
        if exists(path):
            self._load()

    def _load(self):
        with open(self.path, "rb") as file:
            while True:
                frame = self._read(file)
                if frame is None:
                    break
                entry, manifest = frame
                try:
                    self._check(entry, manifest)
                except (JournalError, record.RecordError) as error:
                    text = "Journal entry %d: %s"
                    raise JournalError(BROKEN_CHAIN, text, self.last + 1, error.text) from None
                self._take(entry, _HEAD + len(manifest or b"") + len(entry))
            self.dropped = self._rest(file)
        if self.dropped:
            self._cut()

    def _rest(self, file):
        file.seek(0, 2)
        return file.tell() - self.size

    def _read(self, file):
        """The frame at the end of what was read so far; None at the end or at a torn tail."""
        size, manifest_size, body = _frame(file, self.size)
        if body is None:
            # Only the last frame can be torn. If anything whole follows, it is damage.
            if size >= 0 and self._rest(file) > _HEAD + size:
                raise JournalError(DAMAGED, "Journal is damaged after entry %d", self.last)
            return None
        return body[manifest_size:], body[:manifest_size] or None

    def _cut(self):
        # littlefs leaves nothing of a write that failed, and a full flash has no room for a copy.
        if os.stat(self.path)[6] == self.size:
            self._dirty = False
            return
        # MicroPython's files cannot be truncated: copy the good part, then swap the names.
        fresh = self.path + ".new"
        buffer = bytearray(512)
        view = memoryview(buffer)
        with open(self.path, "rb") as old, open(fresh, "wb") as new:
            left = self.size
            while left:
                n = old.readinto(view[: min(left, 512)])
                new.write(view[:n])
                left -= n
            sync(new)
        os.rename(fresh, self.path)
        self._dirty = False

    def _check(self, data, manifest):
        entry = record.parse(data)
        if entry.kind > record.EVENT:
            raise JournalError(WRONG_ENTRY, "Only a kit's own entries belong in its journal")
        if entry.seq != self.last + 1 or entry.prev != self.head:
            raise JournalError(WRONG_ENTRY, "Entry does not follow the one before")
        if entry.kind == record.EVENT:
            if manifest is not None:
                raise JournalError(WRONG_ENTRY, "An event has no manifest")
        elif manifest is None or record.sha256(manifest) != entry.payload[6]:
            raise JournalError(WRONG_ENTRY, "Manifest is not the one the entry names")

    def _take(self, data, size):
        self._offsets.append(self.size)
        self.size += size
        self.last += 1
        self.head = record.rec_id(data)

    def append(self, data, manifest=None):
        """Add one entry (and a result's manifest) durably; JournalError leaves what was there."""
        self._check(data, manifest)
        body = (manifest or b"") + data
        if len(data) > _LIMIT:
            raise JournalError(WRONG_ENTRY, "Entry is longer than the public log takes")
        tail = struct.pack(">H", len(manifest or b"")) + body
        frame = struct.pack(">II", len(body), binascii.crc32(tail)) + tail
        try:
            if self._dirty:
                self._cut()
            with open(self.path, "ab") as file:
                self._dirty = True
                file.write(frame)
                sync(file)
            self._dirty = False
        except OSError as error:
            self._undo()
            text = "Journal could not be written (%s): switch off and on, else change the kit"
            raise JournalError(WRITE_FAILED, text, str(error)) from None
        self._take(data, len(frame))
        if self.on_append:
            self.on_append()

    def _undo(self):
        """Cut a half frame off now, or else before the next write or at the next start."""
        try:
            if self._dirty and exists(self.path):
                self._cut()
        except OSError:
            pass

    def frame(self, at):
        """(first byte, end) of the frame in which byte `at` lies; at the end both are `size`."""
        start = end = self.size
        for offset in reversed(self._offsets):
            if start <= at:
                break
            start, end = offset, start
        return start, end

    def entry(self, seq):
        """(entry bytes, manifest bytes or None) of entry `seq`, 1..last; IndexError otherwise."""
        if not 1 <= seq <= self.last:
            raise IndexError(seq)
        with open(self.path, "rb") as file:
            file.seek(self._offsets[seq - 1])
            size, _, manifest_size = struct.unpack(">IIH", file.read(_HEAD))
            body = file.read(size)
        return body[manifest_size:], body[:manifest_size] or None

    def entries(self, start=1):
        """Yield (seq, entry bytes, manifest or None) from `start` to the end."""
        for seq in range(start, self.last + 1):
            data, manifest = self.entry(seq)
            yield seq, data, manifest
