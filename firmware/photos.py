"""A folder of photographs: streamed in while they are hashed, kept by their digest, never changed.

A photograph is whole under its own name or it is not there at all: it is written to `new.part`,
synced, and renamed to the hex of its SHA-256.
"""

import asyncio
import binascii
import hashlib
import os

from firmware.compat import CodedError, const, exists, make_dir, sync

NOT_STORED = const(711)
AGAIN = "The photograph was not stored: take it again."
_NAME = const(68)  # characters: 64 hex digits and .jpg


class PhotoError(CodedError):
    """A photograph could not be stored; `cause` is the OSError where there is one."""

    def __init__(self, code, text, cause=None):
        super().__init__(code, text)
        self.cause = cause


class Photos:
    """The photographs in `folder`. One is written at a time: begin, write…, keep or drop.

    Two writers in one folder take different names for their `part`.
    """

    def __init__(self, folder, part="new.part"):
        self.folder = folder
        self._part = "%s/%s" % (folder, part)
        self._file = None
        self._hash = None
        self._written = 0
        self.drop()

    def path(self, digest):
        """Where the photograph with this SHA-256 (32 B) lies."""
        return "%s/%s.jpg" % (self.folder, binascii.hexlify(digest).decode())

    def has(self, digest):
        """True when the whole photograph is here."""
        return exists(self.path(digest))

    def size(self, digest):
        """Bytes of a stored photograph; OSError if it is not here."""
        return os.stat(self.path(digest))[6]

    def open(self, digest):
        """A readable file of a stored photograph; OSError if it is not here."""
        return open(self.path(digest), "rb")

    def digests(self):
        """SHA-256 of every photograph that is here."""
        if not exists(self.folder):
            return []
        names = [name for name in os.listdir(self.folder) if len(name) == _NAME]
        return [binascii.unhexlify(name[:64]) for name in names]

    async def is_sound(self, digest):
        """True when the file still has its digest; OSError if it is not here."""
        sha = hashlib.sha256()
        buffer = bytearray(1024)
        file = self.open(digest)
        try:
            n = file.readinto(buffer)
            while n:
                sha.update(memoryview(buffer)[:n])
                n = file.readinto(buffer)
                await asyncio.sleep(0)
        finally:
            file.close()
        return sha.digest() == digest

    def remove(self, digest):
        """Delete a photograph; OSError if it is not here."""
        os.remove(self.path(digest))

    def begin(self, size=0):
        """Start a new photograph, dropping an unfinished one. `size`: its bytes, 0 if not known."""
        self.drop()
        self._hash = hashlib.sha256()
        self._written = 0
        try:
            make_dir(self.folder)
            self._file = open(self._part, "wb")
        except OSError as error:
            self._failed(error)

    def write(self, chunk):
        """Store and hash the next bytes (a memoryview is not copied)."""
        if self._file is None or self._hash is None:
            raise ValueError("begin a photograph first")
        try:
            self._file.write(chunk)
        except OSError as error:
            self._failed(error)
        self._hash.update(chunk)
        self._written += len(chunk)

    def keep(self, expected=None):
        """Make the photograph durable; returns (sha256 32 B, size).

        Nothing is kept when its digest is another than the `expected` one.
        """
        if self._file is None or self._hash is None:
            raise ValueError("begin a photograph first")
        digest = self._hash.digest()
        if expected is not None and digest != expected:
            self._failed(None)
        try:
            sync(self._file)
            self._file.close()
            self._file = None
            os.rename(self._part, self.path(digest))
        except OSError as error:
            self._failed(error)
        return digest, self._written

    def drop(self):
        """Forget an unfinished photograph."""
        try:
            if self._file is not None:
                self._file.close()
            self._file = None
            if exists(self._part):
                os.remove(self._part)
        except OSError:
            pass  # the medium is gone; the next one that is begun writes over it
        self._file = None

    def check(self):
        """Raise PhotoError when no photograph could be stored here."""
        self.begin()
        self.write(b"self-test")
        self.drop()

    def _failed(self, error):
        self.drop()
        raise PhotoError(NOT_STORED, AGAIN, error)
