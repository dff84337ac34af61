import asyncio

from firmware import VERSION, cbor, enrol, readiness, record
from firmware.language import Words
from firmware.parts_test import BAD_ARGUMENT, DISPLAY, MODEM, PartFault
from firmware.readiness import CHECKS, FAILED, NO_STATEMENT, PASSED, UNSEEN, Readiness, merge
from firmware.selftest import CAMERA, CHIP, PRINTER
from tests.firmware.support import raises, temp_dir
from tests.firmware.test_enrol import NOW, OFFICE, Key, Setup, package

DIGEST = bytes(range(32))


class Clock:
    def now(self):
        return NOW + 5


class Parts:
    """The outcomes of tests that were made, and what was printed."""

    def __init__(self):
        self.outcomes = {check: 1 for check in CHECKS}
        self.printed = []

    async def print(self, make):
        self.printed = list(make(Paper()))
        return []


class Paper:
    columns = 32
    dots = 384


class Board:
    def __init__(self, data):
        self.flash = temp_dir()
        self.signers = {enrol.LIVE: Key(b"live"), enrol.TRAINING: Key(b"training")}
        self.setup = Setup()
        self.setup.authority = OFFICE.public
        self.clock = Clock()
        if data:
            with open(self.flash + "/package.cbor", "wb") as file:
                file.write(data)


def made(data=None):
    board = Board(package() if data is None else data)
    return Readiness(board, Parts(), Words("id"), DIGEST)


def ready(kit, answers):
    return record.parse(kit.ready(cbor.encode(answers)))


def outcomes(entry):
    return {check: outcome for check, outcome in entry.payload[8]}


def test_the_statement_says_what_kit_package_and_checks_are():
    kit = made()
    entry = ready(kit, [[PRINTER, 1], [DISPLAY, 1]])
    data = package()
    assert entry.payload[:8] == [
        record.READINESS, Key(b"").serial(), VERSION, DIGEST, 202402, 1607012001001,
        record.sha256(data), NOW + 5,
    ]  # fmt: skip
    assert entry.payload[8] == [[check, 1] for check in CHECKS]
    live = kit.board.signers[enrol.LIVE]
    assert entry.kid == record.kid_of(live.public)
    assert live.verify(live.public, entry.signed_digest(), record_signature(live, entry))


def record_signature(key, entry):
    """What the key signs, since the record keeps the low form only."""
    signature = key.sign(entry.signed_digest())
    assert record.low_s(signature) == entry.signature
    return signature


def test_a_kit_for_training_signs_with_its_training_key():
    kit = made(package(election=1202402))
    entry = ready(kit, [])
    assert entry.kid == record.kid_of(kit.board.signers[enrol.TRAINING].public)


def test_what_the_kit_found_failed_nobody_can_pass():
    measured = {check: 1 for check in CHECKS}
    measured[CAMERA] = 0
    results = dict_of(merge(measured, {check: 1 for check in CHECKS}))
    assert results[CAMERA] == FAILED
    assert all(results[check] == PASSED for check in CHECKS if check != CAMERA)


def dict_of(results):
    return {check: outcome for check, outcome in results}


def test_what_the_kit_did_not_test_nobody_can_pass():
    results = merge({}, {check: 1 for check in CHECKS})
    assert results == [[check, UNSEEN] for check in CHECKS]


def test_paper_and_screen_are_not_looked_at_until_somebody_did():
    measured = {check: 1 for check in CHECKS}
    results = dict_of(merge(measured, {}))
    assert [check for check in CHECKS if results[check] != PASSED] == [PRINTER, DISPLAY]
    assert results[PRINTER] == results[DISPLAY] == UNSEEN


def test_a_person_may_fail_any_check_or_say_that_nobody_looked():
    measured = {check: 1 for check in CHECKS}
    results = dict_of(merge(measured, {CHIP: 0, MODEM: 2, DISPLAY: 0}))
    assert (results[CHIP], results[MODEM], results[DISPLAY]) == (FAILED, UNSEEN, FAILED)
    assert dict_of(merge({}, {CHIP: 0}))[CHIP] == FAILED


def test_an_argument_that_is_not_a_list_of_known_checks_is_refused():
    kit = made()
    for answers in ([[99, 1]], [[CHIP, 3]], [[CHIP, 1], [CHIP, 0]], [[CHIP]], [1], 5, [["1", 1]]):
        error = raises(PartFault, kit.ready, cbor.encode(answers))
        assert error.code == BAD_ARGUMENT, answers
    assert raises(PartFault, kit.ready, b"\xff").code == BAD_ARGUMENT
    for outcome in (True, None, "1", -1):
        error = raises(PartFault, kit.ready, cbor.encode([[CHIP, outcome]]))
        assert error.code == BAD_ARGUMENT, outcome
    assert kit.statement is None


def test_no_argument_is_no_answer():
    assert outcomes(record.parse(made().ready(b"")))[CHIP] == PASSED


def test_a_kit_without_a_station_of_its_authority_states_nothing():
    assert raises(enrol.EnrolError, made(b"").ready, b"").code == enrol.NOT_READY
    foreign = made(package(key=Key(b"other")))
    assert raises(enrol.EnrolError, foreign.ready, b"").code == enrol.NOT_SIGNED
    assert foreign.statement is None


def slip(kit, value):
    return asyncio.run(kit.slip(cbor.encode(value)))


def test_the_slip_needs_a_statement_of_the_package_that_the_kit_has():
    kit = made()
    assert raises(PartFault, slip, kit, ["KIT-1"]).code == NO_STATEMENT
    ready(kit, [])
    with open(kit.board.flash + "/package.cbor", "wb") as file:
        file.write(package(version=2))
    assert raises(PartFault, slip, kit, ["KIT-1"]).code == NO_STATEMENT
    assert kit.parts.printed == []


def test_the_slip_wants_a_kit_id():
    kit = made()
    ready(kit, [])
    for value in ([""], ["K" * 33], [5], [], "KIT-1"):
        assert raises(PartFault, slip, kit, value).code == BAD_ARGUMENT, value


def test_the_slip_names_kit_chip_station_and_checks_and_says_that_it_is_no_receipt():
    kit = made()
    kit.parts.outcomes[CAMERA] = 0
    ready(kit, [[PRINTER, 1]])
    assert slip(kit, ["KIT-0001"]) == b""
    text = "\n".join([op[1] for op in kit.parts.printed if op[0] == "text"])
    for words in ("BUKTI KESIAPAN", "KIT-0001", "0123 A1B2 C3D4 E5F6 EE", "1607012001001", VERSION):
        assert words in text, words
    assert "Bukan tanda terima hasil" in text and "LATIHAN" not in text
    assert "Kamera melihat" in text and "gagal" in text and "belum diperiksa" in text
    codes = [op[1] for op in kit.parts.printed if op[0] == "qr"]
    assert len(codes) == 1 and codes[0].startswith("HTTPS://TPS.EXAMPLE.ID/#1")
    assert max([len(op[1]) * op[3] for op in kit.parts.printed if op[0] == "text"]) <= 32


def test_the_slip_of_a_training_kit_says_so_first_and_last():
    kit = made(package(election=1202402))
    ready(kit, [])
    slip(kit, ["KIT-0001"])
    lines = [op[1] for op in kit.parts.printed if op[0] == "text"]
    assert lines[0] == lines[-1] == "LATIHAN"


def test_every_check_has_a_name_in_words():
    known = Words("id")
    for check in CHECKS:
        name = readiness.NAMES.get(check) or readiness.selftest.NAMES[check]
        assert known(name) != name
