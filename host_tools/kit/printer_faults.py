"""What becomes of a slip when the printer or the power fails, as a table that is run, not claimed.

    python -m host_tools.kit.printer_faults [--all] [--json]

Every state of the printer x every phase of a job x every kind of printer, then a power cut of the
kit and of the printer at chunks all along the slip (`--all`: at every chunk, in 80 mm too). Each
case is the kit's own driver, desk and journal on the emulated printer (printer_case.py), and is
held against the same rules (`wrongs`): nothing printed twice without a mark, nothing lost, nothing
on paper that the journal does not know. Exit code 1 when a case breaks one.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from firmware.desk import FAILED, NOT_KNOWN, PRINTED
from firmware.drivers.escpos import PROFILES
from host_tools.kit.escpos import EscPosEmulator
from host_tools.kit.printer_case import Case, Fault, PowerCut, Result, phases_of

Do = Callable[[EscPosEmulator], None]

HOT_MS = 20_000  # a head that is too hot has cooled after this


def _power_cut(_: EscPosEmulator) -> None:
    raise PowerCut


def _restart(part: EscPosEmulator) -> None:
    part.set_power(False)
    part.set_power(True)


# A state of the printer, and how it comes about. What a person cannot put right stays.
STATES: dict[str, Do] = {
    "ready": lambda _: None,
    "paper near its end": lambda part: part.set_low(True),
    "paper out": lambda part: part.set_paper(False),
    "cover open": lambda part: part.set_cover(True),
    "cutter error": lambda part: part.set_error("cutter"),
    "fault": lambda part: part.set_error("fault"),
    "head too hot": lambda part: part.set_error("hot", HOT_MS / 1000 / part.speed),
    "off line": lambda part: part.set_offline(True),
    "cable silent": lambda part: part.set_cable(False),
    "answers late": lambda part: part.set_answers(late=2.0),
    "answers twice": lambda part: part.set_answers(twice=True),
    "answers bent": lambda part: part.set_answers(rubbish="bent"),
    "noise beside answers": lambda part: part.set_answers(rubbish="noise"),
    "one stray answer": lambda part: part.set_answers(rubbish="stray"),
}
PHASES = ("before begin", "head", "text", "middle of code", "feed and cut", "awaiting the answer")
CUTS: dict[str, Do] = {
    "kit's power cut": _power_cut,
    "printer's power cut": lambda part: part.set_power(False),
    "printer restarts": _restart,
}
_SAID = {PRINTED: "printed", NOT_KNOWN: "not known", FAILED: "failed", None: "left open"}


@dataclass
class Row:
    """A case: what was done when to which kind of printer, and what came of it."""

    profile: str
    state: str
    phase: str
    result: Result

    @property
    def wrongs(self) -> list[str]:
        """The rules that the case breaks, in words; empty when it breaks none."""
        return list(_wrongs(self.result))

    @property
    def outcome(self) -> str:
        """In one line: slips on paper, what the journal says of each print, what was asked."""
        result = self.result
        paper = ["original" if mark == 0 else f"copy {mark}" for mark in _marks(result.whole)]
        torn = sum(result.begun) - sum(result.whole)
        parts = ["paper: " + (", ".join(paper) or "no whole slip")]
        if torn > 0:
            parts[0] += f" + {torn} torn"
        parts.append("journal: " + ", ".join(_SAID[outcome] for _, outcome in result.prints))
        if result.codes:
            parts.append("screen: " + ", ".join(f"E{code}" for code in result.codes))
        if result.asked:
            said = ("no", "yes")
            parts.append(
                "asked whether whole: " + ", ".join(said[answer] for answer in result.asked)
            )
        return "; ".join(parts)


def _marks(counts: list[int]) -> list[int]:
    return [mark for mark, count in enumerate(counts) for _ in range(count)]


def _wrongs(result: Result) -> Iterator[str]:
    yield from result.wrong
    for mark, count in enumerate(result.whole):
        if count > 1:
            yield f"{count} whole slips with mark {mark}: doubled in silence"
    marks = [mark for mark, _ in result.prints]
    if marks != list(range(len(marks))):
        yield f"marks of the prints are {marks}"
    for mark, outcome in result.prints:
        if outcome is None:
            yield f"print {mark} was never ended in the journal"
        if outcome == PRINTED and result.whole[mark] != 1:
            yield f"print {mark} is printed in the journal and not on paper: lost in silence"
    if not result.prints or result.prints[-1][1] != PRINTED:
        yield "the slip was not issued"
    printed = [outcome for _, outcome in result.prints].count(PRINTED)
    if printed > 1:
        yield "printed again although it was printed"
    for mark, count in enumerate(result.begun):
        if count > marks.count(mark):
            yield f"a slip with mark {mark} is on paper without its entry"
    for error in result.errors:
        yield f"printer: {error}"


def place(profile: str, phase: str) -> tuple[int | None, float]:
    """(number of the write, share of it that is sent before the fault) for a phase."""
    phases = phases_of(profile)
    if phase == "before begin":
        return None, 0.0
    if phase == "awaiting the answer":  # all is printed; a name is asked for, or the last request
        named = phases.count("answer") > 1
        return len(phases) - 1, 0.0 if named else 1.0
    if phase == "feed and cut":  # the last chunk: what is behind it asks for the answer
        return len(phases) - phases.count("answer"), 0.5
    name = {"head": "head", "text": "text", "middle of code": "code"}[phase]
    return phases.index(name) + phases.count(name) // 2, 0.5


def case(profile: str, do: Do, at: int | None, share: float) -> Result:
    """Run one case in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return Case(profile, Path(folder)).run(Fault(at, do, share))


