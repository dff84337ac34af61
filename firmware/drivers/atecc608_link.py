"""Packets between the kit and an ATECC608: wake, command, reply, CRC, watchdog.

The chip sleeps between operations, so a kit that hangs leaves nothing loaded in it. Frames, times
and status codes: Microchip DS20005927A and cryptoauthlib (lib/calib/calib_command.h and
calib_execution.c).
"""

from firmware.drivers import PartError, const, sleep_ms, ticks_diff, ticks_ms

E_WAKE = const(101)
E_SILENT = const(102)
E_CRC = const(103)
E_REFUSED = const(104)
E_ECC = const(105)
E_SELF_TEST = const(106)

ERRORS = {
    E_WAKE: "The security chip does not wake up: switch the kit off and on, else change the kit.",
    E_SILENT: "The security chip fell silent: switch the kit off and on, else change the kit.",
    E_CRC: "The security chip's answers arrive damaged: have its wiring checked.",
    E_REFUSED: "The security chip refused a command: have the kit enrolled again.",
    E_ECC: "The security chip failed at its arithmetic: try again, else change the kit.",
    E_SELF_TEST: "The security chip failed its own test: change the kit.",
}

OP_READ = const(0x02)
OP_WRITE = const(0x12)
OP_NONCE = const(0x16)
OP_LOCK = const(0x17)
OP_RANDOM = const(0x1B)
OP_COUNTER = const(0x24)
OP_INFO = const(0x30)
OP_GENKEY = const(0x40)
OP_SIGN = const(0x41)
OP_VERIFY = const(0x45)
OP_SELF_TEST = const(0x77)

# Longest execution time of each command on the 608 in milliseconds (calib_execution.c, M0).
_MAX_MS = {
    OP_READ: 5,
    OP_WRITE: 45,
    OP_NONCE: 20,
    OP_LOCK: 35,
    OP_RANDOM: 23,
    OP_COUNTER: 25,
    OP_INFO: 5,
    OP_GENKEY: 115,
    OP_SIGN: 115,
    OP_VERIFY: 105,
    OP_SELF_TEST: 250,
}

_WORD_REWIND = b"\x00"
_WORD_SLEEP = b"\x01"
_WORD_IDLE = b"\x02"
_WORD_COMMAND = const(0x03)
_AWAKE = b"\x04\x11\x33\x43"

OK = const(0x00)
MISMATCH = const(0x01)
_ECC_FAULT = const(0x05)
_SELF_TEST_FAULT = const(0x07)
_HEALTH_FAULT = const(0x08)
_JUST_WOKEN = const(0x11)
_WATCHDOG_NEAR = const(0xEE)
_BAD_FRAME = const(0xFF)

_WAKE_TRIES = const(6)
_WAKE_PAUSE_MS = const(25)  # six tries outlast the longest signature, should the chip still be busy
_WAKE_DELAY_MS = const(2)  # tWHI is 1.5 ms
_WATCHDOG_MS = const(600)  # the chip falls asleep 0.7 to 1.7 s after it woke
_POLL_MS = const(2)
_READS = const(3)


def fault(code):
    """The PartError of this part with `code`."""
    return PartError(code, ERRORS[code])


def crc16(buf):
    """The chip's CRC-16 of `buf`: polynomial 0x8005, start 0, data bits lowest first."""
    crc = 0
    for byte in buf:
        for bit in range(8):
            differs = (byte >> bit & 1) != crc >> 15
            crc = crc << 1 & 0xFFFF
            if differs:
                crc ^= 0x8005
    return crc


def until(look, *args):
    """What `look(*args)` gives as soon as it is not None."""
    while True:
        found = look(*args)
        if found is not None:
            return found
        sleep_ms(_POLL_MS)


