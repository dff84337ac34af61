"""The register: what it takes in, what it refuses, and that it forgets nothing."""

import sqlite3

import pytest

from host_tools.provision.fleet import Fleet, FleetError
from host_tools.provision.fleet_schema import VERSION
from tests.host_tools.provision.fleet_support import (
    ELECTION,
    NOW,
    STATION,
    dump,
    enrolled,
    key_of,
    kid_of,
    serial_of,
)  # fmt: skip

TRAINING = ELECTION + 1_000_000


@pytest.fixture
def fleet(tmp_path):
    with Fleet(tmp_path / "kits.db", clock=lambda: NOW) as fleet:
        yield fleet


def state(fleet, kit):
    (row,) = fleet.rows("SELECT state FROM kits WHERE id = ?", kit)
    return row["state"]


def refused(fleet, match, action):
    """`action` is refused, and leaves no trace."""
    before = dump(fleet)
    with pytest.raises(FleetError, match=match) as caught:
        action()
    assert "\n" not in str(caught.value)
    assert dump(fleet) == before


def test_an_enrolled_kit_is_known_with_keys_place_report_and_history(fleet):
    report = {"outcome": "passed", "checks": [[1, 1], [2, 1]]}
    fleet.add(enrolled("KIT-1"), report, "CONTOH A")
    story = fleet.story("KIT-1")
    assert story["kits"][0]["state"] == "ready"
    assert {row["mode"]: row["key"] for row in story["keys"]} == {
        mode: key_of("KIT-1", mode) for mode in ("live", "training")
    }
    (place,) = story["assignments"]
    assert (place["election"], place["station"], place["until"]) == (ELECTION, STATION, None)
    assert story["reports"][0]["json"] == '{"outcome": "passed", "checks": [[1, 1], [2, 1]]}'
    assert [row["what"] for row in story["events"]] == [
        "enrolled", "key", "key", "assigned", "ready", "report",
    ]  # fmt: skip
    assert {(row["time"], row["who"]) for row in story["events"]} == {(NOW, "CONTOH A")}
    assert fleet.entries(ELECTION) == [(key_of("KIT-1", "live"), STATION)]


def test_the_same_kit_again_adds_nothing(fleet):
    fleet.add(enrolled("KIT-1"))
    before = dump(fleet)
    fleet.add(enrolled("KIT-1"))
    assert dump(fleet) == before


def test_a_kit_whose_parts_failed_is_known_but_not_ready_until_they_pass(fleet):
    fleet.add(enrolled("KIT-1"), {"outcome": "failed"})
    assert state(fleet, "KIT-1") == "new"
    refused(fleet, "is new, not ready", lambda: fleet.seal("KIT-1"))
    fleet.add(enrolled("KIT-1"), {"outcome": "passed"})
    assert state(fleet, "KIT-1") == "ready"
    assert len(fleet.story("KIT-1")["reports"]) == 2


def test_a_sealed_kit_that_is_enrolled_again_has_to_be_sealed_again(fleet):
    fleet.add(enrolled("KIT-1"))
    fleet.seal("KIT-1", "CONTOH B")
    assert state(fleet, "KIT-1") == "sealed"
    fleet.add(enrolled("KIT-1", firmware="1.1"))
    assert state(fleet, "KIT-1") == "ready"
    assert [row["what"] for row in fleet.story("KIT-1")["events"]][-3:] == [
        "sealed", "firmware", "ready",
    ]  # fmt: skip


def test_a_kit_serves_in_training_and_in_the_election_with_its_two_keys(fleet):
    fleet.add(enrolled("KIT-1", election=TRAINING))
    fleet.add(enrolled("KIT-1"))
    assert fleet.entries(TRAINING) == [(key_of("KIT-1", "training"), STATION)]
    assert fleet.entries(ELECTION) == [(key_of("KIT-1", "live"), STATION)]
    assert [row["readied"] for row in fleet.serving(TRAINING)] == [0]
    assert [row["readied"] for row in fleet.serving(ELECTION)] == [1]


def test_a_spare_is_listed_for_no_station_and_may_take_a_free_one(fleet):
    fleet.add(enrolled("SPARE-1", 0))
    assert state(fleet, "SPARE-1") == "spare"
    assert fleet.entries(ELECTION) == [(key_of("SPARE-1", "live"), 0)]
    fleet.check(ELECTION, STATION, "SPARE-1")
    fleet.add(enrolled("SPARE-1", STATION))
    assert fleet.entries(ELECTION) == [(key_of("SPARE-1", "live"), STATION)]


