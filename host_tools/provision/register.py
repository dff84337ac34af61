"""The kits that were enrolled: one CSV line a key. Trust bundles are built from it.

    election,station,kit,serial,mode,key        (key: 64 B X|Y in hex)

A station has one kit and a kit one station in an election; the register refuses the rest before
a chip is touched.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

from firmware import record
from host_tools.provision.enrol import MODES, Enrolled
from host_tools.provision.tables import Problems, number, rows

COLUMNS = ("election", "station", "kit", "serial", "mode", "key")


class RegisterError(Exception):
    """The register refuses, or cannot be read; the text says why."""


@dataclass(frozen=True)
class Row:
    election: int
    station: int
    kit: str
    serial: str
    mode: str
    key: bytes


class Register:
    """The register in CSV file `path`, which may not exist yet."""

    def __init__(self, path: Path):
        self.path = Path(path)
        self.rows: list[Row] = []
        problems = Problems()
        if self.path.exists():
            for where, values in rows(self.path, COLUMNS, problems):
                row = _row(values)
                fault = self._fault(row) if row else f"is not {','.join(COLUMNS)}"
                if fault or row is None:
                    problems.add(where, fault or "")
                else:
                    self.rows.append(row)
        if problems.lines:
            raise RegisterError(problems.summary())

    def check(self, election: int, station: int, kit: str) -> None:
        """RegisterError when this assignment contradicts an earlier one."""
        if fault := self._fault(Row(election, station, kit, "", "", b"")):
            raise RegisterError(fault)

    def add(self, enrolled: Enrolled) -> None:
        """Append the key that works in this enrolment's election; the same again adds nothing."""
        mode = "training" if record.is_training(enrolled.election) else "live"
        place = (enrolled.election, enrolled.station, enrolled.kit_id, enrolled.serial)
        row = Row(*place, mode, enrolled.keys[mode])
        if row in self.rows:
            return
        if fault := self._fault(row):
            raise RegisterError(fault)
        self.rows.append(row)
        fresh = not self.path.exists()
        with self.path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if fresh:
                writer.writerow(COLUMNS)
            station = f"{row.station:013d}"
            writer.writerow([row.election, station, row.kit, row.serial, mode, row.key.hex()])
            file.flush()
            os.fsync(file.fileno())

    def _fault(self, row: Row) -> str | None:
        for other in self.rows:
            if row.key and row.key == other.key and (row.kit, row.mode) != (other.kit, other.mode):
                return f"the key of kit {row.kit} is already that of kit {other.kit} ({other.mode})"
            if row.election != other.election:
                continue
            if row.station == other.station and row.kit != other.kit:
                return f"station {row.station:013d} already has kit {other.kit}"
            if row.kit == other.kit and row.station != other.station:
                return f"kit {row.kit} is already at station {other.station:013d}"
        return None

    def entries(self, election: int) -> list[tuple[bytes, int]]:
        """[(64 B key, station)] for the trust bundle of `election`."""
        return [(row.key, row.station) for row in self.rows if row.election == election]


def _row(values: list[str]) -> Row | None:
    election, station = number(values[0], 1, 2**32), number(values[1], 1, 9_999_999_999_999)
    kit, serial, mode = values[2:5]
    try:
        key = bytes.fromhex(values[5])
    except ValueError:
        return None
    if election is None or station is None or mode not in MODES or len(key) != 64:
        return None
    return Row(election, station, kit, serial, mode, key)
