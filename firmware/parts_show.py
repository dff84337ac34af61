"""What a person looks at to judge a kit's screen and printer: a test picture and a test strip."""

from firmware.canvas import HEIGHT, WIDTH, Canvas
from firmware.frame import BODY, LARGE, MARGIN
from firmware.slip import CENTRE

_COLOURS = (("red", 0xF800), ("green", 0x07E0), ("blue", 0x001F))  # RGB565
_TOP, _BAND, _PITCH = 88, 48, 56


def show_picture(display, t):
    """A frame to every corner, words, three named bands of colour, and lines of 1 to 8 dots."""
    canvas = Canvas()
    canvas.frame(0, 0, WIDTH, HEIGHT, 3)
    canvas.text(MARGIN, 12, "SAKSI", LARGE)
    canvas.text(MARGIN, 48, t("Screen test"), BODY)
    top = _TOP
    for name, _ in _COLOURS:
        canvas.fill(MARGIN, top, WIDTH - 2 * MARGIN, _BAND)
        canvas.text(2 * MARGIN, top + 12, t(name), BODY, True)
        top += _PITCH
    for step in range(4):
        for x in range(MARGIN, WIDTH - MARGIN, 2 << step):
            canvas.fill(x, top + 12 * step, 1 << step, 10)
    display.colours()
    display.blit(canvas.buffer)
    top = _TOP
    for _, colour in _COLOURS:
        display.colours(colour)
        display.blit(canvas.buffer, top, top + _BAND)
        top += _PITCH
    display.colours()


def _bars(width):
    """A row of bars of 1, 2 … 12 dots, each with a gap as wide, over `width` bytes."""
    row = bytearray(width)
    at, wide = 0, 1
    while at < 8 * width:
        for x in range(at, min(at + wide, 8 * width)):
            row[x >> 3] |= 0x80 >> (x & 7)
        at += 2 * wide
        wide = wide % 12 + 1
    return row


def strip(width, serial, t):
    """Print operations of the test strip on paper of `width` bytes: all black, bars, text, code."""
    yield ("text", "SAKSI", True, 2, CENTRE)
    yield ("text", t("Printer test"), True, 1, CENTRE)
    for row, height in ((b"\xff" * width, 16), (b"\xaa" * width, 16), (_bars(width), 32)):
        yield ("raster", [row] * height)
        yield ("feed", 1)
    yield ("text", "0123456789 ABCDEFGHIJKLMNOP", False, 1, CENTRE)
    yield ("text", "qrstuvwxyz", True, 1, CENTRE)
    yield ("qr", "CONTOH/" + serial)
    yield ("text", serial, False, 1, CENTRE)
    yield ("feed", 2)
    yield ("cut",)
