import pytest

from firmware import record
from host_tools.verify.photo import (
    SourceError,
    check_photo,
    digest_of,
    manifest_in_journal,
    read_manifest,
)
from host_tools.verify.report import FAILED
from tests.firmware.support import raises
from tests.host_tools.verify import world
from tests.host_tools.verify.day import PAGES, PHOTOS, Day
from tests.vectors import keys


def first_failed(report):
    return next((one.name for one in report.checks if one.status == FAILED), None)


@pytest.fixture
def day(tmp_path):
    return Day(tmp_path).whole()


@pytest.fixture
def manifest(day):
    return day.journal.entry(day.results[0].seq)[1]


def check(day, manifest, photo=PHOTOS[1], entry=None, size=None):
    digest = record.sha256(photo)
    length = len(photo) if size is None else size
    data = day.results[0].data if entry is None else entry
    return check_photo(digest, length, data, manifest, world.trust(), world.NOW)


def test_a_page_is_known_bit_for_bit(day, manifest):
    report = check(day, manifest)
    assert report.valid and report.facts["page"] == 2


def test_an_altered_photograph_is_none_of_the_pages(day, manifest):
    assert first_failed(check(day, manifest, PHOTOS[1] + b"\0")) == "photograph"
    assert first_failed(check(day, manifest, size=3)) == "photograph"


def test_an_altered_manifest_is_not_the_one_named(day, manifest):
    forged = record.manifest([[1, record.sha256(b"other"), 5], *PAGES[1:]], {})
    assert first_failed(check(day, forged, b"other")) == "manifest"


def test_the_vector_whose_manifest_is_of_another_fails_the_manifest(day):
    vector = next(v for v in world.vectors()["bad"] if v["reason"] == "manifest")
    report = check(day, bytes.fromhex(vector["manifest"]), entry=bytes.fromhex(vector["hex"]))
    assert first_failed(report) == "manifest"


def test_a_forged_receipt_proves_no_photograph(day, manifest):
    payload = day.results[0].payload
    forged = record.assemble(payload, keys.KIT.kid, keys.STRANGER.sign)
    report = check(day, manifest, entry=forged)
    assert first_failed(report) == "signature" and report.status("photograph") == "not checked"


def test_an_event_names_no_photographs(day, manifest):
    event = day.journal.entry(1)[0]
    assert first_failed(check(day, manifest, entry=event)) == "manifest"


def test_the_manifest_comes_from_a_file_in_hex_or_bytes_or_from_the_journal(
    day, manifest, tmp_path
):
    path = tmp_path / "manifest"
    path.write_bytes(manifest)
    assert read_manifest(path) == manifest
    path.write_text(manifest.hex() + "\n")
    assert read_manifest(path) == manifest
    assert manifest_in_journal(day.path, day.results[0].rec_id) == manifest
    raises(SourceError, manifest_in_journal, day.path, bytes(32))
    raises(SourceError, read_manifest, tmp_path / "nowhere")
    raises(SourceError, digest_of, tmp_path / "nowhere")


def test_rubbish_as_manifest_is_refused(day):
    for data in (b"", b"\0" * 50, b"rubbish"):
        assert first_failed(check(day, data)) == "manifest"
