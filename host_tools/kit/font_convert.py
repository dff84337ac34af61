"""Console font (PSF, version 1 or 2) to the raw bytes that firmware/fonts reads.

    python -m host_tools.kit.font_convert SRC.psfu.gz DST

DST holds the glyphs of ASCII 32..126 in order, each row MSB left and padded to whole bytes.

PSF2: eight little-endian uint32 (magic, version, header size, flags, glyph count, bytes a glyph,
height, width), the glyphs, then per glyph its UTF-8 characters up to FF; FE starts a sequence.
PSF1: 36 04, mode, height; 256 or 512 glyphs 8 dots wide; per glyph its UCS-2 characters up to
FFFF; FFFE starts a sequence.
"""

import gzip
import struct
import sys
from pathlib import Path

MAGIC1 = b"\x36\x04"
MAGIC2 = b"\x72\xb5\x4a\x86"
FIRST, LAST = 32, 126


def _parts(psf: bytes) -> tuple[int, int, int, list[str]]:
    """(offset of the glyphs, bytes a glyph, glyph count, characters of each glyph)."""
    if psf[:4] == MAGIC2:
        header, flags, count, size, height, width = struct.unpack_from("<6I", psf, 8)
        if size != height * ((width + 7) // 8) or not flags & 1:
            raise ValueError("a PSF2 font without a unicode table, or a broken one")
        table = psf[header + count * size :].split(b"\xff")[:count]
        return header, size, count, [entry.split(b"\xfe")[0].decode() for entry in table]
    if psf[:2] == MAGIC1 and psf[2] & 2:
        count, size = 512 if psf[2] & 1 else 256, psf[3]
        table = psf[4 + count * size :].decode("utf-16-le", "surrogatepass").split("\uffff")
        return 4, size, count, [entry.split("\ufffe")[0] for entry in table[:count]]
    raise ValueError("not a PSF font with a unicode table")


def ascii_glyphs(psf: bytes) -> bytes:
    """The glyphs of ASCII 32..126, one after another; ValueError when the file is no such font."""
    offset, size, _, characters = _parts(psf)
    index: dict[str, int] = {}
    for number, entry in enumerate(characters):
        for character in entry:
            index.setdefault(character, number)
    glyphs = bytearray()
    for code in range(FIRST, LAST + 1):
        if chr(code) not in index:
            raise ValueError(f"the font has no glyph for {chr(code)!r}")
        start = offset + index[chr(code)] * size
        glyphs += psf[start : start + size]
    return bytes(glyphs)


def main(source: str, destination: str) -> None:
    """Convert `source` (.psf, .psfu, gzipped or not) to `destination`."""
    data = Path(source).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    Path(destination).write_bytes(ascii_glyphs(data))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m host_tools.kit.font_convert SRC.psfu.gz DST")
    main(sys.argv[1], sys.argv[2])
