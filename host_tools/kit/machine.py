"""The virtual kit as one thing on the bench: emulated parts, bus server, kit process, its folder.

folder/flash.img   the kit's flash, a littlefs (a plain folder `flash` on CPython)
folder/card        its card; `card-out` while it is pulled
folder/chip.json   what the secure element holds, which survives power cuts as the chip's does
"""

import shutil
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from host_tools.kit import flash as images
from host_tools.kit.atecc608 import SERIAL, ATECC608Emulator
from host_tools.kit.bus import I2CBus, LinkServer
from host_tools.kit.camera import CameraEmulator
from host_tools.kit.escpos import EscPosEmulator
from host_tools.kit.mcp23017 import KeyMatrix, MCP23017Emulator
from host_tools.kit.modem_sms import Smsc, SmsModemEmulator
from host_tools.kit.process import KitProcess
from host_tools.kit.st7789 import ST7789Emulator

NETWORKS = ("modem", "system")
SMALL = 64 * 1024 * 1024  # bytes of the largest card that is filled


class SerialCable:
    """The technician's end of the kit's serial line: `read` and `write` as pyserial has them."""

    def __init__(self):
        self.ready = threading.Event()
        self.socket: socket.socket | None = None
        self.gone = threading.Event()

    def serve(self, sock: socket.socket) -> None:
        """Bus service: holds the kit's end until the kit ends."""
        self.socket = sock
        self.gone.clear()
        self.ready.set()
        self.gone.wait()

    def read(self, size: int = 1, patience: float = 10) -> bytes:
        self.ready.wait(patience)
        if self.socket is None:
            return b""
        try:
            self.socket.settimeout(patience)
            return self.socket.recv(size)
        except TimeoutError:
            return b""

    def write(self, data: bytes) -> int:
        self.ready.wait(10)
        if self.socket is None:
            return 0
        self.socket.sendall(data)
        return len(data)

    def unplug(self) -> None:
        self.ready.clear()
        self.socket = None
        self.gone.set()


class VirtualKit:
    """A kit in `folder`. `hosts` maps the collector's name to (127.0.0.1, port) for the modem.

    `speed` multiplies the parts' own timing (a printer prints that much faster than the real one).
    `flash` is "image" (littlefs, what only MicroPython can mount) or "folder"; by the runtime if
    not given. `printer`: the part in it; the firmware's own setting has to name the same.
    `network`: "modem", or "system" for a kit that reaches the collector by this machine's network.
    """

    def __init__(
        self,
        folder: Path,
        hosts: Mapping[str, tuple[str, int]] | None = None,
        speed: float = 1.0,
        runtime: str = "micropython",
        echo: Callable[[str], None] | None = None,
        flash: str | None = None,
        printer: str = "epson",
        network: str = "modem",
        serial: bytes = SERIAL,
    ):
        self.folder = folder
        kind = flash or ("image" if runtime == "micropython" else "folder")
        self.flash = folder / {"image": "flash.img", "folder": "flash"}[kind]
        self.card = folder / "card"
        self.speed = speed
        self.runtime = runtime
        self.echo = echo
        self.card.mkdir(parents=True, exist_ok=True)
        self.chip = ATECC608Emulator(folder / "chip.json", speed=speed, serial=serial)
        self.printer = EscPosEmulator(printer, speed=speed)
        self.centre = Smsc()  # carries its short messages
        self.network = network
        self.modem = SmsModemEmulator(
            hosts=dict(hosts or {}), speed=speed, centre=self.centre, number="+6281200000001"
        )
        self.display = ST7789Emulator()
        self.matrix = KeyMatrix()
        self.camera = CameraEmulator()
        self.cable = SerialCable()
        self.bus = LinkServer()
        self.bus.add_i2c("i2c-chip", I2CBus(self.chip))
        self.expander = MCP23017Emulator(self.matrix)
        self.bus.add_i2c("i2c-keys", I2CBus(self.expander))
        self.bus.add_spi("spi-display", self.display)
        self.bus.add_uart("uart-printer", self.printer)
        self.bus.add_uart("uart-modem", self.modem)
        self.bus.services["camera"] = self.camera.serve
        self.bus.services["uart-serial"] = self.cable.serve
        self.process: KitProcess | None = None

    def power_on(self) -> KitProcess:
        """Start the firmware; the parts keep what the real ones keep without power."""
        arguments = [str(self.bus.port), str(self.flash), str(self.card), str(self.speed)]
        if self.network == "system":
            arguments.append(str(self._write_hosts()))
        self.process = KitProcess(arguments, self.runtime, self.echo)
        return self.process

    def route(self, name: str, port: int) -> None:
        """Let `name` lead to this port of loopback, from whatever network the kit is on."""
        self.modem.hosts[name] = ("127.0.0.1", port)
        if self.network == "system":
            self._write_hosts()

    def _write_hosts(self) -> Path:
        """The file that stands for the system's DNS."""
        path = self.folder / "hosts"
        peers = self.modem.hosts.items()
        rows = [f"{name} {to[0]} {to[1]}\n" for name, to in peers if not callable(to)]
        fresh = path.with_suffix(".new")
        fresh.write_text("".join(rows))
        fresh.replace(path)
        return path

    def power_off(self) -> None:
        """Cut the power, whatever the firmware is doing."""
        if self.process:
            self.process.kill()
            self.process = None
        self.cable.unplug()
        self.bus.drain()
        self.display.power_cycle()
        self.expander.brown_out()

    def press(self, key: str) -> None:
        """Press and release one key; returns when the firmware has seen it."""
        self.matrix.tap(key)

    def flash_files(self) -> dict[str, bytes]:
        """{path: bytes} of every file on the kit's flash at this moment."""
        if self.flash.is_file():
            return images.files(self.flash)
        found = {}
        for path in self.flash.rglob("*"):
            with suppress(FileNotFoundError, IsADirectoryError):  # a `.new` has its name shortly
                found[str(path.relative_to(self.flash))] = path.read_bytes()
        return found

    def put_flash(self, name: str, data: bytes) -> None:
        """Make or replace a file on the flash, behind the firmware's back; the power is off."""
        assert self.process is None, "the kit is on"
        if self.flash.is_file():
            images.put(self.flash, name, data)
        else:
            (self.flash / name).write_bytes(data)

    def pull_card(self) -> Path:
        """Take the card out; returns where it lies now. Every access fails but through open files.

        What goes through those still arrives: it is the last moment before the contact breaks.
        """
        out = self.folder / "card-out"
        self.card.rename(out)
        return out

    def insert_card(self, card: Path | None = None) -> None:
        """Put the card in again, or another one: any folder on the same disk."""
        (card or self.folder / "card-out").rename(self.card)

    def fill_card(self) -> Path:
        """Leave no room on the card; returns the file to delete for room again.

        The card has to be a small disk of its own: a folder is as large as this machine's disk.
        """
        room = shutil.disk_usage(self.card)
        if room.total > SMALL:
            raise ValueError(f"{self.card} is no small disk")
        ballast = self.card / images.BALLAST
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                return ballast

    def close(self) -> None:
        self.power_off()
        self.bus.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
