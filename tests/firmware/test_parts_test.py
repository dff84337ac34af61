import asyncio
import os

from firmware import cbor, serial_link
from firmware.drivers import PartError
from firmware.language import Words
from firmware.parts_show import strip
from firmware.parts_test import BAD_ARGUMENT, MISSING, WRONG, KeyWatch, PartFault, PartsTest
from firmware.selftest import CARD, CHIP, CLOCK, KEYS, RANDOM
from tests.firmware.support import raises, temp_dir

SERIAL = bytes.fromhex("0123a1b2c3d4e5f6ee")
NAMES = ["1", "2", "HAPUS", "OK"]


class Signer:
    """Answers as a chip does whose generator gives `randoms` in turn."""

    def __init__(self, randoms=(1, 2, 3, 4), fault=None):
        self.randoms = list(randoms)
        self.fault = fault

    def serial(self):
        if self.fault:
            raise self.fault
        return SERIAL

    def revision(self):
        return b"\x00\x00\x60\x03"

    def random(self, n):
        return bytes([self.randoms.pop(0)] * n)

    def random_is_live(self):
        return True


class Keys:
    names = NAMES

    def __init__(self, events=(), stuck=()):
        self.events = list(events)
        self.found = list(stuck)

    def read(self):
        return self.events.pop(0) if self.events else None

    def stuck(self):
        return self.found


class Clock:
    quality = 1

    def __init__(self, *times):
        self.times = list(times)

    def now(self):
        return self.times.pop(0) if len(self.times) > 1 else self.times[0]


class Board:
    """A board with the parts it is given."""

    def __init__(self, **parts):
        for name, part in parts.items():
            setattr(self, name, part)


class Settings:
    def get(self, name):
        return ""


def made(**parts):
    return PartsTest(Board(**parts), Words("id"), Settings())


def run(parts, name):
    return cbor.decode(asyncio.run(parts.test(cbor.encode([name]))))


def test_a_part_that_is_there_passes_and_tells_what_it_is():
    parts = made(signers={"live": Signer()})
    assert run(parts, "chip") == [1, "0123A1B2C3D4E5F6EE", "00006003"]
    assert run(parts, "random") == [1]
    assert parts.outcomes == {CHIP: 1, RANDOM: 1}


def test_a_part_that_raises_is_a_failed_check_with_its_code_and_sentence():
    parts = made(signers={"live": Signer(fault=PartError(103, "The chip is silent"))})
    assert run(parts, "chip") == [0, 103, "The chip is silent"]
    assert parts.outcomes == {CHIP: 0}


def test_a_fault_that_nobody_foresaw_is_a_failed_check_too():
    parts = made(signers={"live": Signer(fault=OSError(5))})
    answer = run(parts, "chip")
    assert answer[:2] == [0, serial_link.FAILED] and "5" in answer[2]


def test_a_check_that_passed_and_then_failed_has_failed():
    signer = Signer()
    parts = made(signers={"live": signer})
    run(parts, "chip")
    signer.fault = PartError(103, "The chip is silent")
    run(parts, "chip")
    assert parts.outcomes == {CHIP: 0}


def test_equal_random_numbers_are_not_random():
    parts = made(signers={"live": Signer(randoms=(7, 7))})
    assert run(parts, "random")[:2] == [0, WRONG]


def test_a_board_without_the_part_says_so():
    for name in ("chip", "display", "keys", "camera", "card", "clock", "memory"):
        assert run(made(), name)[:2] == [0, MISSING], name
    assert run(made(camera=None), "camera")[:2] == [0, MISSING]


def test_what_is_no_part_is_refused_by_name():
    parts = made()
    for value in (["arm"], [], ["chip", "chip"], [["chip"]], [5], "chip", 7, {}):
        error = _refused(parts, cbor.encode(value))
        assert error.code == BAD_ARGUMENT, value
    assert _refused(parts, b"").code == BAD_ARGUMENT
    assert _refused(parts, b"\xff").code == BAD_ARGUMENT
    assert "chip" in _refused(parts, cbor.encode(["arm"])).text
    assert parts.outcomes == {}


