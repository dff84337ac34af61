"""The register as CSV: out and in again, exact; and the CSV that it replaces."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.provision import fleet_csv
from host_tools.provision.fleet import Fleet, FleetError
from host_tools.provision.keys import SoftwareKey
from tests.host_tools.provision.fleet_support import (
    ELECTION,
    STATION,
    dump,
    enrolled,
    key_of,
    serial_of,
)  # fmt: skip

ELECTIONS = (ELECTION, ELECTION + 1_000_000, 202402)
AUTHORITY = SoftwareKey.generate()
HEAD = ",".join(fleet_csv.EARLIER)

KITS = st.sampled_from([f'KIT "{n}", A' for n in range(5)])
ELECTED = st.sampled_from([ELECTION, *ELECTIONS])
STATIONS = st.sampled_from([0, 0, *range(STATION, STATION + 4)])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12)
ADD = st.tuples(
    st.just("add"), KITS, ELECTED, STATIONS, st.sampled_from([None, None, "passed", "failed"])
)
STEPS = st.one_of(
    ADD,
    st.tuples(st.sampled_from(["seal", "seal", "broken", "lost"]), KITS),
    st.tuples(st.just("label"), KITS, TEXTS),
    st.tuples(st.just("swap"), KITS, ELECTED, st.sampled_from(["lost", "broken"])),
)
DAYS = st.tuples(st.lists(ADD, min_size=3, max_size=9), st.lists(STEPS, max_size=16))


def play(fleet: Fleet, step: tuple) -> None:
    what, kit, *rest = step
    if what == "add":
        election, station, outcome = rest
        report = None if outcome is None else {"outcome": outcome}
        fleet.add(enrolled(kit, station, election), report, "CONTOH")
    elif what == "label":
        fleet.label(kit, rest[0])
    elif what == "swap":
        election, reason = rest
        for row in fleet.serving(election):
            if row["station"] and row["kit"] != kit:
                fleet.swap(election, row["station"], row["kit"], kit, reason, AUTHORITY)
    else:
        getattr(fleet, what)(kit)


@settings(max_examples=80, deadline=None)
@given(day=DAYS)
def test_whatever_befell_a_fleet_its_csv_comes_back_exact_and_its_rules_hold(day):
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp)
        time = iter(range(1_790_000_000, 1_800_000_000))
        with (
            Fleet(folder / "a.db", clock=lambda: next(time)) as fleet,
            Fleet(folder / "b.db") as copy,
        ):
            for step in day[0] + day[1]:
                before = dump(fleet)
                try:
                    play(fleet, step)
                except FleetError:
                    # One refused swap of several may come after one that was done.
                    assert step[0] == "swap" or dump(fleet) == before
                after = dump(fleet)
                assert after["events"][: len(before["events"])] == before["events"]
                assert after["kits"] == before["kits"] or len(after["events"]) > len(
                    before["events"]
                )
            path = folder / "kits.csv"
            path.write_text(fleet_csv.to_csv(fleet_csv.lines(fleet)))
            found = fleet_csv.take_in(copy, path)
            assert found["kits"] == len(fleet.kits())
            assert fleet_csv.to_csv(fleet_csv.lines(copy)) == path.read_text()
            for table in ("kits", "keys"):
                assert dump(copy)[table] == dump(fleet)[table]
            for election in ELECTIONS:
                entries = fleet.entries(election)
                assert sorted(copy.entries(election)) == sorted(entries)
                assert copy.revoked(election) == fleet.revoked(election)
                assert len({key for key, _ in entries}) == len(entries)
                serving = [row["station"] for row in fleet.serving(election) if row["station"]]
                assert len(set(serving)) == len(serving)
            lost = "SELECT k.* FROM keys k JOIN kits t ON t.id = k.kit WHERE t.state = 'lost'"
            assert all(row["revoked"] is not None for row in fleet.rows(lost))
            before = dump(copy)
            assert fleet_csv.take_in(copy, path)["kits"] == 0
            assert dump(copy) == before


@pytest.fixture
def fleet(tmp_path):
    with Fleet(tmp_path / "kits.db") as fleet:
        yield fleet


def write(tmp_path, *lines):
    path = tmp_path / "kits.csv"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def earlier(kit, station=STATION, election=ELECTION, mode="live", key=None):
    key = key or key_of(kit, mode)
    return f"{election},{station:013d},{kit},{serial_of(kit)},{mode},{key.hex()}"


def test_the_csv_of_earlier_versions_is_taken_over(fleet, tmp_path):
    training = earlier("KIT-1", election=ELECTION + 1_000_000, mode="training")
    path = write(tmp_path, HEAD, training, earlier("KIT-1"), earlier("KIT-2", STATION + 1))
    assert fleet_csv.take_in(fleet, path, "CONTOH") == {"lines": 3, "kits": 2}
    assert fleet.entries(ELECTION) == [
        (key_of("KIT-1", "live"), STATION), (key_of("KIT-2", "live"), STATION + 1),
    ]  # fmt: skip
    assert [row["readied"] for row in fleet.serving(ELECTION)] == [1, 1]
    assert fleet.story("KIT-2")["events"][0]["what"] == "imported"
    before = dump(fleet)
    assert fleet_csv.take_in(fleet, path) == {"lines": 3, "kits": 0}
    assert dump(fleet) == before
    text = fleet_csv.to_csv(fleet_csv.lines(fleet))
    assert text.startswith(HEAD + ",state,")
    assert [line.startswith(earlier("KIT-1")) for line in text.splitlines()].count(True) == 1


def test_an_earlier_csv_says_nothing_new_of_a_kit_that_was_swapped_since(fleet, tmp_path):
    path = write(tmp_path, HEAD, earlier("KIT-1"))
    fleet_csv.take_in(fleet, path)
    fleet.add(enrolled("SPARE", 0))
    fleet.swap(ELECTION, STATION, "KIT-1", "SPARE", "broken", AUTHORITY)
    before = dump(fleet)
    fleet_csv.take_in(fleet, path)
    assert dump(fleet) == before


def full(kit, station=STATION, **other):
    facts = {"state": "ready", "board": "b", "firmware": "f", "label": "", "since": 1, "until": ""}
    facts |= {"revoked": "", "reason": ""} | other
    return f"{earlier(kit, station)},{','.join(str(value) for value in facts.values())}"


FULL_HEAD = ",".join(fleet_csv.COLUMNS)


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        ([HEAD, f"{ELECTION},{STATION},K,S,live,00"], r"kits\.csv line 2: is not election"),
        ([HEAD, earlier("A"), earlier("B")], r"line 3: station 1607012001001 already has kit A"),
        ([HEAD, earlier("A"), earlier("A", STATION + 1)], "A is already at station"),
        ([HEAD, earlier("A"), earlier("B", STATION + 1, key=key_of("A", "live"))], "that of kit A"),
        ([HEAD, earlier("A", 0)], "line 2: is not"),
        ([HEAD, earlier("A", mode="training")], "line 2: is not"),
        (["election,station"], "the header must be"),
        ([FULL_HEAD, full("A"), full("B")], r"line 3: station 1607012001001 already has kit A"),
        ([FULL_HEAD, full("A", state="sold")], "line 2: is not"),
        ([FULL_HEAD, full("A", since="")], "line 2: is not"),
        ([FULL_HEAD, full("A", state="lost")], "A is lost, so its keys must be revoked"),
        ([FULL_HEAD, full("A", state="spare")], "kit A cannot be so"),
        ([FULL_HEAD, full("A", revoked=5)], "kit A cannot be so"),
        ([FULL_HEAD, full("A", until=5)], "lines of kit A contradict each other"),
        ([FULL_HEAD, full("A"), full("A", label="other")], "contradict each other"),
        ([FULL_HEAD, full("A"), full("A")], "contradict each other"),
        ([FULL_HEAD, full("HERE", STATION + 7)], "HERE is in the register already, and differs"),
        ([FULL_HEAD, full("A", STATION + 8)], "already has kit HERE"),
    ],
)  # fmt: skip
def test_a_file_that_contradicts_itself_or_the_register_changes_nothing(
    fleet, tmp_path, lines, match
):
    fleet.add(enrolled("HERE", STATION + 8))
    before = dump(fleet)
    with pytest.raises(FleetError, match=match):
        fleet_csv.take_in(fleet, write(tmp_path, *lines))
    assert dump(fleet) == before


def test_every_fault_of_a_file_is_listed(fleet, tmp_path):
    path = write(tmp_path, FULL_HEAD, full("A"), full("B"), full("C"), full("D", STATION + 1))
    with pytest.raises(FleetError) as caught:
        fleet_csv.take_in(fleet, path)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "kits.csv line 3", "kits.csv line 4",
    ]  # fmt: skip
    with pytest.raises(FleetError, match="cannot be read"):
        fleet_csv.take_in(fleet, tmp_path / "nowhere.csv")
