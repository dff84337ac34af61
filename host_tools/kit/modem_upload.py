"""A small uploader and its collector for the fault table: files by offset, a line of text before.

    PUT name offset size\\n<size bytes>   ->   HAVE bytes\\n

The collector keeps the bytes of each file in order and complains of the first that is wrong, so
what the table reports as whole is whole.
"""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable

from firmware.drivers import PartError
from host_tools.kit.modem_link import PeerLink

HOST = "collector.example.id"
FIRST, LONGEST = 2.0, 60.0  # s between tries, as firmware.relay's
ANSWER = 30.0  # s for a reply, as firmware.http's
PIECE = 1024


class Collector:
    """Takes files by offset; `kept` is what it has of each."""

    def __init__(self, files: dict[str, bytes]):
        self.files = files
        self.kept = {name: b"" for name in files}
        self.whole: list[str] = []  # in the order they were finished
        self.complaints: list[str] = []
        self.connections = 0
        self.on_bytes: Callable[[], None] = lambda: None

    def link(self) -> PeerLink:
        """One connection."""
        self.connections += 1
        return PeerLink(_Session(self).feed)

    def take(self, name: str, data: bytes) -> None:
        """Bytes of a file, in order."""
        kept = self.kept[name]
        if self.files[name][len(kept) : len(kept) + len(data)] != data:
            self.complaints.append(f"{name}: wrong bytes at {len(kept)}")
        self.kept[name] = kept + data
        if self.kept[name] == self.files[name]:
            self.whole.append(name)
        self.on_bytes()


class _Session:
    """One connection's requests; the body counts as it comes."""

    def __init__(self, collector: Collector):
        self.collector = collector
        self.inbox = b""
        self.name = ""
        self.left = 0

    def feed(self, data: bytes) -> bytes | None:
        self.inbox += data
        out = b""
        while True:
            if self.name:
                body, self.inbox = self.inbox[: self.left], self.inbox[self.left :]
                self.left -= len(body)
                if body:
                    self.collector.take(self.name, body)
                if self.left:
                    return out
                out += b"HAVE %d\n" % len(self.collector.kept[self.name])
                self.name = ""
            line, end, rest = self.inbox.partition(b"\n")
            if not end:
                return out
            self.inbox = rest
            words = line.decode("latin-1").split(" ")
            if len(words) != 4 or words[0] != "PUT" or words[1] not in self.collector.files:
                self.collector.complaints.append(f"odd request {line!r}")
                return None
            self.name, self.left = words[1], int(words[3])
            if self.left and int(words[2]) != len(self.collector.kept[self.name]):
                self.collector.complaints.append(f"odd offset {line!r}")
                return None


def make_files(count: int, size: int, seed: int = 1) -> dict[str, bytes]:
    """`count` files of `size` bytes in which every byte occurs, end texts of modems too."""
    chance = random.Random(seed)
    ends = b"\r\nCLOSED\r\n\r\nNO CARRIER\r\nOK\r\n+++"
    files = {}
    for _ in range(count):
        data = chance.randbytes(size - len(ends)) + ends
        files[hashlib.sha256(data).hexdigest()[:16]] = data
    return files


class Uploader:
    """Sends the files one after the other, for ever trying again as the relay does."""

    def __init__(self, open_stream: Callable[[], Awaitable], files: dict[str, bytes]):
        self.open_stream = open_stream
        self.files = files
        self.errors: list[int] = []  # codes in the order they came; 351 = no answer in time
        self.left = list(files)

    async def run(self) -> None:
        """Until every file is whole."""
        wait = FIRST
        while self.left:
            stream = None
            try:
                stream = await self.open_stream()
                while self.left:
                    name = self.left[0]
                    have = await self._put(stream, name, 0, 0)  # an empty one asks where to go on
                    wait = FIRST
                    await self._put(stream, name, have, len(self.files[name]) - have)
                    self.left.pop(0)
            except PartError as error:
                self.errors.append(error.code)
            except TimeoutError:
                self.errors.append(351)
            if stream is not None:
                await stream.close()
            if self.left:
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST)

    async def _put(self, stream, name: str, offset: int, size: int) -> int:
        """One request; how much of the file the collector has after it."""
        await stream.write(b"PUT %s %d %d\n" % (name.encode(), offset, size))
        for at in range(offset, offset + size, PIECE):
            piece = self.files[name][at : min(at + PIECE, offset + size)]
            await asyncio.wait_for(stream.write(piece), ANSWER)
        line = b""
        buf = bytearray(64)
        while not line.endswith(b"\n"):
            n = await asyncio.wait_for(stream.readinto(buf), ANSWER)
            if not n:
                raise PartError(353, "the connection ended")
            line += buf[:n]
        words = line.split()
        if len(words) != 2 or words[0] != b"HAVE" or not words[1].isdigit():
            raise PartError(352, f"the reply is unreadable: {line!r}")
        return int(words[1])
