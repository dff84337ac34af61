"""The display's emulator: the driver's picture arrives, and misuse fails."""

import pytest
from PIL import Image

from firmware.drivers.display_st7789 import ST7789
from host_tools.kit.bus import LocalPin, LocalSPI
from host_tools.kit.st7789 import DisplayFault, ST7789Emulator


class Hand:
    """A clock that only this test moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def awake(clock=None):
    """An emulator woken by hand, on, 16 bits a pixel."""
    clock = clock or Hand()
    panel = ST7789Emulator(clock)
    for command, data in ((0x01, b""), (0x11, b""), (0x3A, b"\x55"), (0x21, b""), (0x29, b"")):
        panel.command(command)
        if data:
            panel.data(data)
        clock.now += 0.15
    return panel


def window(panel, x0, x1, y0, y1):
    for command, first, last in ((0x2A, x0, x1), (0x2B, y0, y1)):
        panel.command(command)
        panel.data(first.to_bytes(2) + last.to_bytes(2))
    panel.command(0x2C)


def test_what_the_driver_blits_is_what_a_person_sees():
    panel, dc = ST7789Emulator(), LocalPin()
    display = ST7789(LocalSPI(panel, dc), dc)
    canvas = bytearray(9600)
    canvas[0] = 0b10100000
    canvas[-1] = 0b00000001
    display.blit(canvas)
    image = panel.image()
    ink = {
        (x, y) for x in range(240) for y in range(320) if image.getpixel((x, y)) != (255, 255, 255)
    }
    assert ink == {(0, 0), (2, 0), (239, 319)}
    assert panel.frames == 1


def test_a_blit_of_some_rows_leaves_the_others():
    panel, dc = ST7789Emulator(), LocalPin()
    display = ST7789(LocalSPI(panel, dc), dc)
    display.colours(0x0000, 0xFFFF)
    display.blit(bytearray(9600))
    display.blit(bytearray(b"\xff" * 9600), 100, 110)
    column = [panel.image().getpixel((5, y)) for y in range(320)]
    assert [y for y in range(320) if column[y] == (0, 0, 0)] == list(range(100, 110))


def test_the_panel_is_black_until_it_is_on_and_false_in_colour_without_inversion(tmp_path):
    clock = Hand()
    panel = ST7789Emulator(clock)
    assert panel.image().getcolors() == [(76800, (0, 0, 0))]
    panel = awake(clock)
    window(panel, 0, 239, 0, 319)
    panel.data(b"\xff\xff" * 76800)
    panel.save_png(tmp_path / "white.png")
    assert Image.open(tmp_path / "white.png").getcolors() == [(76800, (255, 255, 255))]
    panel.command(0x20)
    assert panel.image().getcolors() == [(76800, (0, 0, 0))]


def test_pixels_beyond_the_window_go_on_at_its_start_even_cut_in_half():
    panel = awake()
    window(panel, 10, 11, 20, 21)
    for byte in b"\x00\x01\x00\x02\x00\x03\x00\x04\x00\x05":
        panel.data(bytes([byte]))
    assert panel.memory[20:22, 10:12].tolist() == [[5, 2], [3, 4]]
    assert panel.memory[20, 12] == 0x5AA5


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ([0x99], "unknown command 99"),
        ([0x2A, b"\x00\x00\x00", 0x2B], "lacks parameters"),
        ([0x2A, b"\x00\x00\x00\xef\x00"], "no command asked for"),
        ([0x29, b"\x00"], "no command asked for"),
        ([0x2A, b"\x00\x00\x00\xf0"], "off the panel"),
        ([0x2B, b"\x00\x10\x00\x0f"], "off the panel"),
        ([0x2C, b"\x00\x00\x00", 0x29], "half a pixel"),
        ([0x36, b"\x60"], "MADCTL"),
        ([0x28, 0x2C], "before SLPOUT and DISPON"),
        ([0x3A, b"\x66", 0x2C], "COLMOD"),
    ],
)
def test_what_the_part_would_not_take_fails(sent, says):
    panel = awake()

    def play():
        for item in sent:
            if isinstance(item, int):
                panel.command(item)
            else:
                panel.data(item)

    with pytest.raises(DisplayFault, match=says):
        play()
    assert panel.fault and says in panel.fault


def test_pixels_before_waking_fail():
    panel = ST7789Emulator(Hand())
    with pytest.raises(DisplayFault, match="before SLPOUT"):
        panel.command(0x2C)


def test_a_command_within_the_wait_that_the_datasheet_asks_for_fails():
    clock = Hand()
    panel = ST7789Emulator(clock)
    panel.command(0x01)
    clock.now += 0.004
    with pytest.raises(DisplayFault, match="busy"):
        panel.command(0x11)


def test_a_reset_while_awake_asks_for_120_ms_before_waking_again():
    clock = Hand()
    panel = awake(clock)
    panel.command(0x01)
    clock.now += 0.1
    with pytest.raises(DisplayFault, match="120 ms"):
        panel.command(0x11)
    clock.now += 0.03
    panel.command(0x11)
