"""A signature verified in the background by the emulated ATECC608, and what may come between."""

import hashlib

import pytest

from firmware import record
from firmware.drivers import PartError, atecc608_setup
from firmware.journal import Journal
from firmware.recorder import Recorder
from host_tools.kit.atecc608 import ATECC608Emulator
from tests.host_tools.kit.atecc608_bench import DIGEST, Time, driver, holds

WRONG = hashlib.sha256(b"another").digest()
# Seconds after its beginning: the digest is being loaded, is loaded, and what polls make of it.
MOMENTS = (0.0, 0.005, 0.019, 0.021, 0.06, 0.12, 0.15, 0.5, 0.65, 1.2, 1.31, 5.0)


@pytest.fixture
def time(monkeypatch) -> Time:
    return Time(monkeypatch)


@pytest.fixture
def part(tmp_path, time) -> ATECC608Emulator:
    """A chip that went through the factory setup; `runs` are the commands that it ran since."""
    part = ATECC608Emulator(tmp_path / "chip.json", clock=time.clock)
    atecc608_setup.configure(driver(part))
    run = part.core.run
    part.runs = []

    def noted(opcode, *arguments):
        part.runs.append(opcode)
        return run(opcode, *arguments)

    part.core.run = noted
    return part


@pytest.fixture
def chip(part):
    return driver(part)


@pytest.fixture
def signed(chip, part):
    """(key, digest, signature) that hold."""
    found = chip.public_key(), DIGEST, chip.sign(DIGEST)
    part.runs.clear()
    return found


def polled(check, time, pause=0.002, most=200):
    """The result of `check`, asked every `pause` seconds."""
    for _ in range(most):
        result = check.poll()
        if result is not None:
            return result
        time.now += pause
    raise AssertionError("the chip never ended")


@pytest.mark.parametrize("pause", [0.001, 0.01, 0.05, 0.3, 0.7, 2.0])
def test_good_and_bad_signatures_are_told_apart_however_seldom_one_looks(chip, signed, time, pause):
    key, digest, signature = signed
    for _ in range(3):
        assert polled(chip.verify_begin(*signed), time, pause) is True
        assert polled(chip.verify_begin(key, WRONG, signature), time, pause) is False
        assert polled(chip.verify_begin(key, digest, signature[32:] * 2), time, pause) is False


def test_neither_the_beginning_nor_a_look_waits_for_the_chip(chip, signed, part, time):
    start = time.now
    check = chip.verify_begin(*signed)
    assert time.now - start < 0.005
    looks = 0
    while True:
        before = time.now
        result = check.poll()
        assert time.now == before
        if result is not None:
            break
        looks += 1
        time.now += 0.001
    assert result is True and looks > 100 and time.now - start < 0.14
    assert part.runs == [0x16, 0x45] and part.read(4) is None, "done once, and it sleeps again"
    assert check.poll() is True and part.runs == [0x16, 0x45]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("looks", [0, 1, 2])
@pytest.mark.parametrize("good", [True, False])
def test_an_entry_signed_meanwhile_is_right_and_the_result_is_kept(
    chip, signed, time, tmp_path, moment, looks, good
):
    key, _, signature = signed
    journal = Journal(str(tmp_path / "journal"), b"\x11" * 32)
    recorder = Recorder(journal, chip, 2029, 3201012003001, lambda: 5)
    check = chip.verify_begin(key, DIGEST if good else WRONG, signature)
    for _ in range(looks):
        time.now += 0.025
        check.poll()
    time.now += moment
    for number in (1, 2):
        entry = recorder.event(record.BOOT, ["1.0", None, 0, []])
        assert entry.seq == number and holds(key, entry.signed_digest(), entry.signature)
    assert chip.count() == 2
    assert check.poll() is good


@pytest.mark.parametrize("moment", MOMENTS)
def test_every_other_command_leaves_the_result_and_gives_its_own(chip, signed, time, moment):
    training = chip.with_key(1, 1)
    key, digest, signature = signed
    for ask, is_right in (
        (training.public_key, lambda found: found not in (key, bytes(64))),
        (training.count, lambda found: found == 0),
        (chip.count, lambda found: found == 0),
        (chip.serial, lambda found: found.hex() == "0123a1b2c3d4e5f6ee"),
        (lambda: chip.random(40), lambda found: len(found) == 40),
        (lambda: training.sign(WRONG), lambda s: holds(training.public_key(), WRONG, s)),
        (lambda: training.verify(key, WRONG, signature), lambda found: found is False),
        (lambda: atecc608_setup.authority_key(chip), lambda found: found is None),
    ):
        check = chip.verify_begin(key, digest, signature)
        time.now += moment
        assert is_right(ask())
        assert check.poll() is True


