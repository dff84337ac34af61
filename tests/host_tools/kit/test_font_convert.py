import gzip
import struct

import pytest

from host_tools.kit import font_convert


def psf2(width: int, height: int, flags: int = 1) -> bytes:
    """A PSF2 font of glyphs 0..127 where glyph n is rows of n, in reverse order of characters."""
    size = height * ((width + 7) // 8)
    head = font_convert.MAGIC2 + struct.pack("<7I", 0, 32, flags, 128, size, height, width)
    glyphs = b"".join(bytes((n,)) * size for n in range(128))
    table = b"".join(chr(127 - n).encode() + b"\xfe" + b"zz" + b"\xff" for n in range(128))
    return head + glyphs + table


def psf1(height: int) -> bytes:
    """A PSF1 font of 256 glyphs, glyph n rows of n, characters in reverse order."""
    glyphs = b"".join(bytes((n,)) * height for n in range(256))
    table = b"".join(chr(255 - n).encode("utf-16-le") + b"\xff\xff" for n in range(256))
    return font_convert.MAGIC1 + bytes((2, height)) + glyphs + table


def test_glyphs_follow_the_unicode_table_and_not_their_place():
    glyphs = font_convert.ascii_glyphs(psf2(12, 24))
    assert len(glyphs) == 95 * 48
    assert glyphs[:48] == bytes((127 - 32,)) * 48
    glyphs = font_convert.ascii_glyphs(psf1(16))
    assert glyphs[-16:] == bytes((255 - 126,)) * 16


def test_files_that_are_no_such_font_are_refused():
    for data in (b"", b"\x89PNG", psf2(8, 16, flags=0), psf1(16)[:2] + b"\x00" + psf1(16)[3:]):
        with pytest.raises(ValueError, match="PSF"):
            font_convert.ascii_glyphs(data)
    with pytest.raises(ValueError, match="no glyph"):
        font_convert.ascii_glyphs(psf2(8, 16)[:-200])


def test_command_converts_gzipped_files(tmp_path):
    source = tmp_path / "font.psfu.gz"
    source.write_bytes(gzip.compress(psf2(8, 16)))
    font_convert.main(str(source), str(tmp_path / "8x16.bin"))
    assert (tmp_path / "8x16.bin").read_bytes() == font_convert.ascii_glyphs(psf2(8, 16))