def states(profiles: tuple[str, ...]) -> Iterator[Row]:
    """Every state in every phase."""
    for profile in profiles:
        for state, do in STATES.items():
            for phase in PHASES:
                yield Row(profile, state, phase, case(profile, do, *place(profile, phase)))


def cuts(profiles: tuple[str, ...], every: int = 1) -> Iterator[Row]:
    """Power cuts in, and just behind, every chunk (or every so many chunks)."""
    for profile in profiles:
        phases = phases_of(profile)
        numbers = sorted({*range(0, len(phases), every), len(phases) - 2, len(phases) - 1})
        for state, do in CUTS.items():
            for at in numbers:
                share = (0.0, 0.5, 1.0)[at % 3] if every > 1 else 0.5
                phase = f"chunk {at + 1} of {len(phases)} ({phases[at]})"
                yield Row(profile, state, phase, case(profile, do, at, share))


def rows(everything: bool) -> Iterator[Row]:
    """The cases of the table; all of them, or as many as take less than a minute."""
    narrow = tuple(name for name in PROFILES if not name.endswith("80"))
    yield from states(PROFILES if everything else narrow)
    yield from cuts(PROFILES, 1 if everything else 60)


def table(found: list[Row]) -> str:
    """The cases in lines, those alike in one, and a count of each way it can end."""
    by_state: dict[str, dict[tuple[str, str], Counter[str]]] = {}
    for row in found:
        phase = row.phase
        if phase.startswith("chunk"):
            phase = phase.split("(")[-1].rstrip(")")
        alike = by_state.setdefault(row.state, {})
        alike.setdefault((phase, row.outcome), Counter())[row.profile] += 1
    lines = []
    for state, alike in by_state.items():
        lines += ["", state.upper()]
        order = list(dict.fromkeys(phase for phase, _ in alike))
        for (phase, outcome), names in sorted(
            alike.items(), key=lambda item: order.index(item[0][0])
        ):
            who = ", ".join(name if n == 1 else f"{name} x{n}" for name, n in names.items())
            lines += [f"  {phase:<20} {who}", f"  {'':<20}   {outcome}"]
    ends = Counter(_end(row) for row in found)
    lines += ["", f"{len(found)} cases"]
    lines += [f"  {count:5d}  {end}" for end, count in ends.most_common()]
    for row in found:
        for wrong in row.wrongs:
            lines.append(f"WRONG  {row.profile}, {row.state}, {row.phase}: {wrong}")
    return "\n".join(lines).lstrip("\n")


def _end(row: Row) -> str:
    if row.wrongs:
        return "WRONG"
    whole = _marks(row.result.whole)
    if whole == [0]:
        return "original once" + (", the person confirmed it" if row.result.asked else "")
    if 0 in whole:
        return "original that nobody could confirm, and a marked copy"
    return "no whole original, a marked copy"


def _json(row: Row) -> dict:
    result = row.result
    return {
        "profile": row.profile,
        "state": row.state,
        "phase": row.phase,
        "paper": _marks(result.whole),
        "journal": [[mark, outcome] for mark, outcome in result.prints],
        "screen": result.codes,
        "asked": result.asked,
        "wrong": row.wrongs,
    }


def main() -> int:
    """Run the cases; 1 when one breaks a rule."""
    parser = argparse.ArgumentParser(prog="python -m host_tools.kit.printer_faults")
    parser.add_argument("--all", action="store_true", help="every chunk, every kind of printer")
    parser.add_argument("--json", action="store_true", help="one object a case")
    options = parser.parse_args()
    found = []
    for row in rows(options.all):
        found.append(row)
        if sys.stderr.isatty():
            print(
                f"\r{len(found)} cases: {row.profile}, {row.state}\x1b[K", end="", file=sys.stderr
            )
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    print(json.dumps([_json(row) for row in found]) if options.json else table(found))
    return 1 if any(row.wrongs for row in found) else 0


if __name__ == "__main__":
    sys.exit(main())
