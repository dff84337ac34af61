"""The signed entry: build, sign, take apart and check its form (record.md sections 8.1 and 8.2).

Every signed object of Saksi has one frame, a tagged COSE_Sign1 (RFC 9052) with ES256:

    #6.18([ bstr {1: -7, 4: kid}, {}, bstr payload, signature 64 B ])

and a payload that is an array whose first element is its kind. This file knows the frame and the
shapes of the kinds; whose key it is and whether the chain holds is the reader's question.
"""

import hashlib

from firmware import cbor
from firmware.compat import const
from firmware.record_shapes import (  # noqa: F401 - the kinds belong to this file's names
    ACK,
    ASSIGNMENT,
    BUNDLE,
    CORRECTION,
    EVENT,
    PACKAGE,
    READINESS,
    RELEASE,
    RESULT,
    REVOCATION,
    ROSTER,
    SHAPES,
    is_digest,
    is_uint,
)

# Numbers of device events (kind 3) and the shape of their detail: see RECORD.md, "Events".
BOOT = const(1)
OPEN = const(2)
BALLOTS = const(3)
PAGE = const(4)
INCIDENT = const(5)
VOTERS = const(6)
RECEIPT_BEGUN = const(7)
RECEIPT_ENDED = const(8)
ACKNOWLEDGED = const(9)
CLOSE = const(10)
EXCHANGE = const(11)
UNUSED = const(12)

# Kinds of an incident (event 5).
NIHIL, INCIDENT_SHEET, OBJECTION, ATTENDANCE = range(4)

# Keys of the manifest's map.
FIRMWARE = const(1)
FIRMWARE_DIGEST = const(2)
CLOCK_QUALITY = const(3)
KEYED_ROUNDS = const(5)
RULES = const(6)
STANDS = const(7)
REPLACES = const(9)
REASON = const(10)

# A training election has the number of the live one plus this, so that every signed entry says
# which it is; its keys are listed in a bundle of that election only.
TRAINING = const(1000000)

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # n of P-256

_PROTECTED = b"\xa2\x01\x26\x04\x48"  # {1: -7, 4: 8 bytes}
_CONTEXT = b"\x84\x6aSignature1\x4d"

BAD_FRAME = const(801)
BAD_HEADER = const(802)
HIGH_S = const(803)
BAD_SHAPE = const(804)
BAD_MANIFEST = const(805)


class RecordError(ValueError):
    """An entry that cannot be accepted. `code` is in the manual's table, `text` says why."""

    def __init__(self, code, text):
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self):
        return "E%d %s" % (self.code, self.text)


def sha256(data):
    """SHA-256 of `data`, 32 bytes."""
    return hashlib.sha256(data).digest()


def is_training(election):
    """True when the election number is one of training."""
    return election >= TRAINING


def kid_of(public_key):
    """Key id: first 8 bytes of the COSE key thumbprint (RFC 9679) of X|Y, 64 bytes."""
    key = {1: 2, -1: 1, -2: bytes(public_key[:32]), -3: bytes(public_key[32:])}
    return sha256(cbor.encode(key))[:8]


def low_s(signature):
    """`signature` r|s with s in the lower half: s and n - s both verify, only one is a record."""
    s = int.from_bytes(signature[32:], "big")
    if ORDER > s > ORDER >> 1:
        return bytes(signature[:32]) + (ORDER - s).to_bytes(32, "big")
    return bytes(signature)


def is_low_s(signature):
    """True when r and s of the 64-byte signature are in range and s is in the lower half."""
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:], "big")
    return 0 < r < ORDER and 0 < s <= ORDER >> 1


def signed_digest(kid, payload_bytes):
    """SHA-256 of the Sig_structure (RFC 9052 section 4.4): what the chip signs, 32 bytes."""
    h = hashlib.sha256(_CONTEXT)
    h.update(_PROTECTED)
    h.update(kid)
    h.update(b"\x40")
    h.update(cbor.head(2, len(payload_bytes)))
    h.update(payload_bytes)
    return h.digest()


def assemble(payload, kid, sign):
    """The entry's bytes: `payload` is the list, `sign(digest 32 B) -> r|s 64 B` the chip."""
    check_payload(payload)
    payload_bytes = cbor.encode(payload)
    signature = low_s(sign(signed_digest(kid, payload_bytes)))
    if len(signature) != 64 or not is_low_s(signature):
        raise RecordError(HIGH_S, "The signer gave no valid signature")
    return b"".join(
        (
            b"\xd2\x84\x4d",
            _PROTECTED,
            kid,
            b"\xa0",
            cbor.head(2, len(payload_bytes)),
            payload_bytes,
            b"\x58\x40",
            signature,
        )
    )


def rec_id(data):
    """Record id of an entry: SHA-256 of its bytes."""
    return sha256(data)


