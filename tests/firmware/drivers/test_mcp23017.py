"""The port expander's driver against its register file."""

from firmware.drivers import PartError
from firmware.drivers.mcp23017 import IN, MCP23017, NO_EXPANDER, OPEN_DRAIN, OUT
from tests.firmware.support import raises


class Registers:
    """I2C with one register file at 0x21; `levels` is what stands on input pins."""

    def __init__(self):
        self.file = bytearray(22)
        self.file[0] = self.file[1] = 0xFF
        self.levels = [0xFF, 0xFF]
        self.pointer = 0
        self.present = True
        self.written = []

    def writeto(self, addr, buf):
        if addr != 0x21 or not self.present:
            raise OSError(19)
        self.pointer = buf[0]
        for byte in bytes(buf)[1:]:
            self.file[self.pointer] = byte
            self.written.append((self.pointer, byte))
            self.pointer += 1

    def readfrom_into(self, addr, buf):
        if addr != 0x21 or not self.present:
            raise OSError(19)
        for i in range(len(buf)):
            port = self.pointer & 1
            if self.pointer >> 1 == 9:
                inputs = self.file[port]
                buf[i] = self.levels[port] & inputs | self.file[0x14 + port] & ~inputs & 0xFF
            else:
                buf[i] = self.file[self.pointer]
            self.pointer += 1


def test_an_output_pin_sets_its_latch_and_direction_and_no_others():
    bus = Registers()
    chip = MCP23017(bus, 0x21)
    before = bytes(bus.file)
    pin = chip.pin(10, OUT)
    assert bus.file[1] == before[1] & ~0x04
    pin(1)
    assert bus.file[0x15] == 0x04
    assert pin() == 1
    pin(0)
    assert bus.file[0x15] == 0
    assert bus.file[0] == before[0]
    assert bus.file[0x14] == 0


def test_an_open_drain_pin_pulls_low_or_lets_go_and_never_drives_high():
    bus = Registers()
    chip = MCP23017(bus, 0x21)
    row = chip.pin(2, OPEN_DRAIN)
    assert bus.file[0] & 0x04
    row(0)
    assert not bus.file[0] & 0x04
    row(1)
    assert bus.file[0] & 0x04
    assert all(value == 0 for register, value in bus.written if register == 0x14)


def test_an_input_pin_reads_its_own_bit():
    bus = Registers()
    chip = MCP23017(bus, 0x21)
    pins = [chip.pin(8 + i, IN, True) for i in range(4)]
    assert bus.file[0x0D] == 0x0F
    assert bus.file[0x0C] == 0
    bus.levels[1] = 0xFB
    assert [pin() for pin in pins] == [1, 1, 0, 1]
    raises(ValueError, pins[0], 1)


def test_pins_7_and_15_are_never_inputs():
    bus = Registers()
    chip = MCP23017(bus, 0x21)
    assert not bus.file[0] & 0x80
    assert not bus.file[1] & 0x80
    for number in (7, 15):
        raises(ValueError, chip.pin, number, IN)
        raises(ValueError, chip.pin, number, OPEN_DRAIN)


def test_settings_lost_in_a_dip_of_the_supply_are_noticed_and_written_again():
    bus = Registers()
    chip = MCP23017(bus, 0x21)
    chip.pin(8, IN, pull_up=True)
    chip.pin(0, OPEN_DRAIN)(0)
    held = bytes(bus.file)
    assert chip.check() is True
    bus.file = bytearray(22)
    bus.file[0] = bus.file[1] = 0xFF
    assert chip.check() is False
    assert bytes(bus.file) == held
    assert chip.check() is True


def test_a_missing_expander_is_named_with_its_code():
    bus = Registers()
    bus.present = False
    error = raises(PartError, MCP23017, bus, 0x21)
    assert error.code == NO_EXPANDER
    bus.present = True
    pin = MCP23017(bus, 0x21).pin(8, IN)
    bus.present = False
    assert raises(PartError, pin).code == NO_EXPANDER
