"""A serial cable between two virtual kits: what one sends, the other receives."""

import threading

from host_tools.kit.machine import SerialCable

PIECE = 256  # bytes


class Crossover:
    """Carries bytes both ways between the serial ends of two kits until `unplug()`.

    `limit`: bytes in one direction after which it is pulled by itself.
    """

    def __init__(self, one: SerialCable, other: SerialCable, limit: int | None = None):
        self._limit = limit
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._carry, args=ends, daemon=True)
            for ends in ((one, other), (other, one))
        ]
        for thread in self._threads:
            thread.start()

    def _carry(self, source: SerialCable, target: SerialCable) -> None:
        carried = 0
        while not self._over.is_set():
            data = source.read(PIECE, patience=0.05)
            if self._limit is not None:
                data = data[: max(0, self._limit - carried)]
            if data and not self._over.is_set():
                target.write(data)
                carried += len(data)

    def unplug(self) -> None:
        """Pull the cable: what is under way in it is lost."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> "Crossover":
        return self

    def __exit__(self, *_exc) -> None:
        self.unplug()
