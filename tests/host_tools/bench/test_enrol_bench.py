"""The bench of a store's day readies what it says, and notices a register that is not exact."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from host_tools.bench import enrol, enrol_kits
from host_tools.bench.command import app
from host_tools.bench.enrol_kits import Told
from host_tools.provision.fleet import Fleet
from tests.host_tools.provision.fleet_support import ELECTION, STATION, enrolled, key_of, serial_of

STATIONS = [STATION + n for n in range(3)]


def test_twenty_kits_are_readied_by_several_processes_into_an_exact_register():
    outcome = CliRunner().invoke(app, ["enrol", "--kits", "20", "--json"])
    assert outcome.exit_code == 0, outcome.output
    result = json.loads(outcome.stdout)
    assert (result["kits"], result["keys"]) == (20, 40)
    assert result["exact"] and result["faults"] == []
    assert [row["unit"] for row in result["rows"]] == ["s", "s", "/h"]
    assert all(row["figure"] > 0 and row["yardstick"] > 0 for row in result["rows"])


def test_a_thousand_kits_have_a_station_and_a_chip_each():
    election = enrol_kits.make_election(1000)
    assert len(election.stations) == 1000
    assert len({enrol_kits.serial_of(number) for number in range(1000)}) == 1000
    assert {len(enrol_kits.serial_of(number)) for number in (0, 999)} == {9}
    with pytest.raises(ValueError, match="at most"):
        enrol_kits.make_election(10**6)


@pytest.fixture
def fleet(tmp_path):
    with Fleet(tmp_path / "kits.db") as fleet:
        for number, station in enumerate(STATIONS):
            fleet.add(enrolled(f"K{number}", station))
        yield fleet


def told(number: int) -> Told:
    kit = f"K{number}"
    keys = {mode: key_of(kit, mode) for mode in ("live", "training")}
    return Told(kit, serial_of(kit), keys, ELECTION, STATIONS[number], 1.0)


def compared(fleet, *said: Told, stations=tuple(STATIONS)) -> list[str]:
    faults = enrol.compare(fleet, ELECTION, list(stations), list(said))
    return [fault.partition(":")[0] for fault in faults]


def test_a_register_that_differs_from_the_chips_in_anything_is_noticed(fleet):
    a, b, c = (told(number) for number in range(3))
    assert compared(fleet, a, b, c) == []
    assert "kits and chips" in compared(fleet, a, b)
    assert "kits and chips" in compared(fleet, a, b, replace(c, serial=b.serial))
    other = replace(c, keys={**c.keys, "live": key_of("K9", "live")})
    assert {"keys of kits", "keys for the bundle"} <= set(compared(fleet, a, b, other))
    crossed = [replace(b, station=c.station), replace(c, station=b.station)]
    assert compared(fleet, a, *crossed) == ["kits at stations", "keys for the bundle"]
    assert compared(fleet, a, b, replace(c, election=1)) == ["kits at stations"]
    assert compared(fleet, a, b, c, stations=STATIONS[:2]) == ["stations"]
    fleet.broken("K1")
    assert compared(fleet, a, b, c) == ["kits at stations"]
