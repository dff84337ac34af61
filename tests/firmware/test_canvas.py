"""The 1-bit canvas that every screen is drawn on."""

from firmware.canvas import HEIGHT, STRIDE, WIDTH, Canvas
from firmware.fonts import Font
from tests.firmware.support import raises


def dot(canvas, x, y):
    return canvas.buffer[y * STRIDE + (x >> 3)] >> (7 - (x & 7)) & 1


def dots(canvas):
    return {(x, y) for y in range(HEIGHT) for x in range(WIDTH) if dot(canvas, x, y)}


def test_a_canvas_is_9600_bytes_of_paper():
    canvas = Canvas()
    assert len(canvas.buffer) == 9600
    assert not any(canvas.buffer)


def test_a_filled_rectangle_covers_exactly_its_dots():
    for x, y, w, h in ((0, 0, 8, 1), (3, 2, 2, 3), (5, 7, 20, 2), (16, 1, 24, 4), (233, 316, 7, 4)):
        canvas = Canvas()
        canvas.fill(x, y, w, h, 1)
        assert dots(canvas) == {(i, j) for i in range(x, x + w) for j in range(y, y + h)}


def test_filling_with_paper_takes_away_only_its_dots():
    canvas = Canvas()
    canvas.fill(0, 0, 40, 4, 1)
    canvas.fill(3, 1, 30, 2, 0)
    gone = {(i, j) for i in range(3, 33) for j in (1, 2)}
    assert dots(canvas) == {(i, j) for i in range(40) for j in range(4)} - gone


def test_what_lies_outside_is_cut_off():
    canvas = Canvas()
    canvas.fill(-4, -4, 8, 8, 1)
    canvas.fill(236, 316, 100, 100, 1)
    canvas.fill(300, 10, 4, 4, 1)
    corner = {(i, j) for i in range(4) for j in range(4)}
    assert dots(canvas) == corner | {(i + 236, j + 316) for i, j in corner}


def test_a_glyph_is_the_same_at_every_bit_position():
    for size in ((8, 16), (12, 24), (16, 32)):
        font = Font(*size)
        rows = font.glyph("R")
        ink = set()
        for y in range(font.height):
            for x in range(font.width):
                if rows[y * font.row_bytes + (x >> 3)] >> (7 - (x & 7)) & 1:
                    ink.add((x, y))
        assert ink
        for x in range(40, 49):
            canvas = Canvas()
            canvas.text(x, 9, "R", font)
            assert dots(canvas) == {(i + x, j + 9) for i, j in ink}


def test_inverse_text_fills_the_rest_of_its_cell_and_nothing_else():
    font = Font(12, 24)
    plain = Canvas()
    plain.text(7, 3, "Aj", font)
    inverse = Canvas()
    inverse.text(7, 3, "Aj", font, True)
    cell = {(i + 7, j + 3) for i in range(24) for j in range(24)}
    assert dots(inverse) == cell - dots(plain)


def test_text_draws_over_what_was_there_but_spares_its_neighbours():
    font = Font(12, 24)
    canvas = Canvas()
    canvas.fill(0, 0, WIDTH, 30, 1)
    canvas.text(12, 3, " ", font)
    hole = {(i + 12, j + 3) for i in range(12) for j in range(24)}
    assert dots(canvas) == {(i, j) for i in range(WIDTH) for j in range(30)} - hole


def test_a_character_that_does_not_fit_is_left_out():
    font = Font(12, 24)
    canvas = Canvas()
    canvas.text(4, 0, "M" * 30, font)
    canvas.text(0, 300, "M", font)
    assert max(x for x, _ in dots(canvas)) < 4 + 19 * 12
    assert max(y for _, y in dots(canvas)) < 24


def test_double_size_makes_four_dots_of_one():
    font = Font(16, 32)
    small = Canvas()
    small.text(0, 0, "5", font)
    large = Canvas()
    large.text(16, 8, "5", font, scale=2)
    wanted = set()
    for x, y in dots(small):
        for i in (0, 1):
            for j in (0, 1):
                wanted.add((16 + 2 * x + i, 8 + 2 * y + j))
    assert dots(large) == wanted


def test_a_picture_keeps_its_darkness():
    for level, share in ((0, 64), (64, 48), (128, 32), (192, 16), (255, 0)):
        canvas = Canvas()
        canvas.image(8, 3, 16, 8, bytes([level]) * 128)
        ink = dots(canvas)
        assert len(ink) == 2 * share, level
        assert all(8 <= x < 24 and 3 <= y < 11 for x, y in ink)


def test_a_picture_of_another_size_is_refused():
    canvas = Canvas()
    raises(ValueError, canvas.image, 8, 0, 16, 8, bytes(127))
    raises(ValueError, canvas.image, 4, 0, 16, 8, bytes(128))
    raises(ValueError, canvas.image, 8, 0, 12, 8, bytes(96))


def test_clearing_some_rows_leaves_the_others():
    canvas = Canvas()
    canvas.fill(0, 0, WIDTH, HEIGHT, 1)
    canvas.clear(10, 310)
    assert {y for _, y in dots(canvas)} == set(range(10)) | set(range(310, HEIGHT))
