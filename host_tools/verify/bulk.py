"""Many receipts at once: folders of pictures and texts, read on all cores, told as CSV."""

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from host_tools.verify.read import ReadError, Scan, scan
from host_tools.verify.report import FAILED, SKIPPED, WARNING, Report, Words

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".heic", ".heif"}
TEXTS = {".txt", ".cbor", ""}
COLUMNS: tuple[str, ...] = (
    "where", "verdict", "exit", "kind", "mode", "election", "station", "contest", "form", "seq",
    "time", "record", "kit", "failed", "warnings", "not_checked", "said", "figures",
)  # fmt: skip
VERDICTS = ("valid", "not valid", "cannot tell")


def expand(sources: Iterable[str]) -> list[str]:
    """The sources with every folder replaced by the pictures and texts in it, at any depth."""
    found = []
    for source in sources:
        if "#" not in source and source != "-" and Path(source).is_dir():
            found += [str(path) for path in sorted(Path(source).rglob("*")) if _is_receipt(path)]
        else:
            found.append(source)
    return found


def _is_receipt(path: Path) -> bool:
    """A file that may be one: bundles and packages lie beside receipts and are none."""
    hidden = path.name.startswith((".", "bundle", "package"))
    return not hidden and path.suffix.lower() in PICTURES | TEXTS and path.is_file()


def scans(sources: list[str], done: Callable[[], None]) -> Iterator[Scan | ReadError]:
    """What each source holds, in order, or why it cannot be read; `done()` after each.

    Decoding pictures is nearly all of the work and lets go of Python's lock, so threads do.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for outcome in pool.map(_scan, sources):
            done()
            yield outcome


def _scan(source: str) -> Scan | ReadError:
    try:
        return scan(source)
    except ReadError as error:
        return error


def row(where: str, report: Report, t: Words) -> dict[str, object]:
    """One receipt as a row of COLUMNS."""
    facts = report.facts
    by_status = {
        status: [check for check in report.checks if check.status == status]
        for status in (FAILED, WARNING, SKIPPED)
    }
    first = next(iter(by_status[FAILED] or by_status[WARNING]), None)
    if report.exit_code == 2:
        first = next((c for c in by_status[SKIPPED] if c.name in report.needed), None)
        first = next((c for c in by_status[SKIPPED] if c.name == "read"), first)
    # What an invalid receipt says is not told as if anybody had said it.
    said = facts if report.exit_code == 0 else {}
    return {
        "where": _plain(where),
        "verdict": VERDICTS[report.exit_code],
        "exit": report.exit_code,
        "kind": said.get("kind", ""),
        "mode": "training" if facts.get("training") else "live" if "training" in facts else "",
        **{name: said.get(name, "") for name in ("election", "station", "contest", "form", "seq")},
        "time": _iso(said["time"]) if "time" in said else "",
        "record": facts.get("rec_id", ""),
        "kit": facts.get("kid", ""),
        "failed": " ".join(check.name for check in by_status[FAILED]),
        "warnings": " ".join(check.name for check in by_status[WARNING]),
        "not_checked": " ".join(check.name for check in by_status[SKIPPED]),
        "said": first.sentence(t) if first else "",
        "figures": " ".join("-" if n is None else str(n) for n in said.get("figures", ())),
    }


def _plain(text: str) -> str:
    """A file's name that no spreadsheet takes for a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text


def _iso(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def write_csv(path: Path, reports: list[tuple[str, Report]], t: Words) -> None:
    """All receipts as CSV (UTF-8 with a mark, as spreadsheets like it); OSError."""
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for where, report in reports:
            writer.writerow(row(where, report, t))


def counts(reports: list[tuple[str, Report]]) -> dict[str, int]:
    """How many were valid, valid with warnings, not valid, not told; and of training."""
    found: Counter[str] = Counter()
    for _, report in reports:
        code = report.exit_code
        found[VERDICTS[code]] += 1
        if code == 0 and report.warned:
            found["with warnings"] += 1
        if code == 0 and report.facts.get("training"):
            found["training"] += 1
    return dict(found)
