"""`saksi bench relay`: the kit's relay over mobile lines, beside a plain POST and tus with tuspy.

The kit is the firmware's relay on MicroPython, the collector is `saksi collect`, each a process;
the line between them is host_tools/bench/relay_link.py. To end in minutes a line may be squeezed:
its rate goes up and its delay down by one factor, times are multiplied by it afterwards. What the
machine itself needs is multiplied with them, so a squeezed figure is never too good. The time to
the first result is measured on a line that is not squeezed.
"""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from host_tools.bench.relay_day import QUICK, Collector, Region, Station, drawn
from host_tools.bench.relay_link import Line, Link
from host_tools.bench.relay_rivals import Measured, Sink, announce, plain, tuspy

PLAIN = "plain POST"
TRIES = 3
PAGES = 6
PAGE = 500_000  # bytes; a real one has 300 to 800 kB
QUICK_PAGE = 30_000
FIRST_WAIT = 2.0  # s, the relay's own
# Goals: overhead and share of a clean line, round trips to the first result, waste of a cut one.
OVERHEAD, SHARE, ROUND_TRIPS, WASTE = 0.03, 0.92, 3.0, 0.05


@dataclass(frozen=True)
class Profile:
    """A line as it is, by how much it is squeezed, and how many photographs the rivals send.

    `chip`: the chip's 105 ms for each acknowledgement are in the figures. `best_of`: runs of kit
    and plain POST in turns, of which the best of each counts, where they take only seconds.
    """

    name: str
    line: Line
    squeeze: float
    rival_pages: int
    chip: bool = True
    best_of: int = 1


PROFILES = (
    Profile("EDGE 100 kbit/s, 400 ms", Line(1e5, 0.2), 10, 2),
    Profile("3G 1 Mbit/s, 150 ms, 2 % loss", Line(1e6, 0.075, 0.02), 4, 3),
    Profile("LTE 10 Mbit/s, 60 ms", Line(1e7, 0.03), 1, 6, chip=False, best_of=3),
    Profile("LTE, with the chip's waits", Line(1e7, 0.03), 1, 0),
    Profile("3G, drops every 20 KB", Line(1e6, 0.075, cut=20_480), 4, 1),
)


@dataclass
class Row:
    """One sender on one line.

    `share`: the time that a plain POST's stream needs for the same bytes on this line, measured in
    the same run, over the sender's. `line_share`: the same against rate and losses as calculated.
    """

    line: str
    sender: str
    overhead: float | None  # bytes on the line for each byte of payload, minus 1
    line_share: float | None
    share: float | None
    first: float | None  # s until the first result's acknowledgement is here
    round_trips: float | None
    verified: float | None  # s until the chip has verified it
    photographs: float | None  # s until the collector has the last photograph
    seconds: float | None  # until everything is acknowledged and verified; None: never
    lines: int  # connections
    goal: bool | None = None

    def as_dict(self) -> dict:
        return asdict(self)


def squeezed(profile: Profile) -> Line:
    """The line as the proxy plays it."""
    line, factor = profile.line, profile.squeeze
    return replace(line, rate=line.rate * factor, delay=line.delay / factor)


def _needed(line: Line, measured: Measured, squeeze: float) -> float:
    """Seconds that the line itself needs for the payload and for the losses that were drawn."""
    return measured.payload * 8 / line.rate + measured.stalls * squeeze


