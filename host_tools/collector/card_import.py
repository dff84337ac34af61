"""`saksi collect --import`: a kit's journal and photographs from its card, where there was no line.

Same checks, same acknowledgements as over the line. They go back onto the card in a file that the
kit reads at its next start (firmware/relay_card.py). What was imported may be imported again.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from firmware import record
from firmware.journal import Journal, JournalError
from host_tools.collector.door import Door
from host_tools.collector.reasons import Refused, SetupError
from host_tools.verify.card import Card, CardError, open_card

PIECE = 1 << 18


@dataclass
class Imported:
    """What became of one journal. `problems`: a line for each thing that was not taken in."""

    name: str
    election: int = 0
    station: int = 0
    new: int = 0
    known: int = 0
    photographs: int = 0  # whole at the collector now
    written: str | None = None  # the file of acknowledgements
    problems: list[str] = field(default_factory=list)
    acks: list[bytes] = field(default_factory=list, repr=False)
    stored: list[bytes] = field(default_factory=list, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        shown = asdict(self)
        del shown["acks"], shown["stored"]
        return shown


def import_card(
    path: Path, door: Door, tell: Callable[[str], None] = lambda line: None
) -> list[Imported]:
    """Every journal at `path` (folder, littlefs image or a journal's file), live before training.

    Raises SetupError when it cannot be read or the collector does not answer.
    """
    try:
        card = open_card(path)
        first = {name: _first(card.read(name)) for name in card.journals}
    except CardError as error:
        raise SetupError(str(error)) from error

    def training_last(name: str) -> tuple[bool, str]:
        entry = first[name]
        return entry is not None and record.is_training(entry.payload[1]), name

    done = []
    for name in sorted(card.journals, key=training_last):
        tell(f"importing {name}")
        one = Imported(name)
        done.append(one)
        entry = first[name]
        if entry is None:
            one.problems.append("not a journal, or an empty one")
            continue
        one.election, one.station = entry.payload[1:3]
        _take(card, one, entry, door)
        _write_back(path, one)
    return done


def _first(data: bytes) -> record.Entry | None:
    """The first entry of a journal's bytes, unverified; None when there is none."""
    size, manifest = int.from_bytes(data[:4], "big"), int.from_bytes(data[8:10], "big")
    try:
        entry = record.parse(data[10 + manifest : 10 + size])
    except record.RecordError:
        return None
    return entry if entry.kind <= record.EVENT else None


def _take(card: Card, one: Imported, first: record.Entry, door: Door) -> None:
    certificate = _certificate(card, first.prev)
    offsets: dict[bytes, int] = {}
    # A copy: the kit's own reader cuts off a torn last write, and a card is evidence.
    with tempfile.TemporaryDirectory(prefix="saksi-") as folder:
        copy = Path(folder) / "journal"
        copy.write_bytes(card.read(one.name))
        try:
            journal = Journal(str(copy), first.prev)
        except JournalError as error:
            one.problems.append(f"{error.text}; saksi verify journal shows what it holds")
            return
        for seq, entry, manifest in journal.entries():
            try:
                taken = door.submit(entry, manifest, certificate if seq == 1 else None)
            except Refused as error:
                one.problems.append(f"entry {seq}: {error.reason}: {error.sentence}")
                continue
            one.new += taken.new
            one.known += not taken.new
            one.acks.append(taken.ack)
            offsets.update(taken.offsets)
    for digest, offset in offsets.items():
        _photo(card, one, digest, offset, door)


def _certificate(card: Card, digest: bytes) -> bytes | None:
    for name in card.certificates:
        der = card.read(name)
        if record.sha256(der) == digest:
            return der
    return None


def _photo(card: Card, one: Imported, digest: bytes, offset: int, door: Door) -> None:
    name = (card.photographs or {}).get(digest)
    try:
        if name is None:
            raise Refused("unknown", "it is not on this card")
        data = card.read(name)
        if record.sha256(data) != digest:
            raise Refused("digest", "the file is not as it was signed")
        if offset < len(data):
            rest = memoryview(data)[offset:]
            pieces = (bytes(rest[at : at + PIECE]) for at in range(0, len(rest), PIECE))
            door.photo(digest, offset, pieces)
    except (Refused, CardError) as error:
        text = error.sentence if isinstance(error, Refused) else str(error)
        one.problems.append(f"photograph {digest.hex()[:16]}: {text}")
    else:
        one.photographs += 1
        one.stored.append(digest)


def _write_back(path: Path, one: Imported) -> None:
    """Put the acknowledgements beside the journal; a journal's file alone has no place for them."""
    items = one.acks + one.stored
    if not items or one.name == path.name:
        return
    data = b"".join(len(item).to_bytes(2, "big") + item for item in items)
    name = str(PurePosixPath(one.name).parent / f"acks-{one.election}")
    try:
        if path.is_dir():
            fresh = path / (name + ".new")
            with fresh.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(path / name)
        else:
            _put_into_image(path, name, data)
    except OSError as error:
        text = f"acknowledgements could not be written ({error.strerror}); the kit will send again"
        one.problems.append(text)
        return
    one.written = name


def _put_into_image(path: Path, name: str, data: bytes) -> None:
    from littlefs import LittleFSError

    from host_tools.kit import flash

    try:
        flash.put(path, name, data)
    except LittleFSError as error:
        raise OSError(5, str(error)) from error
