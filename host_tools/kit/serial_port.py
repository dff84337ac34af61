"""An emulated UART part behind a serial port of this machine: a pseudo-terminal with a path."""

import os
import threading
import time
import tty
from contextlib import suppress

from host_tools.kit.bus import UartPart

STEP = 0.002  # s between two looks


class SerialPort:
    """`part` is pumped by a thread until close(); whatever speaks serial opens `path`."""

    def __init__(self, part: UartPart):
        self._part = part
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        part.send = self._send  # type: ignore[attr-defined]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._pump, name="serial-port", daemon=True)
        self._thread.start()

    def _send(self, data: bytes) -> None:
        while data and not self._over.is_set():
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:  # nobody reads: as a UART without flow control waits for nobody
                time.sleep(STEP)

    def _pump(self) -> None:
        while not self._over.is_set():
            with suppress(OSError):
                self._part.receive(os.read(self._master, 512))
            self._part.tick()
            time.sleep(STEP)

    def close(self) -> None:
        """End the thread; the path is gone."""
        self._over.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)

    def __enter__(self) -> "SerialPort":
        return self

    def __exit__(self, *_exc) -> None:
        self.close()
