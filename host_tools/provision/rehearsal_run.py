"""Rehearses many stations: draws them, gives each its package, and runs them on all cores.

The collector is `host_tools.collector` in this process, on loopback, or one outside. The kits run
in processes of their own; they know the rehearsal's secret and no key of the real authority.
"""

import multiprocessing
import os
import random
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from firmware import record
from host_tools.collector import trust as collecting
from host_tools.collector.ack import Acknowledger
from host_tools.collector.serve import Background, Service
from host_tools.provision import package_folder as folders
from host_tools.provision.authority import Authority
from host_tools.provision.election import Election
from host_tools.provision.package import build_package, content_of
from host_tools.provision.rehearsal import Failed, Failure, memory, open_package, rehearse
from host_tools.provision.rehearsal_line import Line
from host_tools.provision.rehearsal_trust import Trust

FEW = 16  # stations that are rehearsed sooner than another process has started
_SHARE, _AHEAD = 4, 3  # stations handed to a process at once; such shares that wait for each
_A_CORE = 2  # processes a core: a kit waits for the collector half of its time


@dataclass(frozen=True)
class Job:
    """One station: its package as found (None: not there), what election.toml wants it to say."""

    station: int
    raw: bytes | None
    where: str
    wanted: list


@dataclass(frozen=True)
class Scene:
    """What each process is told. `authority`: 64 B key; `election`: number of the packages."""

    trust: Path
    election: int
    authority: bytes
    url: str
    pin: bytes | None
    seed: str


@dataclass
class Outcome:
    """What was rehearsed, and every contest that failed."""

    stations: int = 0
    contests: int = 0
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0


def draw(election: Election, count: int, seed: str) -> list[int]:
    """Codes of `count` stations, or of more: every contest, form and subdistrict is among them."""
    codes = sorted(election.stations)
    random.Random(seed).shuffle(codes)
    forms = {number: contest.form[0] for number, contest in election.contests.items()}
    seen: set[tuple] = set()
    chosen, rest = [], []
    for code in codes:
        contests = election.stations[code].dpt
        brings = {("subdistrict", code // 10**7)} | {("contest", number) for number in contests}
        brings |= {("form", forms[number]) for number in contests}
        (rest if brings <= seen else chosen).append(code)
        seen |= brings
    return sorted(chosen + rest[: max(0, count - len(chosen))])


class Stations:
    """A station after the other in one process, over one line."""

    def __init__(self, scene: Scene):
        self.scene = scene
        training = scene.election % record.TRAINING + record.TRAINING
        self.trust = Trust(scene.trust, training)
        self.line = Line(scene.url, scene.pin)

    def one(self, job: Job) -> list[Failure]:
        """Failures of one station."""
        scene, station = self.scene, job.station
        try:
            if job.raw is None:
                raise Failed("package", f"{job.where}: is not there; sign the packages")
            package = open_package(job.raw, scene.authority, scene.election, station, job.wanted)
        except Failed as error:
            return [Failure(station, None, error.what, error.why)]
        return rehearse(package, self.trust, self.line, scene.seed)


_stations: Stations | None = None


def _begin(scene: Scene) -> None:
    global _stations  # noqa: PLW0603 - a process of the pool has one
    _stations = Stations(scene)


def _share(jobs: list[Job]) -> list[Failure]:
    assert _stations is not None
    return [failure for job in jobs for failure in _stations.one(job)]


def run(
    election: Election,
    authority: Authority,
    codes: list[int],
    seed: str,
    *,
    packages: Path | None = None,
    url: str | None = None,
    trust: Trust | None = None,
    processes: int | None = None,
    done: Callable[[int], None] = lambda n: None,
) -> Outcome:
    """Rehearse the stations `codes`. `packages`: the folder they were signed into, None: made anew.

    `url`, `trust`: of a collector outside that was given the trust's files, and is used once.
    Raises SetupError when the collector cannot be reached, OSError.
    """
    start = time.monotonic()
    with ExitStack() as stack:
        if url is None or trust is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory())))
            training = election.as_training().number
            trust = Trust.make(folder / "trust", training, codes, int(time.time()))
            acknowledger = Acknowledger(authority.collector)
            service = Service(folder / "collector", _collectors(trust), acknowledger)
            url = stack.enter_context(Background(service)).url
        else:
            (trust.folder / "used").touch(exist_ok=False)
        public = authority.signing.public_key()
        pin = election.collector_pin or None
        scene = Scene(trust.folder, election.number, public, url, pin, seed)
        outcome = Outcome(len(codes))
        outcome.contests = sum(len(election.stations[code].dpt) for code in codes)
        cores = len(os.sched_getaffinity(0))
        if processes is None:
            processes = min(_A_CORE * cores, -(-len(codes) // FEW))
        work = _shares(_jobs(election, authority, codes, packages))
        for count, failures in (
            _here(scene, work) if processes < 2 else _pool(scene, work, processes)
        ):
            outcome.failures += failures
            done(count)
    outcome.seconds = time.monotonic() - start
    return outcome


def _collectors(trust: Trust) -> collecting.Trust:
    return collecting.Trust.load(
        trust.files(), trust.folder / "authority.pem", [trust.folder / "ca.pem"]
    )


def _jobs(
    election: Election, authority: Authority, codes: list[int], packages: Path | None
) -> Iterator[Job]:
    collector = authority.collector.public_key()
    now = int(time.time())
    for code in codes:
        wanted = [election.version, content_of(election, code, collector)]
        if packages is None:
            yield Job(code, build_package(election, code, now, authority), "", wanted)
            continue
        path = folders.path_of(packages, election.number, code)
        try:
            yield Job(code, path.read_bytes(), str(path), wanted)
        except FileNotFoundError:
            yield Job(code, None, str(path), wanted)


def _shares(jobs: Iterator[Job]) -> Iterator[list[Job]]:
    share: list[Job] = []
    for job in jobs:
        share.append(job)
        if len(share) == _SHARE:
            yield share
            share = []
    if share:
        yield share


def _here(scene: Scene, work: Iterator[list[Job]]) -> Iterator[tuple[int, list[Failure]]]:
    stations = Stations(scene)
    for share in work:
        for job in share:
            yield 1, stations.one(job)


def _pool(
    scene: Scene, work: Iterator[list[Job]], processes: int
) -> Iterator[tuple[int, list[Failure]]]:
    waiting: deque[tuple[int, Future]] = deque()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _begin, (scene,)) as pool:
        try:
            for share in work:
                waiting.append((len(share), pool.submit(_share, share)))
                while len(waiting) > _AHEAD * processes:
                    count, result = waiting.popleft()
                    yield count, result.result()
            while waiting:
                count, result = waiting.popleft()
                yield count, result.result()
        finally:
            pool.shutdown(cancel_futures=True)
