"""One task at a time for each photograph, and the newest one wins.

A kit whose line broke dials again long before the old connection is known to be dead; waiting for
the old one to time out would cost it half a minute each time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class Superseded(Exception):
    """A newer connection took this photograph over."""


class Turns:
    """Holds who works on which photograph."""

    def __init__(self) -> None:
        self._holders: dict[bytes, asyncio.Task] = {}

    def busy(self, digest: bytes) -> bool:
        """True while somebody works on this photograph."""
        return digest in self._holders

    async def ended(self, digest: bytes) -> None:
        """Wait until who works on this photograph now has ended."""
        if (holder := self._holders.get(digest)) is not None:
            await asyncio.wait({holder})

    async def take(self, digest: bytes, work: Callable[..., Awaitable[T]], *args) -> T:
        """Run `work(digest, *args)` alone: ends an older holder and waits until it let go.

        Raises Superseded when a newer one does the same to us.
        """
        while (older := self._holders.get(digest)) is not None:
            older.cancel()
            await asyncio.wait({older})

        async def run() -> T:
            return await work(digest, *args)

        task = asyncio.create_task(run())
        self._holders[digest] = task

        def let_go(done: asyncio.Task) -> None:
            if self._holders.get(digest) is done:
                del self._holders[digest]

        task.add_done_callback(let_go)
        try:
            return await task
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if caller is not None and caller.cancelling():
                raise  # the server is stopping; the caller itself was cancelled
            raise Superseded from None


async def in_thread(function: Callable[..., T], *args) -> T:
    """Run blocking `function` in a thread. Cancelled or not, it has ended when this returns."""
    future = asyncio.get_running_loop().run_in_executor(None, function, *args)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait({future})
        raise
