"""An election as an office defines it: election.toml beside CSV files of regions, TPS and pairs.

Everything is checked before a single package is signed; all faults are reported at once, each in
one line that names the file and line.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from firmware import record
from firmware.forms import LIMIT
from host_tools.provision import form_files, settings
from host_tools.provision.stations import Names, Station, Stations
from host_tools.provision.tables import Problems, number, rows

__all__ = ("Contest", "Election", "ElectionError", "Station", "load_election")

MAX_STATION_DPT = 600  # Pilkada's limit; real stations exceed it, so it is a warning


class ElectionError(Exception):
    """The definition has faults; the text lists them, one a line."""


@dataclass(frozen=True)
class Contest:
    """One contest: its form as the package carries it, its pairs in order of their numbers."""

    number: int
    title: str
    form: list
    colour: str
    pairs: tuple[str, ...]


@dataclass(frozen=True)
class Election:
    """A checked definition. Its collector's address may be replaced (dataclasses.replace)."""

    number: int
    version: int
    title: str
    reserve_permille: int
    utc_offset: int
    receipt_host: str
    collector_host: str
    collector_port: int
    apn: str
    collector_sms: str  # telephone number, "" when there is none
    collector_pin: bytes  # SHA-256 of its TLS key (SubjectPublicKeyInfo), b"" without TLS
    contests: dict[int, Contest]
    stations: Mapping[int, Station]
    warnings: tuple[str, ...] = ()

    @property
    def training(self) -> bool:
        return record.is_training(self.number)

    def as_training(self) -> "Election":
        """The same election for training: its own number, and LATIHAN in its title."""
        if self.training:
            return self
        return replace(self, number=self.number + record.TRAINING, title=f"LATIHAN: {self.title}")


def load_election(path: Path) -> Election:
    """The election defined by `path` (election.toml); raises ElectionError with every fault."""
    path = Path(path)
    problems = Problems()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ElectionError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ElectionError(f"{path.name}: {error}") from error
    settings.check(table, path.name, problems)
    if problems.lines:
        raise ElectionError(problems.summary())
    folder = path.parent
    regions = _regions(folder / table["regions"], problems)
    pairs = _pairs(folder / table["pairs"], table["contest"], problems)
    contests = {row["number"]: _contest(row, pairs) for row in table["contest"]}
    warnings = Problems()
    for row in table["contest"]:
        usual = form_files.reserve_permille(row["form"])
        if usual != table["reserve_permille"]:
            text = f"{row['form']} is used with a reserve of {usual} per mille"
            warnings.add(path.name, text)
    stations = _stations(folder / table["stations"], regions, set(contests), problems, warnings)
    if not stations and not problems.lines:
        problems.add(Path(table["stations"]).name, "names no station")
    if problems.lines:
        raise ElectionError(problems.summary())
    return Election(
        number=table["number"],
        version=table["version"],
        title=table["title"],
        reserve_permille=table["reserve_permille"],
        utc_offset=table["utc_offset_minutes"],
        receipt_host=table["receipt_host"],
        collector_host=table["collector"]["host"],
        collector_port=table["collector"]["port"],
        apn=table["apn"],
        collector_sms=table["collector"].get("sms", ""),
        collector_pin=bytes.fromhex(table["collector"].get("pin", "")),
        contests=contests,
        stations=stations,
        warnings=tuple(warnings.all()),
    )


def _contest(row: dict, pairs: dict[int, list[str]]) -> Contest:
    form = form_files.load_form(row["form"])
    names = tuple(pairs.get(row["number"], ()))
    return Contest(row["number"], row["title"], form, row["colour"], names)


def _regions(path: Path, problems: Problems) -> dict[str, str]:
    """{code: name}: 2 digits province, 4 regency or city, 6 subdistrict, 10 village."""
    names: dict[str, str] = {}
    for where, (code, name) in rows(path, ("kode", "nama"), problems):
        parent = code[:6] if len(code) == 10 else code[:-2]
        if number(code, 0, 9_999_999_999) is None or len(code) not in (2, 4, 6, 10):
            problems.add(where, f"code {code} is not of 2, 4, 6 or 10 digits")
        elif code in names:
            problems.add(where, f"code {code} was already given")
        elif not name:
            problems.add(where, f"code {code} has no name")
        elif parent and parent not in names:
            problems.add(where, f"code {code} comes before its parent {parent}, or without it")
        else:
            names[code] = name
    return names


def _pairs(path: Path, contests: list[dict], problems: Problems) -> dict[int, list[str]]:
    """{contest: [name...]}: numbers run from 1 in order."""
    pairs: dict[int, list[str]] = {row["number"]: [] for row in contests}
    for where, (contest_text, pair_text, name) in rows(
        path, ("contest", "number", "name"), problems
    ):
        names = pairs.get(number(contest_text, 1, 99) or 0)
        if names is None:
            problems.add(where, f"contest {contest_text} is not in the election")
        elif number(pair_text, 1, 99) != len(names) + 1:
            problems.add(where, f"pair {pair_text} is out of order: {len(names) + 1} comes next")
        elif not 0 < len(name) <= 60:
            problems.add(where, "a pair's name has 1 to 60 characters")
        elif name in names:
            problems.add(where, f"{name} is already a pair of contest {contest_text}")
        else:
            names.append(name)
    for contest, names in pairs.items():
        if len(names) < 2 and not problems.lines:
            problems.add(path.name, f"contest {contest} needs two pairs (or KOLOM KOSONG)")
    return pairs


def _stations(
    path: Path,
    regions: dict[str, str],
    contests: set[int],
    problems: Problems,
    warnings: Problems,
) -> Stations:
    stations = Stations(contests)
    columns = ("tps", "contest", "dpt_l", "dpt_p")
    villages: dict[str, Names] = {}
    for where, (code, contest_text, men_text, women_text) in rows(path, columns, problems):
        contest = number(contest_text, 1, 99)
        men, women = number(men_text, 0, LIMIT), number(women_text, 0, LIMIT)
        village = code[:10]
        if len(code) != 13 or number(code, 0, 9_999_999_999_999) is None or code[10:] == "000":
            problems.add(where, f"TPS {code} is not a 13-digit code ending in its number")
        elif village not in regions:
            problems.add(where, f"village {village} of TPS {code} is not in the regions")
        elif contest not in contests or contest is None:
            problems.add(where, f"contest {contest_text} is not in the election")
        elif men is None or women is None or men + women > LIMIT:
            problems.add(where, f"DPT must be numbers whose sum is at most {LIMIT}")
        else:
            names = villages.get(village)
            if names is None:
                province, regency, district = (regions[village[:n]] for n in (2, 4, 6))
                names = villages[village] = (province, regency, district, regions[village])
            same = stations.add(int(code), names, contest, men, women)
            if same is None:
                problems.add(where, f"TPS {code} already has contest {contest}")
                continue
            if not same:
                warnings.add(where, f"TPS {code} has another DPT in another contest")
            if men + women > MAX_STATION_DPT:
                warnings.add(where, f"DPT of TPS {code} is above {MAX_STATION_DPT}")
    return stations
