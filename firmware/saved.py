"""A small value that survives power cuts: the new file is whole before the old one goes.

The file is CRC-32 (4 bytes) and deterministic CBOR. A value that cannot be read back is refused
with a code: guessing where the officers were would be worse than asking.
"""

import binascii
import os

from firmware import cbor
from firmware.compat import CodedError, const, exists, sync

UNREADABLE = const(721)


class SavedError(CodedError):
    """The saved value cannot be read."""


class Saved:
    """One value in file `path`."""

    def __init__(self, path):
        self.path = path

    def load(self, default=None):
        """The value, or `default` when none was ever stored; SavedError when it is damaged."""
        if not exists(self.path):
            return default
        with open(self.path, "rb") as file:
            data = file.read()
        try:
            if binascii.crc32(data[4:]) != int.from_bytes(data[:4], "big"):
                raise cbor.CborError("checksum")
            return cbor.decode(data[4:])
        except cbor.CborError:
            text = "Saved state %s is damaged: call the technician" % self.path.split("/")[-1]
            raise SavedError(UNREADABLE, text) from None

    def store(self, value):
        """Replace the value durably; OSError leaves the old one."""
        body = cbor.encode(value)
        fresh = self.path + ".new"
        with open(fresh, "wb") as file:
            file.write(binascii.crc32(body).to_bytes(4, "big") + body)
            sync(file)
        os.rename(fresh, self.path)
