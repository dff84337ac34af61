from firmware import cbor
from tests.firmware.support import raises

# RFC 8949 appendix A, the subset that the record uses.
EXAMPLES = (
    (0, "00"),
    (23, "17"),
    (24, "1818"),
    (100, "1864"),
    (1000, "1903e8"),
    (1000000, "1a000f4240"),
    (1000000000000, "1b000000e8d4a51000"),
    (18446744073709551615, "1bffffffffffffffff"),
    (-1, "20"),
    (-1000, "3903e7"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (b"\x01\x02\x03\x04", "4401020304"),
    ("IETF", "6449455446"),
    ("\u00fc", "62c3bc"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    ({1: 2, 3: 4}, "a201020304"),
    ({"a": "A", "b": "B"}, "a26161614161626142"),
    (cbor.Tag(1, 1363896240), "c11a514b67b0"),
)

REFUSED = {
    "1817": "head longer than needed",
    "190017": "head longer than needed",
    "1a0000ffff": "head longer than needed",
    "1b00000000ffffffff": "head longer than needed",
    "9f01ff": "length not definite",
    "a203040102": "map keys out of order",
    "a201020103": "map keys out of order",
    "a18001": "map key must be a number or a string",
    "a20102f503": "map key must be a number or a string",
    "a1f601": "map key must be a number or a string",
    "f97c00": "simple value or float not allowed",
    "f7": "simple value or float not allowed",
    "6180": "text is not UTF-8",
    "0000": "bytes after the end",
    "": "cut off",
    "42ff": "cut off",
    "9affffffff": "cut off",
    "81" * 14 + "00": "nested too deep",
}


def test_examples_of_the_rfc_encode_and_decode():
    for value, text in EXAMPLES:
        raw = bytes.fromhex(text)
        assert cbor.encode(value) == raw, text
        assert cbor.decode(raw) == value, text


def test_every_form_that_is_not_deterministic_is_refused():
    for text, reason in REFUSED.items():
        error = raises(cbor.CborError, cbor.decode, bytes.fromhex(text))
        assert str(error) == reason, (text, str(error))


def test_map_keys_are_sorted_by_their_encoding():
    value = {"b": 1, 10: 2, -1: 3, b"x": 4, 100: 5}
    assert cbor.encode(value).hex() == "a50a021864052003417804616201"


def test_what_has_no_encoding_is_refused():
    assert "float" in str(raises(cbor.CborError, cbor.encode, 1.5))
    assert "64 bits" in str(raises(cbor.CborError, cbor.encode, 1 << 64))


def test_memoryview_is_read_without_a_copy_of_the_whole():
    assert cbor.decode(memoryview(b"\x82\x01\x41\xff")) == [1, b"\xff"]
