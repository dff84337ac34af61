import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image
from typer.testing import CliRunner

from host_tools.verify.command import app
from tests.host_tools.verify import world
from tests.host_tools.verify.day import PHOTOS, Day
from tests.vectors import keys

RESULT = world.entry_bytes("result-28-figures")
TEXT = next(v["qr"] for v in world.vectors()["good"] if v["name"] == "result-28-figures")


@pytest.fixture
def files(tmp_path):
    world.write_files(tmp_path)
    world.on_paper(world.qr(RESULT)).save(tmp_path / "receipt.png")
    Image.new("L", (200, 200), 255).save(tmp_path / "blank.png")
    return tmp_path


def run(files, *args, trust=True):
    # The first word is the command; "journal" is also a file here.
    given = [args[0]]
    given += [str(files / arg) if (files / str(arg)).exists() else str(arg) for arg in args[1:]]
    if trust:
        given += ["--trust", str(files / "bundle.cbor")]
    outcome = CliRunner().invoke(app, given)
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit)
    assert "Traceback" not in outcome.output
    return outcome


def test_a_valid_receipt_exits_0_and_says_so_in_both_languages(files):
    outcome = run(files, "receipt", "receipt.png")
    assert outcome.exit_code == 0
    assert "SAH / VALID" in outcome.output and "R7" in outcome.output
    assert "3201012001001" in outcome.output and "274" in outcome.output
    assert "fingerprint" not in outcome.output and "jarinya" in outcome.output


def test_the_sentences_come_in_english_too(files):
    outcome = run(files, "receipt", "receipt.png", "--lang", "en", "--authority", "authority.pem")
    assert "Valid votes 427, but the pairs add up to 429" in " ".join(outcome.output.split())
    assert "fingerprint" not in outcome.output


def test_json_holds_the_figures_checks_and_exit_code(files):
    outcome = run(files, "receipt", TEXT, "--package", "package.cbor", "--json")
    told = json.loads(outcome.output)
    assert told["exit"] == outcome.exit_code == 0
    report = told["reports"][0]
    assert report["valid"] is True and report["facts"]["values"]["valid"] == 427
    assert report["facts"]["findings"][0]["rule"] == "R7"
    statuses = {one["check"]: one["status"] for one in report["checks"]}
    assert statuses["signature"] == "ok" and statuses["log"] == "not checked"


def test_an_altered_receipt_exits_1_and_shows_no_figures(files):
    vector = next(v for v in world.vectors()["bad"] if v["name"] == "figure-changed")
    (files / "bent.cbor").write_bytes(bytes.fromhex(vector["hex"]))
    outcome = run(files, "receipt", "bent.cbor")
    assert outcome.exit_code == 1
    assert "TIDAK SAH / NOT VALID" in outcome.output and "VALID -" not in outcome.output
    assert "Nomor catatan" not in outcome.output


def test_a_receipt_whose_digits_do_not_fit_exits_1_and_says_why(files):
    bent = next(v["text"] for v in world.vectors()["qr"] if v["name"] == "group-overflow")
    outcome = run(files, "receipt", bent, "--json")
    told = json.loads(outcome.output)["reports"][0]["checks"][0]
    assert outcome.exit_code == 1
    assert told["status"] == "failed" and "does not fit its bytes" in told["text"]


def test_two_receipts_are_both_reported_and_the_worse_one_decides(files):
    bent = RESULT[:-1] + bytes([RESULT[-1] ^ 1])
    world.on_paper(world.qr(RESULT), world.qr(bent)).save(files / "two.png")
    outcome = run(files, "receipt", "two.png")
    assert outcome.exit_code == 1
    assert "SAH / VALID" in outcome.output and "TIDAK SAH / NOT VALID" in outcome.output


def test_a_picture_without_a_code_exits_2_with_one_line(files):
    outcome = run(files, "receipt", "blank.png")
    assert outcome.exit_code == 2 and len(outcome.stderr.splitlines()) == 1
    assert "photograph the receipt again" in outcome.stderr
    assert json.loads(run(files, "receipt", "blank.png", "--json").stdout)["exit"] == 2


def test_training_is_part_of_the_verdict(files):
    (files / "bundle.cbor").write_bytes(world.entry_bytes("bundle-training"))
    (files / "t.cbor").write_bytes(world.entry_bytes("result-training"))
    outcome = run(files, "receipt", "t.cbor")
    assert outcome.exit_code == 0 and outcome.output.startswith("LATIHAN / TRAINING")


