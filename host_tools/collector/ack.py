"""The collector's signed acknowledgement: "this entry is stored, since then" (kind 36).

It has the frame of every other entry, so that the kit's own chip can verify it and the proof of
sending can be printed at the station.
"""

from pathlib import Path

from firmware import record
from host_tools.collector.reasons import SetupError
from host_tools.provision import keys


class Acknowledger:
    """Holds the collector's P-256 key; kits carry its public half in their package."""

    def __init__(self, key: keys.SoftwareKey):
        self._key = key
        self._kid = key.kid()

    @classmethod
    def load(cls, path: Path) -> "Acknowledger":
        """From a PKCS#8 PEM file; raises SetupError."""
        try:
            return cls(keys.load_private(path))
        except keys.KeyFileError as error:
            raise SetupError(str(error)) from error

    def public_key(self) -> bytes:
        """64 B X|Y, for the station package."""
        return self._key.public_key()

    def sign(self, rec_id: bytes, received: int) -> bytes:
        """The entry `[36, rec-id, received, null, null, null]`: there is no log to point to yet."""
        payload = [record.ACK, rec_id, received, None, None, None]
        return record.assemble(payload, self._kid, self._key.sign)
