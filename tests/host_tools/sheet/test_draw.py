"""Drawn sheets: the right tag, everything in its place, and what is written is what was given."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from host_tools.sheet import layout
from host_tools.sheet.draw import draw_page
from host_tools.sheet.draw_fill import digits_for
from host_tools.sheet.photograph import BLURRED, photograph

BLANKS = Path(__file__).parents[4] / "shared" / "data" / "sheets"
FORMS = {"ppwp-2024": 101, "kwk-gubernur": 111, "kwk-bupati": 121}
WIDTH = 1032  # one pixel a unit
MARGIN = 16
VALUES = {"votes_1": 123, "votes_2": 274, "votes_3": 32, "valid": 429, "invalid": 3, "total": 432}


def decoded(data: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return image


def tags(image: np.ndarray) -> list[int]:
    family = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h10)
    found = cv2.aruco.ArucoDetector(family).detectMarkers(image)[1]
    return [] if found is None else sorted(int(i) for i in np.ravel(found))


def ink(image: np.ndarray, x: float, y: float, w: float, h: float) -> float:
    """The dark share of a rectangle in layout units, on a drawing of WIDTH pixels."""
    left, top = round(x + MARGIN), round(y + MARGIN)
    part = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[top : top + round(h), left : left + round(w)]
    return float((part < 140).mean())


def inside(box: layout.Rect) -> layout.Rect:
    x, y, w, h = box
    return x + 4, y + 4, w - 8, h - 8


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("page", [1, 2, 3])
def test_every_page_carries_its_own_tag_and_no_other(name, page):
    assert tags(draw_page(layout.load(name), page, size_px=WIDTH)) == [FORMS[name] + page - 1]


@pytest.mark.parametrize("page", [1, 2, 3])
def test_the_tag_is_read_from_a_photograph_of_the_page(page):
    picture = draw_page(layout.load("ppwp-2024"), page, VALUES, size_px=1200)
    data = photograph(picture, seed=page, size=(1512, 2016))
    assert tags(decoded(data)) == [100 + page]


def test_a_photograph_of_full_size_is_a_jpeg_of_twelve_megapixels():
    picture = draw_page(layout.load("ppwp-2024"), 2, VALUES)
    data = photograph(picture, seed=1)
    assert 500_000 < len(data) < 3_500_000
    assert decoded(data).shape == (4032, 3024)
    assert tags(decoded(data)) == [102]


def test_nothing_decodes_on_the_blurred_photograph():
    picture = draw_page(layout.load("ppwp-2024"), 2, VALUES, size_px=1200)
    data = photograph(picture, 1, BLURRED, (1512, 2016))
    assert tags(decoded(data)) == []


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_hand():
    form = layout.load("ppwp-2024")
    first, again, other = (draw_page(form, 2, VALUES, size_px=600, seed=s) for s in (4, 4, 5))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert photograph(first, 1, size=(600, 800)) == photograph(again, 1, size=(600, 800))
    assert photograph(first, 1, size=(600, 800)) != photograph(again, 2, size=(600, 800))


@pytest.mark.parametrize("name", FORMS)
def test_the_figures_of_a_form_are_all_there_once(name):
    form = layout.load(name)
    names = [field.name for page in form.pages for field in form.fields(page.number)]
    assert len(names) == len(set(names)) == 25 + form.most_pairs
    assert names[-3:] == ["valid", "invalid", "total"]


def test_the_record_form_lists_pages_tags_and_groups():
    number, code, categories, pages = layout.load("kwk-bupati").record_form()
    assert (number, code) == (3, "C.HASIL-KWK-BUPATI")
    assert categories == ["DPT", "DPPh", "DPTb"]
    assert pages == [
        [1, 121, ["dpt", "users", "ballots", "disabled"]],
        [2, 122, ["votes"]],
        [3, 123, ["totals"]],
    ]


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("page", [1, 2, 3])
def test_boxes_bubbles_and_grids_of_a_page_neither_overlap_nor_leave_it(name, page):
    form = layout.load(name)
    width, height = form.paper["size"]
    places = []
    for field in form.fields(page):
        places += field.boxes
        for column in field.bubbles:
            xs, ys = zip(*column, strict=True)
            places.append((min(xs) - 5, min(ys) - 4, 10, max(ys) - min(ys) + 8))
        if field.tally:
            grid = field.tally
            wide = grid["columns"] * grid["cell"][0]
            places.append((grid["x"], grid["y"], wide, grid["rows"] * grid["cell"][1]))
        if field.words:
            places.append(field.words)
    for i, (x, y, w, h) in enumerate(places):
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        for other_x, other_y, other_w, other_h in places[i + 1 :]:
            apart = x + w <= other_x or other_x + other_w <= x
            assert apart or y + h <= other_y or other_y + other_h <= y


def test_a_blank_sheet_has_empty_boxes_and_open_bubbles():
    form = layout.load("ppwp-2024")
    for page in (1, 2, 3):
        image = draw_page(form, page, size_px=WIDTH)
        for field in form.fields(page):
            assert all(ink(image, *inside(box)) == 0 for box in field.boxes)
            for column in field.bubbles:
                assert all(ink(image, x - 4, y - 4, 8, 8) < 0.5 for x, y in column)


@pytest.mark.parametrize("seed", range(4))
def test_boxes_are_written_in_and_the_right_bubbles_blackened(seed):
    form = layout.load("ppwp-2024")
    image = draw_page(form, 2, VALUES, size_px=WIDTH, seed=seed)
    for field in form.fields(2):
        digits = digits_for(VALUES[field.name], 3)
        assert all(ink(image, *inside(box)) > 0.02 for box in field.boxes)
        for char, column in zip(digits, field.bubbles, strict=True):
            filled = [d for d, (x, y) in enumerate(column) if ink(image, x - 4, y - 4, 8, 8) > 0.8]
            assert filled == [0 if char == "X" else int(char)]


def test_tally_strokes_fill_rows_of_sixty():
    form = layout.load("ppwp-2024")
    image = draw_page(form, 2, VALUES, size_px=WIDTH)
    for field in form.fields(2):
        grid = field.tally
        assert grid is not None
        width, height = grid["cell"]
        full, rest = divmod(VALUES[field.name], 5)
        for cell in range(60):
            row, column = divmod(cell, 12)
            x, y = grid["x"] + column * width, grid["y"] + row * height
            written = ink(image, x + 4, y + 4, width - 8, height - 8) > 0
            assert written == (cell < full + (rest > 0)), (field.name, cell)


def test_a_figure_that_is_none_leaves_its_places_empty():
    form = layout.load("ppwp-2024")
    image = draw_page(form, 3, {"valid": None, "total": 430}, size_px=WIDTH)
    valid, invalid, total = form.fields(3)
    for field in (valid, invalid):
        assert all(ink(image, *inside(box)) == 0 for box in field.boxes)
    assert all(ink(image, *inside(box)) > 0.02 for box in total.boxes)


def test_bubbles_tally_and_words_can_disagree_with_the_boxes():
    form = layout.load("ppwp-2024")
    field = form.fields(2)[0]
    image = draw_page(
        form,
        2,
        VALUES,
        size_px=WIDTH,
        parts={"bubbles": {"votes_1": 987}, "words": {"votes_1": None}},
    )
    marked = [column[int(d)] for column, d in zip(field.bubbles, "987", strict=True)]
    assert all(ink(image, x - 4, y - 4, 8, 8) > 0.8 for x, y in marked)
    assert field.words is not None
    assert ink(image, *field.words) == 0


def test_unused_leading_boxes_are_struck():
    assert digits_for(32, 3) == "X32"
    assert digits_for(0, 3) == "XX0"
    assert digits_for(600, 3) == "600"


@pytest.mark.parametrize("value", [1000, -1])
def test_a_figure_without_room_is_refused(value):
    with pytest.raises(ValueError, match="does not fit"):
        draw_page(layout.load("ppwp-2024"), 3, {"valid": value}, size_px=400)


def test_more_strokes_than_the_grid_holds_are_refused():
    with pytest.raises(ValueError, match="tally grid"):
        draw_page(layout.load("ppwp-2024"), 2, {"votes_1": 301}, size_px=400)


def test_unknown_forms_pages_and_too_many_pairs_are_refused():
    with pytest.raises(ValueError, match="ppwp-2024"):
        layout.load("nothing")
    with pytest.raises(ValueError, match="no page 4"):
        draw_page(layout.load("ppwp-2024"), 4, size_px=400)
    with pytest.raises(ValueError, match="1 to 3 pairs"):
        draw_page(layout.load("ppwp-2024"), 2, pairs=4, size_px=400)


def straightened(name: str, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """A published blank page moved so that its marks' outer edges lie where ours do."""
    blank = cv2.imread(str(BLANKS / name), cv2.IMREAD_GRAYSCALE)
    assert blank is not None
    source = np.array([[left, top], [right, top], [left, bottom]], np.float32) - 0.5
    target = np.array([[16, 16], [1016, 16], [16, 1533]], np.float32) - 0.5
    return cv2.warpAffine(blank, cv2.getAffineTransform(source, target), (1032, 1549))


