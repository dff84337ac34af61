"""The emulated modem's power key, reset pin and supply, with the pulses that each part asks for.

Written from the Hardware Design manuals, apart from the driver's own table.
"""

from collections.abc import Callable

# s: shortest press that switches on, that switches off, shortest reset pulse
PULSES = {"SIM7600": (0.5, 2.5, 0.1), "A7670": (0.05, 2.5, 2.0)}


class Pin:
    """A line that the kit pulls (1) and lets go (0); `act(seconds)` gets each pulse's length."""

    def __init__(self, clock: Callable[[], float], speed: float, act: Callable[[float], None]):
        self.clock = clock
        self.speed = speed
        self.act = act
        self.since: float | None = None
        self.pulses: list[float] = []

    def __call__(self, value: int) -> None:
        if value and self.since is None:
            self.since = self.clock()
        elif not value and self.since is not None:
            length = (self.clock() - self.since) * self.speed
            self.since = None
            self.pulses.append(length)
            self.act(length)
