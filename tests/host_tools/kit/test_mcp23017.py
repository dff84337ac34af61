"""Keypad and expander drivers against the emulated expander and its key matrix."""

import threading

import pytest

from firmware.drivers.keypad import LAYOUT, Keypad
from firmware.drivers.mcp23017 import IN, MCP23017, OPEN_DRAIN, OUT
from host_tools.kit.bus import I2CBus, LocalI2C
from host_tools.kit.mcp23017 import ExpanderFault, KeyMatrix, MCP23017Emulator


class Kit:
    """The kit's keypad on an emulated expander; `now` moves by hand."""

    def __init__(self, mode=OPEN_DRAIN, pull_up=True):
        self.now = 0
        self.matrix = KeyMatrix(clock=lambda: self.now / 1000)
        self.part = MCP23017Emulator(self.matrix)
        self.chip = MCP23017(LocalI2C(I2CBus(self.part)))
        rows = [self.chip.pin(i, mode) for i in range(4)]
        cols = [self.chip.pin(8 + i, IN, pull_up) for i in range(4)]
        self.keypad = Keypad(rows, cols, clock=lambda: self.now)

    def poll(self, times=6):
        heard = []
        for _ in range(times):
            self.now += 10
            key = self.keypad.read()
            if key:
                heard.append(key)
        return heard


def test_every_key_arrives_through_the_expander():
    kit = Kit()
    for name in (name for row in LAYOUT for name in row):
        kit.matrix.press(name)
        heard = kit.poll()
        kit.matrix.release(name)
        assert heard + kit.poll() == [name]


def test_a_ghost_is_in_the_circuit_but_not_in_the_events():
    kit = Kit()
    for name in ("1", "2", "4"):
        kit.matrix.press(name)
        kit.poll()
    levels = kit.matrix.levels({1: 0}, {8, 9, 10, 11})
    assert levels[9] == 0, "key 5 looks pressed: row 1 reaches column 1 through 4, 1 and 2"
    for name in ("1", "2", "4"):
        kit.matrix.release(name)
    assert kit.poll() == []


def test_a_stuck_key_is_found_at_boot_and_the_others_still_work():
    kit = Kit()
    kit.matrix.press("CETAK")
    assert kit.keypad.stuck() == ["CETAK"]
    assert kit.poll() == []
    kit.matrix.press("3")
    assert kit.poll() == ["3"]


def test_columns_without_pull_up_fail():
    kit = Kit(pull_up=False)
    with pytest.raises(ExpanderFault, match="floats"):
        kit.chip.pin(8, IN)()


def test_rows_that_drive_high_fight_when_two_keys_of_a_column_are_down():
    kit = Kit(mode=OUT)
    kit.matrix.press("1")
    kit.matrix.press("4")
    with pytest.raises(ExpanderFault, match="fight"):
        kit.poll()


def test_a_key_pressed_after_a_dip_of_the_supply_is_heard_once_the_settings_are_back():
    kit = Kit()
    kit.part.brown_out()
    assert kit.chip.check() is False
    kit.matrix.press("8")
    assert kit.poll() == ["8"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x16", "does not exist"),
        (b"\x0e\x00", "read only"),
        (b"\x0a\x80", "not known"),
        (b"\x02\xff", "not known"),
    ],
)
def test_a_register_that_the_part_has_not_fails(data, says):
    part = MCP23017Emulator()
    with pytest.raises(ExpanderFault, match=says):
        part.write(data)
    assert part.fault


def test_pin_7_read_as_an_input_fails():
    part = MCP23017Emulator()
    part.write(b"\x12")
    with pytest.raises(ExpanderFault, match="pin 7"):
        part.read(1)


def test_registers_are_read_and_written_in_sequence():
    part = MCP23017Emulator()
    part.write(b"\x00\x7f\x3f")
    part.write(b"\x14\x05\x06")
    part.write(b"\x14")
    assert part.read(4) == b"\x05\x06\x7f\x3f"


def test_taps_from_another_thread_all_arrive_once_each():
    kit = Kit()
    keys = ["1", "1", "0", "OK", "HAPUS_LAMA", "HAPUS", "HAPUS"]
    failures = []

    def fingers():
        try:
            for key in keys:
                kit.matrix.tap(key)
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=fingers)
    thread.start()
    heard = []
    while thread.is_alive():
        heard += kit.poll(1)
        thread.join(0.0005)
    heard += kit.poll()
    assert failures == []
    assert heard == keys


def test_a_tap_ends_when_the_firmware_took_the_key_and_went_to_work():
    kit = Kit()
    thread = threading.Thread(target=kit.matrix.tap, args=("OK",))
    thread.start()
    while "OK" not in kit.matrix.pressed:
        thread.join(0.0005)
    assert kit.poll(3) == ["OK"]
    thread.join(10)
    assert not thread.is_alive()
    assert kit.matrix.pressed == set()


def test_a_tap_that_nobody_looks_at_times_out_and_lets_the_key_go():
    kit = Kit()
    with pytest.raises(TimeoutError, match="does not scan"):
        kit.matrix.tap("5", timeout=0.05)
    assert kit.matrix.pressed == set()


def test_it_is_settled_when_the_firmware_looks_again_after_its_work():
    kit = Kit()
    kit.matrix.press("OK")
    assert kit.poll(4) == ["OK"]
    kit.matrix.release("OK")
    with pytest.raises(TimeoutError, match="does not scan"):
        kit.matrix.settle(timeout=0.05)  # at work
    thread = threading.Thread(target=kit.matrix.settle)
    thread.start()
    thread.join(0.02)
    assert thread.is_alive()
    kit.poll()
    thread.join(10)
    assert not thread.is_alive()
