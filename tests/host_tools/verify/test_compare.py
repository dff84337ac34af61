"""What several receipts say of each other."""

import pytest

from firmware import record
from host_tools.verify.compare import compare, replacements
from host_tools.verify.receipt import check_receipt
from host_tools.verify.report import FAILED, SKIPPED, WARNING
from tests.host_tools.verify import world
from tests.host_tools.verify.day import Day
from tests.vectors import good, keys

RESULT = world.entry_bytes("result-28-figures")
PAYLOAD = record.parse(RESULT).payload


def checked(*datas, replaced=None, bundle=None):
    reports = [check_receipt(data, bundle or world.trust(), world.NOW) for data in datas]
    compare(reports, list(datas), replaced)
    return reports


def follower(kind=2, seq=None, prev=None, key=keys.KIT, figures=None, contest=None):
    """A record by the same kit after RESULT."""
    payload = [kind, *PAYLOAD[1:]]
    payload[3] = payload[3] if contest is None else contest
    payload[5] = figures or payload[5]
    payload[7] = PAYLOAD[7] + 1 if seq is None else seq
    payload[8] = record.rec_id(RESULT) if prev is None else prev
    return world.signed(payload, key)


def test_one_receipt_alone_says_that_only_the_log_knows():
    (report,) = checked(RESULT)
    assert report.status("superseded") == SKIPPED and report.exit_code == 0


def test_a_later_correction_given_too_supersedes_the_result():
    result, correction = checked(RESULT, follower())
    assert result.status("superseded") == WARNING and result.exit_code == 0
    assert correction.status("superseded") == SKIPPED
    assert correction.status("chain") == "ok"


def test_a_correction_of_another_contest_supersedes_nothing():
    result, _ = checked(RESULT, follower(contest=99))
    assert result.status("superseded") == SKIPPED


def test_a_forged_correction_supersedes_nothing():
    forged = record.assemble(
        record.parse(follower()).payload, keys.KIT.kid, keys.STRANGER.sign
    )  # fmt: skip
    result, wrong = checked(RESULT, forged)
    assert result.status("superseded") == SKIPPED and wrong.exit_code == 1


def test_two_records_with_one_number_are_misuse_and_both_fail():
    reports = checked(RESULT, follower(seq=PAYLOAD[7], kind=1, figures=[1] * 28))
    assert [one.status("misuse") for one in reports] == [FAILED, FAILED]
    assert {one.exit_code for one in reports} == {1}


def test_the_vectors_of_misuse_are_found_as_misuse():
    twins = [bytes.fromhex(v["hex"]) for v in world.vectors()["misuse"]["entries"]]
    assert {one.status("misuse") for one in checked(*twins)} == {FAILED}


def test_the_same_receipt_twice_is_no_misuse():
    assert {one.exit_code for one in checked(RESULT, RESULT)} == {0}


def test_a_record_that_names_another_before_it_fails_the_chain():
    _, second = checked(RESULT, follower(prev=bytes(32)))
    assert second.status("chain") == FAILED and second.exit_code == 1


def test_two_kits_at_one_station_are_told():
    both = world.bundle_of([(keys.KIT, good.STATION), (keys.STRANGER, 0)])
    reports = checked(RESULT, follower(kind=1, key=keys.STRANGER), bundle=both)
    assert {one.status("other") for one in reports} == {WARNING}


def test_a_journal_says_surely_what_was_replaced_and_what_was_not(tmp_path):
    day = Day(tmp_path).whole()
    entries = [(record.parse(data), manifest) for _, data, manifest in day.journal.entries()]
    found = replacements(entries)
    result, correction = checked(*[one.data for one in day.results], replaced=found)
    assert result.status("superseded") == WARNING
    told = next(one for one in result.checks if one.name == "superseded")
    assert told.values[0] == day.results[1].seq
    assert correction.status("superseded") == "ok"


@pytest.mark.parametrize("name", ["event-open", "ack"])
def test_what_is_no_result_is_compared_without_harm(name):
    names = [v["name"] for v in world.vectors()["good"]]
    if name not in names:
        name = next(n for n in names if world.record.parse(world.entry_bytes(n)).kind == 3)
    reports = checked(RESULT, world.entry_bytes(name))
    assert reports[0].exit_code == 0
