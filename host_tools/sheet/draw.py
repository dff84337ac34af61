"""Draws wall sheets (C.HASIL), blank or filled in, from a form's layout and its figures.

`draw_page` prints what the press prints; `draw_fill` writes what the officers write.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from host_tools.sheet import draw_fill
from host_tools.sheet.draw_canvas import GREY, Canvas
from host_tools.sheet.layout import Field, Form, Page

TAG_MODULES = 8  # DICT_APRILTAG_36h10: 6 x 6 bits and a black border


def draw_page(
    form: Form,
    page_no: int,
    values: Mapping[str, int | None] | None = None,
    station: Mapping[str, str] | None = None,
    size_px: int = 2064,
    *,
    pairs: Sequence[str] | int | None = None,
    seed: int = 0,
    parts: Mapping[str, Mapping[str, int | None]] | None = None,
) -> np.ndarray:
    """One page as uint8 BGR, `size_px` wide; the height follows from the paper's ratio.

    `values`: field name -> figure, None or absent = left blank; no values = a blank sheet.
    `station`: province, regency, district, village, tps. `pairs`: names ("A / B"), or how many.
    `seed`: whose hand; `parts`: other figures for "bubbles", "tally" or "words" than in the boxes.
    Raises ValueError for a page, a field or a figure the form has no place for.
    """
    page = form.page(page_no)
    names = list(pairs) if pairs is not None and not isinstance(pairs, int) else []
    count = form.pair_count(len(names) if names else pairs if isinstance(pairs, int) else None)
    names = names or [""] * count
    fields = form.fields(page_no, count)
    canvas = Canvas(form.paper["size"], form.paper["margin"], size_px)
    _paper(canvas, form, page)
    _data(canvas, form, page.data, {})
    if page.data.get("header"):
        _data(canvas, form, form.header, {})
    for number, name in enumerate(names, 1):
        if "pair" in page.data:
            _pair_block(canvas, form, page.data["pair"], number, _pair_names(form, name))
    for field in fields:
        _field(canvas, form, page, field)
    _signatures(canvas, form, page.data["signatures"], names)
    if values is not None:
        station, parts = station or {}, parts or {}
        draw_fill.fill(canvas, form, page, fields, values, station, parts, count, seed)
    return canvas.image


def tag_image(identity: int, size: int) -> np.ndarray:
    """AprilTag 36h10 `identity` with its black border, `size` pixels square (made by OpenCV)."""
    # OpenCV's drawing stands on its head beside the printed form's; the code is the same.
    family = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h10)
    return np.rot90(cv2.aruco.generateImageMarker(family, identity, size), 2)


def _paper(canvas: Canvas, form: Form, page: Page) -> None:
    width, height = form.paper["size"]
    mark_w, mark_h = form.paper["mark"]
    for x in (0, width - 2 * mark_w):
        for y in (0, height - 2 * mark_h):
            canvas.fill(x, y, x + mark_w, y + mark_h)
            canvas.fill(x + mark_w, y + mark_h, x + 2 * mark_w, y + 2 * mark_h)
    for y in (0, height):
        canvas.line(40, y, width - 38, y, 2, GREY)
    for x in (0, width):
        canvas.line(x, 43, x, height - 40, 2, GREY)

    x, y, w, h = form.paper["model"]
    canvas.rect(x, y, x + w, y + h, 1.4)
    canvas.text(x + w / 2, y + h * 0.34, 11, "bc", "MODEL")
    model = form.text["model"]
    canvas.text(x + w / 2, y + h * 0.66, min(11, 128 / len(model)), "bc", model)
    canvas.text(x + w / 2, y + h + 9.3, 11, "bc", f"Halaman {page.number} dari {len(form.pages)}")
    x, y, w, h = form.paper["tag"]
    canvas.text(x - 9, y + h / 2, 14, "uc", str(page.tag))
    modules = tag_image(page.tag, TAG_MODULES)
    canvas.fill(x, y, x + w, y + h)
    for row, col in np.argwhere(modules > 127).tolist():
        left, top = x + col * w / TAG_MODULES, y + row * h / TAG_MODULES
        # Neighbouring white modules overlap, so that no seam shows between them.
        canvas.fill(
            left - 0.3,
            top - 0.3,
            left + w / TAG_MODULES + 0.3,
            top + h / TAG_MODULES + 0.3,
            (252, 253, 253),
        )
    canvas.text(75, height - 28, 8.5, "", f"CHP-{page.tag:04d} | {form.name}")
    canvas.text(500, height - 28, 7.5, "c", form.text["number"], grey=150)
    canvas.text(930, height - 28, 9.5, "bir", "*) Coret yang tidak perlu")


def _data(canvas: Canvas, form: Form, data: Mapping[str, Any], words: Mapping[str, str]) -> None:
    """The plain things: grey lines first, black over them, then dots and texts."""
    for x0, y0, x1, y1, width in data.get("grey", ()):
        canvas.line(x0, y0, x1, y1, width, GREY)
    for x0, y0, x1, y1, width in data.get("lines", ()):
        canvas.line(x0, y0, x1, y1, width)
    for x0, y0, x1, y1, width in data.get("rects", ()):
        canvas.rect(x0, y0, x1, y1, width)
    for x0, y, x1 in data.get("dots", ()):
        canvas.dots(x0, y, x1)
    for x, y, size, style, text in data.get("texts", ()):
        canvas.text(x, y, size, style, text.format_map({**form.text, **words}))


def _pair_names(form: Form, name: str) -> dict[str, str]:
    """A pair's name over two lines; without one, the form's own words."""
    if not name:
        return {"pair_a": form.text["pair_a"], "pair_b": form.text["pair_b"]}
    first, _, second = name.partition(" / ")
    return {"pair_a": first, "pair_b": second}


def _pair_block(
    canvas: Canvas, form: Form, block: Mapping[str, Any], number: int, names: Mapping[str, str]
) -> None:
    top = block["first"] + (number - 1) * block["pitch"]
    left, right, figures = block["frame"]
    tally = block["tally"]
    tally_end = top + tally["rows"] * tally["cell"][1]
    tally_right = tally["x"] + tally["columns"] * tally["cell"][0]
    for x, width in ((left, 1.8), (right, 1.8), (figures, 1.4)):
        canvas.line(x, top, x, top + block["height"], width)
    if number > 1:
        canvas.line(left, top, right, top, 1.8)
        for x in (left, right):
            canvas.line(x, top - block["pitch"] + block["height"], x, top, 1.8)
    canvas.line(left, top + block["height"], right, top + block["height"], 1.8)
    canvas.line(left, tally_end, figures, tally_end, 1.6)
    canvas.line(block["name_line"], top, block["name_line"], tally_end, 1.4)
    canvas.line(tally_right, top, tally_right, tally_end, 1.8)
    for x, y, size, style, text in block["texts"]:
        words = {**form.text, **names, "no": str(number)}
        canvas.text(x, top + y, size, style, text.format_map(words))
    ring, blot, y = block["example"]
    marks = block["bubbles"]
    canvas.ellipse(ring, top + y, marks["rx"], marks["ry"], 0.9)
    canvas.text(ring, top + y, 8.5, "c", "0")
    canvas.ellipse(blot, top + y, marks["rx"], marks["ry"])
    middle = (ring + blot) / 2
    canvas.line(middle - 5, top + y, middle + 2, top + y, 1.6)
    canvas.polygon([(middle + 1, top + y - 4), (middle + 6, top + y), (middle + 1, top + y + 4)])


def _field(canvas: Canvas, form: Form, page: Page, field: Field) -> None:
    for x, y, w, h in field.boxes:
        canvas.rect(x + 1, y + 1, x + w - 1, y + h - 1, 1.9)
    if field.bubbles:
        marks = page.data["pair"]["bubbles"]
        for column in field.bubbles:
            for digit, (x, y) in enumerate(column):
                canvas.ellipse(x, y, marks["rx"], marks["ry"], 0.9)
                canvas.text(x, y, marks["ry"] * 1.25, "c", str(digit))
    if field.tally:
        _tally_grid(canvas, form, page, field.tally)


def _tally_grid(canvas: Canvas, form: Form, page: Page, grid: Mapping[str, Any]) -> None:
    x, y = grid["x"], grid["y"]
    w, h = grid["cell"]
    columns, rows = grid["columns"], grid["rows"]
    totals = grid["totals"]
    for i in range(1, columns):
        canvas.line(x + i * w, y + 2, x + i * w, y + rows * h - 2, 1.4, GREY)
    for i in range(1, rows):
        canvas.line(x + 2, y + i * h, x + columns * w - 2, y + i * h, 1.4, GREY)
        canvas.line(totals[0], y + i * h, totals[-1], y + i * h, 1.4, GREY)
    for tx in totals:
        canvas.line(tx, y + 2, tx, y + rows * h - 2, 1.4, GREY)
    count_y, size = page.data["count_row"]
    for i in range(columns):
        canvas.text(x + (i + 0.5) * w, count_y, size, "c", str(i + 1))


def _signatures(canvas: Canvas, form: Form, ys: Sequence[float], names: Sequence[str]) -> None:
    """Seven cells for the officers, one for each pair's witness."""
    left, right = 57.4, 944
    top, head, officers, middle, label, end = ys
    canvas.rect(left, top, right, end, 1.9)
    for y, width in ((head, 1.1), (officers, 1.6), (middle, 1.6), (label, 1.1)):
        canvas.line(left, y, right, y, width)
    half = (left + right) / 2
    title = "NAMA DAN TANDA TANGAN KELOMPOK PENYELENGGARA PEMUNGUTAN SUARA"
    canvas.text(half, (top + head) / 2 + 0.5, 11, "bc", title)
    office = f"NAMA DAN TANDA TANGAN SAKSI {form.text['office']}"
    canvas.text(half, (officers + middle) / 2 + 0.5, 11, "bc", office)
    step = (right - left) / form.officers
    for i in range(form.officers):
        x = left + i * step
        if i:
            canvas.line(x, head, x, officers, 1)
        canvas.text(x + 10, (head + officers) / 2, 14, "b", f"{i + 1}.")
        canvas.dots(x + 32, officers - 5, x + step - 8, 5)
    step = (right - left) / len(names)
    for i, name in enumerate(names):
        x = left + i * step
        if i:
            canvas.line(x, middle, x, end, 1.1)
        pair = _pair_names(form, name)
        size = min(14, step / 21)
        mid = (middle + label) / 2
        canvas.text(x + step * 0.05, mid, size * 1.4, "b", f"{i + 1}.")
        canvas.text(x + step * 0.145, mid - size * 0.5, size, "b", pair["pair_a"])
        canvas.text(x + step * 0.145, mid + size * 0.5, size, "b", pair["pair_b"])
        canvas.dots(x + step * 0.27, end - 8, x + step * 0.72)
