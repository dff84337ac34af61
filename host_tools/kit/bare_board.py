"""A bare MicroPython board behind a serial port: the unix port on a pseudo-terminal of its own.

Between the technician's port and the board's terminal stands a relay that adds what the unix port
lacks of a board's REPL: Ctrl-D restarts it and says so, main.py runs at a start but not in raw
mode, and raw-paste is declined, since the unix port cannot be interrupted in it.
"""

import os
import select
import signal
import subprocess
import termios
import threading
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from host_tools.kit.process import HEAP, ROOT, find_micropython

RAW_PASTE = b"\x05A\x01"
DECLINED = b"R\x00"
REBOOT = b"MPY: soft reboot\r\n"
RAW, FRIENDLY = b"raw REPL; CTRL-B to exit", b'Type "help()"'  # what each REPL says first
_LOOK = 4200  # bytes: what was read last, and the end of what was before
BOOT = Path(__file__).with_name("bare_boot.py")


class BareBoard:
    """`image`: its flash. `arguments`: main.py's sys.argv; `/PLACE=FOLDER`: see bare_boot.

    `path` is the serial port. The board is on from the start, `reset()` is its button, `close()`
    pulls everything. `echo` gets every line that it says.
    """

    def __init__(
        self, image: Path, arguments: list[str], echo: Callable[[str], None] | None = None
    ):
        self.image, self.arguments, self.echo = image, arguments, echo
        self._outer, self._port = os.openpty()
        tty.setraw(self._port)
        os.set_blocking(self._outer, False)
        self.path = os.ttyname(self._port)
        self.said = bytearray()
        self.starts = 0
        self._raw = False
        self._line = b""
        self._over = False
        self._wake, self._woken = os.pipe()
        self._start()
        self._thread = threading.Thread(target=self._pump, name="bare-board", daemon=True)
        self._thread.start()

    def _start(self) -> None:
        self._inner, terminal = os.openpty()
        attributes = termios.tcgetattr(terminal)
        attributes[0] &= ~termios.ICRNL
        attributes[1] &= ~termios.OPOST
        # Without ISIG Ctrl-C is a byte; bare_boot turns it on when a file or the prompt runs.
        attributes[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
        termios.tcsetattr(terminal, termios.TCSANOW, attributes)
        mode = "raw" if self._raw else "friendly"
        command = [find_micropython(), "-X", f"heapsize={HEAP}", "-i", str(BOOT)]

        self.process = subprocess.Popen(
            # The terminal becomes its own, so that Ctrl-C is a signal to it.
            ["setsid", "--ctty", *command, str(ROOT), str(self.image), mode, *self.arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**os.environ, "MICROPYPATH": ".frozen"},
        )
        os.close(terminal)
        self.starts += 1

    def _pump(self) -> None:
        while not self._over:
            ready, _, _ = select.select([self._outer, self._inner, self._wake], [], [], 1)
            if self._outer in ready:
                self._from_technician()
            if self._inner in ready and not self._from_board():
                self._restart()
        os.close(self._inner)

    def _from_technician(self) -> None:
        try:
            data = os.read(self._outer, 4096)
        except OSError:
            return
        if RAW_PASTE in data:
            self._say(DECLINED)
            data = data.replace(RAW_PASTE, b"")
        with suppress(OSError):
            while data:
                data = data[os.write(self._inner, data) :]

    def _from_board(self) -> bool:
        try:
            data = os.read(self._inner, 4096)
        except OSError:  # the process ended: its terminal is gone
            return False
        self._say(data)
        tail = bytes(self.said[-_LOOK:])
        if RAW in tail or FRIENDLY in tail:
            self._raw = tail.rfind(RAW) > tail.rfind(FRIENDLY)
        return True

    def _restart(self) -> None:
        self.process.wait()
        os.close(self._inner)
        self._say(REBOOT)
        self._start()
        if self._raw:
            self._enter_raw()

    def _enter_raw(self) -> None:
        """Bring the new REPL into raw mode, without its friendly banner."""
        seen = b""
        while b">>> " not in seen:
            if not select.select([self._inner], [], [], 10)[0]:
                return
            try:
                seen += os.read(self._inner, 4096)
            except OSError:
                return
        os.write(self._inner, b"\x01")

    def _say(self, data: bytes) -> None:
        self.said += data
        lines = (self._line + data).split(b"\n")
        self._line = lines.pop()
        if self.echo:
            for line in lines:
                self.echo(line.decode(errors="replace").rstrip("\r"))
        with suppress(BlockingIOError):  # nobody reads: a UART waits for nobody
            while data:
                data = data[os.write(self._outer, data) :]

    def reset(self) -> None:
        """The reset button, or the power: whatever ran is gone, raw mode too."""
        self._raw = False
        self.process.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Pull everything."""
        self._over = True
        os.write(self._woken, b"x")
        self._thread.join()
        self.process.kill()
        self.process.wait()
        for end in (self._outer, self._port, self._wake, self._woken):
            os.close(end)

    def __enter__(self) -> "BareBoard":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
