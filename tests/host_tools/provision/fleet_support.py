"""Kits as enrolment reports them, for the tests of the register."""

import hashlib

from firmware import record
from host_tools.provision.enrol import Enrolled
from host_tools.provision.fleet import Fleet, FleetError
from host_tools.provision.fleet_change import mode_of

ELECTION, STATION = 202411, 1607012001001
NOW = 1_790_000_000


def serial_of(kit: str) -> str:
    return "0123" + hashlib.sha256(kit.encode()).hexdigest()[:12].upper() + "EE"


def key_of(kit: str, mode: str) -> bytes:
    """64 B that stand for a key: the register looks at its kid alone."""
    return hashlib.sha512(f"{kit} {mode}".encode()).digest()


def enrolled(kit: str, station: int = STATION, election: int = ELECTION, **other) -> Enrolled:
    facts = {
        "kit_id": kit,
        "serial": serial_of(kit),
        "board": "virtual",
        "firmware": "1.0",
        "election": election,
        "station": station,
        "keys": {mode: key_of(kit, mode) for mode in ("live", "training")},
        "certificates": {},
    }
    return Enrolled(**{**facts, **other})


def kid_of(kit: str, election: int = ELECTION) -> bytes:
    return record.kid_of(key_of(kit, mode_of(election)))


def dump(fleet: Fleet) -> dict[str, list[tuple]]:
    """Everything in the register."""
    tables = ("kits", "keys", "assignments", "reports", "events")
    return {name: [tuple(row) for row in fleet.rows(f"SELECT * FROM {name}")] for name in tables}


def compete(path, name: str, stations: list[int], contested: int) -> str:
    """A technician's process: a kit a station, then one for the station that all want."""
    with Fleet(path) as fleet:
        for station in stations:
            kit = f"{name}-{station % 1000}"
            fleet.check(ELECTION, station, kit)
            fleet.add(enrolled(kit, station), {"outcome": "passed"}, name)
        try:
            fleet.add(enrolled(f"{name}-X", contested), by=name)
        except FleetError as error:
            return str(error)
    return "won"
