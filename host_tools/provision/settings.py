"""The keys of election.toml: each with its check and what is said when it does not hold."""

import re
from collections.abc import Callable

from firmware import record
from host_tools.provision import form_files
from host_tools.provision.tables import Problems

Check = tuple[Callable[[object], bool], str]


def _text(pattern: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _whole(low: int, high: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _one_of(*choices: object) -> Callable[[object], bool]:
    return lambda value: value in choices


_FILE: Check = (_text(r"[^\0]+"), "must name a CSV file")
_TITLE: Check = (_text(r"\S(.{0,78}\S)?"), "must be a text of 1 to 80 characters")

TOP: dict[str, Check] = {
    "number": (_whole(1, 2 * record.TRAINING - 1), "must be a number of 1 to 1999999"),
    "version": (_whole(1, 2**32 - 1), "must be a number from 1, higher in every new issue"),
    "title": _TITLE,
    "mode": (_one_of("live", "training"), 'must be "live" or "training"'),
    "reserve_permille": (_whole(0, 1000), "must be per mille of the DPT: 20 Pemilu, 25 Pilkada"),
    "utc_offset_minutes": (_one_of(420, 480, 540), "must be 420 WIB, 480 WITA or 540 WIT"),
    "receipt_host": (_text(r"[0-9A-Z.-]{1,40}"), "must be upper case letters, digits, . and -"),
    "apn": (
        _text(r"[0-9A-Za-z.:;,_-]{1,200}"),
        "must be the SIM's access point name, or [digits:]apn[,user,password];...",
    ),
    "regions": _FILE,
    "stations": _FILE,
    "pairs": _FILE,
    "collector": (lambda value: isinstance(value, dict), "must be a table [collector]"),
    "contest": (
        lambda value: isinstance(value, list) and 0 < len(value) <= 9,
        "must be tables [[contest]], 1 to 9 of them",
    ),
}
COLLECTOR: dict[str, Check] = {
    "host": (_text(r"[0-9A-Za-z.-]{1,100}"), "must be a host name or address"),
    "port": (_whole(1, 65535), "must be a port number"),
    "pin": (_text(r"([0-9a-f]{64})?"), 'must be the SHA-256 of its TLS key in hex, or ""'),
    "sms": (_text(r"(\+?[0-9]{3,15})?"), 'must be a telephone number, + and digits, or ""'),
}


def contest_checks() -> dict[str, Check]:
    """The keys of a [[contest]] table."""
    known = form_files.codes()
    return {
        "number": (_whole(1, 99), "must be a number of 1 to 99"),
        "title": _TITLE,
        "form": (_one_of(*known), f"must be one of {', '.join(known)}"),
        "colour": (_text(r"\S(.{0,18}\S)?"), "must be a text of 1 to 20 characters"),
    }


def check(table: dict, name: str, problems: Problems) -> None:
    """Add every fault of election.toml's `table` to `problems`."""
    _check(table, TOP, name, problems)
    if problems.lines:
        return
    if (table["mode"] == "training") != record.is_training(table["number"]):
        problems.add(name, "training elections, and only they, have numbers from 1000000")
    _check({"sms": "", "pin": "", **table["collector"]}, COLLECTOR, f"{name} [collector]", problems)
    numbers = []
    for place, row in enumerate(table["contest"], 1):
        where = f"{name} [[contest]] {place}"
        if not isinstance(row, dict):
            problems.add(where, "must be a table")
            continue
        _check(row, contest_checks(), where, problems)
        if row.get("number") in numbers:
            problems.add(where, f"number {row['number']} is used twice")
        numbers.append(row.get("number"))


def _check(table: dict, checks: dict[str, Check], where: str, problems: Problems) -> None:
    for key in table:
        if key not in checks:
            problems.add(where, f"{key} is not a setting; known: {', '.join(checks)}")
    for key, (holds, text) in checks.items():
        if key not in table:
            problems.add(where, f"{key} is missing; it {text}")
        elif not holds(table[key]):
            problems.add(where, f"{key} {text}")
