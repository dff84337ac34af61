"""Finds receipts in what a person has: pictures, text files, a scanner's lines, typed text."""

import codecs
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from firmware import qr_text
from firmware.record import RecordError
from host_tools.verify import parts, quick

LIMIT = 64 * 1024 * 1024  # bytes of a file, and no picture of a receipt is larger
ENTRY = b"\xd2\x84\x4d"  # how every record begins
# A text that a messenger or an editor broke: a line of digits goes on after a receipt's.
_GOES_ON = re.compile(r"[0-9]+")
_SYMBOLOGY = re.compile(r"^\]Q[0-6]")  # what some scanners put before a QR code's text


class ReadError(Exception):
    """There is no receipt to check; the text says in one line what to do."""


class Found(NamedTuple):
    """One receipt: `where` it was, its bytes, and what is wrong with its text, if anything.

    `missing`: what is still to be scanned, when that is all that is wrong.
    """

    where: str
    data: bytes
    problem: str | None = None
    missing: str | None = None


class Scan(NamedTuple):
    """What one source holds: the record's own bytes, or QR texts."""

    where: str
    data: bytes | None
    texts: list[str]


def read(source: str) -> list[Found]:
    """Every different receipt in `source`: a file, a text, or "-" for standard input.

    Raises ReadError when there is none. What claims to be a receipt and is malformed is returned
    with its `problem`: it is found wanting, not overlooked.
    """
    return receipts([scan(source)])


def scan(source: str) -> Scan:
    """The texts (or the record) in one source; ReadError when it cannot be read."""
    if source == "-":
        try:
            return Scan("standard input", None, sys.stdin.read(LIMIT).splitlines())
        except UnicodeDecodeError as error:
            raise ReadError("standard input: not a text; give the picture as a file") from error
    if "#" in source or source.upper().startswith("HTTPS:"):
        return Scan("the text given", None, source.splitlines())
    path = Path(source)
    try:
        if path.stat().st_size > LIMIT:
            raise ReadError(f"{source}: larger than 64 MB, not a receipt; give a photograph of it")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file's name"
        raise ReadError(f"{source}: cannot be read ({reason}); give a picture or text") from error
    if data.startswith(ENTRY):
        return Scan(source, data, [])
    text = _as_text(data)
    if text is not None:
        return Scan(source, None, text.splitlines())
    from host_tools.verify.picture import PictureError, qr_texts  # slow to load, not always needed

    try:
        return Scan(source, None, qr_texts(data, _complete))
    except PictureError as error:
        raise ReadError(f"{source}: {error}") from error


def from_texts(lines: list[str], where: str) -> list[Found]:
    """The receipts among QR texts, each once; ReadError when none of them is one."""
    return receipts([Scan(where, None, lines)])


def receipts(scans: Iterable[Scan]) -> list[Found]:
    """The receipts of several scans: each once a scan, those in parts put together from all.

    ReadError when a scan is without a receipt or a part of one.
    """
    found: list[Found] = []
    gathered: dict[tuple[bytes, int], list[tuple[parts.Part, str]]] = {}
    for one in scans:
        whole, pieces = _sorted(one)
        found += whole
        for part in pieces:
            gathered.setdefault((part.mark, part.count), []).append((part, one.where))
    for pieces_of_one in gathered.values():
        found.append(_joined(pieces_of_one))
    return found


def _sorted(one: Scan) -> tuple[list[Found], list[parts.Part]]:
    """(whole receipts, parts of receipts) of one scan; ReadError when there is neither."""
    if one.data is not None:
        return [Found(one.where, one.data)], []
    found: dict[str, Found] = {}
    pieces: list[parts.Part] = []
    other, credential = "", False
    for text in _unbroken(one.texts):
        try:
            part = parts.parse(text)
            if part is not None:
                pieces.append(part)
                continue
            kind, data = quick.text(text)
        except parts.PartError as error:
            found.setdefault(text, Found(one.where, b"", str(error)))
        except RecordError as error:
            if _claims_to_be_one(text):
                found.setdefault(text, Found(one.where, b"", error.text))
            else:
                other = other or text
        else:
            credential = credential or kind == qr_text.CREDENTIAL
            if kind == qr_text.RECORD:
                found.setdefault(data.hex(), Found(one.where, data))
    if not found and not pieces:
        raise ReadError(f"{one.where}: {_nothing(credential, other)}")
    return list(found.values()), pieces


def _nothing(credential: bool, other: str) -> str:
    if credential:
        return "that code is the kit's credential; scan the receipt's code"
    if other:
        return f"no receipt; it reads {_shown(other)}; scan the receipt's code"
    return "is empty; scan the receipt's code"


def _joined(pieces: list[tuple[parts.Part, str]]) -> Found:
    listed = [part for part, _ in pieces]
    where = " + ".join(dict.fromkeys(place for _, place in pieces))
    absent = parts.missing(listed)
    if absent:
        first = listed[0]
        named = " and ".join(str(number) for number in absent)
        text = f"code {named} of {first.count} of record {first.mark.hex().upper()}"
        return Found(where, b"", missing=text)
    try:
        return Found(where, parts.join(listed))
    except parts.PartError as error:
        return Found(where, b"", str(error))


def _complete(texts: list[str]) -> bool:
    """True when there is a receipt among the texts and no receipt in parts lacks one."""
    try:
        return all(one.missing is None for one in from_texts(texts, ""))
    except ReadError:
        return False


def _unbroken(lines: list[str]) -> list[str]:
    """The texts with what was broken over several lines put together; no empty ones."""
    texts: list[str] = []
    for line in lines:
        text = _SYMBOLOGY.sub("", line.strip())
        if not text:
            continue
        if texts and _claims_to_be_one(texts[-1]) and _GOES_ON.fullmatch(text):
            texts[-1] += text
        else:
            texts.append(text)
    return texts


def _claims_to_be_one(text: str) -> bool:
    address, mark, rest = text.upper().partition("#")
    ours = not address or (address.startswith("HTTPS://") and address.endswith("/"))
    return bool(ours and mark and rest[:1] in ("1", "2", "3") and rest[1:2].isdigit())


def _shown(text: str) -> str:
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return repr(plain[:40] + ("…" if len(plain) > 40 else ""))


def _as_text(data: bytes) -> str | None:
    """The file's text if it is one, else None (a picture)."""
    utf_16 = data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if b"\0" in data[:4096] and not utf_16:
        return None
    try:
        return data.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError:
        return None
