"""Our QR encoder beside two others: same version, level and mask must give the same modules."""

import random

import pytest
import qrcode
import segno
from qrcode.util import QRData

from firmware import qr
from firmware.qr_text import segments_of

LEVELS = {"L": 1, "M": 0, "Q": 3}


def modules(matrix: qr.Matrix) -> list[list[int]]:
    return [[matrix.get(x, y) for x in range(matrix.size)] for y in range(matrix.size)]


def by_qrcode(segments, level: str, version: int, mask: int) -> list[list[int]]:
    code = qrcode.QRCode(version, LEVELS[level], mask_pattern=mask, border=0)
    for mode, text in segments:
        code.add_data(QRData(text.encode() if isinstance(text, str) else text, mode=mode))
    code.make(fit=False)
    return [[int(module) for module in row] for row in code.modules]


@pytest.mark.parametrize("level", "LMQ")
def test_fullest_symbol_of_every_version_is_that_of_segno(level):
    rng = random.Random(level)
    for version in range(1, qr.MAX_VERSION + 1):
        digits = ""
        while len(digits) < 2000:
            longer = digits + str(rng.randrange(10))
            if qr.encoded_bits([(qr.NUMERIC, longer)], version) > qr.capacity(version, level):
                break
            digits = longer
        matrix = qr.encode([(qr.NUMERIC, digits)], level)
        reference = segno.make(
            digits,
            error=level,
            mode="numeric",
            version=version,
            mask=matrix.mask,
            boost_error=False,
        )
        assert matrix.version == version
        assert modules(matrix) == [list(row) for row in reference.matrix]


@pytest.mark.parametrize("digits", [1, 2, 3, 100, 530, 577])
def test_mixed_segments_are_those_of_qrcode(digits):
    segments = segments_of("HTTPS://TPS.EXAMPLE.ID/#" + "1234567"[:7] * 100)[:2]
    segments.append((qr.NUMERIC, ("9081726354" * 100)[:digits]))
    for level in LEVELS:
        matrix = qr.encode(segments, level)
        assert modules(matrix) == by_qrcode(segments, level, matrix.version, matrix.mask)


@pytest.mark.parametrize("size", range(1, 40))
def test_byte_segments_of_any_length_are_padded_as_qrcode_pads(size):
    segments = [(qr.BYTE, bytes(range(size)))]
    matrix = qr.encode(segments, "M")
    assert modules(matrix) == by_qrcode(segments, "M", matrix.version, matrix.mask)


def penalty(m: list[list[int]]) -> int:
    """Features N1 to N4 counted module by module, straight from ISO/IEC 18004 section 7.8.3.1."""
    size, score = len(m), 0
    for line in [*m, *map(list, zip(*m, strict=True))]:
        run = 1
        for a, b in zip(line, [*line[1:], None], strict=True):
            if a == b:
                run += 1
                continue
            score += run - 2 if run >= 5 else 0
            run = 1
        wide = [0] * 4 + line + [0] * 4
        for i in range(len(wide) - 10):
            look = wide[i : i + 11]
            finder = [1, 0, 1, 1, 1, 0, 1]
            score += 40 * ((look == [0] * 4 + finder) + (look == finder + [0] * 4))
    for y in range(size - 1):
        for x in range(size - 1):
            score += 3 * (m[y][x] == m[y][x + 1] == m[y + 1][x] == m[y + 1][x + 1])
    share = 100 * sum(map(sum, m)) / size**2
    return score + 10 * int(abs(share - 50) / 5)


def test_mask_is_the_one_of_least_penalty():
    for seed in range(60):
        rng = random.Random(seed)
        segments = [(qr.NUMERIC, "".join(rng.choices("0123456789", k=rng.randrange(5, 90))))]
        matrix = qr.encode(segments, "M")
        scores = [penalty(by_qrcode(segments, "M", matrix.version, mask)) for mask in range(8)]
        assert matrix.mask == scores.index(min(scores))
