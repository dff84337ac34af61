"""The fleet register: every kit, its keys, where it serves, and all that ever happened to it.

One SQLite file for all technicians of a store. A change is one transaction that is on the disk
when its method returns, with a row of history that says when and who. In an election a station has
one kit and a kit one station; the rest is refused, before a chip is touched (`check`).

    new      has its keys; was not readied for its place yet, or its parts failed
    ready    holds the package of its station          spare    readied as a spare, station 0
    sealed   ready or spare, in its closed carton
    broken   out of service until it is enrolled again
    lost     for good: its keys are revoked
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from host_tools.provision import fleet_swap
from host_tools.provision.bundle import SPARE
from host_tools.provision.enrol import Enrolled
from host_tools.provision.fleet_change import LONGEST_TEXT, Change, is_text, mode_of
from host_tools.provision.fleet_schema import READIED, FleetError, open_register

__all__ = ("Fleet", "FleetError")


class Fleet:
    """The register in the file `path`, made when new unless `create` is False.

    May be shared by threads; processes open one each. `clock`: Unix seconds.
    """

    def __init__(self, path: Path, *, create: bool = True, clock: Callable[[], float] = time.time):
        self.path = Path(path)
        self.clock = clock
        self._lock = threading.RLock()
        self._db = open_register(self.path, create)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def rows(self, sql: str, *values) -> list[sqlite3.Row]:
        """What a query finds; raises FleetError when the file cannot be read."""
        with self._lock, self._named():
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def change(self) -> Iterator[Change]:
        """One transaction: whole and on the disk when the block ends well, else nothing of it."""
        with self._transaction("BEGIN IMMEDIATE") as change:
            yield change

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Change]:
        with self._lock, self._named():
            self._db.execute(begin)
            try:
                yield Change(self._db, int(self.clock()))
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    @contextmanager
    def _named(self) -> Iterator[None]:
        """SQLite's failures as a FleetError of one line."""
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise FleetError(f"{self.path}: the register refuses ({error})") from error
        except sqlite3.Error as error:
            busy = getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")
            why = "others are writing to it; run the same again" if busy else f"failed ({error})"
            raise FleetError(f"{self.path}: {why}") from error

    def check(self, election: int, station: int, kit: str, serial: str | None = None) -> None:
        """FleetError when kit `kit` (its chip's serial in hex, if known) must not serve there."""
        with self._transaction("BEGIN") as change:
            fault = change.fault(election, station, kit, serial, {})
        if fault:
            raise FleetError(fault)

    def add(self, enrolled: Enrolled, report: dict | None = None, by: str = "") -> None:
        """Take in a kit that was readied, with the report on its parts, in one transaction.

        `report`: JSON values; its "outcome" is "passed" or "failed". With "failed" the kit is
        known but not ready. The same kit again without a report adds nothing.
        """
        outcome = None if report is None else _outcome(report)
        e = enrolled
        if not is_text(e.board) or not is_text(e.firmware):
            raise FleetError(f"kit {e.kit_id} gives no proper name of its board or firmware")
        with self.change() as change:
            if fault := change.fault(e.election, e.station, e.kit_id, e.serial, e.keys):
                raise FleetError(fault)
            if mode_of(e.election) not in {*change.keys(e.kit_id), *e.keys}:
                raise FleetError(f"kit {e.kit_id} has no {mode_of(e.election)} key")
            change.know(e.kit_id, e.serial, e.board, e.firmware, e.keys, by)
            change.place(e.election, e.station, e.kit_id, by)
            state = "spare" if e.station == SPARE else "ready"
            if outcome == "failed":
                change.state(e.kit_id, "new", by)
            else:
                change.state(e.kit_id, state, by, (e.election, e.station))
            if report is not None and outcome is not None:
                change.report(e.kit_id, outcome, report, by)

    def seal(self, kit: str, by: str = "") -> None:
        """The kit lies in its closed carton; only one that is ready, or a spare, may."""
        with self.change() as change:
            row = change.kit(kit)
            if row["state"] not in READIED:
                raise FleetError(f"kit {kit} is {row['state']}, not ready: do not seal it")
            change.state(kit, "sealed", by, (row["election"], row["station"]))

    def lost(self, kit: str, by: str = "") -> None:
        """The kit is gone for good: every bundle from now on lists its keys as revoked."""
        with self.change() as change:
            fleet_swap.out_of_service(change, kit, "lost", by)

    def broken(self, kit: str, by: str = "") -> None:
        """The kit does not work; what it signed before stays good."""
        with self.change() as change:
            fleet_swap.out_of_service(change, kit, "broken", by)

    def label(self, kit: str, text: str, by: str = "") -> None:
        """What is written on the kit's carton, e.g. its shelf."""
        if text and not is_text(text):
            raise FleetError(f"a label has at most {LONGEST_TEXT} printable characters")
        with self.change() as change:
            change.label(kit, text, by)

    def swap(
        self, election: int, station: int, kit: str, spare: str, reason: str, signer, by: str = ""
    ) -> tuple[int, bytes]:
        """(number, signed assignment): `spare` serves in the place of `kit`, "lost" or "broken".

        `signer` is the authority's signing key. The same swap again gives the same record.
        """
        with self.change() as change:
            return fleet_swap.swap(change, election, station, kit, spare, reason, signer, by)

    def entries(self, election: int) -> list[tuple[bytes, int]]:
        """[(64 B key, station)] for the trust bundle: each key once, at its latest station.

        A kit that was swapped out stays listed, for what it signed before; spares have station 0.
        """
        found = self.rows(
            "SELECT k.key, a.station FROM assignments a JOIN keys k ON k.kit = a.kit AND k.mode = ?"
            " WHERE a.election = ? AND a.number = (SELECT max(number) FROM assignments b"
            " WHERE b.kit = a.kit AND b.election = a.election) ORDER BY a.number",
            mode_of(election),
            election,
        )
        return [(row["key"], row["station"]) for row in found]

    def revoked(self, election: int) -> list[bytes]:
        """The revoked kids (8 B) among the keys of this election's kits, sorted."""
        found = self.rows(
            "SELECT kid FROM keys WHERE revoked IS NOT NULL AND mode = ? AND kit IN"
            " (SELECT kit FROM assignments WHERE election = ?) ORDER BY kid",
            mode_of(election),
            election,
        )
        return [row["kid"] for row in found]

    def revocations(self) -> list[tuple[bytes, int, int]]:
        """[(kid, since, reason)] of every revoked key, as a revocation (kind 33) lists them."""
        found = self.rows("SELECT kid, revoked, reason FROM keys WHERE revoked NOT NULL ORDER BY 1")
        return [tuple(row) for row in found]

    def kits(self) -> list[sqlite3.Row]:
        """Every kit's row, in order of the ids."""
        return self.rows("SELECT * FROM kits ORDER BY id")

    def serving(self, election: int) -> list[sqlite3.Row]:
        """Who serves now: station, kit, state, and `readied` 1 when the kit was readied for it."""
        return self.rows(
            "SELECT a.station, a.kit, k.state, coalesce(k.election = a.election"
            " AND k.station = a.station, 0) AS readied FROM assignments a"
            " JOIN kits k ON k.id = a.kit WHERE a.election = ? AND a.until IS NULL"
            " ORDER BY a.station, a.kit",
            election,
        )

    def story(self, kit: str) -> dict[str, list[sqlite3.Row]]:
        """All that the register holds of one kit, oldest first; FleetError when it has none."""
        tables = ("keys", "assignments", "reports", "events")
        story = {name: self.rows(f"SELECT * FROM {name} WHERE kit = ?", kit) for name in tables}
        story["kits"] = self.rows("SELECT * FROM kits WHERE id = ?", kit)
        if not story["kits"]:
            raise FleetError(f"kit {kit} is not in the register")
        return story


def _outcome(report: dict) -> str:
    """ "passed" or "failed"; FleetError for a report that cannot be kept."""
    try:
        json.dumps(report, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise FleetError(f"a report must be of JSON's values ({error})") from error
    if report.get("outcome") not in ("passed", "failed"):
        raise FleetError('a report\'s "outcome" must be "passed" or "failed"')
    return report["outcome"]
