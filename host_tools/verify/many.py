"""One receipt or thousands: read, check, compare with each other, tell."""

import gc
import sys
from pathlib import Path

from host_tools.verify import bulk
from host_tools.verify.compare import Replacements, compare
from host_tools.verify.progress import counted
from host_tools.verify.read import Found, ReadError, Scan, from_texts, receipts
from host_tools.verify.receipt import NEEDED, check_receipts
from host_tools.verify.report import CANNOT, Report, Words, worst
from host_tools.verify.trust import Trust
from host_tools.verify.words import words

FEW = 5  # receipts up to which each is told in full


class Check:
    """What receipts are checked with: trust, the time, what a journal says was replaced."""

    def __init__(self, trust: Trust, now: int, replaced: Replacements | None = None):
        self.trust, self.now, self.replaced = trust, now, replaced

    def _text(self, found: Found) -> Report | None:
        """What is wrong with a receipt's text; None when its bytes are there to be checked."""
        if found.missing is not None:
            report = Report("receipt", NEEDED)
            report.skip("read", "The receipt is in several codes: scan also %s", found.missing)
            return report.finish()
        if found.problem is not None:
            report = Report("receipt", NEEDED)
            report.fail("frame", "Not a Saksi record, or altered: %s", found.problem)
            return report.finish()
        return None

    def all(self, found: list[Found]) -> list[tuple[str, Report]]:
        """The reports of all receipts, each also compared with the others."""
        texts = [self._text(one) for one in found]
        whole = [one.data for one, wrong in zip(found, texts, strict=True) if wrong is None]
        checked = iter(check_receipts(whole, self.trust, self.now))
        reports = [wrong or next(checked) for wrong in texts]
        compare(reports, [one.data for one in found], self.replaced)
        return [(one.where, report) for one, report in zip(found, reports, strict=True)]


def seldom_collect() -> None:
    """Keep the garbage collector from what it cannot free: modules stay, reports hold no cycles."""
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)


def check_many(
    check: Check, sources: list[str], csv: Path | None, as_json: bool, lang: str
) -> int | tuple[int, str]:
    """Read `sources`, check what they hold and print it; the exit code, or (code, what to do)."""
    seldom_collect()
    inputs = bulk.expand(sources)
    if not inputs:
        return CANNOT, f"{sources[0]}: holds no picture and no text of a receipt"
    scanned: list[Scan] = []
    unread: list[tuple[str, Report]] = []
    found: list[Found] = []
    with counted(len(inputs), not as_json) as done:
        for source, outcome in zip(inputs, bulk.scans(inputs, done), strict=True):
            try:
                if isinstance(outcome, ReadError):
                    raise outcome
                receipts([outcome])  # a source without a receipt is told by itself
                scanned.append(outcome)
            except ReadError as error:
                if len(inputs) == 1:
                    return CANNOT, str(error)
                unread.append((source, _unread(source, str(error))))
    found = receipts(scanned)
    reports = check.all(found) + unread
    t = words(lang)
    if csv is not None:
        try:
            bulk.write_csv(csv, reports, t)
        except OSError as error:
            return CANNOT, f"{csv}: cannot be written ({error.strerror})"
    _tell(reports, as_json, t)
    return worst([report for _, report in reports])


def _unread(source: str, text: str) -> Report:
    report = Report("receipt", NEEDED)
    report.skip("read", "Cannot be read: %s", text.removeprefix(f"{source}: "))
    return report.finish()


def _tell(reports: list[tuple[str, Report]], as_json: bool, t: Words) -> None:
    from host_tools.verify import show

    if as_json:
        print(show.dump(reports, t))
    elif len(reports) <= FEW:
        show.show_all(reports, t)
    else:
        from rich.console import Console

        show.show_counts(reports, t, Console(highlight=False))


def check_scanner(check: Check, lang: str) -> int:
    """Check what a scanner types, line by line, until an empty line or the end; the exit code.

    A receipt in several codes is told as soon as its last one was scanned.
    """
    from rich.console import Console

    from host_tools.verify import show

    t, console = words(lang), Console(highlight=False)
    reports: list[Report] = []
    waiting: list[str] = []
    console.print("Pindai struk; baris kosong mengakhiri / scan receipts; an empty line ends")
    for line in sys.stdin:
        if not line.strip():
            break
        try:
            held = from_texts([*waiting, line], "scanner")
        except ReadError as error:
            console.print(str(error), style="yellow", markup=False)
            continue
        lacking = [one for one in held if one.missing is not None]
        if lacking:
            waiting.append(line)
            console.print(f"+ {lacking[0].missing}", style="yellow", markup=False)
            continue
        waiting = []
        for where, report in check.all(held):
            show.show(report, where, t, console)
            reports.append(report)
    return worst(reports) if reports else CANNOT
