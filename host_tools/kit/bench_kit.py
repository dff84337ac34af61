"""A kit on the bench: the firmware's enrolment on an emulated chip, at the end of a real socket."""

import asyncio
import contextlib
import socket
import threading
from pathlib import Path

from firmware import serial_link
from firmware.drivers.atecc608 import ATECC608
from firmware.drivers.atecc608_role import Setup
from firmware.enrol import Enrolment
from host_tools.kit.atecc608 import SERIAL, ATECC608Emulator
from host_tools.kit.bus import I2CBus, LocalI2C


class SocketUART:
    """machine.UART's shape on a non-blocking socket; EOFError when the other end is gone."""

    def __init__(self, sock: socket.socket):
        sock.setblocking(False)
        self.sock = sock

    def readinto(self, buf):
        try:
            count = self.sock.recv_into(buf)
        except BlockingIOError:
            return None
        except OSError:
            raise EOFError from None
        if count == 0:
            raise EOFError
        return count

    def write(self, buf):
        try:
            return self.sock.send(buf)
        except BlockingIOError:
            return None
        except OSError:
            raise EOFError from None


class Cable:
    """The technician's end: read and write as pyserial has them."""

    def __init__(self, sock: socket.socket):
        sock.settimeout(0.05)
        self.sock = sock

    def read(self, size=1, /):
        try:
            return self.sock.recv(size)
        except TimeoutError:
            return b""

    def write(self, data, /):
        self.sock.sendall(data)


class BenchKit:
    """A kit in `folder`, new or as it was left there; its chip's `serial` has 9 bytes.

    `handlers` may be altered by a test before `plug()`.
    """

    def __init__(self, folder: Path, serial: bytes = SERIAL):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.chip = ATECC608Emulator(folder / "chip.json", speed=1000, serial=serial)
        bus = LocalI2C(I2CBus(self.chip))
        self.signers = {
            "live": ATECC608(bus, slot=0, counter=0),
            "training": ATECC608(bus, slot=1, counter=1),
        }
        self.journals: dict[int, int] = {}
        self.clock: list[int] = []
        self.setup = Setup(self.signers["live"])
        self.enrolment = Enrolment(
            str(folder),
            self.signers,
            self.setup,
            "bench",
            set_time=self.clock.append,
            journal_length=lambda election: self.journals.get(election, 0),
        )
        self.handlers = self.enrolment.handlers()
        self.thread: threading.Thread | None = None

    def plug(self) -> Cable:
        """A cable to a freshly started kit; the kit serves until START or its end of the socket."""
        ours, theirs = socket.socketpair()
        self.thread = threading.Thread(target=self._run, args=(theirs,), daemon=True)
        self.thread.start()
        return Cable(ours)

    def _run(self, sock):
        # A real kit waits for the next cable; here every cable gets a kit started anew.
        with contextlib.suppress(EOFError):
            asyncio.run(serial_link.serve(SocketUART(sock), self.handlers))
