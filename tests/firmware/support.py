"""Helpers for tests that run on CPython and on MicroPython alike."""

import os


def raises(kind, function, *args):
    """Call `function(*args)` and return the exception of `kind` that it must raise."""
    try:
        function(*args)
    except kind as error:
        return error
    raise AssertionError("%s was not raised" % kind.__name__)


def temp_dir():
    """A fresh empty folder."""
    base = os.getenv("TMPDIR") or "/tmp"
    path = "%s/saksi-%s" % (base, "".join("%02x" % b for b in os.urandom(8)))
    os.mkdir(path)
    return path
