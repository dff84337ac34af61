"""Photographs on the card: streamed in while they are hashed, kept by their digest, never changed.

A photograph is whole under its own name or it is not there at all: it is written to `new.part`,
synced, and renamed to the hex of its SHA-256.
"""

import binascii
import hashlib
import os

from firmware.compat import CodedError, const, exists, make_dir, sync

CARD_FAILED = const(711)
_PART = "new.part"


class PhotoError(CodedError):
    """A photograph could not be stored."""


class Photos:
    """The folder of photographs. One is written at a time: begin, write…, keep or drop."""

    def __init__(self, folder):
        self.folder = folder
        make_dir(folder)
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

    def begin(self):
        """Start a new photograph, dropping an unfinished one."""
        self.drop()
        self._hash = hashlib.sha256()
        self._written = 0
        try:
            self._file = open("%s/%s" % (self.folder, _PART), "wb")
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

    def keep(self):
        """Make the photograph durable; returns (sha256 32 B, size)."""
        if self._file is None or self._hash is None:
            raise ValueError("begin a photograph first")
        digest = self._hash.digest()
        try:
            sync(self._file)
            self._file.close()
            self._file = None
            os.rename("%s/%s" % (self.folder, _PART), self.path(digest))
        except OSError as error:
            self._failed(error)
        return digest, self._written

    def drop(self):
        """Forget an unfinished photograph."""
        try:
            if self._file is not None:
                self._file.close()
        except OSError:
            pass
        self._file = None
        path = "%s/%s" % (self.folder, _PART)
        if exists(path):
            os.remove(path)

    def _failed(self, error):
        try:
            self.drop()
        except OSError:
            pass
        text = "Photograph was not stored (%s): change the card, then try again" % error
        raise PhotoError(CARD_FAILED, text)
