"""Finds receipts in what a person has: a picture, a text file, a scanner's line, the text."""

import codecs
import sys
from pathlib import Path
from typing import NamedTuple

from firmware import qr_text
from firmware.record import RecordError

LIMIT = 64 * 1024 * 1024  # bytes of a file, and no picture of a receipt is larger
ENTRY = b"\xd2\x84\x4d"  # how every record begins


class ReadError(Exception):
    """There is no receipt to check; the text says in one line what to do."""


class Found(NamedTuple):
    """One receipt: `where` it was, its bytes, and what is wrong with its text, if anything."""

    where: str
    data: bytes
    problem: str | None = None


def read(source: str) -> list[Found]:
    """Every different receipt in `source`: a file, a text, or "-" for standard input.

    Raises ReadError when there is none. What claims to be a receipt and is malformed is returned
    with its `problem`: it is found wanting, not overlooked.
    """
    if source == "-":
        try:
            return from_texts(sys.stdin.read(LIMIT).splitlines(), "standard input")
        except UnicodeDecodeError as error:
            raise ReadError("standard input: not a text; give the picture as a file") from error
    if "#" in source or source.upper().startswith("HTTPS:"):
        return from_texts([source], "the text given")
    path = Path(source)
    try:
        if path.stat().st_size > LIMIT:
            raise ReadError(f"{source}: larger than 64 MB, not a receipt; give a photograph of it")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file's name"
        raise ReadError(f"{source}: cannot be read ({reason}); give a picture or text") from error
    if data.startswith(ENTRY):
        return [Found(source, data)]
    text = _as_text(data)
    if text is not None:
        return from_texts(text.splitlines(), source)
    from host_tools.verify.picture import PictureError, qr_texts  # slow to load, not always needed

    try:
        return from_texts(qr_texts(data), source)
    except PictureError as error:
        raise ReadError(f"{source}: {error}") from error


def from_texts(lines: list[str], where: str) -> list[Found]:
    """The receipts among QR texts, each once; ReadError when none of them is one."""
    found: dict[str, Found] = {}
    other, credential = "", False
    for line in lines:
        text = line.strip()
        if not text:
            continue
        try:
            kind, data = qr_text.parse_qr(text)
        except RecordError as error:
            if _claims_to_be_one(text):
                found.setdefault(text, Found(where, b"", error.text))
            else:
                other = other or text
            continue
        if kind == qr_text.CREDENTIAL:
            credential = True
        else:
            found.setdefault(data.hex(), Found(where, data))
    if found:
        return list(found.values())
    if credential:
        raise ReadError(f"{where}: that code is the kit's credential; scan the receipt's code")
    if other:
        raise ReadError(f"{where}: no receipt; it reads {_shown(other)}; scan the receipt's code")
    raise ReadError(f"{where}: is empty; scan the receipt's code")


def _claims_to_be_one(text: str) -> bool:
    address, mark, rest = text.upper().partition("#")
    ours = not address or (address.startswith("HTTPS://") and address.endswith("/"))
    return bool(ours and mark and rest[:1] in ("1", "2") and rest[1:2].isdigit())


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
