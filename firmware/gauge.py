"""Peak of MicroPython's heap, so that a kit can tell how near its limit it came.

The collector runs after every 32 KiB of new objects, so what is allocated at a look is what lives
and at most that much litter.
"""

import gc

from firmware.compat import MICROPYTHON, const

_THRESHOLD = const(32768)


class Gauge:
    """`peak` bytes of `total`; both 0 on CPython, which has no limit to keep."""

    def __init__(self):
        self.peak = 0
        self.total = 0
        self._lap = 0
        if MICROPYTHON:
            gc.threshold(_THRESHOLD)
            self.total = gc.mem_alloc() + gc.mem_free()

    def look(self):
        """Note how much is allocated now."""
        if MICROPYTHON:
            now = gc.mem_alloc()
            self._lap = max(self._lap, now)
            self.peak = max(self.peak, now)

    def lap(self):
        """Peak since the last lap: what one step took."""
        self.look()
        lap, self._lap = self._lap, 0
        return lap
