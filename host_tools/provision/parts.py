"""The parts that a kit can test (firmware/parts_test.py): checks, words, and what was found."""

from collections.abc import Callable
from typing import Any

from firmware import parts_test, selftest
from firmware.language import Words
from host_tools.provision.readiness import name

# Name at the cable -> number of the check, in the order in which a technician does them.
PARTS = {
    "chip": selftest.CHIP,
    "random": selftest.RANDOM,
    "signature": selftest.SIGNS,
    "display": parts_test.DISPLAY,
    "keys": selftest.KEYS,
    "printer": selftest.PRINTER,
    "camera": selftest.CAMERA,
    "card": selftest.CARD,
    "modem": parts_test.MODEM,
    "clock": selftest.CLOCK,
    "memory": parts_test.MEMORY,
}
_INDONESIAN = Words("id")


def words(check: int) -> tuple[str, str]:
    """A check's name in Indonesian and in English."""
    english = name(check)
    return _INDONESIAN(english), english


def _mib(size: int) -> str:
    return f"{size / 1048576:.1f} MiB"


_FOUND: dict[str, Callable[..., str]] = {
    "chip": lambda serial, revision: f"{serial}, rev. {revision}",
    "random": lambda: "",
    "signature": lambda live, training: f"{live}, {training}",
    "display": lambda width, height: f"{width} x {height}",
    "keys": lambda *names: f"{len(names)} tombol",
    "printer": lambda profile, columns, dots: f"{profile}, {dots} titik",
    "camera": lambda w, h, sharp, paper, size, width, height: (
        f"{width} x {height}, ketajaman {sharp}"
    ),
    "card": lambda size, free: f"{_mib(free)} kosong",
    "modem": lambda model, operator, dbm: (
        f"{model}, {operator or 'tanpa jaringan'}" + ("" if dbm is None else f", {dbm} dBm")
    ),
    "clock": lambda seconds, quality: "berjalan",
    "memory": lambda flash, heap: f"{_mib(flash)} kosong",
}


def describe(part: str, answer: list[Any]) -> str:
    """A line about TEST's answer for a part: what was found, or its code and sentence."""
    if answer[0] != 1:
        return f"E{answer[1]} {_INDONESIAN(answer[2])}"
    return _FOUND[part](*answer[1:])
