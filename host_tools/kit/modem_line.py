"""What the emulated modem puts on its serial line: replies in pieces, at the line's rate."""

import random
from collections import deque
from collections.abc import Callable

RATE = 11520  # bytes a second at 115200 baud
CHATTER = (
    "+CGEV: ME PDN ACT 1",
    "+CREG: 1",
    "+CEREG: 1",
    "SMS DONE",
    "+CTZV: 25/02/14,05:00:00+28",
)


class Line:
    """Output queue. `put` bytes or a function to call when everything before it has gone out.

    `chatter` is the chance (0..1) of an unsolicited line before each line of a reply.
    """

    def __init__(self, clock: Callable[[], float], speed: float, chatter: float, seed: int):
        self.clock = clock
        self.speed = speed
        self.chatter = chatter
        self.random = random.Random(seed)
        self.garble = 0.0  # chance (0..1) that a byte arrives as another
        self.queue: deque[tuple[float, bytes | Callable[[], None]]] = deque()
        self.size = 0
        self.due = 0.0

    def put(self, item: bytes | Callable[[], None], delay: float = 0.0) -> None:
        self.due = max(self.due, self.clock()) + delay / self.speed
        if isinstance(item, bytes):
            self.due += len(item) / (RATE * self.speed)
            self.size += len(item)
        self.queue.append((self.due, item))

    def say(self, *lines: str, delay: float = 0.005, quiet: bool = False) -> None:
        """Lines of a reply, cut into pieces of 1 to 9 bytes with pauses up to 4 ms."""
        for line in lines:
            if not quiet and self.random.random() < self.chatter:
                self.pieces(f"\r\n{self.random.choice(CHATTER)}\r\n".encode())
            self.pieces(f"\r\n{line}\r\n".encode(), delay)

    def pieces(self, data: bytes, delay: float = 0.0) -> None:
        while data:
            n = self.random.randint(1, 9)
            self.put(data[:n], delay)
            data = data[n:]
            delay = self.random.random() * 0.004

    def flush(self, send: Callable[[bytes], None]) -> None:
        """Send what is due."""
        now = self.clock()
        while self.queue and self.queue[0][0] <= now:
            item = self.queue.popleft()[1]
            if isinstance(item, bytes):
                self.size -= len(item)
                send(self.noisy(item) if self.garble else item)
            else:
                item()

    def noisy(self, data: bytes) -> bytes:
        """`data` as a bad ground wire lets it through."""
        chance = self.random
        return bytes(
            byte ^ chance.randint(1, 255) if chance.random() < self.garble else byte
            for byte in data
        )

    def clear(self) -> None:
        self.queue.clear()
        self.size = 0
        self.due = 0.0
