"""One transaction on the fleet register: what it refuses, what it writes, and the history of it."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from firmware import record
from host_tools.provision.bundle import SPARE
from host_tools.provision.enrol import MODES
from host_tools.provision.fleet_schema import FleetError

LONGEST_TEXT, LONGEST_ID = 64, 32


def mode_of(election: int) -> str:
    """The mode of the keys that work in `election`."""
    return "training" if record.is_training(election) else "live"


def is_text(text: str, longest: int = LONGEST_TEXT) -> bool:
    """True for what may stand in the register: printable, nothing around it, not empty."""
    return 0 < len(text) <= longest and text == text.strip() and text.isprintable()


def is_serial(text: str) -> bool:
    """True for a chip's serial number: 9 bytes in upper case hex."""
    return len(text) == 18 and all(digit in "0123456789ABCDEF" for digit in text)


class Change:
    """The steps of a change, inside the caller's transaction; `now` is its time."""

    def __init__(self, db: sqlite3.Connection, now: int):
        self._db = db
        self.now = now

    def _one(self, sql: str, *values) -> sqlite3.Row | None:
        return self._db.execute(sql, values).fetchone()

    def _event(self, kit: str, by: str, what: str, **detail: Any) -> None:
        self._db.execute(
            "INSERT INTO events (time, who, kit, what, json) VALUES (?, ?, ?, ?, ?)",
            (self.now, by, kit, what, json.dumps(detail)),
        )

    def find(self, kit: str) -> sqlite3.Row | None:
        """The kit's row, None when it is not known."""
        return self._one("SELECT * FROM kits WHERE id = ?", kit)

    def kit(self, kit: str) -> sqlite3.Row:
        """The kit's row; FleetError when it is not known."""
        row = self.find(kit)
        if row is None:
            raise FleetError(f"kit {kit} is not in the register")
        return row

    def keys(self, kit: str) -> dict[str, sqlite3.Row]:
        """{mode: the key's row}."""
        found = self._db.execute("SELECT * FROM keys WHERE kit = ?", (kit,))
        return {row["mode"]: row for row in found}

    def held(self, election: int, kit: str) -> sqlite3.Row | None:
        """The open assignment of a kit."""
        return self._one(
            "SELECT * FROM assignments WHERE election = ? AND kit = ? AND until IS NULL",
            election,
            kit,
        )

    def serving(self, election: int, station: int) -> sqlite3.Row | None:
        """The open assignment of a station."""
        return self._one(
            "SELECT * FROM assignments WHERE election = ? AND station = ? AND until IS NULL",
            election,
            station,
        )

    def signed_so_far(self, election: int, station: int) -> int:
        """How many assignments to this station were signed."""
        row = self._one(
            "SELECT count(record) FROM assignments WHERE election = ? AND station = ?",
            election,
            station,
        )
        return row[0] if row else 0

    def fault(
        self, election: int, station: int, kit: str, serial: str | None, keys: Mapping[str, bytes]
    ) -> str | None:
        """Why this kit must not be readied for this place, or None."""
        if not is_text(kit, LONGEST_ID):
            return f"a kit's id has 1 to {LONGEST_ID} printable characters, none around them"
        return (
            self.chip_fault(kit, serial)
            or self.key_fault(kit, keys)
            or self.place_fault(election, station, kit)
        )

    def chip_fault(self, kit: str, serial: str | None) -> str | None:
        """One kit, one chip; a lost one is not taken again."""
        row = self.find(kit)
        if row is not None and row["state"] == "lost":
            return f"kit {kit} was reported lost and its keys are revoked: use another kit"
        if serial is None:
            return None
        if not is_serial(serial):
            return f"{serial} is not a chip's serial number of 18 hex digits"
        other = self._one("SELECT id, state FROM kits WHERE serial = ? AND id != ?", serial, kit)
        if other is not None:
            gone = ", which was reported lost" if other["state"] == "lost" else ""
            return f"chip {serial} is already that of kit {other['id']}{gone}"
        if row is not None and row["serial"] != serial:
            return f"kit {kit} has chip {row['serial']}, this one has {serial}: read its label"
        return None

    def key_fault(self, kit: str, keys: Mapping[str, bytes]) -> str | None:
        """One key, one kit and mode."""
        own = self.keys(kit)
        if gone := [mode for mode, key in own.items() if key["revoked"] is not None]:
            return f"the {gone[0]} key of kit {kit} is revoked: use another kit"
        kids = {}
        for mode, key in keys.items():
            if mode not in MODES or len(key) != 64:
                return f"kit {kit} has a {mode} key of {len(key)} bytes"
            kid = record.kid_of(key)
            other = self._one("SELECT kit, mode FROM keys WHERE kid = ?", kid)
            if other is not None and (other["kit"], other["mode"]) != (kit, mode):
                return (
                    f"the key of kit {kit} is already that of kit {other['kit']} ({other['mode']})"
                )
            if mode in own and own[mode]["key"] != key:
                return f"kit {kit} has another {mode} key than before: it is not the same kit"
            if kid in kids:
                return f"kit {kit} has one key for both modes"
            kids[kid] = mode
        return None

    def place_fault(self, election: int, station: int, kit: str) -> str | None:
        """A station has one kit, a kit one station."""
        if election <= 0 or not 0 <= station <= 9_999_999_999_999:
            return f"station {station} of election {election} cannot be"
        if station != SPARE:
            there = self.serving(election, station)
            if there is not None and there["kit"] != kit:
                return (
                    f"station {station:013d} already has kit {there['kit']}"
                    " (broken or lost? saksi provision fleet swap)"
                )
        here = self.held(election, kit)
        if here is not None and here["station"] not in (SPARE, station):
            return f"kit {kit} is already at station {here['station']:013d}"
        return None

    def know(
        self,
        kit: str,
        serial: str,
        board: str,
        firmware: str,
        keys: Mapping[str, bytes],
        by: str,
        what: str = "enrolled",
    ) -> None:
        """The kit and its keys, as far as they are not known yet."""
        row = self.find(kit)
        if row is None:
            self._db.execute(
                "INSERT INTO kits (id, serial, board, firmware, state) VALUES (?, ?, ?, ?, 'new')",
                (kit, serial, board, firmware),
            )
            self._event(kit, by, what, serial=serial, board=board, firmware=firmware)
        elif (row["board"], row["firmware"]) != (board, firmware):
            self._db.execute(
                "UPDATE kits SET board = ?, firmware = ? WHERE id = ?", (board, firmware, kit)
            )
            self._event(kit, by, "firmware", board=board, firmware=firmware)
        known = self.keys(kit)
        for mode, key in keys.items():
            if mode not in known:
                kid = record.kid_of(key)
                self._db.execute(
                    "INSERT INTO keys (key, kid, mode, kit) VALUES (?, ?, ?, ?)",
                    (key, kid, mode, kit),
                )
                self._event(kit, by, "key", mode=mode, kid=kid.hex())

    def place(
        self,
        election: int,
        station: int,
        kit: str,
        by: str,
        *,
        signed: bytes | None = None,
        since: int | None = None,
        until: int | None = None,
    ) -> None:
        """The kit serves here from now (or `since`) on; a spare's waiting ends."""
        here = self.held(election, kit)
        if here is not None:
            if here["station"] == station:
                return
            self.end(election, kit, by)
        self._db.execute(
            "INSERT INTO assignments (election, station, kit, since, until, by, record)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (election, station, kit, self.now if since is None else since, until, by, signed),
        )
        self._event(kit, by, "assigned", election=election, station=station)

    def served(self, election: int, station: int, kit: str) -> bool:
        """True when the kit serves or served there."""
        where = "WHERE election = ? AND station = ? AND kit = ?"
        found = self._one(f"SELECT 1 FROM assignments {where}", election, station, kit)
        return found is not None

    def end(self, election: int, kit: str, by: str) -> None:
        """The kit's assignment in this election is over."""
        here = self.held(election, kit)
        if here is None:
            return
        self._db.execute(
            "UPDATE assignments SET until = ? WHERE number = ?", (self.now, here["number"])
        )
        self._event(kit, by, "assignment ended", election=election, station=here["station"])

    def state(self, kit: str, state: str, by: str, place: tuple[int, int] | None = None) -> None:
        """Another state; `place` (election, station) is what it is readied for."""
        row = self.kit(kit)
        election, station = place or (None, None)
        if (row["state"], row["election"], row["station"]) == (state, election, station):
            return
        self._db.execute(
            "UPDATE kits SET state = ?, election = ?, station = ? WHERE id = ?",
            (state, election, station, kit),
        )
        detail = {} if place is None else {"election": election, "station": station}
        self._event(kit, by, state, was=row["state"], **detail)

    def label(self, kit: str, text: str, by: str) -> None:
        """Another label."""
        if self.kit(kit)["label"] != text:
            self._db.execute("UPDATE kits SET label = ? WHERE id = ?", (text, kit))
            self._event(kit, by, "label", text=text)

    def report(self, kit: str, outcome: str, report: Mapping[str, Any], by: str) -> None:
        """One more report on the kit's parts."""
        self._db.execute(
            "INSERT INTO reports (kit, time, outcome, json) VALUES (?, ?, ?, ?)",
            (kit, self.now, outcome, json.dumps(report)),
        )
        self._event(kit, by, "report", outcome=outcome)

    def revoke(self, kit: str, since: int, reason: int, by: str, only: str | None = None) -> None:
        """The kit's keys (or the `only` one of a mode) are not believed from `since` on."""
        for mode, key in self.keys(kit).items():
            if key["revoked"] is None and only in (None, mode):
                self._db.execute(
                    "UPDATE keys SET revoked = ?, reason = ? WHERE kid = ?",
                    (since, reason, key["kid"]),
                )
                self._event(kit, by, "key revoked", mode=mode, kid=key["kid"].hex(), since=since)