def test_attack_a_station_assigned_twice_is_refused_on_every_way(fleet):
    fleet.add(enrolled("KIT-1"))
    match = "station 1607012001001 already has kit KIT-1"
    refused(fleet, match, lambda: fleet.check(ELECTION, STATION, "KIT-2"))
    refused(fleet, match, lambda: fleet.add(enrolled("KIT-2")))
    fleet.add(enrolled("KIT-2", STATION + 1))
    before = dump(fleet)
    with sqlite3.connect(fleet.path) as other, pytest.raises(sqlite3.IntegrityError):
        other.execute(
            "INSERT INTO assignments (election, station, kit, since, by) VALUES (?, ?, ?, 1, '')",
            (ELECTION, STATION, "KIT-2"),
        )
    other.close()
    assert dump(fleet) == before


def test_a_kit_at_two_stations_is_refused(fleet):
    fleet.add(enrolled("KIT-1"))
    match = "KIT-1 is already at station 1607012001001"
    refused(fleet, match, lambda: fleet.check(ELECTION, STATION + 1, "KIT-1"))
    refused(fleet, match, lambda: fleet.add(enrolled("KIT-1", STATION + 1)))
    refused(fleet, match, lambda: fleet.add(enrolled("KIT-1", 0)))
    fleet.check(202402, STATION + 1, "KIT-1")


def test_a_chip_under_two_kit_ids_is_refused(fleet):
    fleet.add(enrolled("KIT-1"))
    serial = serial_of("KIT-1")
    match = f"chip {serial} is already that of kit KIT-1"
    refused(fleet, match, lambda: fleet.check(ELECTION, STATION + 1, "KIT-2", serial))
    refused(fleet, match, lambda: fleet.add(enrolled("KIT-2", STATION + 1, serial=serial)))
    fleet.check(ELECTION, STATION + 1, "KIT-2", serial_of("KIT-2"))


def test_a_kit_id_on_another_chip_is_refused(fleet):
    fleet.add(enrolled("KIT-1"))
    match = "kit KIT-1 has chip .*, this one has"
    refused(fleet, match, lambda: fleet.check(ELECTION, STATION, "KIT-1", serial_of("KIT-9")))
    refused(fleet, match, lambda: fleet.add(enrolled("KIT-1", serial=serial_of("KIT-9"))))


def test_a_key_of_another_kit_or_mode_is_refused(fleet):
    fleet.add(enrolled("KIT-1"))
    live, training = (key_of("KIT-1", mode) for mode in ("live", "training"))
    for keys, match in (
        ({"live": live}, r"already that of kit KIT-1 \(live\)"),
        ({"live": training}, r"already that of kit KIT-1 \(training\)"),
        ({"live": key_of("KIT-2", "live")} | {"training": key_of("KIT-2", "live")}, "both modes"),
        ({"live": b"short"}, "5 bytes"),
    ):
        kit = enrolled("KIT-2", STATION + 1, keys=keys)
        refused(fleet, match, lambda kit=kit: fleet.add(kit))
    changed = enrolled("KIT-1", keys={"live": key_of("KIT-9", "live")})
    refused(fleet, "another live key than before", lambda: fleet.add(changed))


def test_a_lost_kit_is_never_taken_again_not_even_under_another_id(fleet):
    fleet.add(enrolled("KIT-1"))
    fleet.lost("KIT-1", "CONTOH A")
    match = "KIT-1 was reported lost and its keys are revoked"
    refused(fleet, match, lambda: fleet.check(ELECTION, STATION, "KIT-1"))
    refused(fleet, match, lambda: fleet.add(enrolled("KIT-1")))
    renamed = enrolled("KIT-2", STATION + 1, serial=serial_of("KIT-1"))
    refused(fleet, "which was reported lost", lambda: fleet.add(renamed))
    refused(fleet, "is lost, not ready", lambda: fleet.seal("KIT-1"))
    refused(fleet, "was reported lost", lambda: fleet.broken("KIT-1"))


def test_a_revoked_key_keeps_its_kit_out_although_it_is_not_lost(fleet):
    fleet.add(enrolled("KIT-1"))
    with fleet.change() as change:
        change.revoke("KIT-1", NOW, 4, "CONTOH A")
    refused(fleet, "live key of kit KIT-1 is revoked", lambda: fleet.add(enrolled("KIT-1")))
    assert fleet.revocations() == sorted(
        (kid_of("KIT-1", election), NOW, 4) for election in (ELECTION, TRAINING)
    )


def test_a_broken_kit_is_taken_again_when_it_was_repaired(fleet):
    fleet.add(enrolled("KIT-1"))
    fleet.broken("KIT-1")
    assert state(fleet, "KIT-1") == "broken" and fleet.revoked(ELECTION) == []
    fleet.add(enrolled("KIT-1"))
    assert state(fleet, "KIT-1") == "ready"


