"""MCP23017 port expander at register level, and the key matrix that hangs on it.

The matrix is a circuit: pressed keys join rows and columns into nets, and a net's level comes from
the outputs and pull-ups on it, so ghosts and short circuits arise by themselves. Raises
ExpanderFault where a real kit would misbehave: outputs that fight, a column that floats, pin 7 or
15 read as an input (DS20001952D: outputs only), an unknown register.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

LAYOUT = (
    ("1", "2", "3", "FOTO"),
    ("4", "5", "6", "OK"),
    ("7", "8", "9", "HAPUS"),
    ("NAIK", "0", "TURUN", "CETAK"),
)
LONG_PRESSES = {"HAPUS_LAMA": ("HAPUS", 1.1)}
# A firmware that debounces over 20 ms has surely seen a key once a scan ended that long after its
# second one: it sets its stop watch after the first, and a loaded machine may stop it there.
DEBOUNCE = 0.021
SILENCE = 2.0  # seconds without a look that mean: it took the key and is at work

IODIR, IPOL, GPINTEN, DEFVAL, INTCON, IOCON = 0x00, 0x02, 0x04, 0x06, 0x08, 0x0A
GPPU, INTF, INTCAP, GPIO, OLAT = 0x0C, 0x0E, 0x10, 0x12, 0x14
REGISTERS = 0x16


class ExpanderFault(Exception):
    """The firmware did what this part would not take."""


class _Watch:
    """When the firmware's scans saw a key in one state: the first, the second and the last one."""

    def __init__(self, looks: int):
        self.looks = looks  # what it takes to be sure of one whole scan
        self.seen = 0
        self.first: float | None = None
        self.second: float | None = None
        self.last = 0.0
        self.armed = False  # all rows were low since: the next rows are those of a whole scan
        self.inside = False  # its row alone was read
        self.after = 0  # looks since it had been seen long enough

    def look(self, now: float) -> None:
        self.last = now
        self.seen += 1
        if self.seen == self.looks:
            self.first = now
        elif self.seen == 2 * self.looks:
            self.second = now
        elif self.second is not None and now - self.second >= DEBOUNCE:
            self.after += 1

    def settled(self, seconds: float) -> bool:
        """True when the firmware has surely seen it, and for `seconds`."""
        if self.first is None:
            return False
        return self.after >= self.looks and self.last - self.first >= seconds

    def taken(self) -> bool:
        """True when it may have seen it."""
        return self.first is not None and self.last - self.first >= DEBOUNCE - 0.003


