"""The kit's driver and factory setup against the emulated ATECC608 and each of its faults."""

import hashlib

import pytest

from firmware.drivers import PartError, atecc608_setup
from firmware.drivers.atecc608 import ATECC608
from host_tools.kit.atecc608 import ATECC608Emulator
from host_tools.kit.atecc608_core import ORDER
from host_tools.kit.atecc608_zones import COUNTER_MAX, counter_bytes
from host_tools.kit.bus import I2CBus, LocalI2C
from tests.host_tools.kit.atecc608_bench import DIGEST, EXECUTION, OK, Time, ask, driver, holds


@pytest.fixture
def time(monkeypatch) -> Time:
    return Time(monkeypatch)


@pytest.fixture
def part(tmp_path, time) -> ATECC608Emulator:
    return ATECC608Emulator(tmp_path / "chip.json", clock=time.clock)


@pytest.fixture
def ready(part) -> ATECC608Emulator:
    """A chip that went through the factory setup."""
    atecc608_setup.configure(driver(part))
    return part


def test_every_signature_holds_and_is_low_though_the_chips_are_not(ready):
    raw = []
    run = ready.core.commands[0x41]
    ready.core.commands[0x41] = lambda *a: raw.append(run(*a)) or raw[-1]
    for slot in (0, 1):
        chip = driver(ready, slot=slot)
        key = chip.public_key()
        for number in range(20):
            digest = hashlib.sha256(bytes([slot, number])).digest()
            signature = chip.sign(digest)
            assert holds(key, digest, signature)
            assert chip.verify(key, digest, signature)
            assert not chip.verify(key, DIGEST, signature)
    high = [int.from_bytes(signature[32:]) > ORDER // 2 for signature in raw]
    assert any(high) and not all(high)


def test_the_live_and_the_training_key_differ(ready):
    assert driver(ready, slot=0).public_key() != driver(ready, slot=1).public_key()


def test_verify_of_a_key_that_is_no_point_is_an_error(ready):
    chip = driver(ready)
    with pytest.raises(PartError) as caught:
        chip.verify(b"\x01" * 64, DIGEST, chip.sign(DIGEST))
    assert caught.value.code == 105


def test_the_counters_are_monotonic_over_a_restart_and_apart_from_each_other(ready, time):
    chip = driver(ready)
    assert [chip.count_up() for _ in range(40)] == list(range(1, 41))
    again = ATECC608Emulator(ready.core.zones.path, clock=time.clock)
    assert driver(again).count() == 40
    assert driver(again).count_up() == 41
    assert driver(again, counter=1).count() == 0
    assert atecc608_setup.is_configured(driver(again))


def test_a_full_counter_refuses(ready, time):
    ready.core.zones.config[52:60] = counter_bytes(COUNTER_MAX - 1)
    chip = driver(ready)
    assert chip.count_up() == COUNTER_MAX
    with pytest.raises(PartError) as caught:
        chip.count_up()
    assert caught.value.code == 108
    assert ask(ready, time, "0307240100000f77") == EXECUTION


def test_the_key_survives_a_restart_and_its_file_is_private(ready, time):
    key = driver(ready).public_key()
    again = ATECC608Emulator(ready.core.zones.path, clock=time.clock)
    assert driver(again).public_key() == key
    assert ready.core.zones.path.stat().st_mode & 0o077 == 0


def test_self_test_passes_on_a_good_chip_and_random_numbers_are_counted(ready):
    chip = driver(ready)
    chip.self_test()
    assert chip.randoms >= 6
    assert len({chip.random(16) for _ in range(8)}) == 8


def test_long_work_outlasts_the_watchdog(ready, time):
    chip = driver(ready)
    before = time.now
    assert len(chip.random(32 * 100)) == 3200
    assert time.now - before > 2


# Faults.


def test_a_few_unheard_wakes_are_survived_and_many_are_reported(ready):
    chip = driver(ready)
    ready.fail_wakes(4)
    assert holds(chip.public_key(), DIGEST, chip.sign(DIGEST))
    ready.fail_wakes(1000)
    with pytest.raises(PartError) as caught:
        chip.sign(DIGEST)
    assert caught.value.code == 101


def test_a_damaged_reply_is_read_again_and_a_damaged_line_is_reported(ready):
    chip = driver(ready)
    ready.corrupt_next_reply()
    assert holds(chip.public_key(), DIGEST, chip.sign(DIGEST))
    ready.corrupt_next_reply(1000)
    for work in (lambda: chip.sign(DIGEST), chip.public_key, chip.count, chip.count_up):
        with pytest.raises(PartError) as caught:
            work()
        assert caught.value.code == 103


def test_a_stuck_generator_stops_every_signature(ready):
    chip = driver(ready)
    ready.stick_random()
    for work, code in ((lambda: chip.sign(DIGEST), 107), (chip.self_test, 106)):
        with pytest.raises(PartError) as caught:
            work()
        assert caught.value.code == code
    assert not chip.random_is_live()
    ready.stick_random(False)
    assert chip.random_is_live()


def test_a_dead_chip_is_reported_by_every_method(ready):
    chip = driver(ready)
    key, signature = chip.public_key(), chip.sign(DIGEST)
    ready.dead = True
    for work in (
        chip.public_key,
        lambda: chip.sign(DIGEST),
        lambda: chip.random(8),
        chip.count,
        chip.count_up,
        lambda: chip.verify(key, DIGEST, signature),
        chip.serial,
        chip.revision,
        chip.self_test,
    ):
        with pytest.raises(PartError) as caught:
            work()
        assert caught.value.code == 101


def test_a_chip_that_dies_in_the_middle_gives_no_signature(ready):
    chip = driver(ready)
    run = ready.core.commands[0x16]

    def die(*arguments):
        ready.dead = True
        return run(*arguments)

    ready.core.commands[0x16] = die
    with pytest.raises(PartError) as caught:
        chip.sign(DIGEST)
    assert caught.value.code == 101


def test_a_lost_answer_never_counts_twice(ready):
    chip = driver(ready)
    run = ready.core.commands[0x24]

    def lose(p1, p2, data):
        reply = run(p1, p2, data)
        if p1 == 1:
            ready.corrupt_next_reply(3)
        return reply

    ready.core.commands[0x24] = lose
    assert chip.count_up() == 1
    assert chip.count() == 1


def test_a_chip_without_setup_gives_no_key_and_no_signature(part):
    chip = driver(part)
    for work, code in ((chip.public_key, 104), (lambda: chip.sign(DIGEST), 107)):
        with pytest.raises(PartError) as caught:
            work()
        assert caught.value.code == code


# Factory setup.


class PowerCut(Exception):
    """The supply failed."""


class CutBus(LocalI2C):
    """Power fails at the n-th command, before or after the chip ran it; then nothing works."""

    def __init__(self, part: ATECC608Emulator, commands: int, after: bool):
        super().__init__(I2CBus(part))
        self.left = commands
        self.after = after

    def writeto(self, addr, buf):
        if buf[0] == 0x03:
            self.left -= 1
        if self.left <= 0 and not (self.after and self.left == 0 and buf[0] == 0x03):
            raise PowerCut
        super().writeto(addr, buf)

    def readfrom_into(self, addr, buf):
        if self.left <= 0:
            raise PowerCut
        super().readfrom_into(addr, buf)


def test_setup_locks_the_chip_proves_its_keys_and_does_nothing_twice(part):
    chip = driver(part)
    assert not atecc608_setup.is_configured(chip)
    report = atecc608_setup.configure(chip)
    assert report["locked"] == ["config", "data", 0, 1]
    assert report["generated"] == [0, 1]
    assert report["words"] > 0
    assert report["serial"].hex() == "0123a1b2c3d4e5f6ee"
    assert atecc608_setup.is_configured(chip)
    again = atecc608_setup.configure(chip)
    assert again["locked"] == [] and again["generated"] == [] and again["words"] == 0
    assert again["keys"] == report["keys"]
    assert holds(report["keys"][0], DIGEST, chip.sign(DIGEST))


@pytest.mark.parametrize("after", [False, True])
def test_setup_goes_on_after_a_power_cut_at_any_command(tmp_path, time, after):
    cut = 0
    while True:
        cut += 1
        path = tmp_path / f"{cut}.json"
        try:
            part = ATECC608Emulator(path, clock=time.clock)
            atecc608_setup.configure(ATECC608(CutBus(part, cut, after)))
            break
        except PowerCut:
            part = ATECC608Emulator(path, clock=time.clock)
        keys = dict(part.core.zones.keys)
        chip = driver(part)
        report = atecc608_setup.configure(chip)
        assert atecc608_setup.is_configured(chip)
        assert set(report["generated"]) == {0, 1} - set(keys)
        assert keys.items() <= part.core.zones.keys.items()
    assert cut > 40


def test_setup_refuses_a_chip_locked_with_other_settings(part, time):
    assert ask(part, time, "030717800000398d") == OK
    with pytest.raises(PartError) as caught:
        atecc608_setup.configure(driver(part))
    assert caught.value.code == 120
    assert not part.core.zones.keys


def test_setup_refuses_a_chip_whose_memory_does_not_take(part):
    run = part.core.commands[0x12]
    part.core.commands[0x12] = lambda p1, p2, data: run(p1, p2, bytes(4))
    with pytest.raises(PartError) as caught:
        atecc608_setup.configure(driver(part))
    assert caught.value.code == 121
    assert not part.core.zones.config_locked


def test_setup_makes_no_key_while_the_generator_shows_its_unlocked_pattern(part):
    part.stick_random()
    with pytest.raises(PartError) as caught:
        atecc608_setup.configure(driver(part))
    assert caught.value.code == 107
    assert not part.core.zones.keys


def test_setup_refuses_a_blank_chip_that_already_draws_random_numbers(part):
    part.core.commands[0x1B] = lambda *_: bytes(range(32))
    with pytest.raises(PartError) as caught:
        atecc608_setup.configure(driver(part))
    assert caught.value.code == 107
    assert not part.core.zones.config_locked


def test_the_authoritys_key_is_written_once(ready):
    chip = driver(ready)
    key, other = chip.public_key(), driver(ready, slot=1).public_key()
    assert atecc608_setup.authority_key(chip) is None
    atecc608_setup.set_authority_key(chip, key)
    atecc608_setup.set_authority_key(chip, key)
    assert atecc608_setup.authority_key(chip) == key
    with pytest.raises(PartError) as caught:
        atecc608_setup.set_authority_key(chip, other)
    assert caught.value.code == 123
    assert atecc608_setup.authority_key(chip) == key
    assert atecc608_setup.is_configured(chip)


def test_the_authoritys_key_waits_for_the_setup(part):
    with pytest.raises(PartError) as caught:
        atecc608_setup.set_authority_key(driver(part), bytes(64))
    assert caught.value.code == 122