class Bench:
    """One collector for all profiles, kits as they are needed."""

    def __init__(self, folder: Path, quick: bool, tell: Callable[[str], None]):
        self.folder = folder
        self.page = QUICK_PAGE if quick else PAGE
        self.tell = tell
        self.region = Region(folder / "region")
        self.stations: list[Station] = []
        big = sum(profile.best_of for profile in PROFILES)
        self._station(0, [300] * PAGES)  # warms up the collector
        for number in range(big):
            self._station(1 + number, [self.page] * PAGES)
        for number in range(len(PROFILES)):
            self._station(1 + big + number, [300] * PAGES)
        self._station(1 + big + len(PROFILES), [self.page] * 4 * PAGES)  # for tuspy
        self.collector = Collector(folder / "collector", self.region.options())
        self.sink = Sink()
        self._free = iter(self.stations)
        warm = next(self._free).start(self.collector.port, 0.1)
        warm.when(lambda line: line.startswith("done"))

    def _station(self, number: int, sizes: list[int]) -> None:
        pages = [drawn(size + 40 * n, 100 * number + n) for n, size in enumerate(sizes)]
        folder = self.folder / f"kit-{number}"
        self.stations.append(Station(self.region, folder, number, pages))

    def close(self) -> None:
        """Stop collector and chips."""
        self.collector.stop()
        self.sink.close()
        for station in self.stations:
            station.close()

    def _link(self, line: Line, target: tuple[str, int] | None = None) -> Link:
        return Link(target or ("127.0.0.1", self.collector.port), line)

    def first(self, profile: Profile, station: Station) -> tuple[float, float]:
        """Seconds from the first connection until the first result's acknowledgement came and was
        verified; the best of several tries, of which all but one send what is known."""
        station.chip.speed = 1.0
        best = (float("inf"), float("inf"))
        for _ in range(TRIES):
            (station.folder / "relay").unlink(missing_ok=True)
            with self._link(replace(profile.line, cut=None)) as link:
                kit = station.start(link.port)
                came = kit.when(lambda line: line.startswith("reply"))
                verified = kit.when(lambda line: line.startswith(("result", "entry")))
                kit.kill()
                assert came is not None and verified is not None, kit.said
                best = min(best, (came - link.opened, verified - link.opened))
        return best

    def kit(self, profile: Profile, station: Station, first: tuple[float, float]) -> Row:
        """All of a station's day by the kit's own relay."""
        factor, line = profile.squeeze, profile.line
        station.chip.speed = factor if profile.chip else QUICK
        with self._link(squeezed(profile)) as link:
            kit = station.start(link.port, FIRST_WAIT / factor)
            done = kit.when(lambda line: line.startswith("done"))
            assert done is not None, kit.said[-5:]
            taken = (done - link.opened) * factor
            last = max(moment for moment, line in kit.said if line.startswith("photo"))
            photographs = (last - link.opened) * factor
            measured = Measured(taken, link.up + link.down, station.payload, link.stalls)
            lines = link.lines
        share = _needed(line, measured, factor) / taken
        return Row(
            profile.name, "saksi", measured.overhead, share, None, first[0],
            first[0] / (2 * line.delay), first[1], photographs, taken, lines,
        )  # fmt: skip

    def rival(self, profile: Profile, sender: str, files: list[bytes]) -> Any:
        """The Row of the same line with another sender and `files`; None without tuspy."""
        factor = profile.squeeze
        target = self.sink.address if sender == PLAIN else None
        with self._link(squeezed(profile), target) as link:
            if target:
                measured = plain(link, files)
            else:
                measured = tuspy(link, files, FIRST_WAIT / factor / 4)
                if measured is None:
                    self.tell("no tuspy to compare with: pip install tuspy")
                    return None
            lines = link.lines
        taken = None if measured.seconds is None else measured.seconds * factor
        share = None if taken is None else _needed(profile.line, measured, factor) / taken
        return Row(
            profile.name, sender, measured.overhead, share, None, None, None, None, taken, taken,
            lines,
        )  # fmt: skip

    def run(self) -> list[Row]:
        """All profiles, each with its yardsticks."""
        rows: list[Row] = []
        big = [[next(self._free) for _ in range(profile.best_of)] for profile in PROFILES]
        small = [next(self._free) for _ in PROFILES]
        rivals = next(self._free)
        certificate = (rivals.folder / "kit.der").read_bytes()
        announce(self.collector.url, rivals.journal(), certificate)
        files = list(rivals.pages)
        for number, profile in enumerate(PROFILES):
            self.tell(profile.name)
            first = self.first(profile, small[number])
            own, files = files[: profile.rival_pages], files[profile.rival_pages :]
            kits, plains = [], []
            for station in big[number]:
                kits.append(self.kit(profile, station, first))
                plains += [self.rival(profile, PLAIN, own)] if own else []
            tus = [self.rival(profile, "tus (tuspy)", own)] if own else []
            rows += [_best(kits), *([_best(plains)] if plains else []), *filter(None, tus)]
        return _judged(rows)


def _best(rows: list[Row]) -> Row:
    """The one that ended first; one that never ended is last."""
    return min(rows, key=lambda row: float("inf") if row.seconds is None else row.seconds)


def _judged(rows: list[Row]) -> list[Row]:
    """Fill in what is measured against the plain stream, and whether the goals are met."""
    streams = {row.line: row.line_share for row in rows if row.sender == PLAIN}
    for row in rows:
        stream = streams.get(row.line)
        if row.line_share and stream:
            row.share = row.line_share / stream
    for profile in PROFILES:
        for row in rows:
            if (row.line, row.sender) != (profile.name, "saksi") or row.overhead is None:
                continue
            if profile.line.cut is not None:
                row.goal = row.overhead < WASTE
            elif row.share is not None and row.round_trips is not None:
                row.goal = (
                    row.overhead <= OVERHEAD
                    and row.share >= SHARE
                    and row.round_trips < ROUND_TRIPS
                )
    return rows


def run(quick: bool = False, tell: Callable[[str], None] = lambda line: None) -> list[Row]:
    """Run the relay's bench; `quick`: small photographs, whose figures show less."""
    with tempfile.TemporaryDirectory(prefix="saksi-bench-") as folder:
        bench = Bench(Path(folder), quick, tell)
        try:
            return bench.run()
        finally:
            bench.close()


def shown(row: Row) -> tuple[str, ...]:
    """The cells of a row in the table."""

    def percent(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.1f} %"

    first = "-" if row.first is None else f"{row.first:.2f} s, {row.round_trips:.2f} RTT"
    verified = "-" if row.verified is None else f"{row.verified:.2f} s"
    photographs, seconds = (
        "never" if end is None else f"{end:.1f} s" for end in (row.photographs, row.seconds)
    )
    goal = {True: "met", False: "missed", None: ""}[row.goal]
    return (
        row.line, row.sender, percent(row.overhead), percent(row.share), percent(row.line_share),
        first, verified, photographs, seconds, str(row.lines), goal,
    )  # fmt: skip
