"""An emulated RP2040 with our firmware on its flash and emulated parts on its pins.

Everything runs on the board's own clock: the parts take `board.clock`, so their timing and the
firmware's agree however slow the emulation is. All of it lives in one asyncio loop.
"""

import asyncio
import contextlib
import os
import pty
import subprocess
import time
import tty
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from littlefs import LittleFS
from rp2040py.boards import BoardSpec, FlashLayout
from rp2040py.device import MicroPythonDevice

from tests.board.repairs import I2cAbort, QuietUsb, Uart

ROOT = Path(__file__).parents[2]
FLASH = FlashLayout(fs_start=0x100000, fs_blockcount=256, fs_blocksize=4096)
MILLISECOND = 1_000_000  # ns
BYTE = 10 * 1e9 / 115200  # ns on the line
CHUNK = 12  # bytes that 115200 baud carries in a millisecond
FASTEST = 2  # times real time: what the host does meanwhile needs real time


class BoardError(AssertionError):
    """Code on the board ended with this traceback."""


def firmware(build: Path, out: Path) -> dict[str, bytes]:
    """{path on the board: bytes}: the kit's firmware and this folder's on_board_*, as bytecode."""
    files = {}
    sources = [*ROOT.glob("firmware/*.py"), *ROOT.glob("firmware/drivers/*.py")]
    for source in sorted([*sources, *Path(__file__).parent.glob("on_board_*.py")]):
        name = str(source.relative_to(ROOT)).removeprefix("tests/board/")
        target = out / (name.replace("/", "-") + ".mpy")
        command = [build / "mpy-cross", "-march=armv6m", "-s", name, "-o", target, source]
        subprocess.run(command, check=True)
        files[name[:-2] + "mpy"] = target.read_bytes()
    return files


def make_flash(files: dict[str, bytes]) -> bytes:
    """A littlefs of the board's size with these files."""
    disk = LittleFS(block_size=FLASH.fs_blocksize, block_count=FLASH.fs_blockcount)
    for path, data in files.items():
        folder = path.rpartition("/")[0]
        if folder:
            disk.makedirs(folder, exist_ok=True)
        with disk.open(path, "wb") as file:
            file.write(data)
    return bytes(disk.context.buffer)


class Wire:
    """A serial part on a UART: both directions at 115200 baud."""

    def __init__(self, board: "Board", number: int, part: Any):
        self.uart = Uart(board.device.mcu, number)
        self.part = part
        self.out: deque[int] = deque()
        self.uart.on_byte = self.out.append
        self.inbox: deque[int] = deque()
        part.send = self._send
        self.alarm = board.device.simulator.clock.create_alarm(self._feed)
        self.busy = False
        board.every_millisecond(self._tick)

    def _send(self, data: bytes) -> None:
        self.inbox.extend(data)
        if not self.busy:
            self.busy = True
            self.alarm.schedule(BYTE)

    def _feed(self) -> None:
        self.busy = bool(self.inbox)
        if self.busy:
            self.uart.feed_byte(self.inbox.popleft())
            self.alarm.schedule(BYTE)

    def _tick(self) -> None:
        if self.out:
            count = min(CHUNK, len(self.out))
            self.part.receive(bytes(self.out.popleft() for _ in range(count)))
        self.part.tick()


class I2cSlot:
    """An I2C part (host_tools.kit: address, wake, write, read) on a bus of its own.

    The part gets a whole write at its Stop, as the real one acts on it, so a refusal of it reaches
    the firmware with the last byte.
    """

    def __init__(self, board: "Board", number: int, part: Any):
        self.part = part
        self.bus = board.device.mcu.i2c[number]
        I2cAbort(self.bus)
        self.bus.on_connect = self._connect
        self.bus.on_write_byte = self._write
        self.bus.on_read_byte = self._read
        self.buffer = b""

    def _connect(self, address: int, mode: int) -> None:
        self.buffer = b""
        self.reading = mode == 1
        if address == 0:
            self.part.wake()
        here = address == self.part.address
        if here and self.reading:
            # One byte tells whether it answers; it is handed out first.
            first = self.part.read(1)
            here = first is not None
            self.buffer = first or b""
        self.bus.complete_connect(here)

    def _write(self, value: int) -> None:
        self.buffer += bytes([value])
        # _stop: the byte that carries the Stop condition.
        self.bus.complete_write(self.part.write(self.buffer) if self.bus._stop else True)

    def _read(self, _more: bool) -> None:
        data = self.buffer or self.part.read(1) or b"\xff"
        self.buffer = b""
        self.bus.complete_read(data[0])