def test_a_second_one_waits_for_the_first_and_each_has_its_own_result(chip, signed, part, time):
    key, digest, signature = signed
    first = chip.verify_begin(key, WRONG, signature)
    second = chip.with_key(1, 1).verify_begin(key, digest, signature)
    assert part.runs == [0x16, 0x45, 0x16]
    assert second.poll() is None and first.poll() is False
    assert polled(second, time) is True and first.poll() is False


def test_what_nobody_asked_for_before_the_watchdog_is_worked_out_again(chip, signed, part, time):
    key, _, signature = signed
    for digest, good in ((DIGEST, True), (WRONG, False)):
        for looks in (0, 1):
            part.runs.clear()
            check = chip.verify_begin(key, digest, signature)
            for _ in range(looks):
                time.now += 0.025
                assert check.poll() is None
            time.now += 1.4
            assert part.read(4) is None, "the watchdog has put it to sleep"
            assert check.poll() is good
            assert part.runs == [0x16, 0x45][: looks + 1] + [0x16, 0x45]


def test_a_digest_loaded_long_ago_is_verified_within_the_watchdogs_time(chip, signed, part, time):
    check = chip.verify_begin(*signed)
    time.now += 0.58  # the time that is left would not do for the signature
    assert check.poll() is None and part.runs == [0x16, 0x45]
    time.now += 0.11
    assert check.poll() is True and part.runs == [0x16, 0x45]


def test_a_chip_that_dies_in_the_middle_verifies_nothing_and_is_told(chip, signed, part, time):
    for moment in MOMENTS:
        for looks in (0, 1, 2):
            check = chip.verify_begin(*signed)
            for _ in range(looks):
                time.now += 0.025
                check.poll()
            time.now += moment
            part.dead = True
            with pytest.raises(PartError) as caught:
                polled(check, time, 0.02)
            assert caught.value.code == 101
            with pytest.raises(PartError):
                chip.sign(DIGEST)
            part.dead = False
            assert polled(check, time) is True, "asked again, it answers again"


def test_a_chip_that_does_not_wake_for_the_beginning_is_told_by_the_look(chip, signed, part, time):
    part.fail_wakes(6)
    assert polled(chip.verify_begin(*signed), time) is True
    part.fail_wakes(1000)
    check = chip.verify_begin(*signed)
    with pytest.raises(PartError) as caught:
        check.poll()
    assert caught.value.code == 101
    part.fail_wakes(0)
    assert holds(signed[0], DIGEST, chip.sign(DIGEST))


def test_damaged_replies_are_read_again_and_a_damaged_line_is_told(chip, signed, part, time):
    for count in (1, 2, 3, 4):
        check = chip.verify_begin(*signed)
        part.corrupt_next_reply(count)
        assert polled(check, time) is True
    check = chip.verify_begin(*signed)
    part.corrupt_next_reply(1000)
    with pytest.raises(PartError) as caught:
        polled(check, time)
    assert caught.value.code == 103


def test_a_key_that_is_no_point_is_an_error_and_never_a_result(chip, signed, part, time):
    check = chip.verify_begin(b"\x01" * 64, DIGEST, signed[2])
    with pytest.raises(PartError) as caught:
        polled(check, time)
    assert caught.value.code == 105
    assert holds(signed[0], DIGEST, chip.sign(DIGEST))


def test_one_that_nobody_looks_at_again_hinders_nobody(chip, signed, time):
    for moment in MOMENTS:
        chip.verify_begin(*signed)
        time.now += moment
        assert holds(signed[0], DIGEST, chip.sign(DIGEST))


def test_wrong_lengths_never_reach_the_chip(chip, signed, part):
    key, digest, signature = signed
    for arguments in ((key[1:], digest, signature), (key, b"", signature), (key, digest, b"")):
        with pytest.raises(ValueError):
            chip.verify_begin(*arguments)
    assert part.runs == []
