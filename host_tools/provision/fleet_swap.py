"""A kit goes out of service, and a spare serves in its place by a signed assignment."""

from firmware import record
from host_tools.provision.assignment import REASONS, Assignment, build_assignment
from host_tools.provision.bundle import SPARE
from host_tools.provision.fleet_change import Change, mode_of
from host_tools.provision.fleet_schema import READIED, FleetError

OUT = ("lost", "broken")


def out_of_service(change: Change, kit: str, state: str, by: str) -> None:
    """Mark the kit "lost" (its keys are revoked) or "broken"; lost is for good."""
    if state not in OUT:
        raise FleetError(f"{state} is neither {' nor '.join(OUT)}")
    row = change.kit(kit)
    if row["state"] == "lost" and state != "lost":
        raise FleetError(f"kit {kit} was reported lost: its keys stay revoked")
    change.state(kit, state, by)
    if state == "lost":
        change.revoke(kit, change.now, REASONS["lost"], by)


def swap(
    change: Change,
    election: int,
    station: int,
    kit: str,
    spare: str,
    reason: str,
    signer,
    by: str,
) -> tuple[int, bytes]:
    """(number, signed assignment) of `spare` at the station of `kit`; see Fleet.swap."""
    if done := swapped(change, election, station, kit, spare):
        return done
    there = None if station == SPARE else change.serving(election, station)
    if there is None or there["kit"] != kit:
        now = f"has kit {there['kit']}" if there else "has no kit"
        raise FleetError(f"station {station:013d} {now}, not {kit}")
    new, old = _key(change, spare, election), _key(change, kit, election)
    _may_stand_in(change, election, kit, spare)
    assignment = Assignment(election, station, new, old, REASONS.get(reason, 0), change.now)
    out_of_service(change, kit, reason, by)
    change.end(election, kit, by)
    change.place(election, station, spare, by, signed=build_assignment(assignment, signer))
    row = change.kit(spare)
    if row["election"] == election:
        # It was readied as a spare: the station's package is not on it yet.
        change.state(spare, "new", by)
    done = swapped(change, election, station, kit, spare)
    assert done
    return done


def swapped(
    change: Change, election: int, station: int, kit: str, spare: str
) -> tuple[int, bytes] | None:
    """(number, record) if just this swap is what the station has now, else None."""
    there = change.serving(election, station)
    if station == SPARE or there is None or there["kit"] != spare or there["record"] is None:
        return None
    if record.parse(there["record"]).payload[4] != _key(change, kit, election):
        return None
    return change.signed_so_far(election, station), there["record"]


def _key(change: Change, kit: str, election: int) -> bytes:
    """The kid of the kit's key for this election."""
    change.kit(kit)
    key = change.keys(kit).get(mode_of(election))
    if key is None:
        raise FleetError(f"kit {kit} has no {mode_of(election)} key: enrol it first")
    return key["kid"]


def _may_stand_in(change: Change, election: int, kit: str, spare: str) -> None:
    row = change.kit(spare)
    if spare == kit:
        raise FleetError(f"kit {kit} cannot take its own place")
    if fault := change.chip_fault(spare, None) or change.key_fault(spare, {}):
        raise FleetError(fault)
    here = change.held(election, spare)
    if here is not None and here["station"] != SPARE:
        raise FleetError(f"kit {spare} is already at station {here['station']:013d}")
    if row["state"] not in READIED:
        raise FleetError(f"kit {spare} is {row['state']}, not a spare: enrol it with --spare")
