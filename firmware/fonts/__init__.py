"""The product's one font (Spleen) in three sizes, drawn on the screen and on paper alike."""

FIRST = 32
LAST = 126
SIZES = ((8, 16), (12, 24), (16, 32))

_FOLDER = __file__.rsplit("/", 1)[0]


class Font:
    """Glyphs of one size, read from WxH.bin beside this file when first asked for.

    `width` and `height` in dots, `row_bytes` the bytes of one glyph row.
    """

    def __init__(self, width, height):
        if (width, height) not in SIZES:
            raise ValueError("no font of that size")
        self.width = width
        self.height = height
        self.row_bytes = (width + 7) // 8
        self._glyphs = None

    def glyph(self, ch):
        """Rows of `ch` top down: height * row_bytes bytes, MSB left, 1 = ink; unknown is '?'."""
        if self._glyphs is None:
            with open("%s/%dx%d.bin" % (_FOLDER, self.width, self.height), "rb") as file:
                self._glyphs = memoryview(file.read())
        code = ord(ch)
        if not FIRST <= code <= LAST:
            code = ord("?")
        size = self.height * self.row_bytes
        start = (code - FIRST) * size
        return self._glyphs[start : start + size]
