"""Small files and values that survive power cuts: the new file is whole before the old one goes.

A value's file is CRC-32 (4 bytes) and deterministic CBOR. A value that cannot be read back is
refused with a code: guessing where the officers were would be worse than asking.
"""

import binascii
import os

from firmware import cbor
from firmware.compat import CodedError, const, exists, sync

UNREADABLE = const(721)
NOT_SAVED = const(722)


def read(path):
    """The file's bytes, or None when there is none."""
    if not exists(path):
        return None
    with open(path, "rb") as file:
        return file.read()


def replace(path, data):
    """Put `data` at `path`: after a power cut the old file or the new one is there, never half."""
    with open(path + ".new", "wb") as file:
        file.write(data)
        sync(file)
    os.rename(path + ".new", path)


class SavedError(CodedError):
    """The value cannot be read or stored."""


class Saved:
    """One value in file `path`."""

    def __init__(self, path):
        self.path = path

    def load(self, default=None):
        """The value, or `default` when none was ever stored; SavedError when it is damaged."""
        data = read(self.path)
        if data is None:
            return default
        try:
            if binascii.crc32(data[4:]) != int.from_bytes(data[:4], "big"):
                raise cbor.CborError("checksum")
            return cbor.decode(data[4:])
        except cbor.CborError:
            text = "Saved state %s is damaged: call the technician"
            raise SavedError(UNREADABLE, text, self.path.split("/")[-1]) from None

    def store(self, value):
        """Replace the value durably; SavedError leaves the old one."""
        body = cbor.encode(value)
        try:
            replace(self.path, binascii.crc32(body).to_bytes(4, "big") + body)
        except OSError:
            text = "The kit's memory takes nothing more: call the technician."
            raise SavedError(NOT_SAVED, text) from None
