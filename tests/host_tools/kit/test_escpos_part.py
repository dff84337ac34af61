"""The emulated printer by itself: what it answers, when, and what it refuses."""

import pytest

from host_tools.kit.escpos import EscPosEmulator
from host_tools.kit.escpos_parts import NON_VOLATILE
from tests.host_tools.kit.test_escpos import Clock


def test_printer_confirms_only_when_the_last_row_is_on_paper():
    clock = Clock()
    part = EscPosEmulator(clock=clock)
    clock.now = 1
    answers = bytearray()
    part.send = answers.extend
    part.receive(b"line\n\x1d\x28\x48\x06\x00\x30\x300042")
    for _ in range(100):
        clock.now += 0.03
        part.tick()
        if answers:
            break
    assert part.rows_printed == 30
    assert bytes(answers) == b"\x37\x220042\x00"
    assert clock.now >= 24 * 0.030


def test_no_confirmation_while_the_cover_is_open():
    clock = Clock()
    part = EscPosEmulator(clock=clock)
    clock.now = 1
    answers = bytearray()
    part.send = answers.extend
    part.set_cover(True)
    part.receive(b"line\n\x1d\x28\x48\x06\x00\x30\x300042")
    clock.now += 100
    part.tick()
    assert bytes(answers) == b""


@pytest.mark.parametrize(
    ("command", "profile"),
    [
        (b"\x1c\x71\x01", "epson"),
        (b"\x1b\x99", "epson"),
        (b"\x1d\x28\x4c\x02\x00\x30\x32", "epson"),
        (b"\x05", "epson"),
        (b"\xff", "epson"),
        (b"\x1b\x37\x0b\x78\x28", "epson"),
        (b"\x1b\x76\x00", "epson"),
        (b"\x1d\x28\x48\x06\x00\x30\x300001", "cheap"),
        (b"\x10\x04\x01", "cheap"),
        (b"\x1d\x76\x30\x01\x01\x00\x01\x00\xff", "epson"),
        (b"\x1b\x61\x03", "epson"),
        (b"\x1d\x76\x30\x00\x31\x00\x01\x00" + bytes(49), "epson"),
        (b"text\x1d\x76\x30\x00\x01\x00\x01\x00\xff", "epson"),
        (b"text\x1d\x28\x48\x06\x00\x30\x300001", "epson"),
        (b"\x1d\x28\x48\x06\x00\x30\x300001", "clone"),
        (b"\x1d\x56\x00", "cheap"),
        (b"\x1d\x76\x30\x00\x01\x00\x01\x00\x1c", "epson"),
    ],
)
def test_what_the_printer_does_not_know_is_an_error(command, profile):
    part = EscPosEmulator(profile, speed=1e6)
    part.receive(command)
    assert part.errors


def test_status_of_the_cheap_printer_comes_in_its_turn():
    clock = Clock()
    part = EscPosEmulator("cheap", clock=clock)
    clock.now = 1
    answers = bytearray()
    part.send = answers.extend
    part.receive(b"line\n\x1b\x76\x00")
    assert bytes(answers) == b""
    clock.now += 10
    part.tick()
    assert bytes(answers) == b"\x00"
    part.set_paper(False)
    part.receive(b"\x1b\x76\x00")
    assert answers[1] & 0x0C


@pytest.mark.parametrize("command", NON_VOLATILE)
def test_what_writes_the_printers_own_memory_is_an_error(command):
    part = EscPosEmulator(clock=(clock := Clock()))
    clock.now = 1
    part.receive(command + bytes(8))
    assert "non-volatile" in part.errors[0]


@pytest.mark.parametrize(
    ("error", "answer"), [("cutter", 0x1A), ("fault", 0x32), ("hot", 0x52), (None, 0x12)]
)
def test_errors_are_told_at_once_and_nothing_goes_on_meanwhile(error, answer):
    clock = Clock()
    part = EscPosEmulator(clock=clock)
    clock.now = 1
    answers = bytearray()
    part.send = answers.extend
    part.set_error(error)
    part.receive(b"\x10\x04\x03line\n")
    clock.now = 2
    part.tick()
    assert bytes(answers) == bytes((answer,))
    assert (part.rows_printed == 0) == (error is not None)


def test_printer_just_switched_on_is_deaf_and_a_pulled_cable_loses_both_ways():
    clock = Clock()
    part = EscPosEmulator(clock=clock)
    clock.now = 1
    answers = bytearray()
    part.send = answers.extend
    part.set_power(False)
    part.set_power(True)
    part.receive(b"\x10\x04\x01")
    clock.now = 2
    part.set_cable(False)
    part.receive(b"\x10\x04\x01")
    assert bytes(answers) == b""
    part.set_cable(True)
    part.receive(b"\x10\x04\x01")
    assert bytes(answers) == b"\x12"


def test_answers_come_late_twice_bent_or_with_noise_when_told_to():
    clock = Clock()
    part = EscPosEmulator(clock=clock)
    clock.now = 1
    answers = bytearray()
    part.send = answers.extend
    part.set_answers(late=2, twice=True)
    part.receive(b"\x10\x04\x01")
    assert bytes(answers) == b""
    clock.now = 3.5
    part.tick()
    assert bytes(answers) == b"\x12\x12"
    for rubbish, want in (("noise", b"\xa5\x12"), ("bent", b"\xff"), ("stray", b"\x00\x12")):
        answers.clear()
        part.set_answers(rubbish=rubbish)
        part.receive(b"\x10\x04\x01")
        assert bytes(answers) == want
