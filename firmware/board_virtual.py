"""The virtual kit's board: the same drivers as a real one, on buses that reach emulated parts.

Started as `micropython -X heapsize=1m -m firmware.main PORT FLASH CARD SPEED [HOSTS [console]]`:
PORT is the bus server of the emulated parts on 127.0.0.1, FLASH is a folder or, with MicroPython,
the image of a littlefs (`….img`), CARD is a folder that is not there while the card is out, SPEED
is how many times faster than real the parts are. HOSTS makes the system's network the way to the
collector, as on a Raspberry Pi: a file of lines NAME ADDRESS PORT that stands for its DNS, or `-`.
With `console` the technician's cable is the console, as on a board whose USB socket is the REPL.
Only this file knows that; what it hands out has the shape of MicroPython's machine.I2C, UART, SPI
and Pin (wire format of the links: host_tools/kit/bus.py).
"""

import errno
import socket
import struct
import sys
import time

from firmware import blockdev
from firmware.compat import MICROPYTHON, CodedError, const, make_dir, ticks_ms
from firmware.console_port import ConsolePort
from firmware.drivers import PartError
from firmware.drivers.atecc608 import ATECC608
from firmware.drivers.atecc608_role import Setup
from firmware.drivers.display_st7789 import ST7789
from firmware.drivers.escpos import EscPos
from firmware.drivers.keypad import Keypad
from firmware.drivers.mcp23017 import IN, MCP23017, OPEN_DRAIN
from firmware.drivers.modem_at import Modem
from firmware.drivers.modem_sms import of as messages_of
from firmware.drivers.modem_time import NetworkTime
from firmware.drivers.uplink import SystemUplink

NAME = "virtual"
NO_FLASH = const(723)
NO_CAMERA = const(402)
KEYS = (
    ("1", "2", "3", "FOTO"),
    ("4", "5", "6", "OK"),
    ("7", "8", "9", "HAPUS"),
    ("NAIK", "0", "TURUN", "CETAK"),
)
# Slot and counter of each mode's key: a training key can never sign a live entry.
KEY_SLOTS = {"live": 0, "training": 1}


def _link(port, name, blocking=True):
    sock = socket.socket()
    sock.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    if not MICROPYTHON:
        raw = sock.makefile("rwb", buffering=0)
        raw.write(name.encode() + b"\n")
        sock.setblocking(blocking)
        return raw
    sock.write(name.encode() + b"\n")
    sock.setblocking(blocking)
    return sock


def _fill(stream, view):
    at = 0
    while at < len(view):
        n = stream.readinto(view[at:])
        if not n:
            raise OSError(errno.EIO)
        at += n


def _send(stream, data):
    view = memoryview(data)
    while view:
        n = stream.write(view)
        view = view[n or 0 :]


class LinkI2C:
    """machine.I2C over a link."""

    def __init__(self, port, name):
        self.link = _link(port, name)
        self._answer = bytearray(1)

    def writeto(self, addr, buf):
        _send(self.link, b"W" + struct.pack(">BH", addr, len(buf)) + bytes(buf))
        self._ack()

    def readfrom_into(self, addr, buf):
        _send(self.link, b"R" + struct.pack(">BH", addr, len(buf)))
        self._ack()
        _fill(self.link, memoryview(buf))

    def _ack(self):
        _fill(self.link, memoryview(self._answer))
        if self._answer != b"A":
            raise OSError(errno.ENODEV)


class LinkUART:
    """machine.UART over a link; it reads ahead what has arrived, so that any() can tell."""

    def __init__(self, port, name):
        self.link = _link(port, name, blocking=False)
        self._buffer = bytearray(1024)
        self._view = memoryview(self._buffer)
        self._start = 0
        self._end = 0

    def any(self):
        if self._start == self._end:
            n = self.link.readinto(self._buffer)
            self._start, self._end = 0, n or 0
        return self._end - self._start

    def readinto(self, buf):
        n = min(self.any(), len(buf))
        if n == 0:
            return None
        memoryview(buf)[:n] = self._view[self._start : self._start + n]
        self._start += n
        return n

    def write(self, buf):
        _send(self.link, buf)
        return len(buf)


class Pin:
    """machine.Pin: call with a value to set, without to read."""

    def __init__(self, value=1):
        self.level = value

    def __call__(self, value=None):
        if value is None:
            return self.level
        self.level = value


class LinkSPI:
    """machine.SPI over a link; the D/C pin's level goes with every write."""

    def __init__(self, port, name, dc):
        self.link = _link(port, name)
        self.dc = dc

    def write(self, buf):
        _send(self.link, struct.pack(">BH", self.dc(), len(buf)))
        _send(self.link, buf)


class _CameraStream:
    def __init__(self, link, size):
        self.link = link
        self.size = size
        self.left = size

    def readinto(self, buf):
        """Next bytes of the photograph into `buf`; 0 at its end."""
        view = memoryview(buf)[: min(len(buf), self.left)]
        if not view:
            return 0
        n = self.link.readinto(view)
        self.left = self.left - n if n else 0
        return n or 0

    def close(self):
        """Read away what was not taken, so that the next request starts clean."""
        junk = bytearray(4096)
        while self.readinto(junk):
            pass


