"""A record in several codes: any order, any pictures, and what is missing is named."""

import itertools
import random

import pytest

from firmware import qr_parts, record
from host_tools.verify import parts
from host_tools.verify.read import Scan, from_texts, read, receipts
from tests.firmware.support import raises
from tests.host_tools.verify import world
from tests.vectors import good

LONG = world.signed(
    [1, good.LIVE, good.STATION, 9, 7, list(range(400, 700)), bytes(32), 3, bytes(32), good.START]
)
MOST = 640  # digits: as many as 58 mm paper takes at 5 dots a module
TEXTS = qr_parts.split(good.HOST, LONG, MOST)
COUNT = 5


def test_a_usual_record_stays_in_one_code():
    usual = world.entry_bytes("result-28-figures")
    assert len(qr_parts.split(good.HOST, usual, MOST)) == 1
    assert parts.parse(qr_parts.split(good.HOST, usual, MOST)[0]) is None


def test_parts_are_alike_long_and_none_is_longer_than_asked():
    assert len(TEXTS) == COUNT
    sizes = [len(text.partition("#")[2]) for text in TEXTS]
    assert max(sizes) <= MOST and max(sizes) - min(sizes) <= 2 * parts.GROUP


@pytest.mark.parametrize("size", [*range(120, 140), 1000])
@pytest.mark.parametrize("most", [60, 100, 640])
def test_every_length_comes_back(size, most):
    data = random.Random(size).randbytes(size)
    (found,) = from_texts(qr_parts.split("A.ID", data, most), "x")
    assert found.data == data


def test_order_and_repetition_do_not_matter():
    for order in list(itertools.permutations(TEXTS))[::2]:
        assert [one.data for one in from_texts([*order, order[0]], "x")] == [LONG]


@pytest.mark.parametrize("absent", range(len(TEXTS)))
def test_a_missing_part_is_named_and_nothing_is_made_of_the_rest(absent):
    rest = TEXTS[:absent] + TEXTS[absent + 1 :]
    (found,) = from_texts(rest, "x")
    assert found.data == b"" and found.problem is None
    mark = record.rec_id(LONG)[:4].hex().upper()
    assert found.missing == f"code {absent + 1} of {COUNT} of record {mark}"


def test_parts_from_several_pictures_and_a_receipt_among_them_are_put_together():
    usual = world.entry_bytes("result-28-figures")
    more = [*TEXTS[:2], *qr_parts.split(good.HOST, usual, MOST)]
    found = receipts([Scan("a.jpg", None, TEXTS[2:]), Scan("b.jpg", None, more)])
    assert [(one.where, one.data) for one in found] == [("b.jpg", usual), ("a.jpg + b.jpg", LONG)]


def test_one_picture_with_all_codes_is_read(tmp_path):
    path = tmp_path / "paper.png"
    world.on_paper(*map(world.picture, reversed(TEXTS))).save(path)
    assert [one.data for one in read(str(path))] == [LONG]


def test_parts_of_two_records_do_not_mix():
    other = world.signed(
        [1, good.LIVE, good.STATION, 9, 7, list(range(300)), bytes(32), 4, bytes(32), good.START]
    )
    texts = TEXTS + qr_parts.split(good.HOST, other, MOST)
    random.Random(1).shuffle(texts)
    assert {one.data for one in from_texts(texts, "x")} == {LONG, other}


def test_two_scans_of_a_part_that_differ_are_found_wanting():
    bent = TEXTS[1][:-1] + str((int(TEXTS[1][-1]) + 1) % 10)
    (found,) = from_texts([*TEXTS, bent], "x")
    assert found.data == b"" and found.problem == "two scans of one part differ"


def test_a_part_of_another_record_under_this_ones_mark_is_found_wanting():
    for at in range(40, len(TEXTS[0]) - 17, 13):
        bent = TEXTS[0][:at] + str((int(TEXTS[0][at]) + 1) % 10) + TEXTS[0][at + 1 :]
        (found,) = from_texts([bent, *TEXTS[1:]], "x")
        assert found.data == b"" and (found.problem or found.missing)


@pytest.mark.parametrize(
    "text",
    [
        "#30102", "#3" + "0" * 40, "#30201" + "1" * 27, "#30101" + "1" * 27,
        "#301029999999999" + "1" * 17, "#301020000000001" + "1" * 16, "#30102" + "x" * 27,
    ],
)  # fmt: skip
def test_a_bent_part_is_refused(text):
    raises(parts.PartError, parts.parse, text)
    assert from_texts([text], "x")[0].problem


def test_what_is_no_part_is_left_to_others():
    for text in ("", "hello", "#1123", "HTTPS://A.ID/#2123", "HTTP://A.ID/#301", "FTP://#3"):
        assert parts.parse(text) is None


def test_more_than_99_codes_are_refused():
    raises(record.RecordError, qr_parts.split, "A.ID", bytes(9000), 100)


@pytest.mark.parametrize("vector", world.vectors()["parts"], ids=lambda vector: vector["name"])
def test_the_vectors_texts_hold_what_they_say(vector):
    (found,) = from_texts(vector["texts"], "x")
    whole = found.problem is None and found.missing is None
    assert (found.data.hex() if whole else None) == vector["hex"]
