"""P-256 keys on the host: the forms of a public key, and signatures as the record wants them.

A public key is 64 B X|Y (as the kit's chip gives it) or its 33 B compressed point (as the bundle
stores it); a signature is 64 B r|s with low s (firmware.record refuses the other half).
"""

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

from firmware import record

CURVE = ec.SECP256R1()
_PREHASHED = ec.ECDSA(Prehashed(hashes.SHA256()))


class KeyFileError(Exception):
    """A key file that cannot be used; the text says why in one line."""


def to_point64(key: ec.EllipticCurvePublicKey) -> bytes:
    """The 64 B X|Y of a public key."""
    encoding, form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    return key.public_bytes(encoding, form)[1:]


def to_point33(point64: bytes) -> bytes:
    """The compressed form of a 64 B X|Y key (SEC 1, 2.3.3)."""
    return bytes([2 + (point64[63] & 1)]) + point64[:32]


def public_from(point: bytes) -> ec.EllipticCurvePublicKey:
    """A public key from 64 B X|Y or 33 B compressed; ValueError if it is not on the curve."""
    encoded = b"\x04" + point if len(point) == 64 else point
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, encoded)


def verify(point64: bytes, digest: bytes, signature: bytes) -> bool:
    """True when `signature` (64 B r|s, low s) over the 32 B digest is by this key."""
    if len(signature) != 64 or not record.is_low_s(signature):
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        public_from(point64).verify(encode_dss_signature(r, s), digest, _PREHASHED)
    except (InvalidSignature, ValueError):
        return False
    return True


class SoftwareKey:
    """A private key held by this machine (authority, collector), with the Signer role's methods."""

    def __init__(self, private: ec.EllipticCurvePrivateKey):
        self.private = private

    @classmethod
    def generate(cls) -> "SoftwareKey":
        return cls(ec.generate_private_key(CURVE))

    def public_key(self) -> bytes:
        """64 B X|Y."""
        return to_point64(self.private.public_key())

    def sign(self, digest: bytes) -> bytes:
        """64 B r|s, low s, over a 32 B digest."""
        r, s = decode_dss_signature(self.private.sign(digest, _PREHASHED))
        return record.low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def kid(self) -> bytes:
        """8 B key id as used in every signed object."""
        return record.kid_of(self.public_key())


def load_private(path: Path, passphrase: bytes | None = None) -> SoftwareKey:
    """A P-256 private key from a PKCS#8 PEM file; raises KeyFileError."""
    try:
        key = serialization.load_pem_private_key(Path(path).read_bytes(), passphrase)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read ({error.strerror})") from error
    except TypeError as error:
        wanted = "is encrypted: give its passphrase" if passphrase is None else "is not encrypted"
        raise KeyFileError(f"{path}: {wanted}") from error
    except ValueError as error:
        raise KeyFileError(f"{path}: not a private key, or the passphrase is wrong") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != CURVE.name:
        raise KeyFileError(f"{path}: not a P-256 key")
    return SoftwareKey(key)


def load_public(path: Path) -> bytes:
    """64 B X|Y from a PEM file that holds a public key or a certificate; raises KeyFileError."""
    try:
        data = Path(path).read_bytes()
        if b"BEGIN CERTIFICATE" in data:
            key = x509.load_pem_x509_certificate(data).public_key()
        else:
            key = serialization.load_pem_public_key(data)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise KeyFileError(f"{path}: neither a public key nor a certificate in PEM") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != CURVE.name:
        raise KeyFileError(f"{path}: not a P-256 key")
    return to_point64(key)
