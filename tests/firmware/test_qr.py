"""The encoder's symbols, by digests of the same symbols made by segno and python-qrcode.

tests/host_tools/kit/test_qr_reference.py compares whole matrices, for every version and level.
"""

import hashlib

from firmware import qr
from tests.firmware.support import raises


def digest(matrix):
    """First bytes of SHA-256 over the modules as '0' and '1', row by row."""
    text = "".join(str(matrix.get(x, y)) for y in range(matrix.size) for x in range(matrix.size))
    return "".join("%02x" % byte for byte in hashlib.sha256(text.encode()).digest()[:8])


def test_numeric_symbol_is_that_of_segno():
    matrix = qr.encode([(qr.NUMERIC, "01234567")], "M")
    assert (matrix.version, matrix.size, matrix.mask) == (1, 21, 0)
    assert digest(matrix) == "647568cc3975d44f"


def test_alphanumeric_symbol_is_that_of_segno():
    assert digest(qr.encode([(qr.ALPHANUMERIC, "HELLO WORLD")], "Q")) == "98ee3af8dfb46e02"


def test_byte_symbol_is_that_of_qrcode():
    assert digest(qr.encode([(qr.BYTE, "saksi: #1")], "L")) == "9f53fd29057ed0df"


def test_symbol_with_version_word_and_many_blocks_is_that_of_segno():
    matrix = qr.encode([(qr.NUMERIC, "7" * 1500)], "M")
    assert matrix.version == 19
    assert digest(matrix) == "298586d547a193ac"


def test_text_and_bytes_of_a_byte_segment_are_the_same():
    text, data = qr.encode([(qr.BYTE, "é")]), qr.encode([(qr.BYTE, b"\xc3\xa9")])
    assert digest(text) == digest(data)


def test_smallest_version_that_holds_the_text_is_taken():
    assert qr.encode([(qr.NUMERIC, "1" * 34)], "M").version == 1
    assert qr.encode([(qr.NUMERIC, "1" * 35)], "M").version == 2


def test_too_much_text_is_refused():
    assert "too much" in str(raises(ValueError, qr.encode, [(qr.BYTE, b"x" * 900)], "L"))


def test_raster_rows_show_every_module_with_its_quiet_zone():
    matrix = qr.encode([(qr.NUMERIC, "01234567")], "M")
    dots, quiet, left, width = 3, 4, 5, 12
    y = 0
    for row in matrix.rows(dots, quiet, width, left):
        for x in range(width * 8):
            across = (x - left) // dots - quiet
            assert row[x >> 3] >> (7 - (x & 7)) & 1 == matrix.get(across, y // dots - quiet)
        y += 1
    assert y == (21 + 2 * quiet) * dots
