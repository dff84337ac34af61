from firmware.fonts import SIZES, Font
from tests.firmware.support import raises


def test_every_size_has_every_ascii_character():
    for width, height in SIZES:
        font = Font(width, height)
        seen = set()
        for code in range(32, 127):
            rows = bytes(font.glyph(chr(code)))
            assert len(rows) == height * font.row_bytes
            seen.add(rows)
        assert len(seen) == 95
        assert not any(font.glyph(" "))


def test_no_ink_stands_outside_the_cell():
    font = Font(12, 24)
    for code in range(32, 127):
        rows = bytes(font.glyph(chr(code)))
        assert not any(rows[y * 2 + 1] & 0x0F for y in range(24))


def test_unknown_characters_are_question_marks():
    font = Font(8, 16)
    for character in ("\u00e9", "\n", "\x7f", "\u4e2d"):
        assert bytes(font.glyph(character)) == bytes(font.glyph("?"))


def test_letter_is_the_drawn_one():
    rows = bytes(Font(8, 16).glyph("L"))
    assert rows == b"\x00\x00" + b"\xc0" * 9 + b"\x7e" + bytes(4)


def test_other_sizes_are_refused():
    assert "size" in str(raises(ValueError, Font, 6, 12))
