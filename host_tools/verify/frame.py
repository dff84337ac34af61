"""The checks that every signed object passes first, one by one (RECORD.md section 9, steps 1-7)."""

from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from firmware import record
from host_tools.verify import quick
from host_tools.verify.report import OK, Check, Report

SIGNED = ("frame", "header", "low-s", "shape", "role", "key", "signature")

_PREHASHED = ec.ECDSA(Prehashed(hashes.SHA256()))
_STEPS = ("frame", "header", "low-s", "shape")
_FAILS_AT = {
    record.BAD_FRAME: "frame",
    record.BAD_HEADER: "header",
    record.HIGH_S: "low-s",
    record.BAD_SHAPE: "shape",
}
_HELD = {
    "frame": Check("frame", OK, "One tagged COSE_Sign1 in deterministic CBOR"),
    "header": Check("header", OK, "Exactly ES256 and an 8-byte key id"),
    "low-s": Check("low-s", OK, "The signature is in its one allowed form"),
    "shape": Check("shape", OK, "Every field is of its type"),
}
_ALL_HELD = tuple(_HELD[step] for step in _STEPS)
_SIGNED = Check("signature", OK, "The signature fits these bytes and this key")


def take_apart(report: Report, data: bytes) -> record.Entry | None:
    """Parse `data` into `report`'s first four checks; None when one failed."""
    try:
        entry = quick.parse(data)
    except record.RecordError as error:
        failed = _FAILS_AT.get(error.code, "frame")
        for step in _STEPS[: _STEPS.index(failed)]:
            report.checks.append(_HELD[step])
        report.fail(failed, "Not a Saksi record, or altered: %s", error.text)
        return None
    report.checks.extend(_ALL_HELD)
    return entry


class Signature(NamedTuple):
    """All that verifying takes, made ready: the key, the signature in DER, the 32 B digest."""

    key: ec.EllipticCurvePublicKey
    der: bytes
    digest: bytes

    @classmethod
    def of(cls, entry: record.Entry, key: ec.EllipticCurvePublicKey) -> "Signature":
        """Of a parsed entry, whose signature is low-S since it was parsed.

        A parsed entry has its one encoding, so what was signed is cut out of it: header and payload
        with their heads (RFC 9052 section 4.4), as `entry.signed_digest()` puts them together.
        """
        data, signature = entry.data, entry.signature
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        signed = b"".join((b"\x84\x6aSignature1", data[2:16], b"\x40", data[17:-66]))
        return cls(key, encode_dss_signature(r, s), sha256(signed).digest())


def holds(signature: Signature) -> bool:
    """True when the key made the signature over the digest."""
    key, der, digest = signature
    try:
        key.verify(der, digest, _PREHASHED)
    except (InvalidSignature, ValueError):
        return False
    return True


def signed_by(entry: record.Entry, key: ec.EllipticCurvePublicKey) -> bool:
    """True when `key` signed the parsed `entry`."""
    return holds(Signature.of(entry, key))


def say_signed(report: Report, signed: bool) -> bool:
    """The check of the signature, verified elsewhere; gives back whether it held."""
    if signed:
        report.checks.append(_SIGNED)
        return True
    return report.fail("signature", "The signature is wrong: forged, or altered after signing")
