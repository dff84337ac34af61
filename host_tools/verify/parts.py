"""Puts a record together that came in several QR codes (firmware/qr_parts.py makes them).

    part   = "HTTPS://" host "/" "#" "3" number count mark digits
    number = 2DIGIT    ; of this part, from 01
    count  = 2DIGIT    ; of all parts, from 02
    mark   = 10DIGIT   ; first 4 bytes of the rec-id, so that parts of two records do not mix

`digits` are a piece of what follows "#1" in a single code (RECORD.md section 8), cut between groups
of 17. Order does not matter.
"""

from dataclasses import dataclass

from firmware import qr_text, record

PART = "3"
GROUP = 17
_HEAD = 1 + 2 + 2 + 10


class PartError(ValueError):
    """The parts at hand do not make a record; the text says which one is wrong or missing."""


@dataclass(frozen=True)
class Part:
    """One code of several: `number` of `count` of the record whose id starts with `mark` (4 B)."""

    number: int
    count: int
    mark: bytes
    digits: str


def parse(text: str) -> Part | None:
    """The part in a QR text; None when it is another text, PartError when it is a bent part."""
    address, mark, rest = text.strip().upper().partition("#")
    ours = not address or (address.startswith("HTTPS://") and address.endswith("/"))
    if not (mark and ours and rest.startswith(PART)):
        return None
    if not (rest.isascii() and rest.isdigit()) or len(rest) <= _HEAD:
        raise PartError("a part of a receipt has digits only after #")
    number, count, digest = int(rest[1:3]), int(rest[3:5]), int(rest[5:15])
    digits = rest[_HEAD:]
    if not 1 <= number <= count or count < 2 or digest >> 32:
        raise PartError("a part of a receipt is numbered wrongly")
    if number < count and len(digits) % GROUP:
        raise PartError(f"part {number} of {count} is cut off")
    return Part(number, count, digest.to_bytes(4, "big"), digits)


def missing(parts: list[Part]) -> list[int]:
    """Numbers of the parts that are not among `parts`, which are all of one record."""
    held = {part.number for part in parts}
    return [number for number in range(1, parts[0].count + 1) if number not in held]


def join(parts: list[Part]) -> bytes:
    """The record's bytes from all its parts, in any order and repeated; PartError."""
    pieces = {part.number: part.digits for part in parts}
    if any(pieces[part.number] != part.digits for part in parts):
        raise PartError("two scans of one part differ")
    absent = missing(parts)
    if absent:
        named = ", ".join(map(str, absent))
        raise PartError(f"part {named} of {parts[0].count} is missing")
    digits = "".join(pieces[number] for number in sorted(pieces))
    try:
        _, data = qr_text.parse_qr("#1" + digits)
    except record.RecordError as error:
        raise PartError(error.text) from error
    if record.rec_id(data)[:4] != parts[0].mark:
        raise PartError("the parts do not make the record that they name")
    return data