class Camera:
    """The Camera role on a camera that is fed from files."""

    def __init__(self, port):
        self.link = _link(port, "camera")

    def _ask(self, letter, size):
        try:
            _send(self.link, letter)
            head = bytearray(size)
            _fill(self.link, memoryview(head))
        except OSError:
            text = "The camera does not answer: check its cable."
            raise PartError(NO_CAMERA, text) from None
        return head

    def _gray(self, letter):
        w, h = struct.unpack(">HH", self._ask(letter, 4))
        gray = bytearray(w * h)
        _fill(self.link, memoryview(gray))
        return w, h, gray

    async def preview(self):
        """(width, height, gray bytes) of the whole frame, small."""
        return self._gray(b"P")

    async def focus(self):
        """(width, height, gray bytes) of the whole frame, large enough to measure focus on."""
        return self._gray(b"F")

    async def capture(self):
        """A readable stream of the JPEG."""
        return _CameraStream(self.link, struct.unpack(">I", self._ask(b"C", 4))[0])


class HostsUplink(SystemUplink):
    """The system's network; names are looked up in a file of their own."""

    def __init__(self, path):
        self.path = path

    async def open_tcp(self, host, port):
        """A stream to where the file says; OSError when it does not name the host."""
        with open(self.path) as file:
            for line in file:
                name, address, where = line.split()
                if name == host:
                    return await super().open_tcp(address, int(where))
        raise OSError(errno.EHOSTUNREACH)


class Clock:
    """The Clock role: the system's time, which the technician or the network set."""

    quality = 1  # 0 unset, 1 kept by the clock chip, 2 confirmed by the network

    def __init__(self):
        self._ahead = 0

    def now(self):
        """Unix seconds."""
        return int(time.time()) + self._ahead

    def set(self, seconds):
        """Set the clock to Unix seconds."""
        self._ahead = seconds - int(time.time())


class Board:
    """Parts by role, and where flash and card are."""

    name = NAME

    def __init__(self, argv):
        port, self.card, speed = int(argv[1]), argv[3], float(argv[4])
        self.flash = argv[2]
        self._hosts = argv[5] if len(argv) > 5 and argv[5] != "-" else None
        self.flash_fault = None  # a CodedError: the board is whole, so a screen can tell it
        if self.flash.endswith(".img"):
            self.flash = "/flash"
            try:
                blockdev.mount(argv[2], self.flash)
            except OSError:
                text = "The kit's memory cannot be read: change the kit."
                self.flash_fault = CodedError(NO_FLASH, text)
        else:
            make_dir(self.flash)
        # Twice the emulated modem's own pauses, so that none of the driver's is too short.
        self._printer_pace = 1 / speed
        self._modem_pace = min(1.0, max(0.05, 2 / speed))
        chip = ATECC608(LinkI2C(port, "i2c-chip"))
        self.signers = {}
        for mode, slot in KEY_SLOTS.items():
            self.signers[mode] = chip.with_key(slot, slot)
        self.setup = Setup(self.signers["live"])
        expander = MCP23017(LinkI2C(port, "i2c-keys"))
        rows = [expander.pin(n, OPEN_DRAIN) for n in range(4)]
        cols = [expander.pin(8 + n, IN, pull_up=True) for n in range(4)]
        self.keys = Keypad(rows, cols, KEYS)
        dc = Pin(1)
        self.display = ST7789(LinkSPI(port, "spi-display", dc), dc, Pin(1), Pin(1))
        self._printer_uart = LinkUART(port, "uart-printer")
        self._modem_uart = LinkUART(port, "uart-modem")
        self._console = "console" in argv[6:]
        self.root = "" if self._console else self.flash  # where the starter looks for the seal
        self.serial = ConsolePort() if self._console else LinkUART(port, "uart-serial")
        self.camera = Camera(port)
        self.clock = Clock()

    def printer(self, profile):
        """The Printer role in the given profile."""
        return EscPos(self._printer_uart, profile, pace=self._printer_pace)

    def modem(self, apn, pin="", log=None):
        """The Modem role with the package's APN line and the PIN of the SIM card."""
        return Modem(self._modem_uart, apn, pace=self._modem_pace, pin=pin, log=log)

    def uplink(self, modem):
        """The way to the collector: the system's network, or the modem's own TCP."""
        return HostsUplink(self._hosts) if self._hosts else modem

    def messages(self, modem):
        """Short messages through that modem."""
        return messages_of(modem)

    def network_time(self, log=None):
        """What sets the clock by the modem's readings."""
        return NetworkTime(self.clock, ticks_ms, log)

    def shut_console(self):
        """Keep Ctrl-C from ending the firmware: behind it is the REPL."""
        if self._console and MICROPYTHON:
            import micropython

            micropython.kbd_intr(-1)

    def log(self, line):
        """One line to the technician's console."""
        print(line)
        if not MICROPYTHON:
            sys.stdout.flush()
