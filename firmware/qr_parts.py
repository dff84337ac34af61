"""A record as QR codes that fit the paper: one, or parts of it where one would be too fine to scan.

    part   = "HTTPS://" host "/" "#" "3" number count mark digits
    number = 2DIGIT    ; of this part, from 01
    count  = 2DIGIT    ; of all parts, from 02
    mark   = 10DIGIT   ; first 4 bytes of the rec-id, as printed: parts of two records do not mix

`digits` are a piece of what follows "#1" in a single code (qr_text.py), cut between groups of 17.
Order does not matter; a reader names the part that is missing (host_tools/verify/parts.py).
"""

from firmware import qr, record
from firmware.compat import const
from firmware.qr_text import BAD_QR, RECORD, qr_text
from firmware.record import RecordError

QUIET = const(4)  # light modules around a code, as the standard wants
LEAST_DOTS = const(4)  # a module of 0.5 mm on 203 dpi paper, as RECORD.md section 8 wants
PART_DOTS = const(5)  # parts are made so short that their modules are larger
_GROUP = const(17)
_HEAD = const(15)  # type, number, count, mark


def room(host, dots, module):
    """Digits behind the # of a code with modules of `module` dots on paper of `dots`."""
    version = min(qr.MAX_VERSION, (dots // module - 2 * QUIET - 17) // 4)
    fixed = [(qr.ALPHANUMERIC, "HTTPS://%s/" % host), (qr.BYTE, "#"), (qr.NUMERIC, "")]
    bits = qr.capacity(version, "M") - qr.encoded_bits(fixed, version)
    return bits // 10 * 3  # three digits take ten bits


def texts(host, kind, data, dots):
    """QR texts of `data` on paper of `dots`: one, or parts of alike length; RecordError."""
    whole = qr_text(host, kind, data)
    if len(whole) - whole.index("#") - 1 <= room(host, dots, LEAST_DOTS):
        return [whole]
    if kind != RECORD:
        raise RecordError(BAD_QR, "This is too long for QR codes")
    return split(host, data, room(host, dots, PART_DOTS))


def split(host, data, most):
    """QR texts of a record with at most `most` digits behind the # each; RecordError."""
    whole = qr_text(host, RECORD, data)
    address, _, rest = whole.partition("#")
    if len(rest) <= most:
        return [whole]
    digits = rest[1:]
    groups = -(-len(digits) // _GROUP)
    count = -(-groups // ((most - _HEAD) // _GROUP))
    if count > 99:
        raise RecordError(BAD_QR, "This is too long for QR codes")
    mark = int.from_bytes(record.rec_id(data)[:4], "big")
    parts = []
    for i in range(count):
        end = len(digits) if i == count - 1 else _GROUP * (groups * (i + 1) // count)
        piece = digits[_GROUP * (groups * i // count) : end]
        parts.append("%s#3%02d%02d%010d%s" % (address, i + 1, count, mark, piece))
    return parts
