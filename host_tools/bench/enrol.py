"""`saksi bench enrol`: a store's day, a thousand kits readied on all cores into one register.

Each kit goes through host_tools.provision.enrol over a cable, as a real one does. Afterwards every
chip is asked for its serial number and keys and every flash for its package, and the register must
say the same. Yardstick: the same chips' bare work, in the same processes in between.
"""

import multiprocessing
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from host_tools.bench import enrol_kits
from host_tools.bench.device import Row
from host_tools.bench.enrol_kits import Told
from host_tools.provision import sample
from host_tools.provision.authority import Authority
from host_tools.provision.fleet import Fleet

KITS = 1000
BATCH = 10  # kits, and one bare chip, at a time
YARDSTICK = "the chip alone: configured, locked, two requests signed"


@dataclass(frozen=True)
class Result:
    """`faults`: where register and chips differ, one a line; none: the register is exact."""

    rows: list[Row]
    processes: int
    kits: int
    keys: int
    faults: list[str]

    def as_dict(self) -> dict:
        """Everything, ready for JSON."""
        return {
            "kits": self.kits,
            "keys": self.keys,
            "processes": self.processes,
            "exact": not self.faults,
            "faults": self.faults,
            "rows": [row.as_dict() for row in self.rows],
        }


def run(kits: int, done: Callable[[int], None] = lambda kits: None) -> Result:
    """Ready `kits` virtual kits; `done` is told how many more are ready."""
    processes = _cores()
    told: list[Told] = []
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp)
        Authority.create(folder / "authority", sample.REGION, sample.REGION_NAME)
        Fleet(folder / "kits.db").close()
        numbers = list(range(kits))
        batches = [numbers[at : at + BATCH] for at in range(0, kits, BATCH)]
        with ProcessPoolExecutor(
            processes, multiprocessing.get_context("spawn"), enrol_kits.open_bench, (folder, kits)
        ) as pool:
            for batch in as_completed([pool.submit(enrol_kits.ready_some, b) for b in batches]):
                some, seconds = batch.result()
                told += some
                bare.append(seconds)
                done(len(some))
        election = enrol_kits.make_election(kits)
        with Fleet(folder / "kits.db", create=False) as fleet:
            faults = compare(fleet, election.number, sorted(election.stations), told)
            keys = fleet.rows("SELECT count(DISTINCT key) FROM keys")[0][0]
            known = len(fleet.kits())
    return Result(_rows(told, bare, processes), processes, known, keys, faults)


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _rows(told: list[Told], bare: list[float], processes: int) -> list[Row]:
    times = [one.seconds for one in told]
    middle, yardstick = median(times), median(bare)
    late = quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else middle
    hourly = 3600 * processes
    mean = sum(times) / len(times)
    return [
        Row("a kit, from its check to the register, median", middle, yardstick, "s", YARDSTICK),
        Row("the same, 95th percentile", late, yardstick, "s", YARDSTICK),
        Row(f"kits on {processes} cores", hourly / mean, hourly / yardstick, "/h", YARDSTICK),
    ]


def compare(fleet: Fleet, election: int, stations: list[int], told: list[Told]) -> list[str]:
    """Where the register differs from what the chips say: each kit, key and station just once."""
    faults = []

    def same(what: str, held: list, said: list) -> None:
        held, said = sorted(held), sorted(said)
        if held != said:
            wrong = sum(a != b for a, b in zip(held, said, strict=False))
            faults.append(
                f"{what}: register {len(held)}, chips {len(said)}, {wrong} in another place"
            )
        if len(set(held)) != len(held):
            faults.append(f"{what}: one is in the register twice")

    same("kits and chips", [(r["id"], r["serial"]) for r in fleet.kits()],
         [(one.kit, one.serial) for one in told])  # fmt: skip
    keys = fleet.rows("SELECT kit, mode, key FROM keys")
    same("keys of kits", [tuple(row) for row in keys],
         [(one.kit, mode, key) for one in told for mode, key in one.keys.items()])  # fmt: skip
    same("distinct keys", [row["key"] for row in keys],
         [key for one in told for key in one.keys.values()])  # fmt: skip
    serving = fleet.serving(election)
    same("kits at stations", [(r["kit"], r["station"]) for r in serving if r["readied"]],
         [(one.kit, one.station) for one in told if one.election == election])  # fmt: skip
    same("stations", [row["station"] for row in serving], stations)
    same("keys for the bundle", fleet.entries(election),
         [(one.keys["live"], one.station) for one in told])  # fmt: skip
    return faults
