"""Takes results apart with one pattern: what thousands of receipts are, at a quarter of the time.

Never a second opinion: it accepts only what `record.parse` accepts, and what it does not know or
does not like is left to `record.parse`, which says what is wrong. A test compares the two.
"""

import re
from typing import Any

import cbor2

from firmware import qr_text, record

_ZERO = bytes(32)
_ORDER = record.ORDER.to_bytes(32, "big")
_HALF = (record.ORDER >> 1).to_bytes(32, "big")

# An unsigned integer of at most 64 bits in the shortest of its forms (RFC 8949 section 4.2.1).
_LONG = rb"\x1a(?!\0\0).{4}|\x1b(?!\0\0\0\0).{8}"
_UINT = rb"(?:[\x00-\x17]|\x18[\x18-\xff]|\x19[\x01-\xff].|%b)" % _LONG
# In the order in which figures are most often met; possessive, since each byte decides alone.
_FIGURE = rb"(?:\x18[\x18-\xff]|[\x00-\x17\xf6]++|\x19[\x01-\xff].|%b)" % _LONG
_FIGURES = rb"(?:[\x81-\x97]|\x98[\x18-\xff]|\x99[\x01-\xff].)%b++" % _FIGURE
_PAYLOAD = rb"\x8a[\x01\x02]%b{4}%b\x58\x20.{32}(?!\0)%b\x58\x20.{32}%b" % (
    _UINT,
    _FIGURES,
    _UINT,
    _UINT,
)
_RESULT = re.compile(
    rb"\xd2\x84\x4d\xa2\x01\x26\x04\x48(.{8})\xa0"
    rb"(?:\x58([\x18-\xff])|\x59([\x01-\xff].))(%b)\x58\x40(.{32})(.{32})" % _PAYLOAD,
    re.DOTALL,
)

_TEXT = re.compile(r"(?:HTTPS://[0-9A-Z.\-]+/)?#1([0-9]+)")
_SIZES = {0: 0, 3: 1, 5: 2, 8: 3, 10: 4, 13: 5, 15: 6}  # digits of the last group -> bytes


def parse(data: bytes) -> record.Entry:
    """The entry in `data`, as `record.parse` gives it; RecordError as there."""
    return _result(data) or record.parse(data)


def _result(data: bytes) -> record.Entry | None:
    """A result or correction in its one allowed encoding; None for all else."""
    match = _RESULT.fullmatch(data)
    if match is None:
        return None
    kid, short, long, body, r, s = match.groups()
    if int.from_bytes(short or long, "big") != len(body):
        return None
    if not (_ZERO < r < _ORDER and _ZERO < s <= _HALF):
        return None
    try:
        payload: Any = cbor2.loads(body)
    except cbor2.CBORDecodeError:  # the list of figures is longer than its head says or shorter
        return None
    # The pattern knows everything but whether the number of figures is the one that their head
    # tells: if not, the digests are not where they belong.
    if not (type(payload[6]) is bytes and type(payload[8]) is bytes):
        return None
    return record.Entry(data, kid, body, payload, r + s)


def text(text: str) -> tuple[int, bytes]:
    """(kind, bytes) of a QR code's text, as `qr_text.parse_qr` gives them; RecordError as there."""
    match = _TEXT.fullmatch(text.strip().upper())
    digits = match[1] if match else ""
    last = len(digits) % 17
    if not digits or last not in _SIZES:
        return qr_text.parse_qr(text)
    end = len(digits) - last
    try:
        data = [int(digits[at : at + 17]).to_bytes(7, "big") for at in range(0, end, 17)]
        if last:
            data.append(int(digits[end:]).to_bytes(_SIZES[last], "big"))
    except OverflowError:  # a group that does not fit its bytes
        return qr_text.parse_qr(text)
    return qr_text.RECORD, b"".join(data)
