"""Emulated ESC/POS receipt printer: a UART part, stricter than the real one.

Its buffer is finite, empties at the pace of the print head and drops what does not fit; a command
it does not know is an error; a job is confirmed only when its last row is on paper; switched on, it
is deaf until it has started. All that goes wrong is in `errors`. The kinds of printer are in
escpos_parts.py, what the bytes mean in escpos_commands.py.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PIL import Image

from host_tools.kit.escpos_commands import Commands
from host_tools.kit.escpos_paper import Paper
from host_tools.kit.escpos_parts import PARTS

FEED_MS = 2.1  # a fed row on a slow head (Adafruit's figure); `speed` divides it
START_MS = 250.0  # deaf after power comes; a chunk of the driver's takes half of that at 9600 baud
NEAR_END_ROWS = 800
ERRORS = {None: 0x12, "cutter": 0x1A, "fault": 0x32, "hot": 0x52}  # answers to DLE EOT 3


class EscPosEmulator:
    """A printer of kind `profile` (PARTS); `dots` and `buffer` replace the kind's own.

    `send` is set by the host of the part.
    """

    def __init__(
        self,
        profile: str = "epson",
        dots: int | None = None,
        buffer: int | None = None,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        kind = PARTS[profile]
        if dots is not None and dots != kind.dots:
            kind = replace(kind, dots=dots)
        self.kind = kind
        self.dots = kind.dots
        self.speed = speed
        self.clock = clock
        self.send: Callable[[bytes], None] = lambda data: None
        self.errors: list[str] = []
        self.dropped = 0
        self.rows_printed = 0
        self.paper = Paper(self.dots)
        self._size = buffer or kind.buffer
        self._lock = threading.RLock()
        self._cover_open = False
        self._paper_left: int | None = None
        self._power_left: int | None = None
        self.powered = False
        self._offline = False
        self._low = False
        self._error: str | None = None
        self._error_until: float | None = None
        self._cable = True
        self._late = 0.0
        self._twice = False
        self.rubbish: str | None = None
        self._stray = False
        self._replies: deque[tuple[float, bytes]] = deque()
        self._switch(True)
        self._deaf_until = self.clock()

    # The person at the printer (any thread).

    def set_power(self, on: bool) -> None:
        """Switch on or off; what is in the buffer or half printed is lost."""
        with self._lock:
            self._switch(on)

    def _switch(self, on: bool) -> None:
        self.powered = on
        self._power_left = None
        self._buffer: deque[int] = deque()
        self._real_time = bytearray()
        self._replies.clear()
        self._free_at = self._seen = self.clock()
        self._deaf_until = self.clock() + START_MS / 1000 / self.speed
        commands = Commands(self.kind, self.paper, self.errors, self._reply, self._paper_status)
        self._interpreter = commands.interpret()
        self._wait = next(self._interpreter)

    def lose_power_after(self, rows: int) -> None:
        """Lose power when so many more rows have been printed or fed."""
        with self._lock:
            self._power_left = rows

    def set_paper(self, present: bool = True, rows: int | None = None) -> None:
        """Put in a roll that lasts for `rows` rows (None: without end), or take it out."""
        with self._lock:
            self._paper_left = rows if present else 0

    def set_low(self, low: bool) -> None:
        """Let the sensor see the roll's near end, however much is left."""
        with self._lock:
            self._low = low

    def set_cover(self, is_open: bool) -> None:
        """Open or close the cover."""
        with self._lock:
            self._cover_open = is_open

    def set_offline(self, offline: bool) -> None:
        """Press the button that takes the printer off line, or back."""
        with self._lock:
            self._offline = offline

    def set_error(self, error: str | None, seconds: float | None = None) -> None:
        """Have an error for `seconds` (or until told): "cutter", "fault", "hot", or None."""
        with self._lock:
            if error not in ERRORS:
                raise ValueError(f"unknown error {error}")
            self._error = error
            self._error_until = None if seconds is None else self.clock() + seconds

    def set_cable(self, plugged: bool) -> None:
        """Pull the cable or plug it in: without it, bytes of both sides are lost."""
        with self._lock:
            self._cable = plugged

    def set_answers(
        self, late: float = 0.0, twice: bool = False, rubbish: str | None = None
    ) -> None:
        """How answers come: `late` by seconds, each `twice`, with `rubbish` on the line.

        Rubbish is "noise" (a byte that means nothing before each answer), "bent" (nothing of an
        answer can be read) or "stray" (once, a byte that looks like an answer).
        """
        with self._lock:
            self._late, self._twice, self.rubbish = late, twice, rubbish
            self._stray = rubbish == "stray"

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
        return self._low or (self._paper_left is not None and self._paper_left < NEAR_END_ROWS)

    @property
    def room(self) -> int:
        """Bytes that still fit into the buffer."""
        return self._size - len(self._buffer)

    # The UART.

    def receive(self, data: bytes) -> None:
        """Bytes from the kit; real-time requests are answered even when the buffer is full."""
        with self._lock:
            self._run()
            if not self.powered or not self._cable or self.clock() < self._deaf_until:
                return
            if self._real_time or (self.kind.real_time and b"\x10" in data):
                for byte in data:
                    self._take_real_time(byte)
            else:
                self._enqueue(data)
            self._run()

    def tick(self) -> None:
        """Let time pass: called every few milliseconds."""
        with self._lock:
            self._run()

    def _enqueue(self, data: bytes) -> None:
        room = self.room
        self._buffer.extend(data[:room])
        if len(data) > room:
            if not self.dropped:
                self.errors.append("buffer overflow")
            self.dropped += len(data) - room

    def _take_real_time(self, byte: int) -> None:
        """Collect DLE EOT n out of the stream; what turns out to be something else goes on."""
        self._real_time.append(byte)
        held = bytes(self._real_time)
        if held in (b"\x10", b"\x10\x04"):
            return
        self._real_time.clear()
        if len(held) == 3 and held[2] in (1, 2, 3, 4):
            self._reply(bytes((self._real_time_status(held[2]),)))
        else:
            self._enqueue(held)

    def _real_time_status(self, n: int) -> int:
        if n == 1:
            return 0x12 | (0x08 if self._stopped else 0)
        if n == 2:
            bits = (0x04 if self._cover_open else 0) | (0x08 if self._offline else 0)
            return 0x12 | bits | (0x20 if self.paper_out else 0) | (0x40 if self._error else 0)
        if n == 4:
            return 0x12 | (0x0C if self.near_end else 0) | (0x60 if self.paper_out else 0)
        return ERRORS[self._error]

    @property
    def _stopped(self) -> bool:
        """Nothing is printed and nothing is taken out of the buffer."""
        off_line = self.kind.real_time and self.paper_out
        return off_line or self._cover_open or self._offline or self._error is not None

    def _paper_status(self) -> int:
        return (0x03 if self.near_end else 0) | (0x0C if self.paper_out else 0)

    def _reply(self, data: bytes) -> None:
        """Send, as late, as often and as bent as set_answers() says."""
        if self.rubbish == "bent":
            data = b"\xff" * len(data)
        elif self.rubbish == "noise":
            data = b"\xa5" + data
        if self._twice:
            data += data
        if self._stray:
            self._stray, data = False, b"\x00" + data
        self._replies.append((self.clock() + self._late, data))
        self._send_due()

    def _send_due(self) -> None:
        while self._replies and self._replies[0][0] <= self.clock():
            _, data = self._replies.popleft()
            if self._cable:
                self.send(data)

    def _run(self) -> None:
        """Go on until the head is busy, the buffer empty or something in the way."""
        now = self.clock()
        self._send_due()
        if self._error_until is not None and now >= self._error_until:
            self._error = self._error_until = None
        stopped = not self.powered or self._stopped
        while not stopped and now >= self._free_at:
            kind, row = self._wait
            if kind == "byte":
                if not self._buffer:
                    break
                self._wait = self._interpreter.send(self._buffer.popleft())
                continue
            if self.paper_out:
                break
            row_ms = self.kind.row_ms if kind == "print" else min(FEED_MS, self.kind.row_ms)
            cost = row_ms / 1000 / self.speed
            self._free_at = max(self._free_at, self._seen) + cost
            self.paper.rows.append(row)
            self.rows_printed += 1
            if self._paper_left is not None:
                self._paper_left -= 1
                stopped = self._stopped
            if self._power_left is not None:
                self._power_left -= 1
                if self._power_left <= 0:
                    self._switch(False)
                    break
            self._wait = self._interpreter.send(0)
        self._seen = now
