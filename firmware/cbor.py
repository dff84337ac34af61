"""Deterministic CBOR (RFC 8949 section 4.2.1), the subset that the record uses.

Integers to 64 bits, byte and text strings, arrays, maps, tags, null and booleans; no floats, no
indefinite lengths. `decode` refuses every form that `encode` would not have written, so decoding
and re-encoding always gives the same bytes.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DEPTH = 12  # deepest nesting accepted; a record needs 6


class CborError(ValueError):
    """The bytes are not deterministic CBOR of the record's subset, or a value cannot be encoded."""


class Tag:
    """A tagged item: `number` and the `value` under it."""

    def __init__(self, number, value):
        self.number = number
        self.value = value

    def __eq__(self, other):
        return isinstance(other, Tag) and self.number == other.number and self.value == other.value

    def __hash__(self):
        return self.number


def head(major, n):
    """The shortest head of major type 0..7 with argument `n` < 2**64."""
    major <<= 5
    if n < 24:
        return bytes((major | n,))
    if n < 0x100:
        return bytes((major | 24, n))
    if n < 0x10000:
        return bytes((major | 25,)) + n.to_bytes(2, "big")
    if n < 0x100000000:
        return bytes((major | 26,)) + n.to_bytes(4, "big")
    if n < 0x10000000000000000:
        return bytes((major | 27,)) + n.to_bytes(8, "big")
    raise CborError("number does not fit 64 bits")


def _put(value, parts):
    if value is None:
        parts.append(b"\xf6")
    elif value is True:
        parts.append(b"\xf5")
    elif value is False:
        parts.append(b"\xf4")
    elif isinstance(value, int):
        parts.append(head(0, value) if value >= 0 else head(1, -1 - value))
    elif isinstance(value, (bytes, bytearray, memoryview)):
        parts.append(head(2, len(value)))
        parts.append(bytes(value))
    elif isinstance(value, str):
        text = value.encode()
        parts.append(head(3, len(text)))
        parts.append(text)
    elif isinstance(value, (list, tuple)):
        parts.append(head(4, len(value)))
        for item in value:
            _put(item, parts)
    elif isinstance(value, dict):
        # Keys go in the bytewise order of their encodings; MicroPython's dict has no order at all.
        pairs = sorted((encode(key), encode(item)) for key, item in value.items())
        parts.append(head(5, len(pairs)))
        for key, item in pairs:
            parts.append(key)
            parts.append(item)
    elif isinstance(value, Tag):
        parts.append(head(6, value.number))
        _put(value.value, parts)
    else:
        raise CborError("cannot encode " + type(value).__name__)


def encode(value):
    """The one deterministic encoding of `value` (int, bytes, str, list, dict, None, bool, Tag)."""
    parts = []
    _put(value, parts)
    return b"".join(parts)


class _Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, n):
        start = self.at
        if n > len(self.data) - start:
            raise CborError("cut off")
        self.at = start + n
        return self.data[start : start + n]

    def head(self):
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        if info < 24:
            return major, info
        if info > 27:
            raise CborError("length not definite")
        size = 1 << (info - 24)
        n = int.from_bytes(self.take(size), "big")
        # A longer head than needed would give a second encoding of the same record.
        if n < (24 if size == 1 else 1 << (size * 4)):
            raise CborError("head longer than needed")
        return major, n

    def item(self, depth):
        if depth > _DEPTH:
            raise CborError("nested too deep")
        if self.at < len(self.data) and self.data[self.at] >> 5 == 7:
            return self.simple()
        major, n = self.head()
        if major == 0:
            return n
        if major == 1:
            return -1 - n
        if major == 2:
            return bytes(self.take(n))
        if major == 3:
            return self.text(n)
        if major == 4:
            return [self.item(depth + 1) for _ in range(self.bounded(n))]
        if major == 5:
            return self.map(n, depth)
        return Tag(n, self.item(depth + 1))

    def bounded(self, n):
        # Every item takes a byte at least: a huge count in a short text is refused before any work.
        if n > len(self.data) - self.at:
            raise CborError("cut off")
        return n

    def simple(self):
        byte = self.take(1)[0]
        if byte == 0xF6:
            return None
        if byte == 0xF5 or byte == 0xF4:
            return byte == 0xF5
        raise CborError("simple value or float not allowed")

    def text(self, n):
        raw = bytes(self.take(n))
        try:
            text = raw.decode()
        except (UnicodeError, ValueError):
            raise CborError("text is not UTF-8") from None
        if text.encode() != raw:
            raise CborError("text is not UTF-8")
        return text

    def map(self, n, depth):
        result = {}
        last = b""
        for _ in range(self.bounded(n)):
            start = self.at
            key = self.item(depth + 1)
            # True would be the same key as 1 in a dict, and null has no place in a record.
            if key is None or isinstance(key, (bool, list, dict, Tag)):
                raise CborError("map key must be a number or a string")
            raw = bytes(self.data[start : self.at])
            if raw <= last:
                raise CborError("map keys out of order")
            last = raw
            result[key] = self.item(depth + 1)
        return result


def decode(data) -> "Any":
    """The value in `data` (bytes or memoryview), which must be one whole deterministic item.

    Raises CborError for anything else, trailing bytes included.
    """
    reader = _Reader(data)
    value = reader.item(0)
    if reader.at != len(data):
        raise CborError("bytes after the end")
    return value