class Entry:
    """A parsed entry: data, kid 8 B, payload_bytes, payload, kind, signature 64 B, rec_id 32 B."""

    def __init__(self, data, kid, payload_bytes, payload, signature):
        self.data = data
        self.kid = kid
        self.payload_bytes = payload_bytes
        self.payload = payload
        self.signature = signature
        self.kind = payload[0]
        self.rec_id = rec_id(data)

    def signed_digest(self):
        """The 32 bytes that the signature signs."""
        return signed_digest(self.kid, self.payload_bytes)

    # The last three elements of kinds 1, 2 and 3 are the same: the chain.
    @property
    def seq(self):
        """Place in the kit's journal, from 1."""
        return self.payload[-3]

    @property
    def prev(self):
        """rec-id of the entry before, or SHA-256 of the device certificate for the first."""
        return self.payload[-2]

    @property
    def time(self):
        """Unix seconds by the kit's clock."""
        return self.payload[-1]


def parse(data):
    """Take apart one entry and check frame, header, low-S and payload shape, in that order.

    Raises RecordError. Does not check the signature: that needs a key and a verifier.
    """
    data = bytes(data)
    try:
        frame = cbor.decode(data)
    except cbor.CborError as error:
        raise RecordError(BAD_FRAME, "Not a record: " + str(error)) from None
    if not (isinstance(frame, cbor.Tag) and frame.number == 18):
        raise RecordError(BAD_FRAME, "Not a record: no COSE_Sign1 tag")
    parts = frame.value
    if not (isinstance(parts, list) and len(parts) == 4):
        raise RecordError(BAD_FRAME, "Not a record: four parts expected")
    protected, unprotected, payload_bytes, signature = parts
    if not (isinstance(protected, bytes) and len(protected) == 13 and protected[:5] == _PROTECTED):
        raise RecordError(BAD_HEADER, "Header must be exactly ES256 and an 8-byte key id")
    if unprotected != {} or not isinstance(unprotected, dict):
        raise RecordError(BAD_HEADER, "Unprotected header must be empty")
    if not (isinstance(signature, bytes) and len(signature) == 64):
        raise RecordError(BAD_FRAME, "Signature must be 64 bytes")
    if not is_low_s(signature):
        raise RecordError(HIGH_S, "Signature is not in its low-S form")
    if not isinstance(payload_bytes, bytes):
        raise RecordError(BAD_FRAME, "Payload must be bytes")
    try:
        payload = cbor.decode(payload_bytes)
    except cbor.CborError as error:
        raise RecordError(BAD_FRAME, "Payload: " + str(error)) from None
    check_payload(payload)
    return Entry(data, protected[5:], payload_bytes, payload, signature)


def check_payload(payload):
    """Raise RecordError unless `payload` is a list of a known kind with that kind's shape."""
    shape = None
    if isinstance(payload, list) and payload and is_uint(payload[0]):
        shape = SHAPES.get(payload[0])
    if shape is None:
        raise RecordError(BAD_SHAPE, "Unknown kind of record")
    if len(payload) != len(shape) + 1:
        raise RecordError(BAD_SHAPE, "Wrong number of fields for kind %d" % payload[0])
    for i, (name, test) in enumerate(shape):
        if not test(payload[i + 1]):
            raise RecordError(BAD_SHAPE, "Field %s is not as the record wants it" % name)
    if payload[0] <= EVENT and payload[-3] == 0:
        raise RecordError(BAD_SHAPE, "Field seq starts at 1")


def manifest(pages, extra):
    """Manifest bytes: `pages` [[no, sha256, size]…], `extra` {key: value} (see RECORD.md)."""
    data = cbor.encode([1, pages, extra])
    parse_manifest(data)
    return data


def parse_manifest(data):
    """(pages, extra) of manifest bytes; RecordError if they are not as the record wants them."""
    try:
        value = cbor.decode(data)
    except cbor.CborError as error:
        raise RecordError(BAD_MANIFEST, "Manifest: " + str(error)) from None
    if not (isinstance(value, list) and len(value) == 3 and value[0] == 1):
        raise RecordError(BAD_MANIFEST, "Manifest: unknown version")
    _, pages, extra = value
    if not isinstance(pages, list) or not isinstance(extra, dict):
        raise RecordError(BAD_MANIFEST, "Manifest: pages and a map expected")
    for page in pages:
        if not (isinstance(page, list) and len(page) == 3):
            raise RecordError(BAD_MANIFEST, "Manifest: a page is number, digest, size")
        if not (is_uint(page[0]) and is_digest(page[1]) and is_uint(page[2])):
            raise RecordError(BAD_MANIFEST, "Manifest: a page is number, digest, size")
    if not all(is_uint(key) for key in extra):
        raise RecordError(BAD_MANIFEST, "Manifest: keys are numbers")
    return pages, extra
