"""The vectors' keys. PRIVATE KEYS FOR TESTS ONLY: they are published, never sign with them.

Signatures are deterministic (RFC 6979), so that making the vectors again gives the same bytes.
"""

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

from firmware import record

# The private key of the published vector (RECORD.md, section 11).
_KIT = 0xD48F1EE07A01211DC3AB0D937CE8DE41C02E369B2717070A7523C6D3BDD67C82


class TestKey:
    """One published P-256 key with its role in the vectors; has the Signer's two methods."""

    __test__ = False

    def __init__(self, name: str, role: str, number: int | None = None):
        if number is None:
            seed = hashlib.sha256(f"saksi test vectors: {name}".encode()).digest()
            number = int.from_bytes(seed, "big") % (record.ORDER - 1) + 1
        self.name, self.role = name, role
        self.private = ec.derive_private_key(number, ec.SECP256R1())
        numbers = self.private.public_key().public_numbers()
        self.point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        self.kid = record.kid_of(self.point)

    def public_key(self) -> bytes:
        """64 B X|Y."""
        return self.point

    def sign(self, digest: bytes) -> bytes:
        """64 B r|s over a 32 B digest, low s."""
        how = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)
        r, s = decode_dss_signature(self.private.sign(digest, how))
        return record.low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def compressed(self) -> bytes:
        """33 B point, as a bundle lists it."""
        return bytes([2 + (self.point[63] & 1)]) + self.point[:32]


def der(signature: bytes) -> bytes:
    """The ASN.1 form of a 64 B signature, which COSE does not use."""
    return encode_dss_signature(
        int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    )


KIT = TestKey("kit", "kit", _KIT)
REVOKED = TestKey("revoked kit", "kit")
TRAINING_KIT = TestKey("training kit", "kit")
AUTHORITY = TestKey("authority", "authority")
COLLECTOR = TestKey("collector", "collector")
STRANGER = TestKey("stranger", "stranger")
ALL = (KIT, REVOKED, TRAINING_KIT, AUTHORITY, COLLECTOR, STRANGER)