def _refused(parts, data):
    return raises(PartFault, asyncio.run, parts.test(data))


def test_the_clock_has_to_be_set_and_to_go_on():
    assert run(made(clock=Clock(1800000000, 1800000000, 1800000001)), "clock") == [1, 1800000001, 1]
    assert run(made(clock=Clock(1600000000)), "clock")[:2] == [0, WRONG]
    assert run(made(clock=Clock(1800000000)), "clock")[:2] == [0, WRONG]


def test_the_keypad_has_passed_when_every_key_was_pressed():
    keys = Keys(["1", "1", "HAPUS_LAMA"])
    parts = made(keys=keys)
    raises(PartFault, parts.keys, b"")

    async def press():
        answer = cbor.decode(await parts.test(cbor.encode(["keys"])))
        while keys.events:
            await asyncio.sleep(0)
        half = cbor.decode(parts.keys(b""))
        before = dict(parts.outcomes)
        keys.events = ["OK", "2"]
        while keys.events:
            await asyncio.sleep(0)
        whole = cbor.decode(parts.keys(b""))
        parts.stop()
        return answer, half, before, whole

    answer, half, before, whole = asyncio.run(press())
    assert answer == [1] + NAMES
    assert half == [0, ["1", "HAPUS"], ["2", "OK"], []]
    assert before == {}
    assert whole == [1, ["1", "HAPUS", "OK", "2"], [], []]
    assert parts.outcomes == {KEYS: 1}


def test_a_stuck_key_fails_the_keypad_and_is_named():
    parts = made(keys=Keys(stuck=["OK"]))
    answer = run(parts, "keys")
    assert answer[:2] == [0, WRONG] and answer[3:] == ["OK"]
    assert parts.outcomes == {KEYS: 0}


def test_a_stuck_key_keeps_the_keypad_failed_whatever_is_pressed():
    async def press():
        watch = KeyWatch(Keys(list(NAMES), ["OK"]))
        watch.tell()
        while watch.keys.events:
            await asyncio.sleep(0)
        return watch.tell()

    assert asyncio.run(press()) == [0, NAMES, [], ["OK"]]


def test_after_stop_the_keys_are_left_to_others():
    keys = Keys()
    parts = made(keys=keys)

    async def stop():
        await parts.test(cbor.encode(["keys"]))
        await asyncio.sleep(0)
        parts.stop()
        keys.events = ["OK"]
        for _ in range(20):
            await asyncio.sleep(0)

    asyncio.run(stop())
    assert keys.events == ["OK"]


def test_the_card_is_written_and_left_as_it_was():
    folder = temp_dir()
    parts = made(card=folder)
    answer = run(parts, "card")
    assert answer[:2] == [1, 4096] and answer[2] > 0
    assert os.listdir(folder) == []
    gone = made(card=folder + "/out")
    assert run(gone, "card")[:2] == [0, 712]
    assert gone.outcomes == {CARD: 0}


def test_memory_tells_what_is_free():
    answer = run(made(flash=temp_dir()), "memory")
    assert answer[0] == 1 and answer[1] > 0
    assert answer[2] is None or answer[2] > 0


def test_the_strip_is_as_wide_as_the_paper():
    for width in (48, 72):
        rows = [op[1] for op in strip(width, "0123A1B2C3D4E5F6EE", str) if op[0] == "raster"]
        assert len(rows) == 3
        assert all(len(row) == width for block in rows for row in block)
        assert bytes(rows[0][0]) == b"\xff" * width and bytes(rows[1][0]) == b"\xaa" * width
        assert bytes(rows[2][0][:2]) == b"\xb3\x8f"  # 1, 2, 3 … black, as many white


def test_a_check_of_the_clock_keeps_its_number():
    parts = made(clock=Clock(1800000000, 1800000001))
    run(parts, "clock")
    assert parts.outcomes == {CLOCK: 1}
