"""MCP23017: 16 pins over I2C, for parts that the board has no pins left for.

Registers as in Microchip's DS20001952D, BANK=0: number = r << 1 | port. GPA7 and GPB7 (pins 7 and
15) are outputs only: as inputs they can disturb SDA, so the driver never makes them inputs.
"""

from firmware.drivers import PartError, const

NO_EXPANDER = const(501)

IN = const(0)
OUT = const(1)
OPEN_DRAIN = const(2)  # 0 pulls low, 1 lets go: two rows of a matrix never fight through a key

_IODIR = const(0x00)
_IOCON_OF_BANK_1 = const(0x05)
_IOCON = const(0x0A)
_GPPU = const(0x0C)
_GPIO = const(0x12)
_OLAT = const(0x14)


class MCP23017:
    """The expander at 7-bit `address` on `i2c`; hands out pins shaped as machine.Pin."""

    def __init__(self, i2c, address=0x20):
        self._i2c = i2c
        self._address = address
        self._out = bytearray(2)
        self._in = bytearray(1)
        self._shadow = {
            register | port: 0x7F if register == _IODIR else 0
            for register in (_IODIR, _GPPU, _OLAT)
            for port in (0, 1)
        }
        # Whatever bank an earlier program left, this brings BANK=0 (with BANK=0 it is GPINTENB).
        self._write(_IOCON_OF_BANK_1, 0)
        self._write(_IOCON, 0)
        self._restore()

    def pin(self, number, mode, pull_up=False):
        """Pin `number` (0-7 = GPA, 8-15 = GPB): pin(value) sets it, pin() reads its level."""
        if mode != OUT and number & 7 == 7:
            raise ValueError("pins 7 and 15 are outputs only")
        return ExpanderPin(self, number >> 3, 1 << (number & 7), mode, pull_up)

    def check(self):
        """True while the chip holds its settings; False when it had lost them and got them again.

        A dip of the supply leaves every pin an input without pull-up, and the keypad dead.
        """
        for register in self._shadow:
            if self.read(register) != self._shadow[register]:
                self._restore()
                return False
        return True

    def change(self, register, mask, on):
        """Set (or clear) the bits of `mask` in IODIR, GPPU or OLAT of a port."""
        value = self._shadow[register]
        value = value | mask if on else value & ~mask
        self._shadow[register] = value
        self._write(register, value)

    def read(self, register):
        """One register's byte."""
        try:
            self._in[0] = register
            self._i2c.writeto(self._address, self._in)
            self._i2c.readfrom_into(self._address, self._in)
        except OSError:
            raise PartError(NO_EXPANDER, "Keypad does not answer: check its cable") from None
        return self._in[0]

    def _write(self, register, value):
        self._out[0] = register
        self._out[1] = value
        try:
            self._i2c.writeto(self._address, self._out)
        except OSError:
            raise PartError(NO_EXPANDER, "Keypad does not answer: check its cable") from None

    def _restore(self):
        # Latches before directions: a pin never drives a level that nobody asked for.
        for register in (_OLAT, _GPPU, _IODIR):
            for port in (0, 1):
                self._write(register | port, self._shadow[register | port])


class ExpanderPin:
    """One pin of the expander, callable as machine.Pin."""

    def __init__(self, chip, port, mask, mode, pull_up):
        self._chip = chip
        self._mask = mask
        self._mode = mode
        self._gpio = _GPIO | port
        self._olat = _OLAT | port
        self._iodir = _IODIR | port
        chip.change(_GPPU | port, mask, pull_up)
        chip.change(self._olat, mask, False)
        chip.change(self._iodir, mask, mode != OUT)

    def __call__(self, value=None):
        if value is None:
            return 1 if self._chip.read(self._gpio) & self._mask else 0
        if self._mode == IN:
            raise ValueError("an input pin cannot be set")
        if self._mode == OUT:
            self._chip.change(self._olat, self._mask, value)
        else:
            self._chip.change(self._iodir, self._mask, value)
        return None