class Link:
    """One ATECC608 on a ready I2C bus of its own; the wake pulse needs at most 100 kHz."""

    def __init__(self, i2c, address=0x60):
        self.i2c = i2c
        self.address = address
        self._frame = bytearray(1 + 151)
        self._frame_view = memoryview(self._frame)
        self._reply = bytearray(67)
        self._reply_view = memoryview(self._reply)
        self._woke = self._started = self._patience = self._reads = 0
        self.under_way = None  # atecc608_verify.Verification that the chip works at

    def wake(self):
        """Wake the chip and start its watchdog; raise E_WAKE or E_SELF_TEST."""
        view = self._reply_view[:4]
        code = E_WAKE
        for attempt in range(_WAKE_TRIES):
            if attempt:
                # A chip left awake ignores the pulse and cannot say "woken": sleep comes first.
                self.sleep()
                sleep_ms(_WAKE_PAUSE_MS)
            self._woke = ticks_ms()
            try:
                self.i2c.writeto(0, b"\x00")
            except OSError:
                pass  # nobody acknowledges the pulse: SDA held low for 60 us is all it is for
            sleep_ms(_WAKE_DELAY_MS)
            try:
                self.i2c.readfrom_into(self.address, view)
            except OSError:
                continue
            if view == _AWAKE:
                return
            if view[0] == 4 and view[1] in (_SELF_TEST_FAULT, _HEALTH_FAULT):
                code = E_SELF_TEST
        raise fault(code)

    def idle(self):
        """Stop the watchdog and keep what is loaded in the chip."""
        self.i2c.writeto(self.address, _WORD_IDLE)

    def sleep(self):
        """Put the chip to sleep; what was loaded is lost. No error if the chip does not listen."""
        try:
            self.i2c.writeto(self.address, _WORD_SLEEP)
        except OSError:
            pass

    def command(self, opcode, p1, p2, size, *parts):
        """Run one command on the woken chip and return the `size` bytes of its reply.

        The view is valid until the next command. With `size` 1 it is a status: OK or MISMATCH.
        """
        self.start(opcode, p1, p2, *parts)
        return until(self.answer, size)

    def start(self, opcode, p1, p2, *parts):
        """Send one command to the woken chip, whose reply answer() has later."""
        limit = _MAX_MS[opcode]
        try:
            if ticks_diff(ticks_ms(), self._woke) + limit > _WATCHDOG_MS:
                self.idle()
                self.wake()
            self.i2c.writeto(self.address, self._build(opcode, p1, p2, parts))
        except OSError:
            raise fault(E_SILENT) from None
        self._started = ticks_ms()
        self._patience = 2 * limit + 20
        self._reads = _READS

    def do(self, opcode, p1, p2, *parts):
        """Run one command that answers with a status only; anything but OK is an error."""
        if self.command(opcode, p1, p2, 1, *parts)[0] != OK:
            raise fault(E_REFUSED)

    def _build(self, opcode, p1, p2, parts):
        frame = self._frame
        end = 6
        for part in parts:
            frame[end : end + len(part)] = part
            end += len(part)
        frame[0] = _WORD_COMMAND
        frame[1] = end + 1  # counts itself and the CRC, not the word address
        frame[2] = opcode
        frame[3] = p1
        frame[4] = p2 & 0xFF
        frame[5] = p2 >> 8
        crc = crc16(self._frame_view[1:end])
        frame[end] = crc & 0xFF
        frame[end + 1] = crc >> 8
        return self._frame_view[: end + 2]

    def answer(self, size):
        """What command() returns, or None while the chip works: it acknowledges nothing then.

        Twice a command's longest time is enough: E_SILENT after that, and from a chip that sleeps.
        """
        reply = self._reply
        late = ticks_diff(ticks_ms(), self._started) > self._patience
        try:
            self.i2c.readfrom_into(self.address, self._reply_view[: size + 3])
            count = reply[0]
            if count not in (4, size + 3) or not self._is_whole(count):
                # The reply stays in the chip: read it again, do not run the command again.
                self.i2c.writeto(self.address, _WORD_REWIND)
                self._reads -= 1
                if not self._reads:
                    raise fault(E_CRC)
                return None
        except OSError:
            if late:
                raise fault(E_SILENT) from None
            return None
        if count == 4:
            self._check(reply[1])
        if count != size + 3:
            raise fault(E_REFUSED)
        return self._reply_view[1 : 1 + size]

    def _is_whole(self, count):
        crc = crc16(self._reply_view[: count - 2])
        return self._reply[count - 2] == crc & 0xFF and self._reply[count - 1] == crc >> 8

    @staticmethod
    def _check(status):
        if status in (OK, MISMATCH):
            return
        if status == _ECC_FAULT:
            raise fault(E_ECC)
        if status in (_SELF_TEST_FAULT, _HEALTH_FAULT):
            raise fault(E_SELF_TEST)
        if status in (_JUST_WOKEN, _WATCHDOG_NEAR):
            raise fault(E_SILENT)
        if status == _BAD_FRAME:
            raise fault(E_CRC)
        raise fault(E_REFUSED)
