"""Emulated ESC/POS receipt printer: a UART part, stricter than the real one.

Its buffer is finite, empties at the pace of the print head and drops what does not fit; a command
it does not know is an error; a job is confirmed only when its last row is on paper. All that goes
wrong is in `errors`. Profiles: "epson" answers DLE EOT at once and confirms jobs (GS ( H), "cheap"
answers ESC v in its turn and has heat settings (ESC 7).
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path

import segno
from PIL import Image

from host_tools.kit.escpos_paper import Paper, Style, aligned, line_rows

ROW_MS, FEED_MS = 30.0, 2.1  # slow thermal heads (Adafruit's figures); `speed` divides them
NEAR_END_ROWS = 800
HEAD_TO_CUTTER = 40

# What the interpreter waits for: the next byte, a printed row, a fed row.
Wait = tuple[str, int]
BYTE: Wait = ("byte", 0)
Interpreter = Generator[Wait, int, None]


class EscPosEmulator:
    """`dots` across the paper, `buffer` in bytes; `send` is set by the host of the part."""

    def __init__(
        self,
        profile: str = "epson",
        dots: int = 384,
        buffer: int = 256,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.epson = profile == "epson"
        self.dots = dots
        self.speed = speed
        self.clock = clock
        self.send: Callable[[bytes], None] = lambda data: None
        self.errors: list[str] = []
        self.dropped = 0
        self.rows_printed = 0
        self.paper = Paper(dots)
        self._size = buffer
        self._lock = threading.RLock()
        self._cover_open = False
        self._paper_left: int | None = None
        self._power_left: int | None = None
        self._powered = False
        self.set_power(True)

    # The person at the printer (any thread).

    def set_power(self, on: bool) -> None:
        """Switch on or off; what is in the buffer or half printed is lost."""
        with self._lock:
            self._powered = on
            self._power_left = None
            self._buffer: deque[int] = deque()
            self._real_time = bytearray()
            self._free_at = self._seen = self.clock()
            self._interpreter = self._interpret()
            self._wait = next(self._interpreter)

    def lose_power_after(self, rows: int) -> None:
        """Lose power when so many more rows have been printed or fed."""
        with self._lock:
            self._power_left = rows

    def set_paper(self, present: bool = True, rows: int | None = None) -> None:
        """Put in a roll that lasts for `rows` rows (None: without end), or take it out."""
        with self._lock:
            self._paper_left = rows if present else 0

    def set_cover(self, is_open: bool) -> None:
        """Open or close the cover."""
        with self._lock:
            self._cover_open = is_open

    @property
    def papers(self) -> list[Image.Image]:
        """Pictures of the papers cut off so far."""
        with self._lock:
            return list(self.paper.papers)

    def save_png(self, path: str | Path, index: int = -1) -> None:
        """Save one paper as a picture, the last by default."""
        with self._lock:
            self.paper.save_png(path, index)

    @property
    def paper_out(self) -> bool:
        return self._paper_left is not None and self._paper_left <= 0

    @property
    def near_end(self) -> bool:
        return self._paper_left is not None and self._paper_left < NEAR_END_ROWS

    @property
    def room(self) -> int:
        """Bytes that still fit into the buffer."""
        return self._size - len(self._buffer)

    # The UART.

    def receive(self, data: bytes) -> None:
        """Bytes from the kit; real-time requests are answered even when the buffer is full."""
        with self._lock:
            self._run()
            if not self._powered:
                return
            for byte in data:
                if self.epson and self._take_real_time(byte):
                    continue
                self._enqueue(byte)
            self._run()

    def tick(self) -> None:
        """Let time pass: called every few milliseconds."""
        with self._lock:
            self._run()

    def _enqueue(self, byte: int) -> None:
        if self.room > 0:
            self._buffer.append(byte)
            return
        if not self.dropped:
            self.errors.append("buffer overflow")
        self.dropped += 1

    def _take_real_time(self, byte: int) -> bool:
        """Collect DLE EOT n out of the stream; what turns out to be something else goes on."""
        self._real_time.append(byte)
        held = bytes(self._real_time)
        if held in (b"\x10", b"\x10\x04"):
            return True
        self._real_time.clear()
        if len(held) == 3 and held[2] in (1, 2, 3, 4):
            self.send(bytes((self._real_time_status(held[2]),)))
            return True
        for other in held:
            self._enqueue(other)
        return True

    def _real_time_status(self, n: int) -> int:
        if n == 1:
            return 0x12 | (0x08 if self.paper_out or self._cover_open else 0)
        if n == 2:
            return 0x12 | (0x04 if self._cover_open else 0) | (0x20 if self.paper_out else 0)
        if n == 4:
            return 0x12 | (0x0C if self.near_end else 0) | (0x60 if self.paper_out else 0)
        return 0x12

    def _paper_status(self) -> int:
        return (0x03 if self.near_end else 0) | (0x0C if self.paper_out else 0)

    def _run(self) -> None:
        """Go on until the head is busy, the buffer empty or something in the way."""
        now = self.clock()
        while self._powered and now >= self._free_at:
            kind, row = self._wait
            if kind == "byte":
                if not self._buffer:
                    break
                self._wait = self._interpreter.send(self._buffer.popleft())
                continue
            if self.paper_out or self._cover_open:
                break
            cost = (ROW_MS if kind == "print" else FEED_MS) / 1000 / self.speed
            self._free_at = max(self._free_at, self._seen) + cost
            self.paper.rows.append(row)
            self.rows_printed += 1
            if self._paper_left is not None:
                self._paper_left -= 1
            if self._power_left is not None:
                self._power_left -= 1
                if self._power_left <= 0:
                    self.set_power(False)
                    break
            self._wait = self._interpreter.send(0)
        self._seen = now

    # What the bytes mean. Each `yield BYTE` is the next byte out of the buffer.

    def _interpret(self) -> Interpreter:
        self._reset()
        while True:
            byte = yield BYTE
            if byte == 0x0A:
                yield from self._print_line()
            elif 0x20 <= byte <= 0x7E:
                used = sum(12 * style.wide for _, style in self._line)
                if used + 12 * self._style.wide > self.dots:
                    yield from self._print_line()
                self._line.append((chr(byte), self._style))
            elif byte in (0x1B, 0x1D):
                second = yield BYTE
                command = self._commands().get((byte, second))
                if command is None:
                    self._unknown(byte, second)
                else:
                    yield from command()
            elif byte == 0x1C:
                second = yield BYTE
                self._unknown(byte, second)
            elif byte not in (0x00, 0x0D):  # padding and carriage return do nothing
                self._unknown(byte)

    def _commands(self) -> dict[tuple[int, int], Callable[[], Interpreter]]:
        commands = {
            (0x1B, 0x40): self._init,
            (0x1B, 0x61): lambda: self._parameter("_align", range(3)),
            (0x1B, 0x45): self._bold,
            (0x1B, 0x32): self._default_spacing,
            (0x1B, 0x33): lambda: self._parameter("_spacing", range(256)),
            (0x1B, 0x4A): self._feed_dots,
            (0x1B, 0x64): self._feed_lines,
            (0x1B, 0x74): lambda: self._parameter("_code_page", range(256)),
            (0x1D, 0x21): self._text_size,
            (0x1D, 0x28): self._extended,
            (0x1D, 0x56): self._cut,
            (0x1D, 0x72): self._answer,
            (0x1D, 0x76): self._raster,
        }
        if not self.epson:
            commands[0x1B, 0x37] = self._heat
            commands[0x1B, 0x76] = self._answer
        return commands

    def _unknown(self, *command: int) -> None:
        self.errors.append("unknown command " + bytes(command).hex(" "))

    def _reset(self) -> None:
        self._line: list[tuple[str, Style]] = []
        self._style = Style()
        self._align = 0
        self._spacing = 30
        self._code_page = 0
        self._qr = {"size": 3, "level": "L", "data": b""}

    def _init(self) -> Interpreter:
        self._reset()
        return
        yield BYTE

    def _default_spacing(self) -> Interpreter:
        self._spacing = 30
        return
        yield BYTE

    def _parameter(self, name: str, allowed: range) -> Interpreter:
        value = yield BYTE
        if value in allowed:
            setattr(self, name, value)
        else:
            self.errors.append(f"value {value} out of range for {name[1:]}")

    def _bold(self) -> Interpreter:
        value = yield BYTE
        self._style = Style(bool(value & 1), self._style.wide, self._style.high)

    def _text_size(self) -> Interpreter:
        value = yield BYTE
        wide, high = (value >> 4) + 1, (value & 15) + 1
        if wide > 8 or high > 8:
            self.errors.append(f"text size {value:02x}")
            return
        self._style = Style(self._style.bold, wide, high)

    def _heat(self) -> Interpreter:
        for _ in range(3):
            yield BYTE

    def _print_line(self) -> Interpreter:
        line, self._line = self._line, []
        rows = line_rows(line, self.dots, self._align) if line else []
        for row in rows:
            yield ("print", row)
        for _ in range(self._spacing - len(rows)):
            yield ("feed", 0)

    def _feed_dots(self) -> Interpreter:
        dots = yield BYTE
        for _ in range(dots):
            yield ("feed", 0)

    def _feed_lines(self) -> Interpreter:
        lines = yield BYTE
        if self._line:
            yield from self._print_line()
            lines -= 1
        for _ in range(lines * self._spacing):
            yield ("feed", 0)

    def _cut(self) -> Interpreter:
        mode = yield BYTE
        feed = 0
        if mode in (65, 66):
            feed = HEAD_TO_CUTTER + (yield BYTE)
        elif mode not in (0, 1, 48, 49):
            self._unknown(0x1D, 0x56, mode)
            return
        for _ in range(feed):
            yield ("feed", 0)
        self.paper.cut()

    def _answer(self) -> Interpreter:
        yield BYTE
        self.send(bytes((self._paper_status(),)))

    def _at_line_start(self, what: str) -> None:
        if self._line:
            self.errors.append(what + " before the line was printed")

    def _raster(self) -> Interpreter:
        head = []
        for _ in range(6):
            head.append((yield BYTE))
        if head[0] != 0x30 or head[1] != 0:
            self._unknown(0x1D, 0x76, *head[:2])
        self._at_line_start("raster")
        width, height = head[2] | head[3] << 8, head[4] | head[5] << 8
        if width * 8 > self.dots:
            self.errors.append(f"raster of {width * 8} dots is wider than the paper")
        for _ in range(height):
            row = 0
            for _ in range(width):
                row = row << 8 | (yield BYTE)
            if width * 8 > self.dots:
                row >>= width * 8 - self.dots
            else:
                left = aligned(width * 8, self.dots, self._align)
                row <<= self.dots - width * 8 - left
            yield ("print", row)

    def _extended(self) -> Interpreter:
        """GS ( x pL pH …: the QR commands and the confirmation of a job."""
        name = yield BYTE
        low = yield BYTE
        high = yield BYTE
        data = bytearray()
        for _ in range(low | high << 8):
            data.append((yield BYTE))
        if name == 0x6B and data[:1] == b"\x31":
            yield from self._qr_command(data[1], bytes(data[2:]))
        elif name == 0x48 and self.epson and data[:2] == b"00" and len(data) == 6:
            self._at_line_start("confirmation asked")
            self.send(b"\x37\x22" + bytes(data[2:]) + b"\x00")
        else:
            self._unknown(0x1D, 0x28, name)

    def _qr_command(self, function: int, data: bytes) -> Interpreter:
        if function == 0x43 and 1 <= data[0] <= 16:
            self._qr["size"] = data[0]
        elif function == 0x45 and 0x30 <= data[0] <= 0x33:
            self._qr["level"] = "LMQH"[data[0] - 0x30]
        elif function == 0x50 and data[:1] == b"0":
            self._qr["data"] = data[1:]
        elif function == 0x51:
            self._at_line_start("QR code")
            yield from self._print_qr()
        elif (function, data) != (0x41, b"2\x00"):
            self._unknown(0x1D, 0x28, 0x6B, 0x31, function)

    def _print_qr(self) -> Interpreter:
        size = self._qr["size"]
        code = segno.make(self._qr["data"], error=self._qr["level"], micro=False, boost_error=False)
        side = len(code.matrix) * size
        if side > self.dots:
            self.errors.append(f"QR code of {side} dots is wider than the paper")
            return
        left = aligned(side, self.dots, self._align)
        for line in code.matrix:
            row = int("".join(str(module) * size for module in line), 2)
            for _ in range(size):
                yield ("print", row << (self.dots - side - left))
