"""A picture of 240x320 dots, one bit each: what the screens draw on and the display shows."""

WIDTH = 240
HEIGHT = 320
STRIDE = WIDTH // 8

# Bayer's 8x8 matrix; a dot is ink where the picture is darker than its threshold.
_BAYER = (
    (0, 32, 8, 40, 2, 34, 10, 42),
    (48, 16, 56, 24, 50, 18, 58, 26),
    (12, 44, 4, 36, 14, 46, 6, 38),
    (60, 28, 52, 20, 62, 30, 54, 22),
    (3, 35, 11, 43, 1, 33, 9, 41),
    (51, 19, 59, 27, 49, 17, 57, 25),
    (15, 47, 7, 39, 13, 45, 5, 37),
    (63, 31, 55, 23, 61, 29, 53, 21),
)


class Canvas:
    """`buffer`: rows top down, 30 bytes each, most significant bit left, 1 = ink."""

    def __init__(self):
        self.buffer = bytearray(STRIDE * HEIGHT)
        self._blank = bytes(STRIDE)
        self._solid = b"\xff" * STRIDE

    def clear(self, y0=0, y1=HEIGHT):
        """Make rows y0 <= y < y1 paper."""
        for y in range(y0, y1):
            self.buffer[y * STRIDE : (y + 1) * STRIDE] = self._blank

    def fill(self, x, y, w, h, ink=1):
        """Fill a rectangle with ink (1) or paper (0); what lies outside is cut off."""
        x1 = min(x + w, WIDTH)
        y1 = min(y + h, HEIGHT)
        x = max(x, 0)
        if x >= x1:
            return
        first = x >> 3
        last = (x1 - 1) >> 3
        head = 0xFF >> (x & 7)
        tail = 0xFF << (7 - ((x1 - 1) & 7)) & 0xFF
        if first == last:
            head = tail = head & tail
        middle = (self._solid if ink else self._blank)[: max(last - first - 1, 0)]
        buffer = self.buffer
        for row in range(max(y, 0), y1):
            at = row * STRIDE
            if ink:
                buffer[at + first] |= head
                buffer[at + last] |= tail
            else:
                buffer[at + first] &= ~head
                buffer[at + last] &= ~tail
            if middle:
                buffer[at + first + 1 : at + last] = middle

    def frame(self, x, y, w, h, thick):
        """The outline of a rectangle, `thick` dots wide, drawn inwards."""
        self.fill(x, y, w, thick)
        self.fill(x, y + h - thick, w, thick)
        self.fill(x, y, thick, h)
        self.fill(x + w - thick, y, thick, h)

    def text(self, x, y, text, font, inverse=False, *, scale=1):
        """One line of text, each character in its own cell of paper (or ink, when inverse).

        Characters that do not fit whole are left out. `scale` 2 doubles every dot.
        """
        step = font.width * scale
        if y < 0 or y + font.height * scale > HEIGHT:
            return
        for ch in text:
            if x < 0 or x + step > WIDTH:
                return
            rows = font.glyph(ch)
            if scale == 2:
                rows = double(rows, font.row_bytes)
            self.glyph(x, y, step, font.height * scale, rows, inverse=inverse)
            x += step

    def glyph(self, x, y, w, h, rows, *, inverse=False):
        """Copy a small picture, w <= 32 dots, rows padded to whole bytes; it must lie inside."""
        buffer = self.buffer
        width = (w + 7) >> 3
        at = y * STRIDE + (x >> 3)
        shift = x & 7
        if shift == 0 and w & 7 == 0:
            flip = 0xFF if inverse else 0
            for i in range(0, h * width, width):
                for j in range(width):
                    buffer[at + j] = rows[i + j] ^ flip
                at += STRIDE
            return
        cells = (shift + w + 7) >> 3
        keep = (1 << 8 * cells) - 1
        mask = ((1 << w) - 1) << (8 * cells - shift - w)
        keep ^= mask
        flip = mask if inverse else 0
        move = 8 * (cells - width) - shift
        for i in range(0, h * width, width):
            bits = 0
            under = 0
            for j in range(width):
                bits = bits << 8 | rows[i + j]
            for j in range(cells):
                under = under << 8 | buffer[at + j]
            bits = bits << move if move >= 0 else bits >> -move
            under = under & keep | (bits ^ flip) & mask
            for j in range(cells - 1, -1, -1):
                buffer[at + j] = under & 0xFF
                under >>= 8
            at += STRIDE

    def image(self, x, y, w, h, gray, *, black=0, white=256):
        """A grayscale picture (w * h bytes) by ordered dither; x and w are multiples of 8.

        `black` and below is all ink, `white` and above all paper.
        """
        if x & 7 or w & 7 or len(gray) != w * h:
            raise ValueError("a picture lies on byte borders and has w * h bytes")
        buffer = self.buffer
        i = 0
        for row in range(h):
            t0, t1, t2, t3, t4, t5, t6, t7 = [
                black + (2 * t + 1) * (white - black) // 128 for t in _BAYER[row & 7]
            ]
            at = (y + row) * STRIDE + (x >> 3)
            for cell in range(at, at + (w >> 3)):
                buffer[cell] = (
                    (gray[i] < t0) << 7
                    | (gray[i + 1] < t1) << 6
                    | (gray[i + 2] < t2) << 5
                    | (gray[i + 3] < t3) << 4
                    | (gray[i + 4] < t4) << 3
                    | (gray[i + 5] < t5) << 2
                    | (gray[i + 6] < t6) << 1
                    | (gray[i + 7] < t7)
                )
                i += 8


def double(rows, row_bytes):
    """The glyph's rows with every dot doubled in both directions."""
    out = bytearray(4 * len(rows))
    at = 0
    for i in range(0, len(rows), row_bytes):
        for j in range(row_bytes):
            bits = rows[i + j]
            spread = 0
            for k in range(8):
                spread |= (bits >> k & 1) * 3 << 2 * k
            out[at + 2 * j] = out[at + 2 * row_bytes + 2 * j] = spread >> 8
            out[at + 2 * j + 1] = out[at + 2 * row_bytes + 2 * j + 1] = spread & 0xFF
        at += 4 * row_bytes
    return out
