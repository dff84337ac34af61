"""Photographs on their way in: resumable to the byte, named by their SHA-256 from the start.

A photograph grows in `partial/` and moves to `photos/` in one rename when its digest is right. The
offset that a kit is told is the size of the partial file after fsync, so nothing told is ever lost.
After a power cut a partial file may end in bytes never promised; the final digest finds that out.
Bodies are written and hashed piece by piece as they arrive and are never whole in memory.
"""

import hashlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from host_tools.collector import limits
from host_tools.collector.durable import (
    free_bytes,
    make_folder,
    refusal,
    size_on_disk,
    sync_folder,
    write_all,
)
from host_tools.collector.reasons import Refused
from host_tools.collector.turns import Turns, in_thread

_PIECE = 256 * 1024


class OffsetMismatch(Exception):
    """The sender is at another place than we are; `offset` is ours."""

    def __init__(self, offset: int):
        super().__init__(offset)
        self.offset = offset


class WrongDigest(Exception):
    """All bytes came and they are not the photograph; it starts again at 0."""


class Uploads:
    """The partial files of one collector. `final(digest)` names a finished photograph's file."""

    def __init__(self, folder: Path, final: Callable[[bytes], Path], reserve: int = limits.RESERVE):
        self._folder = folder
        self._final = final
        self._reserve = reserve
        self._turns = Turns()
        folder.mkdir(parents=True, exist_ok=True)

    def _partial(self, digest: bytes) -> Path:
        return self._folder / digest.hex()

    async def offset(self, digest: bytes, sizes: frozenset[int]) -> int:
        """Bytes of this photograph that are on disk for certain; its size once it is stored.

        `sizes`: the declared ones, at least one.
        """
        while True:
            try:
                size, whole = await in_thread(self._look, digest)
            except OSError as error:
                raise refusal(error) from error
            if whole or size == 0 or size not in sizes:
                return size
            # All bytes are here but not yet proved: somebody is at it, or a failure came between.
            if self._turns.busy(digest):
                if size < max(sizes):
                    return size
                await self._turns.ended(digest)
                continue
            try:
                return await self._turns.take(digest, self._prove, size, max(sizes))
            except WrongDigest:
                return 0

    async def append(
        self, digest: bytes, sizes: frozenset[int], offset: int, body: AsyncIterator[bytes]
    ) -> int:
        """Take the bytes from `offset` on; the new offset when the body has ended.

        Raises OffsetMismatch, WrongDigest, Superseded, Refused, and whatever `body` raises; what
        had come before an error is kept.
        """
        here = await self.offset(digest, sizes)
        # Asked before the turn is taken: a stray sender must not end the one who is in step.
        if here != offset:
            raise OffsetMismatch(here)
        if self._final(digest).exists():
            return here
        if free_bytes(self._folder) < self._reserve + max(sizes) - offset:
            raise Refused("full", "The collector's disk is full; try again later.")
        return await self._turns.take(digest, self._receive, sizes, offset, body)

    async def _receive(
        self, digest: bytes, sizes: frozenset[int], offset: int, body: AsyncIterator[bytes]
    ) -> int:
        try:
            fd = os.open(self._partial(digest), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise refusal(error) from error
        try:
            here = os.fstat(fd).st_size
            if here != offset:
                raise OffsetMismatch(here)
            hasher = await in_thread(_hash, self._partial(digest))
            try:
                async for piece in body:
                    if here + len(piece) > max(sizes):
                        raise Refused("too-big", f"More than the {max(sizes)} bytes declared came.")
                    write_all(fd, piece)
                    hasher.update(piece)
                    here += len(piece)
            finally:
                await in_thread(self._settle, fd, offset)
                # The line may break right after the last byte: the photograph is whole still.
                if here in sizes and here == os.fstat(fd).st_size:
                    here = await in_thread(self._finish, digest, hasher.digest(), here, max(sizes))
            return here
        except OSError as error:
            raise refusal(error) from error
        finally:
            os.close(fd)

    def _look(self, digest: bytes) -> tuple[int, bool]:
        """(size on disk, whether the photograph is whole and proved)."""
        final = self._final(digest)
        if final.exists():
            return final.stat().st_size, True
        size = size_on_disk(self._partial(digest))
        if size == 0 and final.exists():  # it was moved between the two looks
            return final.stat().st_size, True
        return size, False

    def _settle(self, fd: int, offset: int) -> None:
        """Bring what was written to the disk, or go back to what is there for certain."""
        try:
            os.fsync(fd)
            if offset == 0:
                sync_folder(self._folder)
        except OSError:
            # After a failed fsync nobody knows which of the new bytes are there (fsyncgate).
            os.ftruncate(fd, offset)
            raise

    async def _prove(self, digest: bytes, size: int, longest: int) -> int:
        try:
            hasher = await in_thread(_hash, self._partial(digest))
            return await in_thread(self._finish, digest, hasher.digest(), size, longest)
        except OSError as error:
            raise refusal(error) from error

    def _finish(self, digest: bytes, found: bytes, size: int, longest: int) -> int:
        """Move the photograph to its place if its digest is right; at its full size it must be."""
        partial, final = self._partial(digest), self._final(digest)
        if found == digest:
            make_folder(final.parent)
            partial.rename(final)
            sync_folder(final.parent)
            sync_folder(self._folder)
        elif size >= longest:
            partial.unlink(missing_ok=True)
            sync_folder(self._folder)
            raise WrongDigest
        return size


def _hash(path: Path):
    """SHA-256 so far over the file at `path`."""
    hasher = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            hasher.update(piece)
    return hasher
