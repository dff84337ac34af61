"""Releases, slots and a flash whose power is cut, for tests on both runtimes."""

import os

from firmware import cbor, compat, record, saved, slots, starter
from firmware.release import Releases
from firmware.slots import Slots
from tests.firmware.support import temp_dir
from tests.firmware.test_enrol import Key

FIRST, SECOND, STRANGER = Key(b"first"), Key(b"second"), Key(b"stranger")
ROSTER = [Key(b"third").public, FIRST.public, SECOND.public]
BOARD = "bench"
ISSUED = 1700000000
OLD = {"firmware/main.py": b"old main\n" * 3, "firmware/words/id.json": b'{"old": 1}'}
NEW = {
    "firmware/__init__.py": b"new\n",
    "firmware/main.py": b"new main\n" * 9,
    "firmware/words/id.json": b'{"new": 1}',
    "lib/ssl.py": b"import tls\n",
}
PIECE = 20


def file_list(files):
    """[[name, size, SHA-256]…] sorted by name."""
    return [[name, len(files[name]), record.sha256(files[name])] for name in sorted(files)]


def statement(key, files, version=(1, 0, 0), board=BOARD, **other):
    """A signed statement; `other` replaces `digest`, `size` or `issued`."""
    rows = file_list(files)
    payload = [
        record.RELEASE,
        list(version),
        board,
        other.get("issued", ISSUED),
        other.get("digest", record.sha256(cbor.encode(rows))),
        other.get("size", sum([row[1] for row in rows])),
    ]
    return record.assemble(payload, record.kid_of(key.public), key.sign)


def statements(files, version=(1, 0, 0), board=BOARD, keys=(FIRST, SECOND), **other):
    """Statements of both keys over the same release."""
    return [statement(key, files, version, board, **other) for key in keys]


def kit(root=None, releasers=None):
    """The verbs of a kit whose slots lie in `root`."""
    where = Slots(temp_dir() if root is None else root)
    return Releases(where, BOARD, ROSTER if releasers is None else releasers, Key(b"chip").verify)


def send(verbs, files, signed, most=PIECE):
    """All of a release over the verbs, as a host that goes on where the kit says it is."""
    table = verbs.handlers()
    said = cbor.decode(table["RELEASE"](cbor.encode(signed)))
    data = cbor.encode(file_list(files))
    while not isinstance(said, list):
        at = said or 0
        piece = data[at : at + 100]
        said = cbor.decode(table["FILES"](cbor.encode([len(data), at, piece])))
    for number, name in enumerate(sorted(files)):
        have = said[number]
        while have < len(files[name]):
            argument = cbor.encode([name, have, files[name][have : have + most]])
            have = cbor.decode(table["PIECE"](argument))
    return cbor.decode(table["INSTALL"](b""))


def content(root, slot):
    """{name: bytes} of the software in a slot, read from the files themselves."""
    found = {}
    for top in ("firmware", "lib"):
        _read(root + "/" + slot, top, found)
    return found


def _read(folder, name, found):
    try:
        entries = os.listdir(folder + "/" + name)
    except OSError:
        return
    for entry in entries:
        inside = name + "/" + entry
        if os.stat(folder + "/" + inside)[0] & 0x4000:
            _read(folder, inside, found)
        else:
            with open(folder + "/" + inside, "rb") as file:
                found[inside] = file.read()


def installed(files=OLD, version=(1, 0, 0)):
    """The root of a kit that runs these files in slot a, confirmed."""
    root = temp_dir()
    send(kit(root), files, statements(files, version))
    where = Slots(root)
    assert where.choose() == "a" and where.confirm(root + "/a/firmware")
    return root


class PowerCut(BaseException):
    """The power is off: no `except Exception` may see it."""


class _File:
    def __init__(self, power, path, mode):
        self.power, self.file = power, open(path, mode)
        for name in ("readinto", "read", "fileno", "flush"):
            if hasattr(self.file, name):
                setattr(self, name, getattr(self.file, name))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, data):
        if self.power.tick():
            self.file.write(data[: len(data) // 2])
            self.file.flush()
            self.power.cut()
        return self.file.write(data)


class Power:
    """Stands in for `open` and `os` of the modules that write slots; cuts at operation `cut_at`.

    A write is torn in the middle; a rename, a removal or a new folder is not done any more.
    """

    modules = (compat, saved, slots, starter)

    def __init__(self, cut_at):
        self.cut_at, self.count, self.off = cut_at, 0, False

    def __enter__(self):
        power = self

        class Os:
            """The calls of `os` that these modules make."""

        for name in ("stat", "listdir", "fsync", "statvfs"):
            if hasattr(os, name):
                setattr(Os, name, staticmethod(getattr(os, name)))
        for name in ("rename", "remove", "rmdir", "mkdir"):
            setattr(Os, name, staticmethod(self.counted(getattr(os, name))))
        for module in self.modules:
            module.os, module.open = Os, lambda path, mode: _File(power, path, mode)
        return self

    def __exit__(self, *error):
        for module in self.modules:
            module.os = os
            del module.open

    def tick(self):
        """Count an operation; True when the power goes at it."""
        if self.off:
            raise PowerCut
        self.count += 1
        return self.count == self.cut_at

    def cut(self):
        """The power goes."""
        self.off = True
        raise PowerCut

    def counted(self, function):
        """`function`, not done when the power goes at it."""

        def call(*args):
            if self.tick():
                self.cut()
            return function(*args)

        return call
