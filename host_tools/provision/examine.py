"""The parts of a kit tested one by one over its cable, and what a person has to look at.

The kit measures (firmware/parts_test.py); screen, paper and keys need the technician's eyes and
fingers. What nobody looked at is not passed.
"""

import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from firmware import cbor, selftest
from firmware.parts_test import DISPLAY
from firmware.readiness import FAILED, PASSED, UNSEEN
from host_tools.provision.link import Link, LinkError
from host_tools.provision.parts import PARTS, describe

QUESTIONS = {
    "display": (
        DISPLAY,
        "Does the screen show a frame to every corner, three named colours and clean lines?",
    ),
    "printer": (
        selftest.PRINTER,
        "Is the strip whole: black without gaps, sharp bars, a code, the chip's number?",
    ),
}
_POLL = 0.2  # s between two looks at the keypad
_IDLE = 30.0  # s without a new key until the technician is asked whether to wait on


class Technician(Protocol):
    """Who sits at the cable."""

    def step(self, text: str) -> None:
        """What is done now."""

    def copied(self, done: int, total: int) -> None:
        """Files on the board so far."""

    def sees(self, question: str) -> bool | None:
        """What his eyes say; None when he did not look."""
        ...

    def pressed(self, seen: list[str], left: list[str]) -> None:
        """Which keys the kit has seen, and which are left to press."""

    def waits(self, left: list[str]) -> bool:
        """No key for a while: True to wait on, False to leave the check undone."""
        ...


@dataclass
class Examination:
    """`answers` for READY; `found` {check: a line on it} for the report, `faults` {part: why}."""

    answers: list[list[int]] = field(default_factory=list)
    found: dict[int, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def examine(link: Link, technician: Technician) -> Examination:
    """Test every part; a part that fails stops nothing."""
    done = Examination()
    for part in PARTS:
        technician.step(f"test: {part}")
        answer = _value(link.request("TEST", cbor.encode([part])))
        outcome = answer[0]
        if outcome != PASSED:
            done.faults[part] = f"E{answer[1]} {answer[2]}"
            technician.step(f"{part} failed: {done.faults[part]}")
        done.found[PARTS[part]] = describe(part, answer)
        if outcome == PASSED and part in QUESTIONS:
            check, question = QUESTIONS[part]
            seen = technician.sees(question)
            done.answers.append([check, UNSEEN if seen is None else PASSED if seen else FAILED])
            if seen is False:
                done.faults[part] = "the technician says no"
        elif outcome == PASSED and part == "keys":
            _keys(link, technician, done)
    return done


def _keys(link: Link, technician: Technician, done: Examination) -> None:
    before: list[str] = []
    since = time.monotonic()
    while True:
        passed, seen, left, stuck = _value(link.request("KEYS"))
        technician.pressed(seen, left)
        if passed:
            return
        if stuck:
            done.faults["keys"] = f"stuck: {' '.join(stuck)}"
            return
        if seen != before:
            before, since = seen, time.monotonic()
        if time.monotonic() - since > _IDLE:
            if not technician.waits(left):
                done.faults["keys"] = f"never pressed: {' '.join(left)}"
                return
            since = time.monotonic()
        time.sleep(_POLL)


def _value(data: bytes) -> Any:
    try:
        return cbor.decode(data)
    except cbor.CborError as error:
        raise LinkError("the kit's answer is damaged: check the cable") from error
