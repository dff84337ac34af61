"""One process of `saksi bench enrol`: readies kits on the bench, and asks their chips afterwards.

A kit is the firmware's own Enrolment on an emulated ATECC608, at the end of a socket.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from firmware import cbor
from firmware.enrol import MODES, read_package
from host_tools.kit.atecc608 import SERIAL
from host_tools.kit.bench_kit import BenchKit
from host_tools.provision import sample
from host_tools.provision.authority import Authority
from host_tools.provision.election import Election, Station
from host_tools.provision.enrol import enrol
from host_tools.provision.fleet import Fleet
from host_tools.provision.pins import make_pins

A_VILLAGE = 999  # stations at most: the last three digits of a code


@dataclass(frozen=True)
class Told:
    """A kit's time to the register in seconds, and what its chip and its flash say of it then."""

    kit: str
    serial: str
    keys: dict[str, bytes]
    election: int
    station: int
    seconds: float


def make_election(kits: int) -> Election:
    """The sample election with one station a kit, in the sample's villages."""
    election = sample.load("pilkada")
    villages = {station.code // 1000: station for station in election.stations.values()}
    if kits > A_VILLAGE * len(villages):
        raise ValueError(f"at most {A_VILLAGE * len(villages)} kits")
    stations = {}
    for number in range(kits):
        village = sorted(villages)[number // A_VILLAGE]
        code = village * 1000 + 1 + number % A_VILLAGE
        like = villages[village]
        stations[code] = Station(code, like.regions, dict(like.dpt))
    return replace(election, stations=stations)


def serial_of(number: int) -> bytes:
    """The chip's serial number, 9 B: the maker's first two and last stay."""
    return SERIAL[:2] + number.to_bytes(6) + SERIAL[8:]


class Bench:
    """This process's hold of the authority, the register and the election in `folder`."""

    def __init__(self, folder: Path, kits: int):
        self.folder = folder
        self.election = make_election(kits)
        self.stations = sorted(self.election.stations)
        self.authority = Authority(folder / "authority", sample.REGION)
        self.fleet = Fleet(folder / "kits.db", create=False)

    def ready(self, number: int) -> Told:
        """Ready kit `number` for its station; the time counts from its check to the register."""
        kit_id, station = f"KIT-{number:05d}", self.stations[number]
        folder = self.folder / kit_id
        kit = BenchKit(folder, serial_of(number))
        cable = kit.plug()
        start = time.perf_counter()
        self.fleet.check(self.election.number, station, kit_id)
        done = enrol(
            cable, self.authority, self.election, station, kit_id, pins=make_pins(), start=True
        )
        self.fleet.add(done, by=f"bench {number}")
        seconds = time.perf_counter() - start
        cable.sock.close()
        return self.ask(folder, kit_id, seconds)

    def ask(self, folder: Path, kit_id: str, seconds: float) -> Told:
        """What a kit started anew from its chip and its flash says of itself."""
        kit = BenchKit(folder)
        live = kit.signers["live"]
        held = read_package(str(folder), kit.setup.authority_key(), live.verify)
        return Told(
            kit=kit_id,
            serial=live.serial().hex().upper(),
            keys={mode: kit.signers[mode].public_key() for mode in MODES},
            election=held.election,
            station=held.station,
            seconds=seconds,
        )

    def bare(self, number: int) -> float:
        """Seconds of the chip's work alone: configured, locked, two requests signed."""
        kit = BenchKit(self.folder / f"bare-{number:05d}", serial_of(number))
        start = time.perf_counter()
        kit.setup.configure()
        for mode in MODES:
            kit.enrolment.request(cbor.encode([mode, "KIT-BARE"]))
        return time.perf_counter() - start


_bench: list[Bench] = []


def open_bench(folder: Path, kits: int) -> None:
    """For a new process of the pool."""
    _bench.append(Bench(folder, kits))


def ready_some(numbers: list[int]) -> tuple[list[Told], float]:
    """The kits of these numbers, and the bare work of one more chip in between."""
    (bench,) = _bench
    half = len(numbers) // 2
    told = [bench.ready(number) for number in numbers[:half]]
    bare = bench.bare(numbers[0])
    return told + [bench.ready(number) for number in numbers[half:]], bare
