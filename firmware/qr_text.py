"""A signed record as the text of a QR code, and back (record.md section 8.3).

    qr     = "HTTPS://" host "/" "#" type digits
    type   = "1" record / "2" credential
    digits = 7 bytes big-endian as 17 digits; the last 1..6 bytes as 3, 5, 8, 10, 13, 15

A phone's camera opens the address; what stands behind # never leaves the phone. Decimal digits pack
into a QR code as tightly as base45 does, and an address may hold them.
"""

from firmware import qr
from firmware.compat import const
from firmware.record import RecordError

RECORD = const(1)
CREDENTIAL = const(2)
BAD_QR = const(812)

_DIGITS = (0, 3, 5, 8, 10, 13, 15, 17)  # decimal digits for so many bytes
_HOST = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ.-"


def _check_host(host):
    if not host or any(c not in _HOST for c in host):
        raise RecordError(BAD_QR, "The host of a QR code is letters, digits, dots and hyphens")


def qr_text(host, kind, data):
    """The QR text of `data` (bytes) as RECORD or CREDENTIAL under `host` (upper case)."""
    _check_host(host)
    if kind not in (RECORD, CREDENTIAL) or not data:
        raise RecordError(BAD_QR, "A QR code holds a record or a credential")
    groups = []
    for start in range(0, len(data), 7):
        group = bytes(data[start : start + 7])
        number = str(int.from_bytes(group, "big"))
        groups.append("0" * (_DIGITS[len(group)] - len(number)) + number)
    return "HTTPS://%s/#%d%s" % (host, kind, "".join(groups))


def parse_qr(text):
    """(kind, bytes) of a QR text, whole or from its #, in any letter case; else RecordError."""
    address, mark, rest = text.strip().upper().partition("#")
    if not mark:
        raise RecordError(BAD_QR, "This QR code is not from a receipt: it has no #")
    if address:
        if not (address.startswith("HTTPS://") and address.endswith("/")):
            raise RecordError(BAD_QR, "This QR code is not from a receipt: its address is wrong")
        _check_host(address[8:-1])
    if rest[:1] not in ("1", "2"):
        raise RecordError(BAD_QR, "This QR code is of an unknown type")
    kind, digits = int(rest[0]), rest[1:]
    if not digits or any(c not in "0123456789" for c in digits):
        raise RecordError(BAD_QR, "After # a receipt's QR code has digits only")
    if len(digits) % 17 not in _DIGITS[:-1]:
        raise RecordError(BAD_QR, "The QR code's digits are not complete")
    data = bytearray()
    for start in range(0, len(digits), 17):
        group = digits[start : start + 17]
        size = _DIGITS.index(len(group))
        number = int(group)
        if number >> (8 * size):
            raise RecordError(BAD_QR, "A group of digits in the QR code does not fit its bytes")
        data += number.to_bytes(size, "big")
    return kind, bytes(data)


def bytes_of(text):
    """The signed bytes in a QR text; see parse_qr."""
    return parse_qr(text)[1]


def segments_of(text):
    """Segments for qr.encode: alphanumeric address, # as a byte, digits as numeric."""
    address, mark, digits = text.partition("#")
    return [(qr.ALPHANUMERIC, address), (qr.BYTE, mark), (qr.NUMERIC, digits)]
