"""The register as CSV, out and in again: one line a key and election, its present state.

    election,station,kit,serial,mode,key,state,board,firmware,label,since,until,revoked,reason

The first six columns alone are the register of earlier versions, and are imported too. Station 0
is a spare; election 0 says that the key has no election yet. `state` is the kit's for this line's
place ("new": not readied for it); since, until and revoked are Unix seconds, key is X|Y in hex.
History, reports and signed assignments stay in the database: back that up.
"""

import csv
import io
import sqlite3
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from host_tools.provision.enrol import MODES
from host_tools.provision.fleet import Fleet
from host_tools.provision.fleet_change import LONGEST_ID, Change, is_serial, is_text, mode_of
from host_tools.provision.fleet_schema import READIED, STATES, FleetError
from host_tools.provision.tables import Problems, number, rows

_SECONDS = 2**48


@dataclass(frozen=True)
class Line:
    """One line; those of earlier versions end with the key."""

    election: int
    station: int
    kit: str
    serial: str
    mode: str
    key: bytes
    state: str = "new"
    board: str = ""
    firmware: str = ""
    label: str = ""
    since: int | None = None
    until: int | None = None
    revoked: int | None = None
    reason: int | None = None


COLUMNS = tuple(field.name for field in fields(Line))
EARLIER = COLUMNS[:6]

_LATEST = """
SELECT coalesce(a.election, 0), coalesce(a.station, 0), t.id, t.serial, k.mode, k.key,
    CASE WHEN t.state IN ('lost', 'broken')
        OR (a.until IS NULL AND t.election = a.election AND t.station = a.station)
        THEN t.state ELSE 'new' END,
    t.board, t.firmware, t.label, a.since, a.until, k.revoked, k.reason
FROM kits t JOIN keys k ON k.kit = t.id
LEFT JOIN assignments a ON a.kit = t.id AND (a.election >= 1000000) = (k.mode = 'training')
    AND a.number = (SELECT max(number) FROM assignments b
        WHERE b.kit = a.kit AND b.election = a.election)
WHERE ?1 IS NULL OR t.id = ?1 ORDER BY t.id, k.mode, a.election
"""


def lines(fleet: Fleet, kit: str | None = None) -> list[Line]:
    """The present state of the register, or of one kit; ordered by kit, mode, election."""
    return [Line(*row) for row in fleet.rows(_LATEST, kit)]


