"""Whether a journal's entries agree: pages, corrections, slips, closing, collector's answers."""

from firmware import record
from firmware.package import Package
from host_tools.provision import keys
from host_tools.verify.report import Report

Entries = list[tuple[record.Entry, bytes | None]]


def check(report: Report, entries: Entries, package: Package | None) -> None:
    """Add the checks below to `report`; `entries` are whole, chained and signed."""
    report.facts["results"] = [
        {
            "seq": entry.seq,
            "kind": "correction" if entry.kind == record.CORRECTION else "result",
            "contest": entry.payload[3],
            "rec_id": entry.rec_id.hex(),
        }
        for entry, _ in entries
        if entry.kind != record.EVENT
    ]
    _pages(report, entries)
    _corrections(report, entries)
    _slips(report, entries)
    _closing(report, entries)
    _answers(report, entries, package)


def _events(entries: Entries, number: int) -> list[record.Entry]:
    """Events of that number whose detail is of their shape; others are kept, and not judged."""
    shapes = {record.PAGE: 5, record.RECEIPT_BEGUN: 2, record.RECEIPT_ENDED: 2}
    least = shapes.get(number, 1)
    return [
        entry
        for entry, _ in entries
        if entry.kind == record.EVENT
        and entry.payload[3] == number
        and len(entry.payload[4]) >= least
    ]


def _pages(report: Report, entries: Entries) -> None:
    """Every page that a result names was kept by a page event before it."""
    kept: set[bytes] = set()
    for entry, manifest in entries:
        if entry.kind == record.EVENT:
            detail = entry.payload[4]
            if entry.payload[3] == record.PAGE and len(detail) >= 3:
                kept.add(bytes(detail[2]) if isinstance(detail[2], bytes) else b"")
            continue
        pages, _ = record.parse_manifest(manifest or b"")
        for number, digest, _ in pages:
            if digest not in kept:
                text = "Page %d of entry %d was never kept by a page event"
                report.warn("pages", text, number, entry.seq)
                return
    report.ok("pages", "Every page that a result names was kept before it")


def _corrections(report: Report, entries: Entries) -> None:
    """A contest has one result; what follows it is a correction that names an earlier record."""
    seen: dict[int, list[bytes]] = {}
    for entry, manifest in entries:
        if entry.kind == record.EVENT:
            continue
        earlier = seen.setdefault(entry.payload[3], [])
        if entry.kind == record.RESULT and earlier:
            report.warn("results", "Entry %d is a second result of its contest", entry.seq)
            return
        if entry.kind == record.CORRECTION:
            _, extra = record.parse_manifest(manifest or b"")
            if extra.get(record.REPLACES) not in earlier:
                text = "Correction %d names no earlier record of its contest"
                report.warn("results", text, entry.seq)
                return
        earlier.append(entry.rec_id)
    report.ok("results", "Each contest has one result, and corrections name what they replace")


def _slips(report: Report, entries: Entries) -> None:
    ended = [entry.payload[4][0] for entry in _events(entries, record.RECEIPT_ENDED)]
    for entry in _events(entries, record.RECEIPT_BEGUN):
        if entry.payload[4][1] not in ended:
            report.warn("slips", "The print begun at entry %d has no end", entry.seq)
            return
    report.ok("slips", "Every print that was begun has its end")


def _closing(report: Report, entries: Entries) -> None:
    closings = _events(entries, record.CLOSE)
    if not closings:
        report.warn("close", "The station was not closed")
        return
    for entry in closings:
        if entry.payload[4] != [entry.seq - 1, entry.prev]:
            report.fail("close", "The closing at entry %d does not fit the chain", entry.seq)
            return
    report.ok("close", "The closing fits the chain")


def _answers(report: Report, entries: Entries, package: Package | None) -> None:
    """The collector's answers: about records of this journal, signed by the collector."""
    ours = {entry.rec_id for entry, _ in entries}
    events = _events(entries, record.ACKNOWLEDGED)
    report.facts["acknowledged"] = len(events)
    if not events:
        report.skip("answers", "The collector's answers: there is none in this journal")
        return
    for entry in events:
        ack = _ack(entry.payload[4][0])
        if ack is None or ack.payload[1] not in ours:
            report.warn("answers", "Entry %d holds no answer about this journal", entry.seq)
            return
        if package is None:
            continue
        key = bytes(package.collector_key)
        if not keys.verify(key, ack.signed_digest(), ack.signature):
            report.warn("answers", "The answer in entry %d is not the collector's", entry.seq)
            return
    if package is None:
        report.skip("answers", "The collector's answers: give the station package for its key")
    else:
        report.ok("answers", "Every answer of the collector is signed by it")


def _ack(data) -> record.Entry | None:
    try:
        ack = record.parse(data)
    except (record.RecordError, TypeError, ValueError):
        return None
    return ack if ack.kind == record.ACK else None
