"""How far a store is: the stations of an election, ready, sealed or missing, by subdistrict."""

from dataclasses import asdict, dataclass, field
from typing import Any

from host_tools.provision.bundle import SPARE
from host_tools.provision.election import Election
from host_tools.provision.fleet import Fleet


@dataclass
class Subdistrict:
    """Stations of one subdistrict (6-digit code); `missing` has no kit that could go there now."""

    name: str
    stations: int = 0
    ready: int = 0
    sealed: int = 0
    missing: int = 0


@dataclass
class Count:
    """`why`: {station: why it is missing}; `elsewhere`: kits at stations the election lacks."""

    election: int
    total: Subdistrict = field(default_factory=lambda: Subdistrict("total"))
    subdistricts: dict[str, Subdistrict] = field(default_factory=dict)
    spares: int = 0
    why: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return asdict(self)


def count(fleet: Fleet, election: Election) -> Count:
    """The register beside every station that election.toml names."""
    result = Count(election.number)
    there = {}
    for row in fleet.serving(election.number):
        if row["station"] == SPARE:
            result.spares += row["readied"]
        else:
            there[row["station"]] = row
    for code in sorted(election.stations):
        text = f"{code:013d}"
        name = election.stations[code].regions[2]
        place = result.subdistricts.setdefault(text[:6], Subdistrict(name))
        row = there.pop(code, None)
        state = row["state"] if row is not None and row["readied"] else "missing"
        for one in (place, result.total):
            one.stations += 1
            setattr(one, state, getattr(one, state) + 1)
        if state == "missing":
            result.why[text] = _why(row)
    result.elsewhere = {f"{code:013d}": row["kit"] for code, row in sorted(there.items())}
    return result


def _why(row) -> str:
    if row is None:
        return "no kit"
    if row["state"] in ("lost", "broken"):
        return f"kit {row['kit']} is {row['state']}"
    return f"kit {row['kit']} is not readied for it"
