"""What every driver shares: the error with a code, and a clock that both runtimes have.

A driver takes a ready bus, does one part's job and knows nothing of elections.
"""

import time

try:
    from micropython import const  # pyright: ignore[reportAssignmentType]
except ImportError:  # CPython

    def const(value):
        """MicroPython folds const() at compile time; CPython just takes the value."""
        return value


if hasattr(time, "ticks_ms"):
    ticks_ms = time.ticks_ms
    ticks_diff = time.ticks_diff
    sleep_ms = time.sleep_ms
else:

    def ticks_ms():
        """Milliseconds from an arbitrary start; compare with ticks_diff only."""
        return time.monotonic_ns() // 1_000_000

    def ticks_diff(later, earlier):
        """later - earlier in milliseconds."""
        return later - earlier

    def sleep_ms(duration):
        """Block for `duration` milliseconds."""
        time.sleep(duration / 1000)


class CodedError(Exception):
    """An error that a person is shown: `code` of the manual's table, `text` says what to do.

    `values` are put into the text's %s and %d; `sentence` is what a screen translates.
    """

    def __init__(self, code, text, *values):
        self.code = code
        self.sentence = (text,) + values if values else text
        self.text = text % values if values else text
        super().__init__(code, self.text)

    def __str__(self):
        return "E%d %s" % (self.code, self.text)


class PartError(CodedError):
    """A part did not do its job."""
