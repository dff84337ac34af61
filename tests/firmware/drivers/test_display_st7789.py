"""The display's driver, byte by byte on the SPI bus."""

from firmware.drivers import PartError
from firmware.drivers.display_st7789 import NO_DISPLAY, ST7789
from tests.firmware.support import raises


class Wire:
    """SPI, D/C and chip select in one; keeps [command, parameters] in the order sent."""

    def __init__(self):
        self.sent = []
        self.level = None
        self.selected = False
        self.light = None
        self.broken = False

    def dc(self, value):
        self.level = value

    def cs(self, value):
        self.selected = value == 0

    def backlight(self, value):
        self.light = value

    def write(self, buf):
        if self.broken:
            raise OSError(5)
        assert self.selected
        if self.level == 0:
            assert len(buf) == 1
            self.sent.append([buf[0], b""])
        else:
            self.sent[-1][1] += bytes(buf)


def display(**parts):
    wire = Wire()
    return wire, ST7789(wire, wire.dc, wire.cs, **parts)


def pixels(canvas_row, ink, paper):
    out = b""
    for byte in canvas_row:
        for bit in range(7, -1, -1):
            out += ink if byte >> bit & 1 else paper
    return out


def test_it_is_woken_in_the_order_that_the_datasheet_asks_for():
    wire, _ = display()
    assert [c for c, _ in wire.sent] == [0x01, 0x11, 0x3A, 0x36, 0x21, 0x13, 0x29]
    assert wire.sent[2][1] == b"\x55"
    assert wire.sent[3][1] == b"\x00"


def test_rows_go_out_as_16_bit_pixels_into_their_window():
    wire, screen = display()
    screen.colours(0x1234, 0xFEDC)
    canvas = bytearray((i * 37 + 11) & 0xFF for i in range(9600))
    wire.sent = []
    screen.blit(canvas, 3, 5)
    assert [c for c, _ in wire.sent] == [0x2A, 0x2B, 0x2C]
    assert wire.sent[0][1] == bytes((0, 0, 0, 239))
    assert wire.sent[1][1] == bytes((0, 3, 0, 4))
    assert wire.sent[2][1] == pixels(canvas[90:150], b"\x12\x34", b"\xfe\xdc")


def test_the_last_rows_have_a_two_byte_address():
    wire, screen = display()
    wire.sent = []
    screen.blit(bytearray(9600), 256, 320)
    assert wire.sent[1][1] == bytes((1, 0, 1, 63))
    assert len(wire.sent[2][1]) == 64 * 480


def test_the_bus_is_let_go_after_every_transfer():
    wire, screen = display()
    screen.blit(bytearray(9600), 0, 1)
    assert not wire.selected


def test_the_backlight_stays_dark_until_the_first_picture():
    wire = Wire()
    screen = ST7789(wire, wire.dc, wire.cs, backlight=wire.backlight)
    assert wire.light == 0
    screen.blit(bytearray(9600), 0, 320)
    assert wire.light == 1


def test_rows_that_do_not_exist_are_refused():
    _, screen = display()
    raises(ValueError, screen.blit, bytearray(9600), 10, 10)
    raises(ValueError, screen.blit, bytearray(9600), 0, 321)
    raises(ValueError, screen.blit, bytearray(9599), 0, 1)


def test_a_dead_bus_is_named_with_its_code():
    wire, screen = display()
    wire.broken = True
    assert raises(PartError, screen.blit, bytearray(9600), 0, 1).code == NO_DISPLAY
