"""Bad vectors: each is one step away from a good one, and says why it must be refused.

`reason` is the check of RECORD.md, section 9, that fails first; `code` the error of
firmware.record, null when the bytes parse and only a key, a bundle or a manifest shows what is
wrong; `cose` what a generic COSE library does with it: "ok", "refused", or "differs" between them.
"""

import hashlib

from firmware import cbor, record
from tests.vectors import good, keys

OK, REFUSED, DIFFERS = "ok", "refused", "differs"
FRAME, HEADER, LOW_S, SHAPE = "frame", "header", "low-s", "shape"
CODES = {
    FRAME: record.BAD_FRAME,
    HEADER: record.BAD_HEADER,
    LOW_S: record.HIGH_S,
    SHAPE: record.BAD_SHAPE,
}
PROTECTED = cbor.encode({1: -7, 4: keys.KIT.kid})


class Bad:
    """Collects bad vectors around the published one (`base`)."""

    def __init__(self, v: good.Vectors):
        self.list: list[dict] = []
        self.base = bytes.fromhex(v.list[0]["hex"])
        entry = record.parse(self.base)
        self.payload, self.body, self.signature = (
            entry.payload,
            entry.payload_bytes,
            entry.signature,
        )

    def add(
        self,
        name: str,
        about: str,
        data: bytes,
        reason: str,
        cose: str,
        manifest: bytes | None = None,
        key: keys.TestKey = keys.KIT,
    ) -> None:
        """`key` is the one that a generic library is given; `manifest` goes with the entry."""
        vector = {
            "name": name,
            "about": about,
            "reason": reason,
            "code": CODES.get(reason),
            "cose": cose,
            "public_key": key.point.hex(),
            "hex": data.hex(),
        }
        if manifest is not None:
            vector["manifest"] = manifest.hex()
        self.list.append(vector)


def sign(
    body: bytes,
    protected: bytes = PROTECTED,
    key: keys.TestKey = keys.KIT,
    aad: bytes = b"",
    context: str = "Signature1",
) -> bytes:
    """A signature over any header and payload bytes, canonical or not."""
    return key.sign(record.sha256(cbor.encode([context, protected, aad, body])))


def frame(
    body,
    protected: bytes = PROTECTED,
    unprotected: dict | None = None,
    signature: bytes | None = None,
    tag: int = 18,
) -> bytes:
    """A COSE_Sign1 with these parts, signed well unless `signature` is given."""
    signature = sign(body, protected) if signature is None else signature
    return cbor.encode(cbor.Tag(tag, [protected, unprotected or {}, body, signature]))


def payload_of(payload, key: keys.TestKey = keys.KIT) -> bytes:
    """A well-signed entry of any payload, of a known kind or not."""
    body = payload if isinstance(payload, bytes) else cbor.encode(payload)
    protected = cbor.encode({1: -7, 4: key.kid})
    return frame(body, protected, signature=sign(body, protected, key))


def flip(data: bytes, at: int, bit: int = 1) -> bytes:
    """`data` with one bit turned over."""
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def _altered(b: Bad) -> None:
    at = b.base.index(b.body) + b.body.index(bytes.fromhex("19012d")) + 2
    b.add(
        "figure-changed",
        "One bit of a figure turned: 301 became 300",
        flip(b.base, at),
        "signature",
        REFUSED,
    )
    at = b.base.index(b.body) + b.body.index(bytes.fromhex("1b000002e9")) + 8
    b.add(
        "station-changed",
        "One bit of the station number turned",
        flip(b.base, at),
        "signature",
        REFUSED,
    )
    b.add(
        "signature-r-bit",
        "One bit of r turned",
        flip(b.base, len(b.base) - 60),
        "signature",
        REFUSED,
    )
    b.add(
        "signature-s-bit",
        "One bit of s turned",
        flip(b.base, len(b.base) - 1),
        "signature",
        REFUSED,
    )
    other = bytes.fromhex(sign(b.body + b"\0").hex())
    b.add(
        "signature-of-other-bytes",
        "A good signature by the right key over other bytes",
        frame(b.body, signature=other),
        "signature",
        REFUSED,
    )
    b.add(
        "external-aad",
        "Signed with external_aad; this profile has none",
        frame(b.body, signature=sign(b.body, aad=b"saksi")),
        "signature",
        REFUSED,
    )
    b.add(
        "context-signature",
        'Signed with context "Signature" (COSE_Sign) instead of "Signature1"',
        frame(b.body, signature=sign(b.body, context="Signature")),
        "signature",
        REFUSED,
    )
    bare = keys.KIT.sign(hashlib.sha256(b.body).digest())
    b.add(
        "payload-signed-bare",
        "Signed over the payload alone, without the Sig_structure",
        frame(b.body, signature=bare),
        "signature",
        REFUSED,
    )
    forged = frame(b.body, signature=sign(b.body, key=keys.STRANGER))
    b.add(
        "kid-borrowed",
        "A stranger's signature under the kit's key id",
        forged,
        "signature",
        REFUSED,
    )


def _low_s(b: Bad) -> None:
    r, s = b.signature[:32], int.from_bytes(b.signature[32:], "big")
    n = record.ORDER

    def signature(r_bytes: bytes, s_number: int) -> bytes:
        return frame(b.body, signature=r_bytes + s_number.to_bytes(32, "big"))

    b.add(
        "high-s",
        "s replaced by n - s: verifies everywhere, is another text of the same record",
        signature(r, n - s),
        LOW_S,
        OK,
    )
    b.add("s-zero", "s = 0", signature(r, 0), LOW_S, REFUSED)
    b.add("r-zero", "r = 0", signature(bytes(32), s), LOW_S, REFUSED)
    b.add(
        "r-is-the-order", "r = n, out of range", signature(n.to_bytes(32, "big"), s), LOW_S, REFUSED
    )
    b.add("s-plus-order", "s = n + 1, out of range", signature(r, n + 1), LOW_S, REFUSED)


