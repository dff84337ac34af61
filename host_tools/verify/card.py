"""What a kit's card or flash holds, read from a folder, from an image of it, or a journal alone."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

_JOURNAL = re.compile(r"journal(-\d+)?")
_ASIDE = re.compile(r"journal.*-old-\d+")
_PHOTO = re.compile(r"([0-9a-f]{64})\.jpg")
_LITTLEFS = b"littlefs"
_BLOCK = 4096
_PIECE = 1 << 20


class CardError(Exception):
    """The card, image or journal cannot be read; the text says what to do."""


class Card:
    """Files of one medium by name (a path in a folder, or the bytes in an image).

    `journals` {name: bytes}, `aside` names of journals that the kit put aside, `photographs`
    {SHA-256: names} or None where only a journal was given, `certificates` the DER files.
    """

    def __init__(self, files: dict[str, Path | bytes], alone: bool = False):
        self._files = files
        self.journals: list[str] = []
        self.aside: list[str] = []
        self.certificates: list[str] = []
        self.photographs: dict[bytes, str] | None = None if alone else {}
        for name in sorted(files):
            self._sort(name, name.rpartition("/")[2], alone)

    def _sort(self, name: str, base: str, alone: bool) -> None:
        photo = _PHOTO.fullmatch(base)
        if alone or _JOURNAL.fullmatch(base):
            self.journals.append(name)
        elif _ASIDE.fullmatch(base):
            self.aside.append(name)
        elif base.endswith(".der"):
            self.certificates.append(name)
        elif photo and self.photographs is not None:
            self.photographs[bytes.fromhex(photo[1])] = name

    def read(self, name: str) -> bytes:
        """A file's bytes; CardError."""
        held = self._files[name]
        try:
            return held if isinstance(held, bytes) else held.read_bytes()
        except OSError as error:
            raise CardError(f"{held}: cannot be read ({error.strerror})") from error

    def size(self, name: str) -> int:
        """Bytes of a file."""
        held = self._files[name]
        return len(held) if isinstance(held, bytes) else held.stat().st_size

    def digest(self, name: str, on_bytes: Callable[[int], None] = lambda n: None) -> bytes:
        """SHA-256 of a file; `on_bytes` hears how many more bytes were read; CardError."""
        held = self._files[name]
        if isinstance(held, bytes):
            on_bytes(len(held))
            return hashlib.sha256(held).digest()
        h = hashlib.sha256()
        try:
            with held.open("rb") as file:
                while piece := file.read(_PIECE):
                    h.update(piece)
                    on_bytes(len(piece))
        except OSError as error:
            raise CardError(f"{held}: cannot be read ({error.strerror})") from error
        return h.digest()


def open_card(path: Path) -> Card:
    """The card in a folder, in a littlefs image of card or flash, or one journal's file."""
    path = Path(path)
    try:
        if path.is_dir():
            files = {str(p.relative_to(path)): p for p in path.rglob("*") if p.is_file()}
            return _with_journal(Card({**files}), path)
        with path.open("rb") as file:
            start = file.read(2 * _BLOCK)
    except OSError as error:
        raise CardError(f"{path}: cannot be read ({error.strerror})") from error
    # The superblock is in the first two blocks; either may be the newer one.
    if _LITTLEFS in (start[8:16], start[_BLOCK + 8 : _BLOCK + 16]):
        return _with_journal(Card({**_image(path)}), path)
    if start[510:512] == b"\x55\xaa":
        raise CardError(f"{path}: an image of a FAT or partitioned card; mount it, give its folder")
    return Card({path.name: path}, alone=True)


def _image(path: Path) -> dict[str, bytes]:
    from littlefs import LittleFSError

    from host_tools.kit import flash

    try:
        return flash.files(path)
    except (LittleFSError, OSError, ValueError) as error:
        raise CardError(f"{path}: its littlefs cannot be read ({error})") from error


def _with_journal(card: Card, path: Path) -> Card:
    if not card.journals:
        aside = f"; it was put aside as {card.aside[0]}" if card.aside else ""
        raise CardError(f"{path}: holds no journal{aside}; give the kit's card or flash")
    return card
