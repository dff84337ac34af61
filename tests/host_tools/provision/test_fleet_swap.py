"""A kit is broken or lost on the way: a spare takes its place, signed, and the bundles say so."""

import pytest

from firmware import record
from host_tools.provision import bundle as bundles
from host_tools.provision import sample
from host_tools.provision.assignment import (
    Assignment,
    AssignmentError,
    build_assignment,
    verify_assignment,
)  # fmt: skip
from host_tools.provision.election import Election
from host_tools.provision.fleet import Fleet, FleetError
from host_tools.provision.fleet_count import count
from host_tools.provision.keys import SoftwareKey
from tests.host_tools.provision.fleet_support import (
    ELECTION,
    NOW,
    STATION,
    dump,
    enrolled,
    kid_of,
)  # fmt: skip

AUTHORITY = SoftwareKey.generate()
PINNED = AUTHORITY.public_key()
PILKADA: Election = sample.load("pilkada")
POINTS = {name: SoftwareKey.generate().public_key() for name in ("KIT-1", "KIT-2", "S-1", "S-2")}


def kit(name, station=STATION):
    """An enrolled kit whose live key is a point of the curve, as a bundle needs it."""
    return enrolled(name, station, keys={"live": POINTS[name]})


def kid(name):
    return record.kid_of(POINTS[name])


@pytest.fixture
def fleet(tmp_path):
    with Fleet(tmp_path / "kits.db", clock=lambda: NOW) as fleet:
        fleet.add(kit("KIT-1"))
        fleet.add(kit("KIT-2", STATION + 1))
        fleet.add(kit("S-1", 0))
        fleet.add(kit("S-2", 0))
        yield fleet


def swap(fleet, old="KIT-1", new="S-1", reason="broken", station=STATION, signer=AUTHORITY):
    return fleet.swap(ELECTION, station, old, new, reason, signer, "CONTOH")


def bundle(fleet):
    raw = bundles.build_bundle(
        version=1, election=ELECTION, region=1607, issued=NOW, next_issue=NOW + 1,
        entries=fleet.entries(ELECTION), revoked=fleet.revoked(ELECTION), signer=AUTHORITY,
    )  # fmt: skip
    return bundles.verify_bundle(raw, PINNED, ELECTION)


def refused(fleet, match, **words):
    before = dump(fleet)
    with pytest.raises(FleetError, match=match):
        swap(fleet, **words)
    assert dump(fleet) == before


def test_a_swap_is_signed_closes_the_old_assignment_and_keeps_it(fleet):
    number, raw = swap(fleet)
    assert number == 1
    assert verify_assignment(raw, PINNED) == Assignment(
        ELECTION, STATION, kid("S-1"), kid("KIT-1"), 2, NOW
    )
    (old,) = fleet.story("KIT-1")["assignments"]
    assert (old["station"], old["until"], old["record"]) == (STATION, NOW, None)
    waiting, new = fleet.story("S-1")["assignments"]
    assert (waiting["station"], waiting["until"]) == (0, NOW)
    assert (new["station"], new["until"], new["record"]) == (STATION, None, raw)
    assert {row["who"] for row in fleet.story("S-1")["events"]} == {"", "CONTOH"}


def test_the_next_bundle_lists_the_spare_at_its_station_and_the_broken_kit_still(fleet):
    before = bundle(fleet)
    assert [before.station(kid(name)) for name in ("KIT-1", "S-1", "S-2")] == [STATION, 0, 0]
    swap(fleet)
    after = bundle(fleet)
    stations = [after.station(kid(name)) for name in ("KIT-1", "KIT-2", "S-1", "S-2")]
    assert stations == [STATION, STATION + 1, STATION, 0]
    assert after.revocations() == []


def test_the_next_bundle_lists_a_lost_kits_key_as_revoked(fleet):
    swap(fleet, reason="lost")
    assert bundle(fleet).revocations() == [kid("KIT-1")]
    assert bundle(fleet).station(kid("KIT-1")) == STATION
    assert fleet.revocations() == [(kid("KIT-1"), NOW, 1)]
    fleet.lost("S-2")
    assert bundle(fleet).revocations() == sorted([kid("KIT-1"), kid("S-2")])


def test_a_kit_reported_lost_first_is_swapped_afterwards(fleet):
    fleet.lost("KIT-1")
    refused(fleet, "reported lost: its keys stay revoked", reason="broken")
    swap(fleet, reason="lost")
    assert [row["kit"] for row in fleet.serving(ELECTION) if row["station"] == STATION] == ["S-1"]


def test_the_same_swap_again_signs_nothing_twice(fleet):
    first = swap(fleet)
    before = dump(fleet)
    assert swap(fleet) == first
    assert dump(fleet) == before


def test_a_second_swap_at_a_station_has_the_next_number(fleet):
    swap(fleet)
    number, raw = swap(fleet, old="S-1", new="S-2", reason="lost")
    assert number == 2
    assert verify_assignment(raw, PINNED).replaces == kid("S-1")
    assert bundle(fleet).station(kid("S-2")) == STATION