def _header(b: Bad) -> None:
    kid = keys.KIT.kid
    b.add(
        "unprotected-kid",
        "A key id in the unprotected header as well",
        frame(b.body, unprotected={4: kid}),
        HEADER,
        OK,
    )
    b.add(
        "unprotected-receipt",
        "A transparency receipt (label 394) left in: strip it before hashing",
        frame(b.body, unprotected={394: [b"receipt"]}),
        HEADER,
        OK,
    )
    headers = (
        (
            "alg-esp256",
            "ESP256 (-9, RFC 9864) where this version writes ES256 (-7)",
            {1: -9, 4: kid},
            DIFFERS,
        ),
        (
            "alg-es384",
            "ES384 (-35), another algorithm over the same key",
            {1: -35, 4: kid},
            REFUSED,
        ),
        ("alg-missing", "No algorithm", {4: kid}, REFUSED),
        ("alg-eddsa", "EdDSA (-8)", {1: -8, 4: kid}, REFUSED),
        ("kid-missing", "No key id", {1: -7}, OK),
        ("kid-7-bytes", "Key id of 7 bytes", {1: -7, 4: kid[:7]}, OK),
        ("kid-9-bytes", "Key id of 9 bytes", {1: -7, 4: kid + b"\0"}, OK),
        ("kid-text", "Key id as text", {1: -7, 4: "f612b783"}, DIFFERS),
        ("content-type", "A content type in the protected header", {1: -7, 3: 60, 4: kid}, OK),
        ("crit", "A critical header nobody knows", {1: -7, 2: [99], 4: kid, 99: 1}, DIFFERS),
    )
    for name, about, header, cose in headers:
        b.add(name, about, frame(b.body, cbor.encode(header)), HEADER, cose)
    swapped = b"\xa2\x04\x48" + kid + b"\x01\x26"
    b.add("header-order", "Header keys out of order", frame(b.body, swapped), HEADER, OK)
    long = b"\xa2\x01\x38\x06\x04\x48" + kid
    b.add(
        "header-long-head",
        "-7 written in two bytes inside the header",
        frame(b.body, long),
        HEADER,
        OK,
    )
    b.add("header-empty", "Empty protected header", frame(b.body, b""), HEADER, REFUSED)


def _frame(b: Bad) -> None:
    base, n = b.base, len(b.body)
    cut = base.index(b"\x58" + bytes([n]))
    b.add("tag-missing", "No tag 18", base[1:], FRAME, DIFFERS)
    b.add("tag-98", "Tag 98 (COSE_Sign)", b"\xd8\x62" + base[1:], FRAME, REFUSED)
    b.add("tag-17", "Tag 17 (COSE_Mac0)", b"\xd1" + base[1:], FRAME, REFUSED)
    b.add("tag-twice", "Tag 18 twice", b"\xd2" + base, FRAME, DIFFERS)
    b.add("tag-long-head", "Tag 18 written in two bytes", b"\xd8\x12" + base[1:], FRAME, OK)
    b.add("self-described", "CBOR's own tag 55799 in front", b"\xd9\xd9\xf7" + base, FRAME, DIFFERS)
    b.add("trailing-byte", "A byte after the end", base + b"\0", FRAME, DIFFERS)
    b.add("cut-short", "The last byte missing", base[:-1], FRAME, REFUSED)
    b.add("empty", "No bytes at all", b"", FRAME, REFUSED)
    b.add(
        "long-head",
        "The payload's length in two bytes where one would do",
        base[:cut] + b"\x59\x00" + bytes([n]) + base[cut + 2 :],
        FRAME,
        OK,
    )
    b.add(
        "indefinite-array",
        "The frame as an array without a length",
        b"\xd2\x9f" + base[2:] + b"\xff",
        FRAME,
        OK,
    )
    half = n // 2
    pieces = b"\x5f" + cbor.encode(b.body[:half]) + cbor.encode(b.body[half:]) + b"\xff"
    b.add(
        "indefinite-payload",
        "The payload in pieces",
        base[:cut] + pieces + base[cut + 2 + n :],
        FRAME,
        DIFFERS,
    )
    three = cbor.encode(cbor.Tag(18, [PROTECTED, {}, b.body]))
    b.add("three-parts", "No signature", three, FRAME, REFUSED)
    five = cbor.encode(cbor.Tag(18, [PROTECTED, {}, b.body, b.signature, None]))
    b.add("five-parts", "A fifth part", five, FRAME, DIFFERS)
    b.add("detached", "Payload nil, sent apart", frame(None, signature=b.signature), FRAME, REFUSED)
    b.add(
        "signature-63-bytes",
        "Signature one byte short",
        frame(b.body, signature=b.signature[:-1]),
        FRAME,
        REFUSED,
    )
    b.add(
        "signature-65-bytes",
        "Signature one byte long",
        frame(b.body, signature=b.signature + b"\0"),
        FRAME,
        REFUSED,
    )
    b.add(
        "signature-der",
        "Signature in ASN.1",
        frame(b.body, signature=keys.der(b.signature)),
        FRAME,
        REFUSED,
    )


def envelope(v: good.Vectors) -> Bad:
    """The bad vectors of signature, header and frame."""
    b = Bad(v)
    for part in (_altered, _low_s, _header, _frame):
        part(b)
    return b
