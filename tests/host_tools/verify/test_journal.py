import binascii

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware import record
from firmware.package import Package
from host_tools.verify.journal import JournalFileError, check_journal, frames
from host_tools.verify.report import FAILED, SKIPPED, WARNING
from host_tools.verify.trust import Trust
from tests.firmware.support import raises
from tests.host_tools.verify import world
from tests.host_tools.verify.day import Day, certificate
from tests.vectors import good, keys

PACKAGE = Package(world.entry_bytes("package"))


def check(day, trust=None, der=None):
    return check_journal(day.path, der or day.der, trust or world.trust(), world.NOW)


def first_failed(report):
    return next((one.name for one in report.checks if one.status == FAILED), None)


@pytest.fixture
def day(tmp_path):
    return Day(tmp_path).whole()


def test_a_whole_day_is_valid_and_nothing_warns(day):
    report = check(day, world.trust(package=PACKAGE))
    assert report.valid and not report.warned
    assert report.facts["entries"] == day.journal.last
    assert [row["kind"] for row in report.facts["results"]] == ["result", "correction"]
    assert report.facts["acknowledged"] == 1


def test_the_evidence_is_read_as_a_copy_and_never_cut(day):
    torn = day.path.read_bytes() + b"\0\0\1"
    day.path.write_bytes(torn)
    report = check(day)
    assert report.valid and report.status("torn") == WARNING
    assert day.path.read_bytes() == torn


def test_a_statement_of_readiness_in_a_journal_is_damage_and_no_entry(day):
    data = world.entry_bytes("readiness")
    tail = bytes(2) + data
    head = len(data).to_bytes(4, "big") + binascii.crc32(tail).to_bytes(4, "big")
    whole = day.path.read_bytes()
    before = check(day).facts["entries"]
    for altered in (whole + head + tail, head + tail + whole):
        day.path.write_bytes(altered)
        report = check(day)
        assert report.exit_code == 1 and report.facts.get("entries", 0) <= before


def test_another_kits_certificate_is_refused(day):
    assert first_failed(check(day, der=certificate(keys.STRANGER))) == "certificate"
    assert first_failed(check(day, der=certificate(keys.REVOKED))) == "chain"
    assert first_failed(check(day, der=b"rubbish")) == "certificate"


def test_a_revoked_kits_journal_is_refused(tmp_path):
    day = Day(tmp_path, keys.REVOKED, station=good.OTHER_STATION).whole()
    assert first_failed(check(day)) == "revoked"


def test_a_journal_of_another_election_is_refused(tmp_path):
    day = Day(tmp_path, election=good.LIVE + 1).whole()
    assert first_failed(check(day)) == "election"


def test_a_training_journal_is_said_loudly(tmp_path):
    day = Day(tmp_path, keys.TRAINING_KIT, good.TRAINING).whole()
    trust = Trust(world.bundle("bundle-training"), keys.AUTHORITY.point)
    report = check(day, trust)
    assert report.valid and report.status("mode") == WARNING


def test_entries_of_two_stations_in_one_journal_are_refused(day):
    day.recorder.station = good.OTHER_STATION
    day.event(record.OPEN, [])
    assert first_failed(check(day)) == "election"


def test_an_entry_signed_by_another_key_is_refused(day):
    payload = [3, good.LIVE, good.STATION, 2, [[]], day.journal.last + 1, day.journal.head, 1]
    day.journal.append(world.signed(payload, keys.STRANGER))
    assert first_failed(check(day)) == "signature"


def test_a_borrowed_key_id_is_refused(day):
    payload = [3, good.LIVE, good.STATION, 2, [[]], day.journal.last + 1, day.journal.head, 1]
    day.journal.append(record.assemble(payload, keys.KIT.kid, keys.STRANGER.sign))
    assert first_failed(check(day)) == "signature"


def test_an_entry_that_names_another_key_than_the_one_that_signed_it_is_refused(day):
    payload = [3, good.LIVE, good.STATION, 2, [[]], day.journal.last + 1, day.journal.head, 1]
    day.journal.append(record.assemble(payload, keys.STRANGER.kid, keys.KIT.sign))
    assert first_failed(check(day)) == "signature"


def test_a_changed_byte_or_a_cut_out_entry_breaks_the_chain(day):
    data = bytearray(day.path.read_bytes())
    data[60] ^= 1
    day.path.write_bytes(data)
    assert first_failed(check(day)) == "chain"


def test_an_empty_file_and_rubbish_are_not_valid(day):
    for data in (b"", b"rubbish" * 50, bytes(100)):
        day.path.write_bytes(data)
        assert first_failed(check(day)) == "chain"


def test_a_clock_that_went_back_is_a_warning(day):
    day.clock -= 86400
    day.event(record.OPEN, [])
    report = check(day)
    assert report.valid and report.status("time") == WARNING


def test_a_page_that_was_never_kept_is_a_warning(tmp_path):
    day = Day(tmp_path)
    day.result()
    assert check(day).status("pages") == WARNING


def test_a_second_result_and_a_correction_of_nothing_are_warnings(tmp_path):
    day = Day(tmp_path).whole()
    day.result()
    assert check(day).status("results") == WARNING
    (tmp_path / "b").mkdir()
    day = Day(tmp_path / "b")
    day.pages()
    day.result(replaces=bytes(32))
    assert check(day).status("results") == WARNING


def test_a_print_without_an_end_and_a_day_without_closing_are_warnings(tmp_path):
    day = Day(tmp_path)
    day.event(record.RECEIPT_BEGUN, bytes(32), 1, 1, 1, 0, 0, 0)
    report = check(day)
    assert report.valid
    assert report.status("slips") == WARNING and report.status("close") == WARNING


def test_a_closing_with_another_head_fails(tmp_path):
    day = Day(tmp_path).whole()
    day.event(record.CLOSE, day.journal.last, bytes(32))
    assert first_failed(check(day)) == "close"


def test_answers_are_checked_with_the_collectors_key(tmp_path):
    day = Day(tmp_path).whole()
    assert check(day).status("answers") == SKIPPED
    day.answer(day.results[0], keys.STRANGER)
    assert check(day, world.trust(package=PACKAGE)).status("answers") == WARNING
    day.event(record.ACKNOWLEDGED, b"rubbish")
    assert check(day).status("answers") == WARNING


def test_details_of_a_strange_shape_are_kept_and_not_judged(tmp_path):
    day = Day(tmp_path)
    for number in (*range(1, 11), 77):
        for detail in ([], [{}], [[[]], {}, {}], [None, [], {1: 2}]):
            if number != record.CLOSE:
                day.event(number, *detail)
    assert first_failed(check(day)) is None


def test_frames_gives_back_every_entry_and_manifest(day):
    listed = frames(day.path)
    assert [entry.rec_id for entry, _ in listed] == [
        record.rec_id(data) for _, data, _ in day.journal.entries()
    ]
    day.path.write_bytes(b"rubbish")
    raises(JournalFileError, frames, day.path)


def test_a_missing_journal_is_one_line(day):
    day.path.unlink()
    error = raises(JournalFileError, check, day)
    assert "cannot be read" in str(error) and "\n" not in str(error)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_byte_of_a_whole_journal_can_be_changed_in_silence(day, data):
    whole = day.path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    try:
        day.path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
        report = check(day)
        # The last frame alone may look torn; then its loss is told.
        assert not report.valid or report.status("torn") == WARNING
        assert first_failed(report) != "unexpected"
    finally:
        day.path.write_bytes(whole)
