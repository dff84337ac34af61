"""Modem, driver, uploader and collector together in simulated time, for the fault table."""

import asyncio
from collections.abc import Callable

from firmware.drivers.modem_at import Modem
from firmware.drivers.modem_time import NetworkTime
from host_tools.kit.bus import LocalUART
from host_tools.kit.modem import ModemEmulator
from host_tools.kit.modem_card import Card
from host_tools.kit.modem_clock import SimulatedLoop
from host_tools.kit.modem_line import RATE
from host_tools.kit.modem_upload import HOST, Collector, Uploader, make_files

FILES, SIZE = 6, 60_000
BEGIN = 40_000  # bytes at the collector when a fault in the middle begins
WALL = 1739509200  # 2025-02-14 05:00:00 UTC


class SimulatedUart(LocalUART):
    """Takes bytes no faster than 115200 baud carries them."""

    def __init__(self, part: ModemEmulator, clock: Callable[[], float]):
        super().__init__(part)
        self.clock = clock
        self.free = 0.0

    def write(self, buf):
        now = self.clock()
        if self.free > now + 0.01:
            return 0
        self.free = max(self.free, now) + len(buf) / RATE
        return super().write(buf)


class KitClock:
    """The board's clock, kept by its chip."""

    def __init__(self, bench: "Bench", behind: int):
        self.bench = bench
        self.ahead = -behind
        self.quality = 1
        self.settings: list[int] = []

    def now(self) -> int:
        return int(WALL + self.bench.loop.clock()) + self.ahead

    def set(self, seconds: int) -> None:
        self.settings.append(seconds - self.now())
        self.ahead += seconds - self.now()


class Bench:
    """Modem, driver, uploader and collector in simulated time; `apn` and `pin` are the kit's."""

    def __init__(
        self,
        loop: SimulatedLoop,
        model: str,
        *,
        card: Card | None = None,
        apn: str = "internet",
        pin: str = "",
        dcd: bool = True,
        key_only: bool = False,
        files: tuple[int, int] = (FILES, SIZE),
    ):
        self.loop = loop
        self.files = make_files(*files)
        self.collector = Collector(self.files)
        self.shift = 0  # s by which the network's clock is wrong
        self.part = ModemEmulator(
            {HOST: self.collector.link},
            clock=loop.clock,
            wall=lambda: WALL + loop.clock() + self.shift,
            model=model,
            card=card,
        )
        self.log: list[str] = []
        self.modem = Modem(
            SimulatedUart(self.part, loop.clock),
            apn,
            self.part.dcd if dcd else None,
            pin=pin,
            key=self.part.key,
            reset=None if key_only else self.part.reset,
            log=lambda text: self.log.append(f"{loop.clock():.1f} {text}"),
            ticks=loop.ticks,
        )
        self.uploader = Uploader(self.open, self.files)
        self.clock = KitClock(self, behind=5)
        self.network_time = NetworkTime(self.clock, loop.ticks, self.log.append)
        self.began = 0.0
        self.ended: float | None = None
        self.back: float | None = None
        self.collector.on_bytes = self._on_bytes

    async def open(self):
        await self.modem.up()
        for _ in range(2):  # as main.watch does once a minute
            self.network_time.reading(await self.modem.time())
        return await self.modem.open_tcp(HOST, 443)

    def _on_bytes(self) -> None:
        if self.ended is not None and self.back is None:
            self.back = self.loop.clock()

    def begin(self) -> None:
        """The cause begins now."""
        self.began = self.loop.clock()

    def end(self) -> None:
        """The cause is gone; from here on the driver is on its own."""
        self.ended = self.loop.clock()

    async def flowing(self, count: int = BEGIN) -> None:
        """Until `count` bytes have reached the collector."""
        while sum(map(len, self.collector.kept.values())) < count:
            await asyncio.sleep(0.05)

    async def told(self, code: int) -> None:
        """Until the driver has failed with `code`."""
        while code not in self.uploader.errors:
            await asyncio.sleep(0.5)
