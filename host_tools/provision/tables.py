"""CSV files of an election office, read strictly: every fault is one line that names its place."""

import csv
from collections.abc import Iterator
from pathlib import Path

SHOWN = 20


class Problems:
    """Faults found so far. Reading goes on after one, so that an office sees them all at once.

    `lines` are the first SHOWN, `count` is of all: a broken export of a province is not listed, nor
    kept, to its end.
    """

    def __init__(self):
        self.lines: list[str] = []
        self.count = 0

    def add(self, where: str, text: str) -> None:
        self.count += 1
        if self.count <= SHOWN:
            self.lines.append(f"{where}: {text}")

    def all(self) -> list[str]:
        """The first lines, and one that counts those left out."""
        rest = self.count - len(self.lines)
        return [*self.lines, f"... and {rest} more, {self.count} in all"] if rest else self.lines

    def summary(self) -> str:
        """The faults, one a line."""
        return "\n".join(self.all())


def rows(
    path: Path, columns: tuple[str, ...], problems: Problems
) -> Iterator[tuple[str, list[str]]]:
    """("name line n", values) of each row under exactly this header; bad rows go to `problems`."""
    try:
        # Spreadsheets put a byte order mark in front of UTF-8; it is no part of the header.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            yield from _rows(path.name, reader, columns, problems)
    except OSError as error:
        problems.add(path.name, f"cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        problems.add(path.name, "is not UTF-8; save it as CSV UTF-8")


def _rows(name, reader, columns, problems) -> Iterator[tuple[str, list[str]]]:
    header = next(reader, None)
    if header != list(columns):
        problems.add(f"{name} line 1", f"the header must be {','.join(columns)}")
        return
    while True:
        try:
            values = next(reader, None)
        except csv.Error as error:
            problems.add(f"{name} line {reader.line_num}", f"not CSV ({error})")
            return
        where = f"{name} line {reader.line_num}"
        if values is None:
            return
        if len(values) != len(columns):
            problems.add(where, f"{len(values)} values, {len(columns)} expected")
        elif not "".join(values).isalnum() and any(map(_is_unclean, values)):
            problems.add(where, "a value has a space around it or a control character in it")
        else:
            yield where, values


def _is_unclean(value: str) -> bool:
    return value != value.strip() or not value.isprintable()


def number(text: str, low: int, high: int) -> int | None:
    """`text` as a plain decimal number from low to high, else None."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    value = int(text)
    return value if low <= value <= high else None
