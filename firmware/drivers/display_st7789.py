"""ST7789 colour display, 240x320, over 4-wire SPI (mode 0 or 3, write only).

Command numbers and waits: Sitronix ST7789VW datasheet, chapter 9.1. The panels in use are IPS:
their true colours need the controller's inversion on.
"""

from firmware.drivers import PartError, const, sleep_ms

try:
    import framebuf
except ImportError:  # CPython
    framebuf = None

NO_DISPLAY = const(601)

_SWRESET = const(0x01)
_SLPOUT = const(0x11)
_NORON = const(0x13)
_INVON = const(0x21)
_DISPON = const(0x29)
_CASET = const(0x2A)
_RASET = const(0x2B)
_RAMWR = const(0x2C)
_MADCTL = const(0x36)
_COLMOD = const(0x3A)

WIDTH = const(240)
HEIGHT = const(320)
INK = const(0x10C5)  # RGB565 of #101829, near black
PAPER = const(0xFFFF)


class ST7789:
    """The display behind `spi`; `cs`, `reset` and `backlight` may be None where they are wired."""

    size = (WIDTH, HEIGHT)

    def __init__(self, spi, dc, cs=None, reset=None, backlight=None):
        self._spi = spi
        self._dc = dc
        self._cs = cs
        self._backlight = backlight
        self._byte = bytearray(1)
        self._window = bytearray(4)
        self._line = bytearray(2 * WIDTH)
        self.colours()
        if backlight:
            backlight(0)  # dark until the first picture: the memory holds noise after power-on
        if reset:
            reset(0)
            sleep_ms(10)
            reset(1)
            sleep_ms(120)
        self._send(_SWRESET)
        sleep_ms(200)
        self._send(_SLPOUT)
        sleep_ms(120)
        self._send(_COLMOD, b"\x55")  # 16 bits a pixel
        self._send(_MADCTL, b"\x00")  # portrait, RGB
        self._send(_INVON)
        self._send(_NORON)
        sleep_ms(10)
        self._send(_DISPON)
        sleep_ms(10)

    def colours(self, ink=INK, paper=PAPER):
        """Set the two colours of what is shown from now on, RGB565."""
        if framebuf:
            # framebuf keeps RGB565 in the machine's (little-endian) order, the chip wants big.
            self._target = framebuf.FrameBuffer(self._line, WIDTH, 1, framebuf.RGB565)
            self._palette = framebuf.FrameBuffer(bytearray(4), 2, 1, framebuf.RGB565)
            for index, colour in enumerate((paper, ink)):
                self._palette.pixel(index, 0, (colour & 0xFF) << 8 | colour >> 8)
        pair = (bytes((paper >> 8, paper & 0xFF)), bytes((ink >> 8, ink & 0xFF)))
        self._nibbles = tuple(
            b"".join([pair[n >> shift & 1] for shift in (3, 2, 1, 0)]) for n in range(16)
        )

    def blit(self, canvas, y0=0, y1=HEIGHT):
        """Show rows y0 <= y < y1 of `canvas`: 240x320 bits, MSB left, 1 = ink."""
        if len(canvas) != WIDTH * HEIGHT // 8 or not 0 <= y0 < y1 <= HEIGHT:
            raise ValueError("the canvas or its rows do not fit the display")
        self._span(_CASET, 0, WIDTH - 1)
        self._span(_RASET, y0, y1 - 1)
        self._send(_RAMWR)
        expand = self._expander(canvas)
        if self._cs:
            self._cs(0)
        self._dc(1)
        for y in range(y0, y1):
            expand(y)
            self._write(self._line)
        if self._cs:
            self._cs(1)
        if self._backlight:
            self._backlight(1)

    def _expander(self, canvas):
        """A function of y that turns that row's bits into the line of pixels."""
        if framebuf:
            # In C: a whole picture in about 10 ms where the loop below takes some 100.
            source = framebuf.FrameBuffer(canvas, WIDTH, HEIGHT, framebuf.MONO_HLSB)
            target = self._target
            palette = self._palette
            return lambda y: target.blit(source, 0, -y, -1, palette)
        line = self._line
        nibbles = self._nibbles

        def expand(y):
            at = 0
            for i in range(y * WIDTH // 8, (y + 1) * WIDTH // 8):
                byte = canvas[i]
                line[at : at + 8] = nibbles[byte >> 4]
                line[at + 8 : at + 16] = nibbles[byte & 15]
                at += 16

        return expand

    def _span(self, command, first, last):
        window = self._window
        window[0], window[1], window[2], window[3] = first >> 8, first & 255, last >> 8, last & 255
        self._send(command, window)

    def _send(self, command, parameters=None):
        if self._cs:
            self._cs(0)
        self._dc(0)
        self._byte[0] = command
        self._write(self._byte)
        if parameters:
            self._dc(1)
            self._write(parameters)
        if self._cs:
            self._cs(1)

    def _write(self, buf):
        try:
            self._spi.write(buf)
        except OSError:
            raise PartError(NO_DISPLAY, "Screen does not answer: check its cable") from None
