"""What the officers write on a sheet: figures, X, bubbles, tallies, words, names, signatures."""

import itertools
from collections.abc import Mapping, Sequence

from host_tools.sheet.draw_canvas import Canvas
from host_tools.sheet.draw_ink import Writer
from host_tools.sheet.layout import Field, Form, Page
from host_tools.sheet.terbilang import terbilang

STROKES_A_CELL = 5


def fill(
    canvas: Canvas,
    form: Form,
    page: Page,
    fields: Sequence[Field],
    values: Mapping[str, int | None],
    station: Mapping[str, str],
    parts: Mapping[str, Mapping[str, int | None]],
    pairs: int,
    seed: int,
) -> None:
    """Write `values` on the printed page; ValueError for a field or figure that has no place."""
    writer = Writer(canvas, seed)
    rows = page.data["pair"]["bubbles"] if "pair" in page.data else None
    for field in fields:
        value = values.get(field.name)
        if value is None:
            continue
        digits = digits_for(value, len(field.boxes))
        for char, box in zip(digits, field.boxes, strict=True):
            writer.in_box(char, box)
        if field.bubbles and rows:
            shown = _part(parts, "bubbles", field.name, value)
            if shown is not None:
                marked = digits_for(shown, len(field.boxes)).replace("X", "0")
                for char, column in zip(marked, field.bubbles, strict=True):
                    x, y = column[int(char)]
                    writer.bubble(x, y, rows["rx"], rows["ry"])
        shown = _part(parts, "tally", field.name, value)
        if field.tally and shown is not None:
            _tally(writer, field.tally, shown)
        shown = _part(parts, "words", field.name, value)
        if field.words and shown is not None:
            x, y, w, h = field.words
            writer.text_in(terbilang(shown), (x, y, w, h), 20)
    _station(writer, form, page, station)
    _decided(writer, page, station)
    _sign(writer, form, page, pairs)


def digits_for(value: int, boxes: int) -> str:
    """The figure right-aligned in its boxes, unused leading ones struck: 32 -> "X32"."""
    if not 0 <= value < 10**boxes:
        raise ValueError(f"{value} does not fit in {boxes} digit boxes")
    return str(value).rjust(boxes, "X")


def _part(
    parts: Mapping[str, Mapping[str, int | None]], kind: str, name: str, value: int
) -> int | None:
    return parts.get(kind, {}).get(name, value)


def _tally(writer: Writer, grid: Mapping, strokes: int) -> None:
    """Strokes from the left, row by row, and each begun row's total beside it."""
    width, height = grid["cell"]
    a_row = grid["columns"] * STROKES_A_CELL
    if strokes > a_row * grid["rows"]:
        raise ValueError(f"{strokes} strokes do not fit in the tally grid")
    edges = grid["totals"]
    for row in range((strokes + a_row - 1) // a_row):
        in_row = min(a_row, strokes - row * a_row)
        y = grid["y"] + row * height
        for cell in range((in_row + STROKES_A_CELL - 1) // STROKES_A_CELL):
            count = min(STROKES_A_CELL, in_row - cell * STROKES_A_CELL)
            writer.tally(grid["x"] + cell * width, y, width, height, count)
        places = itertools.pairwise(edges)
        total = str(in_row).rjust(len(edges) - 1)
        for char, (x0, x1) in zip(total, places, strict=True):
            if char != " ":
                writer.in_box(char, (x0, y, x1 - x0, height), writer.pen * 0.75)


def _station(writer: Writer, form: Form, page: Page, station: Mapping[str, str]) -> None:
    places = page.data.get("station") or form.header["station"]
    for key in ("province", "regency", "district", "village"):
        if station.get(key):
            x, y, width = places[key]
            writer.text(station[key], x, y, width, 13)
    number = str(station.get("tps", ""))
    if number:
        x, y, width = places["tps"]
        writer.text(number.zfill(3), x, y, width, 13)
        if number.isdigit():
            x, y, width = places["tps_words"]
            writer.text(terbilang(int(number)), x, y, width, 11)


def _decided(writer: Writer, page: Page, station: Mapping[str, str]) -> None:
    """Place and date of the decision, on the last page; `station["date"]` is DDMMYYYY."""
    places = page.data.get("decided")
    if not places:
        return
    if station.get("village"):
        x, y, width = places["place"]
        writer.text(station["village"], x, y, width, 14)
    y0, y1 = places["y"]
    for char, (x0, x1) in zip(station.get("date", ""), places["boxes"], strict=False):
        writer.in_box(char, (x0, y0, x1 - x0, y1 - y0), writer.pen * 0.8)


def _sign(writer: Writer, form: Form, page: Page, pairs: int) -> None:
    _, head, officers, _, label, end = page.data["signatures"]
    step = (944 - 57.4) / form.officers
    for i in range(form.officers):
        x = 57.4 + i * step
        writer.signature(x + step * 0.3, head + 8, step * 0.5, officers - head - 24)
    step = (944 - 57.4) / pairs
    for i in range(pairs):
        x = 57.4 + i * step
        writer.signature(x + step * 0.3, label + 8, step * 0.4, end - label - 26)
