"""Helpers for tests that run on CPython and on MicroPython alike."""

import os


def raises(kind, function, *args):
    """Call `function(*args)` and return the exception of `kind` that it must raise."""
    try:
        function(*args)
    except kind as error:
        return error
    raise AssertionError("%s was not raised" % (kind,))


def temp_dir():
    """A fresh empty folder."""
    base = os.getenv("TMPDIR") or "/tmp"
    path = "%s/saksi-%s" % (base, "".join("%02x" % b for b in os.urandom(8)))
    os.mkdir(path)
    return path


class TornWrites:
    """open() on a medium that takes half of what is written and then fails with `errno`."""

    errno = 28

    def __init__(self, path, mode):
        self.file = open(path, mode)
        self.mode = mode

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, data):
        """Half of it."""
        self.file.write(data[: len(data) // 2])
        self.file.flush()
        raise OSError(self.errno, "as on a real medium")
