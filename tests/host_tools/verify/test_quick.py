"""The quick way into a result and the kit's own parser accept the same and see the same in it."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import cbor, qr_text, record
from host_tools.verify import frame, quick
from tests.host_tools.verify import world
from tests.vectors import good, keys

VECTORS = [
    bytes.fromhex(v["hex"])
    for v in [*world.vectors()["good"], *world.vectors()["misuse"]["entries"]]
]
BAD = [bytes.fromhex(v["hex"]) for v in world.vectors()["bad"]]
KEY = keys.KIT.private.public_key()
RESULT = world.entry_bytes("result-28-figures")


def seen(parse, data):
    """What a parser makes of bytes: everything of the entry, or code and text of its refusal."""
    try:
        entry = parse(data)
    except record.RecordError as error:
        return error.code, error.text
    prepared = frame.Signature.of(entry, KEY)
    assert prepared.digest == record.signed_digest(entry.kid, entry.payload_bytes)
    return entry.data, entry.kid, entry.payload_bytes, entry.payload, entry.signature, entry.kind


def same(data):
    assert seen(quick.parse, data) == seen(record.parse, data)


def test_both_see_the_same_in_every_vector():
    for data in VECTORS + BAD:
        same(data)


def test_results_do_go_the_quick_way():
    for name in ("result-28-figures", "correction-28-figures", "result-12-figures"):
        assert quick._result(world.entry_bytes(name)) is not None
    assert quick._result(world.entry_bytes("bundle")) is None


def test_every_single_byte_changed_to_every_value_is_seen_alike():
    for at in range(len(RESULT) - 64):
        for value in range(256):
            same(RESULT[:at] + bytes([value]) + RESULT[at + 1 :])


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_cut_and_spliced_bytes_are_seen_alike(data):
    one, other = (data.draw(st.sampled_from(VECTORS)) for _ in range(2))
    a, b = data.draw(st.integers(0, len(one))), data.draw(st.integers(0, len(other)))
    same(one[:a] + data.draw(st.binary(max_size=5)) + other[b:])


UINT = st.integers(0, 30) | st.integers(0, 2**16) | st.integers(0, 2**65)
DIGEST = st.binary(min_size=32, max_size=32) | st.binary(max_size=40) | UINT


@settings(max_examples=600, deadline=None)
@given(
    st.tuples(st.sampled_from([0, 1, 2, 3, 4]), UINT, UINT, UINT, UINT),
    st.lists(UINT | st.none() | st.booleans() | st.just(-1) | st.binary(max_size=2), max_size=40),
    DIGEST, st.integers(-1, 2), DIGEST, UINT,
)  # fmt: skip
def test_any_payload_is_seen_alike(head, figures, manifest, seq, prev, time):
    try:
        body = cbor.encode([*head, figures, manifest, seq, prev, time])
    except cbor.CborError:
        return
    protected = cbor.encode({1: -7, 4: bytes(8)})
    signature = record.parse(RESULT).signature
    same(cbor.encode(cbor.Tag(18, [protected, {}, body, signature])))


def head(major: int, n: int, dice: random.Random) -> bytes:
    """A CBOR head that may be longer than needed."""
    sizes = [s for s in (0, 1, 2, 4, 8) if n < (24 if s == 0 else 256**s)]
    size = dice.choice(sizes[:2])
    code = {0: n, 1: 24, 2: 25, 4: 26, 8: 27}[size]
    return bytes([major << 5 | code]) + n.to_bytes(size, "big") if size else bytes([major << 5 | n])


def test_heads_that_are_longer_than_needed_are_seen_alike():
    dice = random.Random(1)
    signature = record.parse(RESULT).signature
    for _ in range(3000):
        figures = [dice.choice([0, 23, 24, 255, 256, 65535, 65536, 2**32]) for _ in range(3)]
        count = dice.choice([2, 3, 3, 3, 4])
        body = b"".join(
            [head(4, 10, dice)]
            + [head(0, n, dice) for n in (1, good.LIVE, good.STATION, 1, 1)]
            + [head(4, count, dice), *(head(0, n, dice) for n in figures)]
            + [head(2, 32, dice), bytes(32), head(0, 5, dice), head(2, 32, dice), bytes(32)]
            + [head(0, good.START, dice)]
        )
        protected = b"\xa2\x01\x26\x04\x48" + bytes(8)
        frame = b"\xd2\x84\x4d" + protected + b"\xa0" + head(2, len(body), dice) + body
        same(frame + b"\x58\x40" + signature)


def test_one_head_longer_than_needed_and_all_others_right_is_seen_alike():
    signature = record.parse(RESULT).signature
    whole = [(4, 10), *((0, n) for n in (1, good.LIVE, good.STATION, 1, 1)), (4, 5)]
    whole += [(0, n) for n in (0, 23, 24, 255, 65535)]
    whole += [(2, 32), (0, 5), (2, 32), (0, good.START)]
    starts = {(2, 32): bytes(32)}

    def body(at=None, size=0):
        parts = []
        for i, (major, n) in enumerate(whole):
            right = cbor.encode(n)
            made = bytes([right[0] | major << 5]) + right[1:]
            if i == at:
                code = {1: 24, 2: 25, 4: 26, 8: 27}[size]
                made = bytes([major << 5 | code]) + n.to_bytes(size, "big")
            parts.append(made + starts.get((major, n), b""))
        return b"".join(parts)

    def framed(body):
        length = cbor.encode(body)
        return b"\xd2\x84\x4d\xa2\x01\x26\x04\x48" + bytes(8) + b"\xa0" + length + b"\x58\x40"

    assert quick._result(framed(body()) + signature) is not None
    longer = 0
    for at, (_, n) in enumerate(whole):
        for size in (1, 2, 4, 8):
            if size > len(cbor.encode(n)) - 1 and not n >> 8 * size:
                data = framed(body(at, size)) + signature
                same(data)
                assert quick._result(data) is None
                longer += 1
    assert longer > 40


def text_seen(parse, text):
    try:
        return parse(text)
    except record.RecordError as error:
        return error.code, error.text


TEXTS = [v["qr"] for v in world.vectors()["good"] if "qr" in v]
TEXTS += [v["text"] for v in world.vectors()["qr"]]


def test_both_ways_see_the_same_in_every_qr_text_and_its_changes():
    dice = random.Random(2)
    for text in TEXTS:
        assert text_seen(quick.text, text) == text_seen(qr_text.parse_qr, text)
        for _ in range(300):
            at, until = sorted((dice.randrange(len(text) + 1), dice.randrange(len(text) + 1)))
            until = dice.choice((until, at, at + 1))
            put = dice.choice(
                ["", "9", "#", "99999999999999999", "a", " ", "\u0661", "\u00b2", "-"]
            )
            bent = text[:at] + put + text[until:]
            assert text_seen(quick.text, bent) == text_seen(qr_text.parse_qr, bent), bent
