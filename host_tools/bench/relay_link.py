"""A mobile line on loopback: a proxy with a rate, a delay, losses that stall, and ways to break.

Each direction is one serial link: a segment leaves when the one before has left, takes its length
at the rate, and arrives the delay later. A lost segment holds everything behind it for a round
trip, as a retransmission does. What waits to leave stays with the sender, whose buffer is small as
a modem's is. Everything is counted where it enters the link.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from dataclasses import dataclass

SEGMENT = 1400  # bytes, as on a mobile line
BUFFER = 8192  # bytes that the kernel holds for the sender and for us
SLACK = 0.02  # s of work that the link has in store, so that a late wake-up costs no capacity


@dataclass(frozen=True)
class Line:
    """`rate` bit/s, `delay` s one way, `loss` share of segments, `cut` after so many bytes up.

    `how` a cut line ends: "end" (what is on the air arrives, then both sides see the end), "reset"
    (the same with RST), "lose" (what is on the air is lost), "silent" (nobody is told).
    """

    rate: float = 1e9
    delay: float = 0.0
    loss: float = 0.0
    cut: int | None = None
    how: str = "end"


class Link:
    """Forwards 127.0.0.1:`port` to `target`; `line` may be changed at any time.

    `up`, `down`: bytes that entered the link. `stalls`: s that losses held the upward link.
    `lines`: connections taken. `answer`: bytes that the kit gets instead of the collector's.
    """

    def __init__(self, target: tuple[str, int], line: Line, seed: int = 1):
        self.target = target
        self.line = line
        self.up = self.down = self.lines = 0
        self.stalls = 0.0
        self.opened = 0.0  # when the first connection came, of time.monotonic()
        self.answer: bytes | None = None
        self._chance = random.Random(seed)
        self._listener = socket.socket()
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self._listener.setsockopt(socket.SOL_SOCKET, option, BUFFER // 2)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._serve())

    def close(self) -> None:
        """Break all connections and stop."""

        def end() -> None:
            for task in asyncio.all_tasks(self._loop):
                task.cancel()

        self._loop.call_soon_threadsafe(end)
        self._thread.join()
        self._listener.close()
        self._loop.close()

    def __enter__(self) -> "Link":
        return self

    def __exit__(self, *_exc) -> None:
        self.close()

    async def _serve(self) -> None:
        tasks = set()
        try:
            while True:
                kit, _ = await self._loop.sock_accept(self._listener)
                kit.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.lines += 1
                self.opened = self.opened or self._loop.time()
                task = asyncio.create_task(self._connection(kit))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        finally:
            for task in tasks:
                task.cancel()

    async def _connection(self, kit: socket.socket) -> None:
        line = self.line
        far = socket.socket()
        far.setblocking(False)
        pumps: list[asyncio.Task] = []
        try:
            if self.answer is not None:
                await self._loop.sock_recv(kit, SEGMENT)
                await self._loop.sock_sendall(kit, self.answer)
                return
            await self._loop.sock_connect(far, self.target)
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready = self._loop.time() + 2 * line.delay  # the handshake
            pumps = [
                asyncio.create_task(_Direction(self, line, kit, far, ready, True).pump()),
                asyncio.create_task(_Direction(self, line, far, kit, ready, False).pump()),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if line.cut is None:
                await asyncio.wait(pumps)
            elif line.how == "silent":
                await asyncio.sleep(3600)
            else:
                await self._hang_up(line, kit, far)
        except OSError:
            pass
        finally:
            for pump in pumps:
                pump.cancel()
            kit.close()
            far.close()

    async def _hang_up(self, line: Line, kit: socket.socket, far: socket.socket) -> None:
        """The kit's modem tells it at once; the collector hears of it too."""
        if line.how == "reset":
            for side in (kit, far):
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        kit.close()
        with contextlib.suppress(OSError):
            far.shutdown(socket.SHUT_WR)
            # Unread replies would turn the end into a reset.
            async with asyncio.timeout(2):
                while await self._loop.sock_recv(far, 65536):
                    pass


class _Direction:
    """One direction of one connection."""

    def __init__(self, link: Link, line: Line, source, sink, ready: float, upward: bool):
        self.link, self.line = link, line
        self.source, self.sink = source, sink
        self.free = ready  # when the link can take the next segment
        self.upward = upward
        self.air: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        self.broken = float("inf")  # when the line broke, by the link's own clock

    async def pump(self) -> None:
        """Until the source has ended or the line is cut; what is on the air arrives before."""
        deliver = asyncio.create_task(self._deliver())
        try:
            await self._take_in()
            # What is lost follows from rate and delay, not from how busy this machine is.
            if self.line.how == "lose" and self.line.cut:
                self.broken = self.free
            self.air.put_nowait((self.free, b""))
            await deliver
        finally:
            deliver.cancel()

    async def _take_in(self) -> None:
        loop, line = self.link._loop, self.line
        left = line.cut if self.upward and line.cut else None
        while left is None or left > 0:
            early = self.free - SLACK - loop.time()
            if early > 0:
                await asyncio.sleep(early)
            data = await loop.sock_recv(self.source, min(SEGMENT, left or SEGMENT))
            if not data:
                return
            if left is not None:
                left -= len(data)
            self.free = max(self.free, loop.time()) + len(data) * 8 / line.rate
            if line.loss and self.link._chance.random() < line.loss:
                self.free += 2 * line.delay
                if self.upward:
                    self.link.stalls += 2 * line.delay
            if self.upward:
                self.link.up += len(data)
            else:
                self.link.down += len(data)
            self.air.put_nowait((self.free + line.delay, data))

    async def _deliver(self) -> None:
        loop = self.link._loop
        while True:
            due, data = await self.air.get()
            if due > self.broken:
                return
            if not data:
                with contextlib.suppress(OSError):
                    self.sink.shutdown(socket.SHUT_WR)
                return
            early = due - loop.time()
            if early > 0:
                await asyncio.sleep(early)
            await loop.sock_sendall(self.sink, data)
