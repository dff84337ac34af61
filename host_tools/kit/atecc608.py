"""An ATECC608 on the bus: packets, sleep, watchdog and faults. The commands are in atecc608_core.

Stricter than the chip: whatever a driver does wrong is refused or ignored, never helped along.
Timing and framing: Microchip DS20005927A chapter 6 and cryptoauthlib lib/calib.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from host_tools.kit.atecc608_core import Core
from host_tools.kit.atecc608_zones import Refused, Zones, crc16

WAKE_DELAY = 0.0015
WATCHDOG = 1.3
LONGEST_FRAME = 151

JUST_WOKEN, WATCHDOG_NEAR, BAD_FRAME = 0x11, 0xEE, 0xFF

# Longest execution times of the 608 in milliseconds (calib_execution.c, clock divider M0).
TIMES = {
    0x02: 5,
    0x12: 45,
    0x16: 20,
    0x17: 35,
    0x1B: 23,
    0x20: 10,
    0x24: 25,
    0x30: 5,
    0x40: 115,
    0x41: 115,
    0x45: 105,
    0x47: 36,
    0x77: 250,
}

SERIAL = bytes.fromhex("0123a1b2c3d4e5f6ee")


def packet(data: bytes) -> bytes:
    """`data` with its count in front and its CRC behind."""
    body = bytes([len(data) + 3]) + data
    return body + crc16(body).to_bytes(2, "little")


class ATECC608Emulator:
    """One chip whose memory lives in the file `state_path`; a new file is a blank chip.

    `speed` makes its commands that many times faster, not its wake delay nor its watchdog.
    """

    def __init__(
        self,
        state_path: str | Path,
        clock: Callable[[], float] = time.monotonic,
        speed: float = 1.0,
        serial: bytes = SERIAL,
        address: int = 0x60,
    ):
        self.address = address
        self.clock = clock
        self.speed = speed
        self.core = Core(Zones(Path(state_path), serial))
        self.dead = False
        self.lock = threading.RLock()
        self._failing_wakes = 0
        self._corrupt_replies = 0
        self._state = "asleep"
        self._woke = 0.0
        self._ready = 0.0
        self._reply = b""
        self._place = 0

    def fail_wakes(self, n: int) -> None:
        """The next `n` wake pulses go unheard."""
        with self.lock:
            self._failing_wakes = n

    def corrupt_next_reply(self, n: int = 1) -> None:
        """The next `n` reads of a command's reply arrive with a flipped bit."""
        with self.lock:
            self._corrupt_replies = n

    def stick_random(self, stuck: bool = True) -> None:
        """The generator answers FF FF 00 00 for ever, as before the configuration was locked."""
        with self.lock:
            self.core.stuck_random = stuck

    def wake(self) -> None:
        """SDA held low: wakes a sleeping or idle chip, which says so after the wake delay."""
        with self.lock:
            self._watch()
            if self.dead or self._state == "awake":
                return
            if self._failing_wakes:
                self._failing_wakes -= 1
                return
            self._state = "awake"
            self._woke = self.clock()
            self._ready = self._woke + WAKE_DELAY
            self._answer(packet(bytes([JUST_WOKEN])))

    def write(self, data: bytes) -> bool:
        """One write up to its Stop, first byte the word address; False where the chip NACKs."""
        with self.lock:
            self._watch()
            if self.dead or self._state != "awake" or self.clock() < self._ready or not data:
                return False
            word = data[0]
            if word == 0x03:
                return self._command(data[1:])
            if word > 0x03 or len(data) > 1:
                return False
            if word == 0x00:
                self._place = 0
            elif word == 0x01:
                self._sleep()
            else:
                self._state = "idle"
            return True

    def read(self, n: int) -> bytes | None:
        """The next `n` bytes of the reply, 0xFF after its end; None where the chip NACKs."""
        with self.lock:
            self._watch()
            if self.dead or self._state != "awake" or self.clock() < self._ready:
                return None
            data = self._reply[self._place : self._place + n]
            if self._corrupt_replies and data and self._reply[1] != JUST_WOKEN:
                self._corrupt_replies -= 1
                data = data[:-1] + bytes([data[-1] ^ 0x10])
            self._place += n
            return data.ljust(n, b"\xff")

    def _watch(self) -> None:
        if self._state == "awake" and self.clock() - self._woke >= WATCHDOG:
            self._sleep()

    def _sleep(self) -> None:
        self._state = "asleep"
        self._reply = b""
        self.core.forget()

    def _answer(self, reply: bytes) -> None:
        self._reply = reply
        self._place = 0

    def _command(self, frame: bytes) -> bool:
        if not frame or frame[0] < 7 or frame[0] > LONGEST_FRAME or len(frame) < frame[0]:
            self._answer(packet(bytes([BAD_FRAME])))
            return True
        if len(frame) > frame[0]:
            # The byte beyond the count is not acknowledged; the whole command is dropped with it.
            self._answer(b"")
            return False
        opcode = frame[1]
        duration = TIMES.get(opcode, 0) / 1000 / self.speed
        if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
            self._answer(packet(bytes([BAD_FRAME])))
        elif self.clock() + duration > self._woke + WATCHDOG:
            self._answer(packet(bytes([WATCHDOG_NEAR])))
        else:
            try:
                p2 = int.from_bytes(frame[3:5], "little")
                self._answer(packet(self.core.run(opcode, frame[2], p2, frame[5:-2])))
            except Refused as refusal:
                self._answer(packet(bytes([refusal.status])))
            self._ready = self.clock() + duration
        return True
