"""The few places where MicroPython and CPython differ, in one file."""

import os
import sys

from firmware.drivers import CodedError, const, sleep_ms, ticks_diff, ticks_ms

MICROPYTHON = sys.implementation.name == "micropython"

__all__ = (
    "MICROPYTHON",
    "CodedError",
    "const",
    "exists",
    "make_dir",
    "print_exception",
    "sleep_ms",
    "sync",
    "ticks_diff",
    "ticks_ms",
)

if MICROPYTHON:
    print_exception = sys.print_exception
else:
    import traceback

    def print_exception(error):
        """The error and where it came from, on the console."""
        print("".join(traceback.format_exception(error)), end="")


def sync(file):
    """Flush `file` down to the medium before returning.

    MicroPython's VFS syncs in flush(); CPython needs os.fsync as well.
    """
    file.flush()
    if not MICROPYTHON:
        os.fsync(file.fileno())


def exists(path):
    """True when `path` names a file or folder."""
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def make_dir(path):
    """Make folder `path` unless it is there (its parent must exist)."""
    if not exists(path):
        os.mkdir(path)
