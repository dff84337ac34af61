"""MicroPython's asyncio on a clock of its own: the same plan gives the same turns on any machine.

Its queue goes by milliseconds, and of two tasks ready in the same one the later goes first, so that
a loaded machine would play another day. Here no two looks at the clock give the same time, and what
sleeps longer than everything else takes is due at once.
"""

import asyncio
from asyncio import core
from time import ticks_add, ticks_ms

AHEAD = 1 << 26  # ms: events are queued by the real clock, which is always earlier then


class Clock:
    """Milliseconds that pass by being looked at, or waited for."""

    def __init__(self):
        self.now = ticks_add(ticks_ms(), AHEAD)

    def ticks(self):
        """The next millisecond."""
        self.now = ticks_add(self.now, 1)
        return self.now

    def create_task(self, coroutine):
        """As asyncio's, due by this clock."""
        task = core.Task(coroutine, core.__dict__)
        core._task_queue.push(task, self.ticks())
        return task

    def wait_io_event(self, ms):
        """As the queue of streams, of which there are none: time passes."""
        if ms > 0:
            self.now = ticks_add(self.now, ms)


def start():
    """A new event loop that goes by a clock of its own."""
    asyncio.new_event_loop()
    clock = Clock()
    core.ticks = clock.ticks
    core.create_task = asyncio.create_task = clock.create_task
    core._io_queue = clock