class Board:
    """Boots `build`'s firmware.uf2 with `files` on its flash. Use as `async with`."""

    def __init__(self, build: Path, files: dict[str, bytes], folder: Path):
        image = folder / "board-flash.img"
        image.write_bytes(make_flash(files))
        spec = BoardSpec(image=build / "firmware.uf2", layout=FLASH)
        self.device = MicroPythonDevice(board=spec, filesystem=image)
        self.usb = QuietUsb(self.device)
        self._ticks: list[Callable[[], None]] = []
        self._beat = self.device.simulator.clock.create_alarm(self._on_beat)
        self._beat_at = time.monotonic()
        self._cable: tuple[int, ...] = ()

    def clock(self) -> float:
        """Seconds on the board's clock."""
        return self.device.simulator.clock.nanos / 1e9

    def every_millisecond(self, work: Callable[[], None]) -> None:
        """Call `work` once a millisecond of the board's time."""
        if not self._ticks:
            self._beat.schedule(MILLISECOND)
        self._ticks.append(work)

    def _on_beat(self) -> None:
        left = self._beat_at + 0.001 / FASTEST - time.monotonic()
        if left > 0:
            time.sleep(left)
        self._beat_at = time.monotonic()
        for work in self._ticks:
            work()
        self._beat.schedule(MILLISECOND)

    def plug_uart(self, number: int, part: Any) -> Wire:
        """Wire a serial part to UART `number`."""
        return Wire(self, number, part)

    def plug_i2c(self, number: int, part: Any) -> I2cSlot:
        """Put an I2C part on bus `number`."""
        return I2cSlot(self, number, part)

    async def run(self, code: str, limit: float = 900) -> str:
        """What `code` printed on the board, within `limit` real seconds; else BoardError."""
        out, err = await self.device.aexec(code, limit)
        if err:
            raise BoardError(out.decode(errors="replace") + err.decode(errors="replace"))
        return out.decode().replace("\r\n", "\n")

    async def reset(self) -> None:
        """Pull RUN low and let it go: memory is lost, flash stays. The console is back after it."""
        self.usb.forget()
        await self.device.ahard_reset(60)

    def files(self) -> dict[str, bytes]:
        """{path: bytes} of the files in the flash's root at this moment."""
        disk = LittleFS(block_size=FLASH.fs_blocksize, block_count=FLASH.fs_blockcount, mount=False)
        start = FLASH.fs_start
        size = FLASH.fs_blocksize * FLASH.fs_blockcount
        disk.context.buffer[:] = bytes(self.device.mcu.flash[start : start + size])
        disk.mount()
        found = {}
        for name in disk.listdir("/"):
            if disk.stat(name).type == 1:
                with disk.open(name, "rb") as file:
                    found[name] = file.read()
        return found

    def open_cable(self) -> str:
        """Path of a serial port with the board's USB console behind it; use it instead of run()."""
        master, slave = self._cable = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        cdc = self.device.cdc
        heard, said = bytearray(), bytearray()

        def pump() -> None:
            with contextlib.suppress(BlockingIOError):
                heard.extend(os.read(master, 4096))
            while heard and not cdc.tx_fifo.full:
                cdc.send_serial_byte(heard.pop(0))
            with contextlib.suppress(BlockingIOError):
                del said[: os.write(master, said)]

        self.every_millisecond(pump)
        cdc.on_serial_data = said.extend
        return os.ttyname(slave)

    async def __aenter__(self) -> "Board":
        await self.device.astart(60)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self.device.stop()
        await asyncio.sleep(0)
        for end in self._cable:
            os.close(end)
