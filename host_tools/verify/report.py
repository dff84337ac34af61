"""The outcome of a verification: an ordered list of checks, each with one sentence.

A report fails closed: it is good only when every check that it needs was made and held.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

OK, FAILED, WARNING, SKIPPED = "ok", "failed", "warning", "not checked"
GOOD, WANTING, CANNOT = 0, 1, 2  # exit codes of the command

Words = Callable[[str], str]


class Check(NamedTuple):
    """One check. `text` is a sentence in English with %-places for `values`.

    `lines` go below it: functions from words to a line.
    """

    name: str
    status: str
    text: str
    values: tuple = ()
    lines: tuple[Callable[[Words], str], ...] = ()

    def sentence(self, t: Words) -> str:
        """The sentence in the language of `t`."""
        return t(self.text) % self.values

    def below(self, t: Words) -> list[str]:
        """The lines below it, in the language of `t`."""
        return [line(t) for line in self.lines]


@dataclass(slots=True)
class Report:
    """Checks of one thing (`subject`), what it says (`facts`), and which checks it must pass."""

    subject: str
    needed: tuple[str, ...]
    checks: list[Check] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def add(
        self, name: str, status: str, text: str, *values, lines: Iterable[Callable] = ()
    ) -> bool:
        """Append a check; True when it is ok."""
        self.checks.append(Check(name, status, text, values, tuple(lines)))
        return status == OK

    def ok(self, name: str, text: str, *values) -> bool:
        """Append a check that held."""
        self.checks.append(Check(name, OK, text, values))
        return True

    def fail(self, name: str, text: str, *values) -> bool:
        """Append a check that failed."""
        return self.add(name, FAILED, text, *values)

    def warn(self, name: str, text: str, *values, lines: Iterable[Callable] = ()) -> bool:
        """Append a check whose outcome somebody must look at."""
        return self.add(name, WARNING, text, *values, lines=lines)

    def skip(self, name: str, text: str, *values) -> bool:
        """Append a check that was not made, with the reason."""
        return self.add(name, SKIPPED, text, *values)

    def status(self, name: str) -> str:
        """The worst status under that name; "not checked" when it was never reached."""
        found = [check.status for check in self.checks if check.name == name]
        return next((s for s in (FAILED, SKIPPED, WARNING, OK) if s in found), SKIPPED)

    @property
    def valid(self) -> bool:
        """True only when nothing failed and every needed check was ok."""
        return self.valid_without()

    def valid_without(self, *names: str) -> bool:
        """As `valid`, for the needed checks but those named, which are still to be made."""
        rest = (name for name in self.needed if name not in names)
        return not self.failed and all(self.status(name) == OK for name in rest)

    @property
    def failed(self) -> bool:
        return any(check.status == FAILED for check in self.checks)

    @property
    def warned(self) -> bool:
        return any(check.status == WARNING for check in self.checks)

    @property
    def exit_code(self) -> int:
        """0 good, 1 found wanting, 2 a needed check could not be made."""
        held, left = set(), set()
        for check in self.checks:
            status = check[1]
            if status == OK:
                held.add(check[0])
            elif status == FAILED:
                return WANTING
            else:
                left.add(check[0])
        # What is ok under one check and open under another of the same name is open.
        return GOOD if held.issuperset(self.needed) and left.isdisjoint(self.needed) else CANNOT

    @property
    def values(self) -> dict[str, int | None]:
        """{field: figure} of a record on a known form, or {}: only who shows them needs names."""
        fields = self.facts.get("fields", ())
        return dict(zip(fields, self.facts["figures"], strict=True)) if fields else {}

    def finish(self) -> "Report":
        """Name every needed check that was never reached; returns the report itself."""
        reached = {check.name for check in self.checks}
        for name in self.needed:
            if name not in reached:
                self.skip(name, "Not reached: an earlier check failed")
        return self

    def as_json(self, t: Words) -> dict[str, Any]:
        """For --json: verdict, exit code, facts and checks, sentences in the language of `t`."""
        facts = {name: fact for name, fact in self.facts.items() if name != "fields"}
        if values := self.values:
            facts["values"] = values
        return {
            "subject": self.subject,
            "valid": self.valid,
            "exit": self.exit_code,
            "facts": facts,
            "checks": [
                {
                    "check": check.name,
                    "status": check.status,
                    "text": check.sentence(t),
                    **({"lines": check.below(t)} if check.lines else {}),
                }
                for check in self.checks
            ],
        }


def worst(reports: Iterable[Report]) -> int:
    """The exit code for several reports: anything wanting comes first, then what cannot be told."""
    codes = {report.exit_code for report in reports}
    return next((code for code in (WANTING, CANNOT) if code in codes), GOOD)
