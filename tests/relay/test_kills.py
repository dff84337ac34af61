"""SIGKILL in mid-upload: of the collector, of the kit. What was acknowledged is there, once.

Three kills in the ordinary run, two hundred in the slow one (`pytest tests/relay -m slow -rP`
prints the counts). Kits and collector are processes of their own, the line is a slow one.
"""

import random
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from firmware import record
from host_tools.bench.relay_day import Collector, Kit, Region, Station, drawn
from host_tools.bench.relay_link import Line, Link

FEW, MANY = 3, 200
KITS = 3
WAIT = 0.05  # s, a kit's first wait: it goes through its real sequence, forty times as fast
LINE = Line(rate=6e6, delay=0.002)
LIMIT = 900  # s, for a hang only


def pages(number: int, sizes: tuple[int, ...]) -> list[bytes]:
    return [drawn(size, 100 * number + n) for n, size in enumerate(sizes)]


@dataclass
class Heard:
    """What one kit was told, over all its processes."""

    station: Station
    kits: list[Kit] = field(default_factory=list)

    def lines(self, word: str) -> list[list[str]]:
        said = [line.split() for kit in self.kits for _, line in kit.said]
        return [parts[1:] for parts in said if parts and parts[0] == word]

    def refused(self) -> list[list[str]]:
        return self.lines("refused")


def stored(data: Path) -> dict[bytes, bytes]:
    """{rec-id: entry} at the collector; fails when anything is there twice."""
    with sqlite3.connect(f"file:{data}/entries.sqlite?mode=ro", uri=True) as db:
        rows = db.execute("SELECT rec_id, entry, kid, seq FROM entries").fetchall()
        conflicts = db.execute("SELECT count(*) FROM conflicts").fetchone()[0]
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert conflicts == 0
    assert len({(kid, seq) for _, _, kid, seq in rows}) == len(rows)
    return {rec_id: entry for rec_id, entry, _, _ in rows}


def check(data: Path, heard: list[Heard]) -> tuple[int, int]:
    """Every kit finished; (entries, photographs) that are at the collector, byte for byte."""
    entries, photographs = stored(data), 0
    journaled = 0
    for one in heard:
        assert one.refused() == []
        journal = one.station.journal()
        results, acknowledged = [], []
        for _, entry, _ in journal.entries():
            assert entries[record.rec_id(entry)] == entry
            parsed = record.parse(entry)
            if parsed.kind != record.EVENT:
                results.append(parsed.rec_id)
            elif parsed.payload[3] == record.ACKNOWLEDGED:
                acknowledged.append(record.parse(parsed.payload[4][0]).payload[1])
        # Each result's acknowledgement is in the journal, and none of them twice.
        assert sorted(acknowledged) == sorted(results)
        journaled += journal.last
        for photo in one.station.pages:
            name = record.sha256(photo).hex()
            assert (data / "photos" / name[:2] / name).read_bytes() == photo
            photographs += 1
        told: dict[str, int] = {}
        for parts in one.lines("offset"):
            # A kit that was killed in mid-line says it again when it goes on.
            if len(parts) == 2 and len(parts[0]) == 64:
                told[parts[0]] = max(told.get(parts[0], 0), int(parts[1]))
        assert sorted(told.values()) == sorted(map(len, one.station.pages))
    assert len(entries) == journaled
    assert sum(path.is_file() for path in (data / "photos").rglob("*")) == photographs
    assert list((data / "partial").iterdir()) == []
    return len(entries), photographs


def kill_the_collector(folder: Path, kills: int) -> str:
    region = Region(folder / "region")
    rounds = max(1, kills // 20)
    sizes = (90_000, 140_000, 180_000, 260_000)
    stations = [
        Station(region, folder / f"kit-{n}", n, pages(n, sizes)) for n in range(KITS * rounds)
    ]
    heard = [Heard(station) for station in stations]
    chance = random.Random(11)
    options, data, port, done = region.options(), folder / "data", 0, 0
    waiting = list(heard)
    running: list[Heard] = []
    link = None
    end = time.monotonic() + LIMIT
    while done < kills or waiting or running:
        assert time.monotonic() < end
        collector = Collector(data, options, port)
        port = collector.port
        link = link or Link(("127.0.0.1", port), LINE)
        while len(running) < KITS and waiting:
            one = waiting.pop(0)
            one.kits.append(one.station.start(link.port, WAIT, 5))
            running.append(one)
        last = done >= kills
        time.sleep(chance.uniform(0.02, 0.35) if not last else 0.2)
        if not last and running:
            collector.kill()
            done += 1
        else:
            for one in running:
                assert one.kits[-1].when(lambda line: line.startswith("done"), 120)
            collector.stop()
        running = [one for one in running if one.kits[-1].process.poll() is None]
        if done < kills and not running and not waiting:
            break
    if link:
        link.close()
    entries, photographs = check(data, heard)
    for station in stations:
        station.close()
    return (
        f"{done} kills of the collector: {len(stations)} kits, {entries} entries and {photographs}"
        " photographs there once, none lost"
    )


def kill_the_kit(folder: Path, kills: int) -> str:
    region = Region(folder / "region")
    chance = random.Random(12)
    rounds = max(1, kills // 10)
    sizes = (60_000, 110_000, 200_000)
    stations = [Station(region, folder / f"kit-{n}", n, pages(n, sizes)) for n in range(rounds)]
    heard = [Heard(station) for station in stations]
    collector = Collector(folder / "data", region.options())
    done = 0
    with Link(("127.0.0.1", collector.port), LINE) as link:
        for number, one in enumerate(heard):
            share = kills * (number + 1) // rounds
            while done < share:
                kit = one.station.start(link.port, WAIT, 5)
                one.kits.append(kit)
                if kit.when(lambda line: line.startswith("ready"), 60) is None:
                    raise AssertionError(kit.said)
                time.sleep(chance.uniform(0.0, 0.12))
                if kit.process.poll() is not None:
                    break
                kit.kill()
                done += 1
            one.kits.append(one.station.start(link.port, WAIT, 5))
            assert one.kits[-1].when(lambda line: line.startswith("done"), 120), one.kits[-1].said
    collector.stop()
    entries, photographs = check(folder / "data", heard)
    for station in stations:
        station.close()
    return (
        f"{done} kills of the kit: {len(stations)} kits, {entries} entries and {photographs}"
        " photographs there once, each result's acknowledgement journaled once"
    )


@pytest.mark.parametrize("kills", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_a_killed_collector_loses_nothing_that_it_acknowledged(tmp_path, kills):
    told = kill_the_collector(tmp_path, kills)
    print(told)
    assert told.startswith(f"{kills} ")


@pytest.mark.parametrize("kills", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_a_killed_kit_goes_on_where_it_was(tmp_path, kills):
    told = kill_the_kit(tmp_path, kills)
    print(told)
    assert told.startswith(f"{kills} ")
