"""The paper of the emulated receipt printer: dot rows as they leave the head, as a picture."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from firmware.fonts import Font

FONT = Font(12, 24)
MARGIN = 36  # white dots left and right: 58 mm paper carries 48 mm of print
TOP, BOTTOM = 32, 32


@dataclass(frozen=True)
class Style:
    """How characters look: bold, width and height factors."""

    bold: bool = False
    wide: int = 1
    high: int = 1


@cache
def glyph_rows(character: str, style: Style) -> list[int]:
    """Rows of one character as integers of 12 * wide bits, highest bit left."""
    glyph = FONT.glyph(character)
    rows = []
    for y in range(FONT.height):
        row = int.from_bytes(glyph[y * 2 : y * 2 + 2], "big") >> 4
        if style.bold:
            row |= row >> 1
        if style.wide > 1:
            row = int("".join(bit * style.wide for bit in f"{row:012b}"), 2)
        rows += [row] * style.high
    return rows


def line_rows(characters: list[tuple[str, Style]], dots: int, align: int) -> list[int]:
    """Rows of a printed line, `dots` wide, characters standing on one base line."""
    height = max(FONT.height * style.high for _, style in characters)
    rows, width = [0] * height, 0
    for character, style in characters:
        bits = FONT.width * style.wide
        glyph = glyph_rows(character, style)
        glyph = [0] * (height - len(glyph)) + glyph
        rows = [row << bits | dot for row, dot in zip(rows, glyph, strict=True)]
        width += bits
    shift = aligned(width, dots, align)
    return [row << (dots - width - shift) for row in rows]


def aligned(width: int, dots: int, align: int) -> int:
    """White dots before `width` printed ones: align 0 left, 1 centre, 2 right."""
    return (0, (dots - width) // 2, dots - width)[align]


class Paper:
    """A roll in use: `rows` since the last cut, `papers` the pictures cut off before."""

    def __init__(self, dots: int):
        self.dots = dots
        self.rows: list[int] = []
        self.papers: list[Image.Image] = []

    def picture(self) -> Image.Image:
        """What hangs out of the printer, as a grey picture with the paper's margins."""
        data = b"".join(row.to_bytes(self.dots // 8, "big") for row in self.rows)
        size = (self.dots + 2 * MARGIN, len(self.rows) + TOP + BOTTOM)
        picture = Image.new("L", size, 255)
        if self.rows:
            print_ = Image.frombytes("1", (self.dots, len(self.rows)), data, "raw", "1;I")
            picture.paste(print_.convert("L"), (MARGIN, TOP))
        return picture

    def cut(self) -> None:
        """Cut off what hangs out, unless that is nothing."""
        if self.rows:
            self.papers.append(self.picture())
        self.rows = []

    def save_png(self, path: str | Path, index: int = -1) -> None:
        """Save one paper: the last by default, what is not cut off yet counting as the last."""
        papers = [*self.papers, self.picture()] if self.rows else self.papers
        papers[index].save(path)
