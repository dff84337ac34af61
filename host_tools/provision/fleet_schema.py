"""The fleet register's tables, and how its file is opened (SQLite in WAL mode).

    kits          id, chip serial, board, firmware, state, label; the place it was readied for
    keys          64 B X|Y, kid, mode, kit; since when it is revoked, and why
    assignments   election, station (0: spare), kit, since, until (null: still), by, signed record
    reports       kit, time, outcome, JSON
    events        time, who, kit, what, JSON

Nothing here is deleted. Triggers hold that even against a tool that is not ours: reports and events
never change, an assignment is only ever closed, a key only ever revoked, a lost kit stays lost.
"""

import sqlite3
from pathlib import Path

VERSION = 1
APPLICATION_ID = 0x53414B53  # "SAKS": a database of another program is not taken for a register
BUSY_SECONDS = 60.0  # how long a technician's change waits for those of the others

STATES = ("new", "ready", "sealed", "spare", "broken", "lost")
READIED = ("ready", "sealed", "spare")

_TABLES = f"""
CREATE TABLE kits (
    id TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 32),
    serial TEXT NOT NULL UNIQUE CHECK (length(serial) = 18),
    board TEXT NOT NULL,
    firmware TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN {STATES}),
    label TEXT NOT NULL DEFAULT '',
    election INTEGER,
    station INTEGER,
    CHECK ((state IN {READIED}) = (election IS NOT NULL)),
    CHECK ((election IS NULL) = (station IS NULL)),
    CHECK (state != 'spare' OR station = 0)
) STRICT, WITHOUT ROWID;
CREATE TABLE keys (
    key BLOB PRIMARY KEY CHECK (length(key) = 64),
    kid BLOB NOT NULL UNIQUE CHECK (length(kid) = 8),
    mode TEXT NOT NULL CHECK (mode IN ('live', 'training')),
    kit TEXT NOT NULL REFERENCES kits (id),
    revoked INTEGER,
    reason INTEGER CHECK (reason BETWEEN 1 AND 4),
    UNIQUE (kit, mode),
    CHECK ((revoked IS NULL) = (reason IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE assignments (
    number INTEGER PRIMARY KEY,
    election INTEGER NOT NULL CHECK (election > 0),
    station INTEGER NOT NULL CHECK (station BETWEEN 0 AND 9999999999999),
    kit TEXT NOT NULL REFERENCES kits (id),
    since INTEGER NOT NULL,
    until INTEGER,
    by TEXT NOT NULL,
    record BLOB
) STRICT;
CREATE UNIQUE INDEX one_kit_a_station ON assignments (election, station)
    WHERE until IS NULL AND station > 0;
CREATE UNIQUE INDEX one_station_a_kit ON assignments (election, kit) WHERE until IS NULL;
CREATE INDEX assignments_of_kit ON assignments (kit, election);
CREATE INDEX assignments_of_election ON assignments (election, station);
CREATE TABLE reports (
    number INTEGER PRIMARY KEY,
    kit TEXT NOT NULL REFERENCES kits (id),
    time INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('passed', 'failed')),
    json TEXT NOT NULL
) STRICT;
CREATE INDEX reports_of_kit ON reports (kit);
CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    who TEXT NOT NULL,
    kit TEXT NOT NULL REFERENCES kits (id),
    what TEXT NOT NULL,
    json TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_kit ON events (kit);
"""

# (name, table, what it forbids, when)
_FORBIDDEN = [
    *((f"{table}_stay", table, "DELETE", "1") for table in ("kits", "keys", "assignments")),
    *(
        (f"{table}_{act.lower()}", table, act, "1")
        for table in ("reports", "events")
        for act in ("DELETE", "UPDATE")
    ),
    ("a_kit_is_one_chip", "kits", "UPDATE", "NEW.id IS NOT OLD.id OR NEW.serial IS NOT OLD.serial"),
    ("lost_is_lost", "kits", "UPDATE", "OLD.state = 'lost' AND NEW.state != 'lost'"),
    (
        "a_key_is_only_revoked", "keys", "UPDATE",
        "OLD.revoked IS NOT NULL OR (NEW.key, NEW.kid, NEW.mode, NEW.kit)"
        " IS NOT (OLD.key, OLD.kid, OLD.mode, OLD.kit)",
    ),
    (
        "an_assignment_is_only_closed", "assignments", "UPDATE",
        "OLD.until IS NOT NULL OR (NEW.number, NEW.election, NEW.station, NEW.kit, NEW.since,"
        " NEW.by, NEW.record) IS NOT (OLD.number, OLD.election, OLD.station, OLD.kit, OLD.since,"
        " OLD.by, OLD.record)",
    ),
]  # fmt: skip


class FleetError(Exception):
    """The register refuses, or cannot be used; the text says why in one line."""


def open_register(path: Path, create: bool) -> sqlite3.Connection:
    """A connection in autocommit to the register in `path`, made if `create`; raises FleetError.

    Its transactions are begun by hand; it may be used from several threads, one at a time.
    """
    if not create and not path.exists():
        raise FleetError(f"{path}: there is no register")
    db = None
    try:
        db = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        version = _check(db, path)
        if db.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
            raise FleetError(f"{path}: its disk does not allow SQLite's WAL; use a local one")
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            db.execute(f"PRAGMA {pragma}")
        if version == 0:
            db.execute("BEGIN IMMEDIATE")
            # Again under the lock: another process may have made it meanwhile.
            if _check(db, path) == 0:
                _make(db)
            db.execute("COMMIT")
    except (sqlite3.Error, FleetError) as error:
        if db is not None:
            db.close()
        if isinstance(error, FleetError):
            raise
        raise FleetError(_unusable(path, error)) from error
    db.row_factory = sqlite3.Row
    return db


def _check(db: sqlite3.Connection, path: Path) -> int:
    """The schema's version, 0 for an empty file; refuses what this code must not write to."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    program = db.execute("PRAGMA application_id").fetchone()[0]
    empty = version == program == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone()
    if empty:
        return 0
    if program != APPLICATION_ID:
        raise FleetError(f"{path}: a database of another program, not a register of kits")
    if version != VERSION:
        raise FleetError(
            f"{path}: written by another saksi (schema {version}, this one has {VERSION}); use that"
        )
    return version


def _make(db: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    for name, table, act, when in _FORBIDDEN:
        db.execute(
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} WHEN {when}"
            f" BEGIN SELECT RAISE(ABORT, '{name.replace('_', ' ')}'); END"
        )
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    db.execute(f"PRAGMA user_version={VERSION}")


def _unusable(path: Path, error: sqlite3.Error) -> str:
    if getattr(error, "sqlite_errorname", "") == "SQLITE_NOTADB":
        return (
            f"{path}: not a register of kits; an older one in CSV is taken over with"
            " `saksi provision fleet import`"
        )
    return f"{path}: cannot be used as a register ({error})"
