"""The code on a carton, checked by whoever scans it."""

import json

import pytest
from typer.testing import CliRunner

from firmware import qr_text, record
from firmware.package import Package
from firmware.readiness import CHECKS
from host_tools.verify.command import app
from host_tools.verify.readiness import check_readiness
from host_tools.verify.report import FAILED, OK, SKIPPED
from tests.host_tools.verify import world
from tests.vectors import good, keys

PACKAGE = Package(world.entry_bytes("package"))
DIGEST = record.sha256(b"firmware")
ALL = [[check, 1] for check in CHECKS]


def statement(key=keys.KIT, **changes) -> bytes:
    fields = {
        "serial": bytes.fromhex("0123A1B2C3D4E5F6EE"),
        "firmware": "0.1.0",
        "digest": DIGEST,
        "election": good.LIVE,
        "station": good.STATION,
        "package": record.sha256(PACKAGE.data),
        "time": good.START,
        "results": ALL,
        **changes,
    }
    return world.signed([record.READINESS, *fields.values()], key)


def check(data, trust=None):
    return check_readiness(data, trust or world.trust(), world.NOW)


def first_failed(report):
    return next((one.name for one in report.checks if one.status == FAILED), None)


def test_a_kit_whose_checks_all_passed_is_ready():
    report = check(statement(), world.trust(package=PACKAGE))
    assert report.exit_code == 0 and report.facts["ready"] is True
    assert report.status("parts") == OK and report.status("package") == OK
    assert report.facts["serial"] == "0123A1B2C3D4E5F6EE"


def test_a_failed_check_is_not_ready():
    report = check(statement(results=[*ALL[:-1], [CHECKS[-1], 0]]))
    assert report.exit_code == 1 and first_failed(report) == "parts"


def test_an_outcome_that_nobody_knows_counts_as_failed():
    assert check(statement(results=[*ALL[:-1], [CHECKS[-1], 7]])).exit_code == 1


def test_what_nobody_looked_at_leaves_it_open():
    for results in ([*ALL[:-1], [CHECKS[-1], 2]], ALL[:-1], []):
        report = check(statement(results=results))
        assert report.exit_code == 2 and report.status("parts") == SKIPPED


def test_one_check_with_two_outcomes_is_refused():
    assert check(statement(results=[*ALL, [CHECKS[0], 0]])).exit_code == 1


def test_the_published_vector_is_genuine_and_not_complete():
    report = check(world.entry_bytes("readiness"))
    assert report.exit_code == 2 and report.status("signature") == OK


def test_an_altered_statement_is_refused():
    data = bytearray(statement(results=[*ALL[:-1], [CHECKS[-1], 0]]))
    at = bytes(data).rindex(bytes([0x82, CHECKS[-1], 0]))
    data[at + 2] = 1
    assert first_failed(check(bytes(data))) == "signature"


@pytest.mark.parametrize(
    ("step", "make"),
    [
        ("frame", lambda: b""),
        ("frame", lambda: b"rubbish"),
        ("role", lambda: world.entry_bytes("result-28-figures")),
        ("role", lambda: world.entry_bytes("bundle")),
        ("key", lambda: statement(keys.STRANGER)),
        ("revoked", lambda: statement(keys.REVOKED, station=good.OTHER_STATION)),
        ("election", lambda: statement(election=good.LIVE + 1)),
    ],
)
def test_a_statement_that_must_not_be_believed_names_the_check(step, make):
    report = check(make())
    assert report.exit_code == 1 and first_failed(report) == step


def test_a_kit_of_another_station_is_not_sure():
    report = check(statement(station=good.OTHER_STATION))
    assert report.exit_code == 2 and report.status("station") != OK


def test_another_package_in_the_kit_is_told():
    report = check(statement(package=bytes(32)), world.trust(package=PACKAGE))
    assert first_failed(report) == "package"


def test_a_training_kit_is_ready_and_says_so():
    election = good.LIVE + record.TRAINING
    listed = world.bundle_of([(keys.TRAINING_KIT, good.STATION)], election=election)
    report = check(statement(keys.TRAINING_KIT, election=election), world.Trust(listed, bytes(64)))
    assert report.exit_code == 0 and report.warned
    assert report.facts["training"] is True


def run(*args):
    return CliRunner().invoke(app, ["readiness", *map(str, args)])


def test_the_command_takes_text_and_picture_and_exits_with_the_verdict(tmp_path):
    world.write_files(tmp_path)
    trust = ("--trust", tmp_path / "bundle.cbor")
    text = qr_text.qr_text(good.HOST, qr_text.RECORD, statement())
    done = run(text, *trust)
    assert done.exit_code == 0 and "SIAP / READY" in done.output
    world.on_paper(world.qr(statement(results=[[CHECKS[0], 0]]))).save(tmp_path / "label.png")
    done = run(tmp_path / "label.png", *trust)
    assert done.exit_code == 1 and "TIDAK SIAP" in done.output
    (tmp_path / "code.txt").write_text(text + "\n")
    told = json.loads(run(tmp_path / "code.txt", *trust, "--json").output)
    assert told["exit"] == 0 and told["reports"][0]["facts"]["ready"] is True


def test_a_receipt_on_the_carton_is_no_readiness(tmp_path):
    world.write_files(tmp_path)
    text = qr_text.qr_text(good.HOST, qr_text.RECORD, world.entry_bytes("result-28-figures"))
    assert run(text, "--trust", tmp_path / "bundle.cbor").exit_code == 1


def test_what_cannot_be_read_exits_2(tmp_path):
    world.write_files(tmp_path)
    done = run(tmp_path / "nothing.png", "--trust", tmp_path / "bundle.cbor")
    assert done.exit_code == 2 and "nothing.png" in done.output
