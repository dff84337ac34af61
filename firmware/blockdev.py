"""A flash chip in a file of the host, and the kit's littlefs on it (virtual kit, MicroPython only).

The block device has the shape of MicroPython's extended protocol (AbstractBlockDev). Its methods
allocate nothing, as those of a real flash must not: littlefs also works while memory is short. The
geometry is the one that host_tools.kit.flash opens an image with.
"""

import os

from firmware.compat import const, exists

BLOCK = const(4096)  # bytes that one erase clears, as in the ESP32-S3's flash
BLOCKS = const(2048)  # 8 MiB: what an ESP32-S3 with 16 MiB leaves beside two firmwares
GRAIN = const(32)  # bytes: smallest read and write
LOOKAHEAD = BLOCKS // 8  # bytes: one bit a block, so that the search for room is one pass

_GEOMETRY = {"readsize": GRAIN, "progsize": GRAIN, "lookahead": LOOKAHEAD}
_EIO = const(5)
_EINVAL = const(22)
_PIECE = const(256)
_ERASED = b"\xff" * _PIECE


class FileBlockDevice:
    """The blocks in file `path`, which must be there. The methods return 0 or a negative errno."""

    def __init__(self, path):
        self._file = open(path, "r+b")
        self.blocks = self._file.seek(0, 2) // BLOCK

    def readblocks(self, block, buf, offset=0):
        """Fill `buf` from byte `offset` of the block on."""
        if self._goto(block, offset, len(buf)):
            return -_EINVAL
        return 0 if self._file.readinto(buf) == len(buf) else -_EIO

    def writeblocks(self, block, buf, offset=0):
        """Write `buf` at byte `offset` of a block that was erased before."""
        if self._goto(block, offset, len(buf)):
            return -_EINVAL
        return 0 if self._file.write(buf) == len(buf) else -_EIO

    def ioctl(self, op, arg):
        """2 end, 3 sync, 4 number of blocks, 5 bytes a block, 6 erase block `arg`."""
        if op == 4:
            return self.blocks
        if op == 5:
            return BLOCK
        if op == 6:
            return self._erase(arg)
        if op == 2 or op == 3:
            self._file.flush()
        return 0

    def _goto(self, block, offset, size):
        """Go there and return 0; what does not lie within one block is refused."""
        if not 0 <= block < self.blocks or offset < 0 or offset + size > BLOCK:
            return -_EINVAL
        self._file.seek(block * BLOCK + offset)
        return 0

    def _erase(self, block):
        if self._goto(block, 0, BLOCK):
            return -_EINVAL
        for _ in range(BLOCK // _PIECE):
            if self._file.write(_ERASED) != _PIECE:
                return -_EIO
        return 0

    def close(self):
        """Let go of the file."""
        self._file.close()


def make(path, blocks=BLOCKS):
    """Make file `path` the size of a flash chip of so many blocks."""
    with open(path, "wb") as file:
        file.seek(blocks * BLOCK - 1)
        file.write(b"\xff")


def mount(path, point, device=FileBlockDevice):
    """Mount the littlefs in file `path` at folder `point`; a file that is not there is made first.

    It has its name only once it is formatted. One that does not mount is never formatted anew: it
    may hold a journal.
    """
    import vfs  # only MicroPython has it

    if not exists(path):
        fresh = path + ".new"
        make(fresh)
        blank = FileBlockDevice(fresh)
        vfs.VfsLfs2.mkfs(blank, **_GEOMETRY)  # pyright: ignore[reportArgumentType]
        blank.ioctl(3, 0)
        blank.close()
        os.rename(fresh, path)
    flash = vfs.VfsLfs2(device(path), **_GEOMETRY)  # pyright: ignore[reportArgumentType]
    vfs.mount(flash, point)
