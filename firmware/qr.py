"""QR code encoder (ISO/IEC 18004, model 2), versions 1 to 20, levels L, M and Q.

Made for a receipt: segments are mixed (a printer's own QR command cannot do that), the mask is the
one with the least penalty, and rows come out one by one, ready for a raster command.
"""

from firmware.qr_matrix import Matrix

NUMERIC, ALPHANUMERIC, BYTE = 1, 2, 4  # mode indicators of the standard
LEVELS = {"L": (0, 1), "M": (1, 0), "Q": (2, 3)}  # row of the tables, bits in the format word
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
MAX_VERSION = 20

# Table 9 of the standard, index version - 1: check codewords a block, number of blocks.
_CHECK = (
    bytes((7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28)),
    bytes((10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26)),
    bytes((13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30)),
)
_BLOCKS = (
    bytes((1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8)),
    bytes((1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16)),
    bytes((1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20)),
)

_EXP = bytearray(512)
_LOG = bytearray(256)


def _fill_tables():
    value = 1
    for power in range(255):
        _EXP[power] = _EXP[power + 255] = value
        _LOG[value] = power
        value = value << 1 ^ (0x11D if value & 0x80 else 0)


_fill_tables()


def _codewords(version):
    """Codewords of all kinds that fit a symbol: modules that no pattern takes, by eights."""
    modules = (16 * version + 128) * version + 64
    if version >= 2:
        aligned = version // 7 + 2
        modules -= (25 * aligned - 10) * aligned - 55
        if version >= 7:
            modules -= 36
    return modules // 8


def capacity(version, level):
    """Data bits that a symbol of `version` holds at `level`."""
    row = LEVELS[level][0]
    return 8 * (_codewords(version) - _CHECK[row][version - 1] * _BLOCKS[row][version - 1])


def _count_bits(mode, version):
    large = version >= 10
    return {NUMERIC: (10, 12), ALPHANUMERIC: (9, 11), BYTE: (8, 16)}[mode][large]


def encoded_bits(segments, version):
    """Bits that the segments take in `version`."""
    bits = 0
    for mode, text in segments:
        n = len(text)
        bits += 4 + _count_bits(mode, version)
        if mode == NUMERIC:
            bits += n // 3 * 10 + (0, 4, 7)[n % 3]
        elif mode == ALPHANUMERIC:
            bits += n // 2 * 11 + n % 2 * 6
        else:
            bits += n * 8
    return bits


class _Bits:
    """Bits into a bytearray of known size, most significant first."""

    def __init__(self, size):
        self.buffer = bytearray(size)
        self.position = 0

    def put(self, value, count):
        for i in range(count - 1, -1, -1):
            if value >> i & 1:
                self.buffer[self.position >> 3] |= 0x80 >> (self.position & 7)
            self.position += 1


def _put_segment(bits, mode, text):
    if mode == NUMERIC:
        for i in range(0, len(text), 3):
            group = text[i : i + 3]
            bits.put(int(group), len(group) * 3 + 1)
    elif mode == ALPHANUMERIC:
        for i in range(0, len(text) - 1, 2):
            bits.put(ALPHABET.index(text[i]) * 45 + ALPHABET.index(text[i + 1]), 11)
        if len(text) % 2:
            bits.put(ALPHABET.index(text[-1]), 6)
    else:
        for byte in text.encode() if isinstance(text, str) else text:
            bits.put(byte, 8)


def _data(segments, version, level):
    size = capacity(version, level) // 8
    bits = _Bits(size)
    for mode, text in segments:
        bits.put(mode, 4)
        bits.put(len(text), _count_bits(mode, version))
        _put_segment(bits, mode, text)
    # The terminator is up to four zero bits, then zero bits to the byte: the buffer is zero there.
    used = (min(bits.position + 4, size * 8) + 7) // 8
    for i in range(used, size):
        bits.buffer[i] = 0x11 if (i - used) % 2 else 0xEC
    return bits.buffer


def _divisor(degree):
    """Generator polynomial (x - 1)(x - 2)(x - 4)… without its leading 1, highest power first."""
    result = bytearray(degree)
    result[-1] = 1
    for power in range(degree):
        for i in range(degree):
            product = _EXP[_LOG[result[i]] + power] if result[i] else 0
            result[i] = product ^ (result[i + 1] if i + 1 < degree else 0)
    return result


def _remainder(block, divisor, out):
    """Reed-Solomon check codewords of `block` into `out` (same length as `divisor`)."""
    last = len(divisor) - 1
    logs = bytes(_LOG[value] for value in divisor)
    for i in range(last + 1):
        out[i] = 0
    for byte in block:
        factor = byte ^ out[0]
        out[:last] = out[1:]
        out[last] = 0
        if factor:
            shift = _LOG[factor]
            for i in range(last + 1):
                out[i] ^= _EXP[logs[i] + shift]


def _interleaved(data, version, level):
    """Data and check codewords of all blocks in the order in which they are placed."""
    row = LEVELS[level][0]
    blocks, check = _BLOCKS[row][version - 1], _CHECK[row][version - 1]
    short, longer = divmod(len(data), blocks)  # the last `longer` blocks have one codeword more
    result = bytearray(_codewords(version))
    divisor, rest = _divisor(check), bytearray(check)
    start = 0
    for b in range(blocks):
        size = short + (1 if b >= blocks - longer else 0)
        block = memoryview(data)[start : start + size]
        start += size
        for i in range(short):
            result[i * blocks + b] = block[i]
        if size > short:
            result[short * blocks + b - (blocks - longer)] = block[short]
        _remainder(block, divisor, rest)
        for i in range(check):
            result[len(data) + i * blocks + b] = rest[i]
    return result


def encode(segments, level="M"):
    """The smallest symbol for `segments` [(mode, text)…] at `level`; ValueError if none holds it.

    Text of NUMERIC is digits, of ALPHANUMERIC characters of ALPHABET, of BYTE str (UTF-8) or bytes.
    """
    segments = [(m, t.encode() if m == BYTE and isinstance(t, str) else t) for m, t in segments]
    version = 1
    while encoded_bits(segments, version) > capacity(version, level):
        version += 1
        if version > MAX_VERSION:
            raise ValueError("too much text for one QR code")
    matrix = Matrix(version)
    codewords = _interleaved(_data(segments, version, level), version, level)
    matrix.fill(codewords, LEVELS[level][1])
    return matrix