@pytest.mark.parametrize(
    ("page", "name", "marks"),
    [
        (2, "PPWP-2024-hal2-plano.png", (47, 37, 1165, 1733)),
        (3, "PPWP-2024-hal3-plano.png", (11, 10, 1272, 1923)),
    ],
)
def test_boxes_bubbles_marks_and_tag_lie_where_the_published_blank_has_them(page, name, marks):
    if not (BLANKS / name).exists():
        pytest.skip("the published blank pages are not part of the repository")
    form = layout.load("ppwp-2024")
    blank = straightened(name, *marks)
    ours = cv2.cvtColor(draw_page(form, page, size_px=WIDTH), cv2.COLOR_BGR2GRAY)
    places = [box for field in form.fields(page) for box in field.boxes]
    places.append(tuple(form.paper["tag"]))
    for corner_x in (0, 1000 - 27.8):
        places += [(corner_x, y, 27.8, 26.2) for y in (0, 1517 - 26.2)]
    for x, y, w, h in places:
        assert edge(blank, x, y, w, h) == pytest.approx(edge(ours, x, y, w, h), abs=2.0), (x, y)
    for field in form.fields(page):
        for column in field.bubbles:
            for x, y in column:
                spot = (x - 10, y - 9, 20, 18)
                assert edge(blank, *spot, 190) == pytest.approx(edge(ours, *spot, 190), abs=2.0)


def edge(image: np.ndarray, x: float, y: float, w: float, h: float, dark: int = 120) -> tuple:
    """The dark extent (left, top, right, bottom) within a rectangle and four units around it."""
    left, top = round(x + MARGIN - 4), round(y + MARGIN - 4)
    part = image[max(0, top) : round(top + h + 8), max(0, left) : round(left + w + 8)] < dark
    ys, xs = np.nonzero(part)
    return int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max())
