"""The kit's two slots for software: one runs, the other one takes the next release.

    root/slots               which one runs, which one is on trial (firmware.starter)
    root/a, root/b           firmware/… and lib/… of a release
      release.new            [[statement, statement], files] while its files come in
      release.cbor           the same once every file was read back and is as signed

The slot that runs is never touched, so a power cut at any write leaves the old software or, after
the one rename of `root/slots`, the new one on trial.
"""

import hashlib
import os

from firmware import VERSION, cbor, record, starter
from firmware.compat import CodedError, const, exists, make_dir, sync
from firmware.photo_places import free
from firmware.saved import read, replace

NO_ROOM = const(880)
NOT_BEGUN = const(881)
BAD_PIECE = const(882)
DAMAGED = const(883)
ON_TRIAL = const(884)

_SPARE = const(65536)  # bytes that stay free for the journal
_BLOCK = const(4096)  # a file takes whole blocks of flash
_FOLDER = const(0x4000)
_CHUNK = const(1024)
_HERE = __file__.rsplit("/", 1)[0]


class SlotError(CodedError):
    """The slot does not take this."""


def dotted(version):
    """[1, 2, 3] as "1.2.3"."""
    return ".".join(["%d" % n for n in version])


def _size(path):
    return os.stat(path)[6] if exists(path) else 0


def _is_folder(path):
    return os.stat(path)[0] & _FOLDER != 0


def _walk(folder, name=""):
    """Names of the files below `folder`, relative to it."""
    found = []
    for entry in os.listdir(folder + name):
        inside = "%s/%s" % (name, entry)
        if _is_folder(folder + inside):
            found += _walk(folder, inside)
        else:
            found.append(inside[1:])
    return found


def _remove(path):
    if _is_folder(path):
        for entry in os.listdir(path):
            _remove("%s/%s" % (path, entry))
        os.rmdir(path)
    else:
        os.remove(path)


def _digest(path):
    h = hashlib.sha256()
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    with open(path, "rb") as file:
        n = file.readinto(buffer)
        while n:
            h.update(view[:n])
            n = file.readinto(buffer)
    return h.digest()


class Slots:
    """The slots in folder `root` ("" is a board's flash).

    `files` of a release: [[name, size, SHA-256]…], none empty; firmware.release has checked them.
    """

    def __init__(self, root):
        self.root = root
        self._folder = None  # of the release that comes in
        self._files = []

    def current(self):
        """The slot that runs when nothing is on trial; None for the firmware beside the slots."""
        return starter.load(self.root)[0]

    def trial(self):
        """The slot on trial, or None."""
        return starter.load(self.root)[1]

    def choose(self):
        """The slot to start now; a trial is marked before this returns."""
        return starter.choose(self.root)

    def version(self, slot):
        """[major, minor, patch] of the whole release in `slot`, or None."""
        held = self._held(slot, "release.cbor")
        try:
            return record.parse(held[0][0]).payload[1] if held else None
        except record.RecordError:
            return None

    def running(self):
        """The version that a new release has to exceed: of the slot and of this code itself."""
        ours = [int(n) for n in VERSION.split(" ")[-1].split(".")]
        held = self.version(self.current())
        return held if held is not None and held > ours else ours

    def status(self):
        """[version that runs, version on trial or null, trial begun, last failure or null]."""
        _, trial, version, begun, failure = starter.load(self.root)
        return [dotted(self.running()), version if trial else None, begun, failure]

    def begun(self):
        """Files of the release that the idle slot holds, whole or in part; None without one."""
        held = self._held(self._idle(), "release.new") or self._held(self._idle(), "release.cbor")
        return held[1] if held else None

    def begin(self, statements, files):
        """Ready the idle slot for this release; what it already has of the same one stays."""
        run, trial, _, begun, failure = starter.load(self.root)
        if trial and begun:
            raise SlotError(ON_TRIAL, "A release is on trial: wait for its self-test")
        if trial:
            starter.store(self.root, [run, None, "", False, failure])
        folder = "%s/%s" % (self.root, self._idle())
        if self.begun() != files:
            if exists(folder + "/release.cbor"):
                os.remove(folder + "/release.cbor")  # first: the slot is not whole any more
            if exists(folder):
                _remove(folder)
            os.mkdir(folder)
        elif exists(folder + "/release.cbor"):
            os.rename(folder + "/release.cbor", folder + "/release.new")
        need = _SPARE
        for name, size, _ in files:
            left = size - _size("%s/%s" % (folder, name))
            need += (left + _BLOCK - 1) // _BLOCK * _BLOCK
        if need > free(folder):
            raise SlotError(NO_ROOM, "The release needs %d bytes more than are free", need)
        replace(folder + "/release.new", cbor.encode([statements, files]))
        self._folder, self._files = folder, files

    def held(self):
        """How many bytes of each file are there, in the order of the list."""
        return [_size("%s/%s" % (self._begun_folder(), name)) for name, _, _ in self._files]

    def piece(self, name, offset, data):
        """Add `data` to the file; returns the bytes it then has, and takes none out of turn."""
        folder = self._begun_folder()
        sizes = [size for known, size, _ in self._files if known == name]
        if not sizes or offset + len(data) > sizes[0]:
            raise SlotError(BAD_PIECE, "This piece does not belong to the release")
        path = "%s/%s" % (folder, name)
        have = _size(path)
        if offset != have or not data:
            return have
        at = name.find("/")
        while at > 0:
            make_dir("%s/%s" % (folder, name[:at]))
            at = name.find("/", at + 1)
        with open(path, "ab") as file:
            file.write(data)
            sync(file)
        return _size(path)

    def finish(self):
        """Read every file back; when all are as signed, the release is on trial: its version.

        A file that is not is removed and named (SlotError): it can be sent again.
        """
        folder = self._begun_folder()
        for name, size, digest in self._files:
            path = "%s/%s" % (folder, name)
            if _size(path) == size and _digest(path) == digest:
                continue
            if _size(path) >= size:
                os.remove(path)
            raise SlotError(DAMAGED, "%s is not as signed: send it again", name)
        # A file that is not signed would be imported all the same.
        names = [name for name, _, _ in self._files] + ["release.new"]
        for name in _walk(folder):
            if name not in names:
                os.remove("%s/%s" % (folder, name))
        os.rename(folder + "/release.new", folder + "/release.cbor")
        slot = folder[-1]
        version = self.version(slot)
        self._folder = None
        starter.store(self.root, [self.current(), slot, dotted(version), False, None])
        return version

    def confirm(self, folder=_HERE):
        """The self-test has passed: what runs in `folder` stays, if it is the trial. True if so."""
        _, trial, _, begun, _ = starter.load(self.root)
        if not trial or not begun or not folder.endswith("/%s/firmware" % trial):
            return False
        starter.store(self.root, [trial, None, "", False, None])
        return True

    def _idle(self):
        return "b" if self.current() == "a" else "a"

    def _begun_folder(self):
        if self._folder is None:
            raise SlotError(NOT_BEGUN, "There is no release to add to: send its statements first")
        return self._folder

    def _held(self, slot, name):
        """[[statement, statement], files] in a slot's file; None when there is none to be read."""
        data = read("%s/%s/%s" % (self.root, slot, name))
        try:
            return cbor.decode(data) if data else None
        except cbor.CborError:
            return None
