"""Changes to bytes, CBOR, envelopes and texts, drawn from one generator: same seed, same inputs."""

import random

from firmware import cbor, record
from tests.fuzz import corpus
from tests.vectors import keys

INTERESTING = (0, 1, 0x17, 0x18, 0x19, 0x1B, 0x20, 0x3B, 0x40, 0x58, 0x5F, 0x7F, 0x80, 0x9F, 0xA0,
               0xBF, 0xC2, 0xD2, 0xD9, 0xF4, 0xF6, 0xF7, 0xF9, 0xFB, 0xFF)  # fmt: skip
NUMBERS = (0, 1, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63, 2**64 - 1, -1, -(2**64))


def some_bytes(dice: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """`data` with one to four changes that know nothing of what it is."""
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        at = dice.randrange(len(out) + 1)
        how = dice.randrange(8)
        if how == 0 and out:
            out[at % len(out)] ^= 1 << dice.randrange(8)
        elif how == 1 and out:
            out[at % len(out)] = dice.choice(INTERESTING)
        elif how == 2:
            out[at:at] = dice.randbytes(dice.randrange(1, 9))
        elif how == 3:
            del out[at : at + dice.choice((1, 1, 2, 8, 64))]
        elif how == 4:
            size = dice.randrange(1, 40)
            out[at:at] = out[at : at + size]
        elif how == 5:
            other = dice.choice(others)
            start = dice.randrange(len(other) + 1)
            out[at:] = other[start:]
        elif how == 6:
            del out[at:]
        else:
            size = dice.randrange(1, 9)
            out[at : at + size] = dice.randbytes(size)
    return bytes(out)


def value(dice: random.Random, depth: int = 0):
    """A random item of the record's subset of CBOR."""
    how = dice.randrange(5 if depth > 3 else 8)
    if how == 0:
        return dice.choice(NUMBERS)
    if how == 1:
        return dice.randrange(2 ** dice.choice((5, 8, 16, 32, 64)))
    if how == 2:
        return dice.randbytes(dice.choice((0, 1, 8, 13, 32, 33, 64)))
    if how == 3:
        return dice.choice((None, True, False))
    if how == 4:
        return dice.choice(("", "a", "é", "CONTOH", "\u0000"))
    if how == 5:
        return [value(dice, depth + 1) for _ in range(dice.randrange(5))]
    if how == 6:
        return {dice.randrange(40): value(dice, depth + 1) for _ in range(dice.randrange(4))}
    return cbor.Tag(dice.choice((2, 18, 24, 98, 55799)), value(dice, depth + 1))


def item(dice: random.Random, inside):
    """`inside` with one element somewhere in it changed, put in, doubled or taken out."""
    if isinstance(inside, list) and inside and dice.random() < 0.85:
        at = dice.randrange(len(inside))
        how = dice.randrange(6)
        if how == 0:
            return inside[:at] + inside[at + 1 :]
        if how == 1:
            return inside[:at] + [value(dice)] + inside[at:]
        if how == 2:
            return inside[:at] + [inside[at]] + inside[at:]
        return inside[:at] + [item(dice, inside[at])] + inside[at + 1 :]
    if isinstance(inside, dict) and inside and dice.random() < 0.8:
        key = dice.choice(list(inside))
        return {**inside, key: item(dice, inside[key])}
    if isinstance(inside, int) and dice.random() < 0.7:
        return max(-(2**64), min(2**64 - 1, inside + dice.choice((-1, 1, 2, 1000, -inside))))
    if isinstance(inside, bytes) and inside and dice.random() < 0.7:
        at = dice.randrange(len(inside))
        return inside[:at] + bytes([inside[at] ^ 1 << dice.randrange(8)]) + inside[at + 1 :]
    return value(dice)


def envelope(dice: random.Random, data: bytes) -> bytes:
    """A valid object's COSE_Sign1 with one of its parts, its signature or its encoding changed."""
    entry = record.parse(data)
    parts: list = [cbor.encode({1: -7, 4: entry.kid}), {}, entry.payload_bytes, entry.signature]
    how = dice.randrange(9)
    if how <= 1:  # other content under the old signature
        parts[2] = cbor.encode(item(dice, entry.payload))
    elif how == 2:  # other content, signed by somebody else in this key's name
        parts[2] = cbor.encode(item(dice, entry.payload))
        parts[3] = keys.STRANGER.sign(record.signed_digest(entry.kid, parts[2]))
    elif how == 3:
        parts[3] = signature(dice, entry.signature)
    elif how == 4:
        header = {1: -7, 4: entry.kid}
        parts[0] = cbor.encode(dice.choice((item(dice, header), {**header, 3: value(dice)})))
    elif how == 5:
        parts[1] = dice.choice(({4: entry.kid}, {1: -7}, {33: b"x"}, value(dice)))
    elif how == 6:
        return cbor.encode(cbor.Tag(dice.choice((17, 18, 61, 98)), item(dice, parts)))
    elif how == 7:
        return long_heads(dice, data)
    else:  # parts of two objects
        other = record.parse(dice.choice(corpus.entries()))
        parts[dice.choice((0, 2, 3))] = [
            cbor.encode({1: -7, 4: other.kid}), {}, other.payload_bytes, other.signature,
        ][dice.choice((0, 2, 3))]  # fmt: skip
    return cbor.encode(cbor.Tag(18, parts))


def signature(dice: random.Random, old: bytes) -> bytes:
    """A signature that must not be taken for `old`."""
    r, s = int.from_bytes(old[:32], "big"), int.from_bytes(old[32:], "big")
    n = record.ORDER
    r, s = dice.choice(((r, n - s), (n - r, s), (s, r), (0, s), (r, 0), (r + 1, s), (n, s), (r, n)))
    return (r % 2**256).to_bytes(32, "big") + (s % 2**256).to_bytes(32, "big")


def long_heads(dice: random.Random, data: bytes) -> bytes:
    """The same values with one head written longer than needed, or without a definite length."""
    spots = [at for at, byte in enumerate(data) if byte & 31 < 24]
    at = dice.choice(spots)
    major, info = data[at] & 0xE0, data[at] & 31
    longer = dice.choice(
        (bytes([major | 24, info]), bytes([major | 25, 0, info]), bytes([major | 31]))
    )
    return data[:at] + longer + data[at + 1 :]


ALPHABET = "0123456789#/:-.AHTPS \t\r\nxé\u0661\x00]Q1"


def text(dice: random.Random, old: str) -> str:
    """A QR code's text with one to three characters or pieces changed."""
    for _ in range(dice.choice((1, 1, 2, 3))):
        at = dice.randrange(len(old) + 1)
        how = dice.randrange(7)
        if how == 0:
            old = old[:at] + dice.choice(ALPHABET) + old[at:]
        elif how == 1:
            old = old[:at] + dice.choice(ALPHABET) + old[at + 1 :]
        elif how == 2:
            old = old[:at] + old[at + dice.choice((1, 1, 2, 17, 34)) :]
        elif how == 3:
            old = old[:at] + old[at : at + 17] + old[at:]
        elif how == 4:
            old = dice.choice((old.lower(), old.upper(), old.swapcase(), f" {old}\n", old[::-1]))
        elif how == 5:
            other = dice.choice(corpus.texts())
            old = old[:at] + other[dice.randrange(len(other) + 1) :]
        else:
            old = old[:at] + "\n" + old[at:]
    return old
