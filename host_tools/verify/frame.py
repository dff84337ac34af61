"""The checks that every signed object passes first, one by one (RECORD.md section 9, steps 1-7)."""

from firmware import record
from host_tools.provision import keys
from host_tools.verify.report import Report

SIGNED = ("frame", "header", "low-s", "shape", "role", "key", "signature")

_STEPS = ("frame", "header", "low-s", "shape")
_FAILS_AT = {
    record.BAD_FRAME: "frame",
    record.BAD_HEADER: "header",
    record.HIGH_S: "low-s",
    record.BAD_SHAPE: "shape",
}
_HELD = {
    "frame": "One tagged COSE_Sign1 in deterministic CBOR",
    "header": "Exactly ES256 and an 8-byte key id",
    "low-s": "The signature is in its one allowed form",
    "shape": "Every field is of its type",
}


def take_apart(report: Report, data: bytes) -> record.Entry | None:
    """Parse `data` into `report`'s first four checks; None when one failed."""
    try:
        entry, failed, why = record.parse(data), "", ""
    except record.RecordError as error:
        entry, failed, why = None, _FAILS_AT.get(error.code, "frame"), error.text
    for step in _STEPS:
        if step == failed:
            report.fail(step, "Not a Saksi record, or altered: %s", why)
            return None
        report.ok(step, _HELD[step])
    return entry


def check_signature(report: Report, entry: record.Entry, key: bytes) -> bool:
    """The signature over the entry's bytes by `key` (64 B)."""
    if keys.verify(key, entry.signed_digest(), entry.signature):
        return report.ok("signature", "The signature fits these bytes and this key")
    return report.fail("signature", "The signature is wrong: forged, or altered after signing")