def test_a_swapped_in_spare_counts_only_when_it_was_readied_for_the_station(fleet):
    fleet.seal("S-1")
    assert count(fleet, PILKADA).spares == 2
    swap(fleet)
    counted = count(fleet, PILKADA)
    assert counted.why[f"{STATION:013d}"] == "kit S-1 is not readied for it"
    assert counted.spares == 1
    fleet.check(ELECTION, STATION, "S-1")
    fleet.add(kit("S-1"))
    assert f"{STATION:013d}" not in count(fleet, PILKADA).why
    fleet.seal("S-1")
    assert count(fleet, PILKADA).total.sealed == 1


def test_stations_are_counted_by_subdistrict_against_the_election(fleet):
    fleet.seal("KIT-2")
    fleet.add(enrolled("KIT-9", 1607012001999))
    fleet.broken("KIT-1")
    counted = count(fleet, PILKADA)
    total = counted.total
    assert total.stations == len(PILKADA.stations) == total.ready + total.sealed + total.missing
    assert (total.ready, total.sealed) == (0, 1)
    assert sum(one.stations for one in counted.subdistricts.values()) == total.stations
    assert counted.subdistricts["160701"].sealed == 1
    assert counted.why[f"{STATION:013d}"] == "kit KIT-1 is broken"
    assert list(counted.why.values()).count("no kit") == total.missing - 1
    assert counted.elsewhere == {"1607012001999": "KIT-9"}


def test_every_swap_that_cannot_be_is_refused_and_leaves_no_trace(fleet):
    refused(fleet, "has kit KIT-1, not KIT-2", old="KIT-2")
    refused(fleet, "has no kit, not KIT-1", station=STATION + 5)
    refused(fleet, "has no kit", station=0, old="S-2")
    refused(fleet, "KIT-2 is already at station", new="KIT-2")
    refused(fleet, "cannot take its own place", new="KIT-1")
    refused(fleet, "KIT-7 is not in the register", new="KIT-7")
    fleet.add(enrolled("S-3", 0, ELECTION + 1_000_000, keys={"training": bytes(64)}))
    refused(fleet, "S-3 has no live key", new="S-3")
    fleet.broken("S-1")
    refused(fleet, "S-1 is broken, not a spare")
    fleet.lost("S-1")
    refused(fleet, "S-1 was reported lost")


def test_a_reason_that_no_swap_has_or_a_signer_that_fails_leaves_no_trace(fleet):
    before = dump(fleet)
    for reason in ("stolen", "out of use"):
        with pytest.raises(FleetError, match="neither lost nor broken"):
            swap(fleet, reason=reason)

    class Failing(SoftwareKey):
        def sign(self, digest):
            return b"\xff" * 64

    with pytest.raises(AssignmentError):
        swap(fleet, signer=Failing(AUTHORITY.private))
    assert dump(fleet) == before


def test_a_kit_that_serves_in_another_election_may_stand_in(fleet):
    fleet.add(enrolled("T-1", STATION + 1, ELECTION + 1_000_000))
    _, raw = swap(fleet, new="T-1")
    assert verify_assignment(raw, PINNED).kit == kid_of("T-1")
    (row,) = fleet.rows("SELECT state, election FROM kits WHERE id = 'T-1'")
    assert tuple(row) == ("ready", ELECTION + 1_000_000)
    counted = count(fleet, PILKADA)
    assert counted.why[f"{STATION:013d}"] == "kit T-1 is not readied for it"


def test_an_assignment_by_another_key_altered_or_of_another_kind_is_refused():
    good = Assignment(ELECTION, STATION, b"a" * 8, b"b" * 8, 1, NOW)
    raw = build_assignment(good, AUTHORITY)
    assert verify_assignment(raw, PINNED) == good
    with pytest.raises(AssignmentError, match="not this authority's"):
        verify_assignment(raw, SoftwareKey.generate().public_key())
    at = raw.index(b"a" * 8)
    with pytest.raises(AssignmentError, match="was altered"):
        verify_assignment(raw[:at] + b"A" + raw[at + 1 :], PINNED)
    with pytest.raises(AssignmentError, match="not a signed assignment"):
        verify_assignment(raw[:-1], PINNED)
    head = [record.REVOCATION, 1, 1607, NOW, []]
    other = record.assemble(head, AUTHORITY.kid(), AUTHORITY.sign)
    with pytest.raises(AssignmentError, match="of kind 33"):
        verify_assignment(other, PINNED)


@pytest.mark.parametrize(
    "change", [{"station": 0}, {"station": 10**13}, {"reason": 0}, {"reason": 5}, {"kit": b"b" * 8}]
)
def test_an_assignment_that_says_what_cannot_be_is_neither_made_nor_read(change):
    facts = {"election": ELECTION, "station": STATION, "kit": b"a" * 8, "replaces": b"b" * 8}
    wrong = Assignment(**{**facts, "reason": 1, "issued": NOW, **change})
    with pytest.raises(AssignmentError):
        build_assignment(wrong, AUTHORITY)
    payload = [record.ASSIGNMENT, wrong.election, wrong.station, wrong.kit, wrong.replaces]
    raw = record.assemble([*payload, wrong.reason, NOW], AUTHORITY.kid(), AUTHORITY.sign)
    with pytest.raises(AssignmentError):
        verify_assignment(raw, PINNED)
