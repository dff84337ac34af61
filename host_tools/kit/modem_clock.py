"""An asyncio loop whose time jumps to the next timer: an hour of waiting takes a second.

Nothing outside the process can take part: what answers must be in it too.
"""

import asyncio
import selectors


class _Jump(selectors.SelectSelector):
    """A selector that never waits: it moves the clock instead."""

    def __init__(self):
        super().__init__()
        self.now = 0.0

    def select(self, timeout=None):
        events = super().select(0)
        if not events and timeout:
            self.now += timeout
        return events


class SimulatedLoop(asyncio.SelectorEventLoop):
    """`clock()` in seconds, `ticks()` in milliseconds: for emulators and for drivers."""

    def __init__(self):
        self.jump = _Jump()
        super().__init__(self.jump)

    def time(self) -> float:
        return self.jump.now

    def clock(self) -> float:
        return self.jump.now

    def ticks(self) -> int:
        return int(self.jump.now * 1000)