def test_a_bundle_signed_by_another_authority_exits_1(files):
    (files / "authority.pem").write_bytes(world.pem(keys.STRANGER))
    outcome = run(files, "receipt", "receipt.png")
    assert outcome.exit_code == 1 and "not this authority's" in outcome.stderr


def test_an_altered_bundle_exits_1(files):
    data = bytearray((files / "bundle.cbor").read_bytes())
    data[-1] ^= 1
    (files / "bundle.cbor").write_bytes(data)
    assert run(files, "receipt", "receipt.png").exit_code == 1


@pytest.mark.parametrize("data", [b"", b"rubbish", RESULT])
def test_what_is_no_bundle_exits_2(files, data):
    (files / "bundle.cbor").write_bytes(data)
    outcome = run(files, "receipt", "receipt.png")
    assert outcome.exit_code == 2 and len(outcome.stderr.splitlines()) == 1


def test_missing_files_exit_2(files):
    (files / "authority.pem").rename(files / "elsewhere.pem")
    assert run(files, "receipt", "receipt.png").exit_code == 2
    assert run(files, "receipt", "receipt.png", "--authority", "elsewhere.pem").exit_code == 0
    assert run(files, "receipt", "receipt.png", "--authority", "receipt.png").exit_code == 2
    nowhere = ("--trust", str(files / "nowhere"))
    assert run(files, "receipt", "receipt.png", *nowhere, trust=False).exit_code == 2
    assert run(files, "receipt", "receipt.png", trust=False).exit_code == 2


def test_a_package_by_another_authority_exits_1_and_no_package_exits_2(files):
    payload = world.record.parse(world.entry_bytes("package")).payload
    (files / "package.cbor").write_bytes(world.signed(payload, keys.STRANGER))
    arguments = ("receipt", "receipt.png", "--package", "package.cbor")
    assert run(files, *arguments).exit_code == 1
    (files / "package.cbor").write_bytes(RESULT)
    assert run(files, *arguments).exit_code == 2
    payload[2] += 1
    (files / "package.cbor").write_bytes(world.signed(payload, keys.AUTHORITY))
    assert run(files, *arguments).exit_code == 2


def test_a_proof_of_sending_without_the_package_cannot_be_told(files):
    (files / "ack.cbor").write_bytes(world.entry_bytes("ack"))
    outcome = run(files, "receipt", "ack.cbor")
    assert outcome.exit_code == 2 and "CANNOT TELL" in outcome.output
    assert run(files, "receipt", "ack.cbor", "--package", "package.cbor").exit_code == 0


@pytest.fixture
def day(files):
    day = Day(files).whole()
    (files / "kit.der").write_bytes(day.der)
    (files / "page2.jpg").write_bytes(PHOTOS[1])
    (files / "result.cbor").write_bytes(day.results[0].data)
    return day


def test_a_journal_is_checked(files, day):
    outcome = run(files, "journal", "journal", "--certificate", "kit.der")
    assert outcome.exit_code == 0 and "SAH / VALID" in outcome.output
    day.path.write_bytes(day.path.read_bytes()[40:])
    assert run(files, "journal", "journal", "--certificate", "kit.der").exit_code == 1
    assert run(files, "journal", "nowhere", "--certificate", "kit.der").exit_code == 2
    assert run(files, "journal", "journal", "--certificate", "nowhere").exit_code == 2


def test_a_photograph_is_checked_against_journal_or_manifest(files, day):
    of = ("--receipt", "result.cbor")
    outcome = run(files, "photo", "page2.jpg", *of, "--journal", "journal")
    assert outcome.exit_code == 0
    (files / "manifest.hex").write_text(day.journal.entry(day.results[0].seq)[1].hex())
    with_manifest = (*of, "--manifest", "manifest.hex")
    assert run(files, "photo", "page2.jpg", *with_manifest).exit_code == 0
    (files / "page2.jpg").write_bytes(PHOTOS[1] + b"\0")
    assert run(files, "photo", "page2.jpg", *with_manifest).exit_code == 1
    assert run(files, "photo", "page2.jpg", *of).exit_code == 2
    assert run(files, "photo", "nowhere", *with_manifest).exit_code == 2
    assert (
        run(files, "photo", "page2.jpg", "--receipt", "blank.png", *with_manifest[2:]).exit_code
        == 2
    )


def test_an_authority_key_of_another_curve_exits_2(files):
    key = ec.generate_private_key(ec.SECP384R1()).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (files / "authority.pem").write_bytes(pem)
    outcome = run(files, "receipt", "receipt.png")
    assert outcome.exit_code == 2 and len(outcome.stderr.splitlines()) == 1
