"""Writing files so that what was promised is still there after a power cut."""

import errno
import os
from pathlib import Path

from host_tools.collector.reasons import Refused

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable: a file is not safe before its name is."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(folder: Path) -> None:
    """Make `folder` (its parent exists) and make its name durable."""
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def size_on_disk(path: Path) -> int:
    """Bytes of `path` that are on the disk for certain; 0 if there is no such file."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return 0
    try:
        # Size first: bytes that arrive during the sync are not promised by it.
        size = os.fstat(fd).st_size
        os.fsync(fd)
        return size
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`; what went in before an OSError is a true beginning of it."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def free_bytes(folder: Path) -> int:
    """Room left for us on the disk of `folder`."""
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize


def refusal(error: OSError) -> Refused:
    """What to tell the sender when the disk said no."""
    if error.errno in _FULL:
        return Refused("full", "The collector's disk is full; try again later.")
    return Refused("storage", "The collector cannot write just now; try again later.")
