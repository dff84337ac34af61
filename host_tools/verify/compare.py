"""What several receipts say of each other: misuse of a key, broken chains, corrections.

One receipt alone cannot show any of this; two of them, or a kit's journal, can.
"""

from collections import defaultdict

from firmware import record
from host_tools.verify import quick
from host_tools.verify.report import OK, SKIPPED, WARNING, Report

Signed = tuple[Report, record.Entry]
Replacements = dict[bytes, record.Entry]  # rec-id -> the correction that names it


def compare(reports: list[Report], datas: list[bytes], replaced: Replacements | None = None):
    """Add to `reports` what follows from having all of `datas`, their bytes, at hand.

    Only what was found valid is compared: nobody can cast doubt on a receipt with a forged one.
    `replaced`: corrections of a journal, by the rec-id that their manifest names.
    """
    signed = [
        (report, quick.parse(data))
        for report, data in zip(reports, datas, strict=True)
        if report.exit_code == 0 and report.facts.get("kind") != "acknowledgement"
    ]
    _neighbours(signed)
    _corrections(signed, replaced)


def _neighbours(signed: list[Signed]) -> None:
    """Same key and number with other bytes is misuse; number n names n - 1 as the one before."""
    by_place: dict[tuple[bytes, int], dict[bytes, list[Report]]] = defaultdict(dict)
    for report, entry in signed:
        by_place[entry.kid, entry.seq].setdefault(entry.rec_id, []).append(report)
    for report, entry in signed:
        twins = by_place[entry.kid, entry.seq]
        if len(twins) > 1:
            text = "Two different records have number %d of this kit: its key is misused"
            report.fail("misuse", text, entry.seq)
            continue
        before = by_place.get((entry.kid, entry.seq - 1))
        if before is None or len(before) > 1:
            continue
        if entry.prev in before:
            report.ok("chain", "It follows record %d, which was given too", entry.seq - 1)
        else:
            text = "It does not follow record %d, which was given too: one of them is misuse"
            report.fail("chain", text, entry.seq - 1)


def _corrections(signed: list[Signed], replaced: Replacements | None) -> None:
    """Whether a record was replaced: surely by a journal, likely by another receipt."""
    contests: dict[tuple, dict[bytes, record.Entry]] = defaultdict(dict)
    for _, entry in signed:
        if entry.kind < record.EVENT:
            contests[tuple(entry.payload[1:4])][entry.rec_id] = entry
    for report, entry in signed:
        if entry.kind >= record.EVENT:
            continue
        if replaced is not None and entry.rec_id in replaced:
            by = replaced[entry.rec_id]
            _say(report, WARNING, "Replaced by correction %d, record %s", by.seq, _short(by))
            continue
        rest = contests[tuple(entry.payload[1:4])].values()
        later = [
            one
            for one in rest
            if one.kind == record.CORRECTION and one.kid == entry.kid and one.seq > entry.seq
        ]
        if later:
            last = max(later, key=lambda one: one.seq)
            text = "A later correction of this contest was given: number %d, record %s"
            _say(report, WARNING, text, last.seq, _short(last))
        elif replaced is not None:
            _say(report, OK, "No correction in the journal given replaces it")
        elif len(contests[tuple(entry.payload[1:4])]) > 1:
            text = "None of the other receipts replaces it; of further ones only the log knows"
            _say(report, SKIPPED, text)
        if any(one.kid != entry.kid for one in rest):
            text = "Another kit signed a result of this station and contest too: ask why"
            report.warn("other", text)


def _say(report: Report, status: str, text: str, *values) -> None:
    """Put this in the place of what one receipt alone could say of corrections."""
    report.checks = [check for check in report.checks if check.name != "superseded"]
    report.add("superseded", status, text, *values)


def _short(entry: record.Entry) -> str:
    return entry.rec_id[:4].hex().upper()


def replacements(entries: list[tuple[record.Entry, bytes | None]]) -> Replacements:
    """The corrections of a kit's verified journal, by the rec-id that each names as replaced."""
    found: Replacements = {}
    for entry, manifest in entries:
        if entry.kind == record.CORRECTION:
            _, extra = record.parse_manifest(manifest or b"")
            old = extra.get(record.REPLACES)
            if isinstance(old, bytes):
                found[old] = entry
    return found
