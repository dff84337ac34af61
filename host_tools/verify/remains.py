"""What is left of a journal whose chain does not hold: which entries are whole, which are missing.

The kit's own reader stops at the first fault. Evidence is looked through to its end.
"""

import binascii
import struct
from collections.abc import Callable
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ec

from firmware import record
from host_tools.verify import frame
from host_tools.verify.report import Report, Words

_HEAD = 10
_ENTRY = b"\xd2\x84\x4d"
_LIMIT = 2 * 65535
_LINES = 20


def whole_frames(data: bytes) -> list[tuple[int, int, record.Entry]]:
    """(first byte, end, entry) of every whole frame with a record in it, whatever lies between."""
    found = []
    at = 0
    while at + _HEAD < len(data):
        end, entry = _frame(data, at)
        if entry is None:
            at = _next(data, at + 1)
            continue
        found.append((at, end, entry))
        at = end
    return found


def _frame(data: bytes, at: int) -> tuple[int, record.Entry | None]:
    size, crc, manifest_size = struct.unpack_from(">IIH", data, at)
    start, end = at + _HEAD + manifest_size, at + _HEAD + size
    if size > _LIMIT or manifest_size > size or end > len(data):
        return 0, None
    if data[start : start + 3] != _ENTRY or binascii.crc32(data[at + 8 : end]) != crc:
        return 0, None
    try:
        return end, record.parse(data[start:end])
    except record.RecordError:
        return 0, None


def _next(data: bytes, at: int) -> int:
    """The next byte from which a frame may start: its entry begins where its head says."""
    while at + _HEAD < len(data):
        size, _, manifest_size = struct.unpack_from(">IIH", data, at)
        start = at + _HEAD + manifest_size
        if manifest_size <= size <= _LIMIT and data[start : start + 3] == _ENTRY:
            return at
        at += 1
    return len(data)


def check(report: Report, data: bytes, key: ec.EllipticCurvePublicKey, kid: bytes) -> None:
    """Name what of the journal is whole and signed, and what is missing, twice or damaged."""
    frames = whole_frames(data)
    signed = [e for _, _, e in frames if e.kid == kid and frame.signed_by(e, key)]
    lines = [partial(_signed, len(signed), len(frames), _ranges([_seq(e) for e in signed]))]
    lines += _order([e for _, _, e in frames])
    at = 0
    for start, end, _ in frames:
        if start > at:
            lines.append(partial(_damaged, at, start))
        at = end
    if at < len(data):
        lines.append(partial(_damaged, at, len(data)))
    report.facts["whole_entries"] = [_seq(e) for _, _, e in frames]
    report.warn("remains", "What is left of it:", lines=lines[:_LINES])


def _seq(entry: record.Entry) -> int:
    return entry.seq if entry.kind <= record.EVENT else 0


def _order(entries: list[record.Entry]) -> list[Callable[[Words], str]]:
    lines: list[Callable[[Words], str]] = []
    before = None
    for entry in entries:
        seq = _seq(entry)
        expected = _seq(before) + 1 if before is not None else 1
        if seq > expected:
            lines.append(partial(_missing, expected, seq - 1))
        elif seq < expected:
            lines.append(partial(_again, seq))
        elif before is not None and entry.prev != before.rec_id:
            lines.append(partial(_other_before, seq))
        before = entry
    return lines


def _ranges(numbers: list[int]) -> str:
    """1-4, 7, 9-12"""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs) or "-"


def _signed(signed: int, whole: int, which: str, t: Words) -> str:
    return t("%d of %d whole entries are signed by the kit: %s") % (signed, whole, which)


def _missing(first: int, last: int, t: Words) -> str:
    if first == last:
        return t("Entry %d is missing") % first
    return t("Entries %d to %d are missing") % (first, last)


def _again(seq: int, t: Words) -> str:
    return t("Entry %d is there once more, or out of order") % seq


def _other_before(seq: int, t: Words) -> str:
    return t("Entry %d does not name the one before it") % seq


def _damaged(start: int, end: int, t: Words) -> str:
    return t("Bytes %d to %d are no entry") % (start, end - 1)