class KeyMatrix:
    """Keys between row pins and column pins. press, release and tap may come from any thread."""

    def __init__(
        self,
        rows: Sequence[int] = (0, 1, 2, 3),
        cols: Sequence[int] = (8, 9, 10, 11),
        layout: Sequence[Sequence[str]] = LAYOUT,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.rows, self.cols, self.clock = tuple(rows), tuple(cols), clock
        self.where = {
            name: (rows[r], cols[c])
            for r, names in enumerate(layout)
            for c, name in enumerate(names)
        }
        self.pressed: set[str] = set()
        self.watched: dict[str, _Watch] = {}  # keys pressed or let go that the kit is yet to see
        self.changed = threading.Condition()

    def press(self, key: str) -> None:
        with self.changed:
            _ = self.where[key]
            self.pressed.add(key)
            self.watched[key] = _Watch(1)

    def release(self, key: str) -> None:
        with self.changed:
            self.pressed.discard(key)
            self.watched[key] = _Watch(len(self.cols))

    def tap(self, key: str, hold: float = 0.0, timeout: float = 30.0) -> None:
        """Press `key` until the firmware has seen it for `hold` seconds, then let it go.

        Waits first until the firmware has seen the same key up again after an earlier tap.
        TimeoutError when the firmware does not scan the keypad.
        """
        key, hold = LONG_PRESSES.get(key, (key, hold))
        with self.changed:
            self._wait_for(key, 0.0, timeout)
            self.press(key)
            try:
                self._wait_for(key, hold, timeout + hold)
            finally:
                self.release(key)

    def settle(self, timeout: float = 30.0) -> None:
        """Wait until the firmware has seen every key up: what they asked for is done."""
        with self.changed:
            for key in list(self.watched):
                self._wait_for(key, 0.0, timeout)

    def _wait_for(self, key: str, seconds: float, timeout: float) -> None:
        watch = self.watched.get(key)
        end = time.monotonic() + timeout
        while watch is not None and not watch.settled(seconds):
            looked = self.changed.wait(min(SILENCE, timeout))
            if not looked and watch.taken():
                return
            if time.monotonic() > end:
                raise TimeoutError(f"the firmware does not scan the keypad (key {key})")

    def levels(
        self, outputs: dict[int, int], pull_ups: set[int], read: bool = True
    ) -> dict[int, int | None]:
        """Level of each row and column pin; None floats. `outputs`: pin -> level it drives.

        `read` says that the firmware looks at them, and did not only change an output.
        """
        with self.changed:
            nets = {pin: {pin} for pin in self.rows + self.cols}
            for row, col in (self.where[key] for key in self.pressed):
                joined = nets[row] | nets[col]
                for pin in joined:
                    nets[pin] = joined
            levels: dict[int, int | None] = {}
            for pin, net in nets.items():
                driven = {outputs[other] for other in net if other in outputs}
                if len(driven) > 1:
                    raise ExpanderFault("two outputs fight through the pressed keys")
                pulled = 1 if net & pull_ups else None
                levels[pin] = driven.pop() if driven else pulled
            self._note(outputs, levels, read)
            return levels

    def _note(self, outputs: dict[int, int], levels: dict[int, int | None], read: bool) -> None:
        """Count scans. Each begins and ends with every row low; nothing down, it is reads of that.

        Only a read with its row alone low tells which key of a column is down, and a key may come
        down in the middle of it: what counts is the end of a scan that began after that.
        """
        low = [row for row in self.rows if outputs.get(row) == 0]
        idle = len(low) == len(self.rows)
        for key, watch in self.watched.items():
            row, col = self.where[key]
            if key not in self.pressed:
                if read and idle and levels[col] == 1:
                    watch.look(self.clock())
            elif idle:
                if watch.inside:
                    watch.look(self.clock())
                watch.armed, watch.inside = True, False
            elif read and low == [row] and levels[col] == 0:
                watch.inside = watch.armed
        self.changed.notify_all()


class MCP23017Emulator:
    """I2C part (see kit.bus) at `address`, BANK=0 and sequential as the driver sets it."""

    def __init__(self, matrix: KeyMatrix | None = None, address: int = 0x20):
        self.matrix = matrix
        self.address = address
        self.fault: str | None = None
        self.brown_out()

    def brown_out(self) -> None:
        """The registers after power-on: every pin an input without pull-up."""
        self.registers = bytearray(REGISTERS)
        self.registers[IODIR] = self.registers[IODIR + 1] = 0xFF
        self.pointer = 0

    def wake(self) -> None:
        """The general call is nothing to this part."""

    def write(self, data: bytes) -> bool:
        if data:
            self._point(data[0])
        for byte in data[1:]:
            self._store(self.pointer, byte)
            self.pointer = (self.pointer + 1) % REGISTERS
        return True

    def read(self, n: int) -> bytes | None:
        out = bytearray()
        for _ in range(n):
            out.append(self._load(self.pointer))
            self.pointer = (self.pointer + 1) % REGISTERS
        return bytes(out)

    def _point(self, register: int) -> None:
        if register >= REGISTERS:
            self._fail(f"register {register:02X} does not exist with BANK=0")
        self.pointer = register

    def _store(self, register: int, byte: int) -> None:
        kind = register & 0xFE
        if kind in (INTF, INTCAP):
            self._fail(f"register {register:02X} is read only")
        if kind in (IOCON, IPOL, GPINTEN, DEFVAL, INTCON) and byte != 0:
            self._fail(f"register {register:02X} = {byte:02X} is not known here")
        self.registers[OLAT + (register & 1) if kind == GPIO else register] = byte
        if kind in (IODIR, GPIO, OLAT):
            self._levels(read=False)

    def _load(self, register: int) -> int:
        if register & 0xFE != GPIO:
            return self.registers[register]
        port = register & 1
        direction = self.registers[IODIR + port]
        if direction & 0x80:
            self._fail("pin 7 of a port is read as an input")
        levels = self._levels(read=True)
        value = self.registers[OLAT + port] & ~direction
        for bit in range(8):
            if direction >> bit & 1:
                level = levels.get(8 * port + bit, self.registers[GPPU + port] >> bit & 1)
                if level is None:
                    self._fail(f"pin {8 * port + bit} floats: no pull-up")
                value |= bool(level) << bit
        return value

    def _levels(self, read: bool) -> dict[int, int | None]:
        if self.matrix is None:
            return {}
        outputs, pull_ups = {}, set()
        for pin in range(16):
            port, bit = pin >> 3, pin & 7
            if not self.registers[IODIR + port] >> bit & 1:
                outputs[pin] = self.registers[OLAT + port] >> bit & 1
            elif self.registers[GPPU + port] >> bit & 1:
                pull_ups.add(pin)
        try:
            return self.matrix.levels(outputs, pull_ups, read)
        except ExpanderFault as error:
            self._fail(str(error))

    def _fail(self, text: str) -> NoReturn:
        self.fault = text
        raise ExpanderFault(text)
