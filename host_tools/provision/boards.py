"""The boards a kit may have, and what a bare one says of itself before anything is put on it."""

from dataclasses import dataclass

OLDEST = (1, 24)
MOUNT_ROOM = 64 * 1024  # bytes that must stay free beside the release: journal, package, roster


class BoardError(Exception):
    """This board must not become a kit as it is; the text says what to do in one line."""


@dataclass(frozen=True)
class Board:
    """`platform`, `machine`: what sys.platform is and what sys.implementation._machine contains.

    `libraries`: parts of micropython-lib that its MicroPython does not bring along.
    """

    name: str
    platform: str
    machine: str
    flash: int  # bytes of its file system at least
    libraries: tuple[str, ...] = ()


BOARDS = {
    board.name: board
    for board in (
        Board("esp32s3", "esp32", "ESP32S3", 4 * 1024 * 1024),
        Board("virtual", "linux", "", 4 * 1024 * 1024, ("ssl",)),
    )
}


@dataclass(frozen=True)
class Bare:
    """What a board with MicroPython and nothing else answered."""

    platform: str
    machine: str
    version: tuple[int, ...]  # of MicroPython
    free: int  # bytes of its file system
    size: int
    modules: tuple[str, ...]  # of those asked for, what it has

    def check(self, board: Board, needed: int) -> None:
        """BoardError unless this is `board`, new enough, with room for `needed` bytes."""
        if self.platform != board.platform or board.machine not in self.machine:
            raise BoardError(
                f"this is a {self.machine or self.platform}, the release is for {board.name}: "
                "take the right board or the right release"
            )
        if self.version < OLDEST:
            raise BoardError(
                f"MicroPython {'.'.join(map(str, self.version))} is too old: flash "
                f"{'.'.join(map(str, OLDEST))} or newer, then try again"
            )
        if self.size < board.flash:
            raise BoardError(
                f"its file system has {self.size} bytes, {board.flash} are needed: flash a "
                "MicroPython for this board's flash size"
            )
        if self.free < needed + MOUNT_ROOM:
            raise BoardError(
                f"{self.free} bytes are free on the board, {needed + MOUNT_ROOM} are needed: "
                "erase its file system"
            )
