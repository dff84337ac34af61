"""Folders of receipts, several pictures, a scanner at the keyboard."""

import csv
import io
import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from host_tools.verify import bulk, many
from host_tools.verify.command import app
from tests.host_tools.verify import world
from tests.host_tools.verify.day import Day
from tests.host_tools.verify.test_parts import TEXTS
from tests.vectors import good

RESULT = world.entry_bytes("result-28-figures")
TEXT = next(v["qr"] for v in world.vectors()["good"] if v["name"] == "result-28-figures")
BENT = RESULT[:-1] + bytes([RESULT[-1] ^ 1])


@pytest.fixture
def files(tmp_path):
    world.write_files(tmp_path)
    return tmp_path


def run(files, *args, **how):
    given = ["receipt", *map(str, args), "--trust", str(files / "bundle.cbor")]
    outcome = CliRunner().invoke(app, given, **how)
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit)
    return outcome


@pytest.fixture
def folder(files):
    """Two good pictures, a text, a bent record, a blank picture, and what is no receipt at all."""
    inside = files / "papers"
    (inside / "deeper").mkdir(parents=True)
    world.on_paper(world.qr(RESULT)).save(inside / "a.png")
    world.on_paper(world.qr(RESULT)).save(inside / "deeper" / "b.jpg")
    (inside / "c.txt").write_text(TEXT)
    (inside / "d.cbor").write_bytes(BENT)
    Image.new("L", (200, 200), 255).save(inside / "e.png")
    (inside / "notes.pdf").write_bytes(b"%PDF")
    (inside / "bundle-1-1.cbor").write_bytes(world.entry_bytes("bundle"))
    return inside


def test_a_folder_is_told_in_numbers_and_only_what_wants_looking_at_is_listed(files, folder):
    for number in range(3):
        (folder / f"more-{number}.txt").write_text(TEXT)
    outcome = run(files, folder)
    assert outcome.exit_code == 1
    assert "8 struk / receipts: 6 sah / valid" in " ".join(outcome.output.split())
    assert "d.cbor" in outcome.output and "e.png" in outcome.output
    assert "notes.pdf" not in outcome.output and "bundle-1-1" not in outcome.output


def test_the_csv_has_a_row_a_receipt_and_shows_nothing_that_a_forged_one_says(files, folder):
    out = files / "out.csv"
    assert run(files, folder, "--csv", out).exit_code == 1
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["where"].rpartition("/")[2]: row for row in csv.DictReader(file)}
    assert tuple(rows["a.png"]) == bulk.COLUMNS and len(rows) == 5
    assert rows["a.png"]["verdict"] == "valid" and rows["a.png"]["station"] == "3201012001001"
    assert len(rows["a.png"]["figures"].split()) == 28
    assert rows["d.cbor"]["failed"] == "signature" and rows["d.cbor"]["figures"] == ""
    assert rows["e.png"]["verdict"] == "cannot tell"
    assert "no QR code" in rows["e.png"]["said"]


def test_a_file_name_is_never_a_formula():
    report = many.check_receipts([RESULT], world.trust(), world.NOW)[0]
    assert bulk.row("=cmd|'/c'!A1", report, str)["where"].startswith("'=")


def test_a_csv_that_cannot_be_written_and_an_empty_folder_are_one_line(files, folder):
    outcome = run(files, folder, "--csv", files / "no" / "out.csv")
    assert outcome.exit_code == 2 and len(outcome.stderr.splitlines()) == 1
    (files / "none").mkdir()
    outcome = run(files, files / "none")
    assert outcome.exit_code == 2 and len(outcome.stderr.splitlines()) == 1


def test_parts_on_several_pictures_are_one_receipt(files):
    pictures = []
    for number, text in enumerate(TEXTS):
        pictures.append(files / f"p{number}.png")
        world.on_paper(world.picture(text)).save(pictures[-1])
    told = json.loads(run(files, *pictures[::-1], "--json").output)
    assert told["exit"] == 0 and len(told["reports"]) == 1
    outcome = run(files, *pictures[1:], "--lang", "en")
    assert outcome.exit_code == 2 and "CANNOT TELL" in outcome.output
    assert "code 1 of" in " ".join(outcome.output.split())


