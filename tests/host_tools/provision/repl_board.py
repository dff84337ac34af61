"""A board at a serial port: the Unix MicroPython's raw REPL, with a littlefs as its whole disk.

`path` is a pseudo-terminal for mpremote. What the Unix port does otherwise than a board:
Ctrl-D ends its process, so it is started anew and "soft reboot" is said for it; raw paste switches
Ctrl-C off, so it is declined. The terminal of the process keeps ISIG, so that Ctrl-C interrupts.
"""

import contextlib
import os
import pty
import select
import subprocess
import termios
import threading
import tty
from pathlib import Path

from host_tools.kit.process import find_micropython

ROOT = Path(__file__).parents[3]
_START = (
    "import sys, vfs; sys.path[:] = ['', '.frozen', {root!r}];"
    "from firmware import blockdev; blockdev.mount({image!r}, '/flash');"
    "import os; os.chdir('/flash'); sys.path[:] = ['', '.frozen', '/flash/lib']"
)
_RAW_PASTE, _DECLINED = b"\x05A\x01", b"R\x00"


class ReplBoard:
    """A MicroPython whose disk is the littlefs in file `image`, mounted at /flash."""

    def __init__(self, image: Path):
        self._start = _START.format(root=str(ROOT), image=str(image))
        self._outer, self._port = os.openpty()
        tty.setraw(self._outer)
        tty.setraw(self._port)
        self.path = os.ttyname(self._port)
        self._over = threading.Event()
        self._boot()
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()

    def _boot(self) -> None:
        self._inner, inner = pty.openpty()
        flags = termios.tcgetattr(inner)
        flags[0] &= ~termios.ICRNL
        flags[1] &= ~termios.OPOST
        flags[3] = flags[3] & ~(termios.ECHO | termios.ICANON) | termios.ISIG
        termios.tcsetattr(inner, termios.TCSANOW, flags)

        self._process = subprocess.Popen(
            # setsid makes the terminal the process's own, so that Ctrl-C reaches it.
            ["setsid", "--ctty", find_micropython(), "-i", "-c", self._start],
            stdin=inner,
            stdout=inner,
            stderr=inner,
        )
        os.close(inner)
        self._until(b">>> ")

    def _until(self, ending: bytes) -> None:
        said = b""
        while not said.endswith(ending):
            said += os.read(self._inner, 1)

    def _pump(self) -> None:
        held = b""
        while not self._over.is_set():
            ready, _, _ = select.select([self._outer, self._inner], [], [], 0.05)
            if self._outer in ready:
                held += os.read(self._outer, 4096)
                if held.endswith(_RAW_PASTE):
                    os.write(self._outer, _DECLINED)
                    held = held[: -len(_RAW_PASTE)]
                elif _RAW_PASTE.startswith(held[-1:]):
                    continue  # the rest may come
                os.write(self._inner, held)
                held = b""
            if self._inner in ready:
                self._forward()

    def _forward(self) -> None:
        with contextlib.suppress(OSError):
            data = os.read(self._inner, 4096)
            if data:
                os.write(self._outer, data)
                return
        # The process has ended: a soft reset, which leaves a board in the raw REPL.
        self._process.wait()
        os.close(self._inner)
        self._boot()
        os.write(self._outer, b"MPY: soft reboot\r\n")
        os.write(self._inner, b"\x01")

    def close(self) -> None:
        """End the process; the port is gone."""
        self._over.set()
        self._thread.join()
        self._process.kill()
        self._process.wait()
        for end in (self._inner, self._outer, self._port):
            os.close(end)