def to_csv(found: list[Line]) -> str:
    """The lines as the file's text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in found:
        values = list(astuple(line))
        values[1], values[5] = f"{line.station:013d}", line.key.hex()
        writer.writerow(["" if value is None else value for value in values])
    return text.getvalue()


def take_in(fleet: Fleet, path: Path, by: str = "") -> dict[str, int]:
    """Import the file, all of it or nothing; returns {"lines": read, "kits": that were new}.

    What is in the register already is left as it is; FleetError lists every contradiction.
    """
    earlier = _is_earlier(path)
    problems = Problems()
    found = []
    for where, values in rows(path, EARLIER if earlier else COLUMNS, problems):
        line = _line(values)
        if line is None:
            problems.add(where, f"is not {','.join(EARLIER if earlier else COLUMNS)}")
        else:
            found.append((where, line))
    if problems.lines:
        raise FleetError(problems.summary())
    fresh: set[str] = set()
    with fleet.change() as change:
        if earlier:
            for where, line in found:
                if fault := _enrolled_then(change, line, fresh, by):
                    problems.add(where, fault)
        else:
            for where, its in _by_kit(found).items():
                if fault := _restore(fleet, change, its, fresh, by):
                    problems.add(where, fault)
        if problems.lines:
            raise FleetError(problems.summary())
    return {"lines": len(found), "kits": len(fresh)}


def _is_earlier(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig") as file:
            return file.readline().rstrip("\n") == ",".join(EARLIER)
    except (OSError, UnicodeDecodeError):
        return False  # rows() says what is wrong with it


def _line(values: list[str]) -> Line | None:
    """A line whose values are possible one by one, else None."""
    election, station = number(values[0], 0, 2**32), number(values[1], 0, 9_999_999_999_999)
    kit, serial, mode = values[2:5]
    try:
        key = bytes.fromhex(values[5])
    except ValueError:
        return None
    if election is None or station is None or len(values[1]) != 13 or mode not in MODES:
        return None
    if len(key) != 64 or not is_text(kit, LONGEST_ID) or not is_serial(serial):
        return None
    if mode_of(election) != mode if election else station:
        return None
    if len(values) == len(EARLIER):
        # Earlier versions knew neither spares nor kits without an election.
        return Line(election, station, kit, serial, mode, key) if station else None
    times = [number(text, 0, _SECONDS) if text else None for text in values[10:]]
    bad = any(text and time is None for text, time in zip(values[10:], times, strict=True))
    if bad or values[6] not in STATES or not all(is_text(text) for text in values[7:10] if text):
        return None
    if (times[0] is None) != (election == 0):
        return None
    state, board, firmware, label = values[6:10]
    return Line(election, station, kit, serial, mode, key, state, board, firmware, label, *times)


def _by_kit(found: list[tuple[str, Line]]) -> dict[str, list[Line]]:
    """{place of a kit's first line: its lines, ordered as `lines` orders them}."""
    places: dict[str, str] = {}
    groups: dict[str, list[Line]] = {}
    for where, line in found:
        groups.setdefault(places.setdefault(line.kit, where), []).append(line)
    for its in groups.values():
        its.sort(key=lambda line: (line.mode, line.election))
    return groups


def _enrolled_then(change: Change, line: Line, fresh: set[str], by: str) -> str | None:
    """Take in a line of an earlier version; the kit's last one says what it is ready for."""
    row, key = change.find(line.kit), change.keys(line.kit).get(line.mode)
    same = row is not None and row["serial"] == line.serial and key and key["key"] == line.key
    if same and change.served(line.election, line.station, line.kit):
        return None
    keys = {line.mode: line.key}
    fault = change.fault(line.election, line.station, line.kit, line.serial, keys)
    if fault:
        return fault
    if row is None:
        fresh.add(line.kit)
    board, firmware = (row["board"], row["firmware"]) if row else ("", "")
    change.know(line.kit, line.serial, board, firmware, keys, by, "imported")
    change.place(line.election, line.station, line.kit, by)
    if line.kit in fresh:
        change.state(line.kit, "ready", by, (line.election, line.station))
    return None


def _restore(fleet: Fleet, change: Change, its: list[Line], fresh: set[str], by: str) -> str | None:
    """Take in one kit as an export has it."""
    first = its[0]
    if change.find(first.kit) is None:
        fresh.add(first.kit)
        try:
            if fault := _restore_lines(change, its, by):
                return fault
        except sqlite3.IntegrityError as error:
            return f"kit {first.kit} cannot be so ({error})"
        # What was written is read again: lines that contradict each other do not come back alike.
        if lines(fleet, first.kit) != its:
            return f"the lines of kit {first.kit} contradict each other"
    elif lines(fleet, first.kit) != its:
        return f"kit {first.kit} is in the register already, and differs"
    return None


def _restore_lines(change: Change, its: list[Line], by: str) -> str | None:
    first = its[0]
    kit, state, place = first.kit, first.state, None
    if any(line.state == "lost" and line.revoked is None for line in its):
        return f"kit {kit} is lost, so its keys must be revoked"
    for line in its:
        keys = {line.mode: line.key}
        fault = change.chip_fault(kit, line.serial) or change.key_fault(kit, keys)
        if line.election and line.until is None:
            fault = fault or change.place_fault(line.election, line.station, kit)
        if fault:
            return fault
        change.know(kit, first.serial, first.board, first.firmware, keys, by, "imported")
        if line.election:
            change.place(line.election, line.station, kit, by, since=line.since, until=line.until)
        if line.state in READIED:
            state, place = line.state, (line.election, line.station)
    change.label(kit, first.label, by)
    for line in its:
        if line.revoked is not None:
            change.revoke(kit, line.revoked, line.reason or 0, by, line.mode)
    change.state(kit, state, by, place)
    return None