@pytest.mark.parametrize("kit", ["", " KIT", "KIT\n", "K" * 33, "KIT\x00"])
def test_an_id_that_cannot_stand_on_a_label_is_refused(fleet, kit):
    refused(fleet, "1 to 32 printable", lambda: fleet.check(ELECTION, STATION, kit))


@pytest.mark.parametrize(
    ("other", "match"),
    [
        ({"serial": "S"}, "not a chip's serial"),
        ({"board": "evil\nboard"}, "no proper name"),
        ({"keys": {"training": bytes(64)}}, "has no live key"),
        ({"station": 10**13}, "cannot be"),
        ({"election": 0}, "cannot be"),
    ],
)
def test_what_no_kit_can_be_is_refused(fleet, other, match):
    refused(fleet, match, lambda: fleet.add(enrolled("KIT-1", **other)))


@pytest.mark.parametrize(
    ("report", "match"),
    [({}, '"outcome"'), ({"outcome": "ok"}, '"outcome"'), ({"outcome": {1}}, "JSON's values"),
     ({"outcome": "passed", "volts": float("nan")}, "JSON's values")],
)  # fmt: skip
def test_a_report_that_does_not_say_how_it_came_out_is_refused(fleet, report, match):
    refused(fleet, match, lambda: fleet.add(enrolled("KIT-1"), report))


def test_kits_that_are_not_known_are_refused_by_name(fleet):
    for action in (fleet.seal, fleet.lost, fleet.broken, fleet.story):
        refused(fleet, "KIT-7 is not in the register", lambda action=action: action("KIT-7"))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM kits",
        "DELETE FROM keys",
        "DELETE FROM assignments",
        "DELETE FROM reports",
        "DELETE FROM events",
        "UPDATE events SET who = 'CONTOH Z'",
        "UPDATE reports SET outcome = 'failed'",
        "UPDATE kits SET serial = '0123FFFFFFFFFFFFEE' WHERE id = 'KIT-1'",
        "UPDATE kits SET state = 'ready', election = 1, station = 1 WHERE id = 'KIT-2'",
        "UPDATE keys SET revoked = NULL, reason = NULL WHERE kit = 'KIT-2'",
        "UPDATE keys SET kit = 'KIT-2' WHERE kit = 'KIT-1'",
        "UPDATE assignments SET station = station + 5 WHERE kit = 'KIT-1'",
        "UPDATE assignments SET until = until + 1 WHERE kit = 'KIT-3'",
        "INSERT INTO keys VALUES (zeroblob(64), zeroblob(8), 'live', 'NOBODY', NULL, NULL)",
        "INSERT INTO kits VALUES ('K', '0123FFFFFFFFFFFFEE', '', '', 'sold', '', NULL, NULL)",
    ],
)
def test_no_statement_changes_history_or_leaves_a_register_that_cannot_be(fleet, statement):
    for number in (1, 2):
        fleet.add(enrolled(f"KIT-{number}", STATION + number), {"outcome": "passed"})
    fleet.lost("KIT-2")
    fleet.add(enrolled("KIT-3", 0))
    fleet.add(enrolled("KIT-3", STATION + 3))
    before = dump(fleet)
    other = sqlite3.connect(fleet.path)
    other.execute("PRAGMA foreign_keys=ON")
    with pytest.raises(sqlite3.IntegrityError):
        other.execute(statement)
    other.close()
    assert dump(fleet) == before


def test_a_register_of_a_newer_saksi_is_refused_and_left_alone(fleet):
    fleet.add(enrolled("KIT-1"))
    fleet.close()
    with sqlite3.connect(fleet.path) as other:
        other.execute(f"PRAGMA user_version={VERSION + 1}")
    other.close()
    before = fleet.path.read_bytes()
    with pytest.raises(FleetError, match=f"another saksi \\(schema {VERSION + 1}, this one has"):
        Fleet(fleet.path)
    assert fleet.path.read_bytes() == before


def test_what_is_no_register_is_refused_and_left_alone(tmp_path):
    table = tmp_path / "kits.csv"
    table.write_text("election,station,kit,serial,mode,key\n" * 30)
    with pytest.raises(FleetError, match="saksi provision fleet import"):
        Fleet(table)
    assert table.read_text().count("\n") == 30
    foreign = tmp_path / "other.db"
    with sqlite3.connect(foreign) as other:
        other.execute("CREATE TABLE kits (id)")
    other.close()
    before = foreign.read_bytes()
    with pytest.raises(FleetError, match="another program"):
        Fleet(foreign)
    assert foreign.read_bytes() == before
    with pytest.raises(FleetError, match="there is no register"):
        Fleet(tmp_path / "slip.db", create=False)
    assert not (tmp_path / "slip.db").exists()
    with pytest.raises(FleetError, match="cannot be used"):
        Fleet(tmp_path / "nowhere" / "kits.db")
