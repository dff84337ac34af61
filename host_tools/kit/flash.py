"""The kit's flash from outside: what is in an image of its littlefs, read with littlefs-python.

An image is read whole and at one moment, so the kit may go on meanwhile: littlefs has a valid state
after every single write. Images are changed only while the kit is off.
"""

from pathlib import Path, PurePosixPath

from littlefs import LittleFS, LittleFSError, UserContext

from firmware.blockdev import BLOCK, GRAIN, LOOKAHEAD

CACHE = 4 * GRAIN  # as MicroPython's VfsLfs2 makes it; files of up to this size lie in a directory
BALLAST = "ballast"


def _snapshot(image: Path) -> bytes:
    """The image's bytes at one moment: two readings that are the same."""
    before = image.read_bytes()
    while (now := image.read_bytes()) != before:
        before = now
    return now


class _Memory(UserContext):
    """The image in memory; the library's own context formats a log line at every access."""

    def read(self, cfg, block, off, size):
        start = block * BLOCK + off
        return self.buffer[start : start + size]

    def prog(self, cfg, block, off, data):
        start = block * BLOCK + off
        self.buffer[start : start + len(data)] = data
        return 0

    def erase(self, cfg, block):
        return self.prog(cfg, block, 0, b"\xff" * BLOCK)

    def sync(self, cfg):
        return 0


def _mounted(image: Path) -> tuple[LittleFS, UserContext]:
    context = _Memory(buffer=bytearray(_snapshot(image)))
    disk = LittleFS(
        context,
        mount=False,
        block_size=BLOCK,
        block_count=context.in_size // BLOCK,
        read_size=GRAIN,
        prog_size=GRAIN,
        cache_size=CACHE,
        lookahead_size=LOOKAHEAD,
    )
    disk.mount()
    return disk, context


def files(image: Path) -> dict[str, bytes]:
    """{path without a leading slash: bytes} of every file in the image; LittleFSError, OSError."""
    disk, _ = _mounted(image)
    found = {}
    for folder, _, names in disk.walk("/"):
        for name in names:
            path = str(PurePosixPath(folder, name))
            with disk.open(path, "rb") as file:
                found[path.lstrip("/")] = file.read()
    return found


def extract(image: Path, folder: Path) -> None:
    """Write every file of the image below `folder`."""
    for name, data in files(image).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def put(image: Path, name: str, data: bytes) -> None:
    """Make or replace a file in the image; LittleFSError when there is no room."""
    disk, context = _mounted(image)
    with disk.open(name, "wb") as file:
        file.write(data)
    _store(image, disk, context)


def fill(image: Path, leave: int = 0) -> None:
    """Leave only so many blocks free, as a flash that has been filled: with the file `ballast`."""
    disk, context = _mounted(image)
    left = context.in_size // BLOCK - disk.used_block_count - leave
    # A file's block holds two pointers on average. What does not fit is not there at all.
    size = left * (BLOCK - 8) + BLOCK
    while True:
        try:
            with disk.open(BALLAST, "wb", buffering=0) as file:
                file.write(bytes(size))
            break
        except LittleFSError:
            size -= BLOCK // 2
    _store(image, disk, context)


def remove(image: Path, name: str) -> None:
    """Delete a file from the image."""
    disk, context = _mounted(image)
    disk.remove(name)
    _store(image, disk, context)


def _store(image: Path, disk: LittleFS, context: UserContext) -> None:
    disk.unmount()
    image.write_bytes(context.buffer)
