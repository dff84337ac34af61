"""The console as the technician's cable: machine.UART's shape on stdin and stdout.

On a board whose USB socket is MicroPython's REPL, cable and console are one line: what the kit logs
stands between its answers, and a host passes it over.
"""

import select
import sys

from firmware.compat import MICROPYTHON


class ConsolePort:
    """Never waits: what has not come yet is not there."""

    def __init__(self):
        # CPython's stdin reads ahead, which poll() would not see.
        self._in = sys.stdin.buffer if MICROPYTHON else open(0, "rb", 0, closefd=False)
        self._out = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin if MICROPYTHON else self._in, select.POLLIN)
        self._byte = bytearray(1)

    def any(self):
        """1 when a byte waits, else 0."""
        return 1 if self._poll.poll(0) else 0

    def readinto(self, buf):
        """Bytes that have come, into `buf`; their number, or None."""
        n = 0
        while n < len(buf) and self._poll.poll(0) and self._in.readinto(self._byte):
            buf[n] = self._byte[0]
            n += 1
        return n or None

    def write(self, buf):
        """All of `buf`; its length."""
        self._out.write(buf)
        if not MICROPYTHON:
            self._out.flush()
        return len(buf)