def test_two_receipts_given_show_that_one_was_corrected(files):
    payload = [2, *world.record.parse(RESULT).payload[1:]]
    payload[7], payload[8] = payload[7] + 1, world.record.rec_id(RESULT)
    (files / "old.cbor").write_bytes(RESULT)
    (files / "new.cbor").write_bytes(world.signed(payload))
    told = json.loads(run(files, files / "old.cbor", files / "new.cbor", "--json").output)
    statuses = [
        {one["check"]: one["status"] for one in report["checks"]} for report in told["reports"]
    ]
    assert [one["superseded"] for one in statuses] == ["warning", "not checked"]
    assert statuses[1]["chain"] == "ok"


def test_with_the_kits_journal_it_is_sure_what_was_replaced(files):
    day = Day(files).whole()
    (files / "result.cbor").write_bytes(day.results[0].data)
    outcome = run(files, files / "result.cbor", "--journal", day.path, "--json")
    told = {c["check"]: c for c in json.loads(outcome.output)["reports"][0]["checks"]}
    assert outcome.exit_code == 0 and told["superseded"]["status"] == "warning"
    day.path.write_bytes(day.path.read_bytes()[50:])
    assert run(files, files / "result.cbor", "--journal", day.path).exit_code == 1


def test_a_newer_bundle_beside_the_old_one_revokes(files):
    old, gone = world.bundle(), world.record.parse(RESULT).kid
    newer = world.bundle_of(
        [(world.keys.KIT, good.STATION)], version=old.version + 1, revoked=[gone]
    )
    (files / "bundle-new.cbor").write_bytes(newer.raw)
    for order in (("bundle.cbor", "bundle-new.cbor"), ("bundle-new.cbor", "bundle.cbor")):
        given = ["receipt", TEXT]
        for name in order:
            given += ["--trust", str(files / name)]
        outcome = CliRunner().invoke(app, given)
        assert outcome.exit_code == 1 and "dicabut" in outcome.output
    assert run(files, TEXT).exit_code == 0


def test_a_folder_of_bundles_serves_several_elections(files):
    trust = files / "trust"
    trust.mkdir()
    (trust / "bundle-live.cbor").write_bytes(world.entry_bytes("bundle"))
    (trust / "bundle-training.cbor").write_bytes(world.entry_bytes("bundle-training"))
    (trust / "authority.pem").write_bytes(world.pem(world.keys.AUTHORITY))
    (files / "t.cbor").write_bytes(world.entry_bytes("result-training"))
    sources = [TEXT, str(files / "t.cbor")]
    outcome = CliRunner().invoke(app, ["receipt", *sources, "--trust", str(trust), "--json"])
    assert outcome.exit_code == 0
    training = [one["facts"]["training"] for one in json.loads(outcome.output)["reports"]]
    assert training == [False, True]


def test_many_lines_on_standard_input_are_many_receipts(files):
    outcome = run(files, "-", "--json", input="\n".join([TEXT, *TEXTS, TEXT.lower()]) + "\n")
    assert len(json.loads(outcome.output)["reports"]) == 2 and outcome.exit_code == 0


def scanned(monkeypatch, capsys, *lines):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))
    code = many.check_scanner(many.Check(world.trust(), world.NOW), "id")
    return code, capsys.readouterr().out


def test_a_scanner_is_answered_line_by_line_and_an_empty_line_ends(monkeypatch, capsys):
    code, out = scanned(monkeypatch, capsys, TEXT, "", TEXT)
    assert code == 0 and out.count("SAH / VALID") == 1


def test_a_scanner_is_told_what_is_still_missing_until_it_is_there(monkeypatch, capsys):
    code, out = scanned(monkeypatch, capsys, *TEXTS[::-1])
    assert code == 0 and "code 1 of" in out and out.count("SAH / VALID") == 1


def test_a_scanner_that_reads_something_else_is_told_so(monkeypatch, capsys):
    code, out = scanned(monkeypatch, capsys, "https://example.id/menu")
    assert code == 2 and "no receipt" in out


def test_a_text_that_was_broken_over_lines_is_put_together(files):
    broken = "\n".join(TEXT[i : i + 60] for i in range(0, len(TEXT), 60))
    (files / "sms.txt").write_text(broken)
    assert run(files, files / "sms.txt").exit_code == 0
