"""The square of a QR symbol: patterns, placing of codewords, choice of the mask (ISO/IEC 18004).

Penalties are counted on whole rows held as integers, so that all eight masks are tried in the time
that one would take module by module.
"""

from firmware.compat import const

_MASKS = (
    lambda x, y: (x + y) % 2,
    lambda x, y: y % 2,
    lambda x, y: x % 3,
    lambda x, y: (x + y) % 3,
    lambda x, y: (x // 3 + y // 2) % 2,
    lambda x, y: x * y % 2 + x * y % 3,
    lambda x, y: (x * y % 2 + x * y % 3) % 2,
    lambda x, y: ((x + y) % 2 + x * y % 3) % 2,
)
_FREE = const(2)  # a cell that no pattern takes, until its codeword is placed


class Matrix:
    """A symbol: `size` modules a side, `version` 1.., `mask` 0..7."""

    def __init__(self, version):
        self.version = version
        self.size = 17 + 4 * version
        self.mask = 0
        self._cells = bytearray(self.size * self.size)

    def get(self, x, y):
        """1 for a dark module, 0 for a light one and for everything outside (quiet zone)."""
        if 0 <= x < self.size and 0 <= y < self.size:
            return self._cells[y * self.size + x]
        return 0

    def rows(self, dots, quiet, width_bytes, left=0):
        """Raster rows top down: `dots` a module, `quiet` modules around, `left` white dots before.

        Yields the same buffer of `width_bytes` again and again (MSB left, 1 = black).
        """
        row = bytearray(width_bytes)
        for y in range(-quiet, self.size + quiet):
            for i in range(width_bytes):
                row[i] = 0
            start = left + quiet * dots
            for x in range(self.size):
                if self.get(x, y):
                    for dot in range(start, start + dots):
                        row[dot >> 3] |= 0x80 >> (dot & 7)
                start += dots
            for _ in range(dots):
                yield row

    def fill(self, codewords, level_bits):
        """Draw patterns, codewords, the best mask and its format word."""
        self._draw_patterns()
        for x, y, _ in self._format(level_bits, 0):
            self._set(x, y, 0)
        free = (self._lines(False, _FREE), self._lines(True, _FREE))
        self._place(codewords)
        self._mask(free, level_bits)

    def _set(self, x, y, dark):
        self._cells[y * self.size + x] = 1 if dark else 0

    def _draw_patterns(self):
        size = self.size
        for i in range(size * size):
            self._cells[i] = _FREE
        for i in range(8, size - 8):
            self._set(i, 6, i % 2 == 0)
            self._set(6, i, i % 2 == 0)
        for cx, cy in ((3, 3), (size - 4, 3), (3, size - 4)):
            for dy in range(-4, 5):
                for dx in range(-4, 5):
                    x, y = cx + dx, cy + dy
                    if 0 <= x < size and 0 <= y < size:
                        self._set(x, y, max(abs(dx), abs(dy)) in (0, 1, 3))
        places = self._alignment()
        for cx in places:
            for cy in places:
                if (cx, cy) not in ((6, 6), (6, size - 7), (size - 7, 6)):
                    for dy in range(-2, 3):
                        for dx in range(-2, 3):
                            self._set(cx + dx, cy + dy, max(abs(dx), abs(dy)) != 1)
        if self.version >= 7:
            word = self.version
            for _ in range(12):
                word = word << 1 ^ (word >> 11) * 0x1F25
            word |= self.version << 12
            for i in range(18):
                a, b = size - 11 + i % 3, i // 3
                self._set(a, b, word >> i & 1)
                self._set(b, a, word >> i & 1)

    def _alignment(self):
        if self.version == 1:
            return ()
        count = self.version // 7 + 2
        step = (self.version * 4 + count * 2 + 1) // (count * 2 - 2) * 2
        return [6] + [self.size - 7 - step * i for i in range(count - 2, -1, -1)]

    def _format(self, level_bits, mask):
        """(x, y, bit) of the 30 format modules and the dark module."""
        data = level_bits << 3 | mask
        word = data
        for _ in range(10):
            word = word << 1 ^ (word >> 9) * 0x537
        word = (data << 10 | word) ^ 0x5412
        size = self.size
        for i in range(15):
            bit = word >> i & 1
            along = i if i < 6 else (i + 1 if i < 8 else size - 15 + i)
            yield 8, along, bit
            along = size - 1 - i if i < 8 else (7 if i == 8 else 14 - i)
            yield along, 8, bit
        yield 8, size - 8, 1

    def _place(self, codewords):
        """Codewords into the free cells, two columns at a time from the right, up and down."""
        cells, size = self._cells, self.size
        i, last = 0, len(codewords) * 8
        right = size - 1
        up = True
        while right > 0:
            if right == 6:
                right = 5
            for step in range(size):
                at = (size - 1 - step if up else step) * size + right
                for cell in (at, at - 1):
                    if cells[cell] == _FREE:
                        dark = i < last and codewords[i >> 3] >> (7 - (i & 7)) & 1
                        cells[cell] = 1 if dark else 0
                        i += 1
            right -= 2
            up = not up

    def _lines(self, down, value):
        """Where cells are `value`, by rows (or columns, `down`): integers, first = highest bit."""
        size, cells = self.size, self._cells
        line = bytearray(size)
        result = []
        for a in range(size):
            for b in range(size):
                line[b] = 49 if cells[b * size + a if down else a * size + b] == value else 48
            result.append(int(bytes(line), 2))
        return result

    def _mask(self, free, level_bits):
        """Take the mask of least penalty into the cells, with the format word that names it."""
        size, cells = self.size, self._cells
        lines = (self._lines(False, 1), self._lines(True, 1))
        best = (0, -1, [])
        for mask in range(8):
            rows, columns = (
                _xor(lines[down], _mask_lines(mask, size, down), free[down]) for down in (0, 1)
            )
            for x, y, bit in self._format(level_bits, mask):
                if bit:
                    rows[y] |= 1 << (size - 1 - x)
                    columns[x] |= 1 << (size - 1 - y)
            score = _penalty(rows, size) + _penalty(columns, size) + _square_penalty(rows, size)
            if best[1] < 0 or score < best[0]:
                best = (score, mask, rows)
        self.mask = best[1]
        for y, line in enumerate(best[2]):
            for x in range(size):
                cells[y * size + x] = line >> (size - 1 - x) & 1


def _xor(lines, pattern, free):
    return [line ^ pattern[i] & free[i] for i, line in enumerate(lines)]


def _mask_lines(mask, size, down):
    """The mask pattern as integers like Matrix._lines; every mask repeats after 12 modules."""
    test = _MASKS[mask]
    repeat = 0
    for _ in range(size // 12 + 1):
        repeat = repeat << 12 | 1
    surplus = (size // 12 + 1) * 12 - size
    twelve = []
    for a in range(12):
        word = 0
        for b in range(12):
            word = word << 1 | (0 if (test(a, b) if down else test(b, a)) else 1)
        twelve.append(word * repeat >> surplus)
    return [twelve[a % 12] for a in range(size)]


def _ones(value):
    return bin(value).count("1")


def _penalty(lines, size):
    """Features N1 (runs), N3 (finder look-alikes, quiet zone counted as light) along the lines."""
    full = (1 << size) - 1
    score = 0
    for line in lines:
        same = ~(line ^ line >> 1) & full >> 1
        five = same & same >> 1 & same >> 2 & same >> 3
        if five:
            score += _ones(five) + 2 * _ones(five & ~(five << 1))
        wide = line << 4
        light = ~wide
        middle = wide & light >> 1 & wide >> 2 & wide >> 3 & wide >> 4 & light >> 5 & wide >> 6
        if middle:
            before = light >> 7 & light >> 8 & light >> 9 & light >> 10
            after = light << 1 & light << 2 & light << 3 & light << 4
            score += 40 * (_ones(middle & before) + _ones(middle & after))
    return score


def _square_penalty(lines, size):
    """Features N2 (2x2 blocks of one colour) and N4 (share of dark modules)."""
    full = (1 << size) - 1
    score, dark = 0, 0
    above = above_same = 0
    for y, line in enumerate(lines):
        same = ~(line ^ line >> 1) & full >> 1
        dark += _ones(line)
        if y:
            score += 3 * _ones(same & above_same & ~(line ^ above))
        above, above_same = line, same
    total = size * size  # odd, so that dark is never exactly half
    return score + 10 * ((abs(dark * 20 - total * 10) + total - 1) // total - 1)
