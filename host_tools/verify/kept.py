"""The photographs on a card against what the journal says was kept, bit for bit."""

from collections.abc import Callable
from functools import partial

from firmware import record
from host_tools.verify.card import Card, CardError
from host_tools.verify.report import FAILED, OK, WARNING, Report, Words
from host_tools.verify.story import Entries

_LINES = 20


def wanted(entries: Entries) -> dict[bytes, tuple[int, int]]:
    """{SHA-256: (size, seq of the entry)} of every photograph that the journal names."""
    named: dict[bytes, tuple[int, int]] = {}
    for entry, manifest in entries:
        if entry.kind != record.EVENT:
            for _, digest, size in record.parse_manifest(manifest or b"")[0]:
                named.setdefault(digest, (size, entry.seq))
            continue
        detail = entry.payload[4]
        at = {record.PAGE: 2, record.INCIDENT: 1}.get(entry.payload[3])
        if at is None or len(detail) < at + 2:
            continue
        digest, size = detail[at : at + 2]
        if isinstance(digest, bytes) and len(digest) == 32 and isinstance(size, int):
            named.setdefault(digest, (size, entry.seq))
    return named


def check(
    report: Report,
    entries: Entries,
    card: Card,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Every photograph that the journal names is there and unchanged; what else is there is told.

    `progress(bytes done, bytes in all)` is called while they are read.
    """
    if card.photographs is None:
        report.skip("photographs", "The photographs: give the card's folder, not the journal alone")
        return
    if not card.photographs and card.certificates:  # certificates are on flash alone
        report.skip("photographs", "This is the kit's flash: its photographs are on the card")
        return
    named, there = wanted(entries), card.photographs
    total = sum(card.size(name) for digest, name in there.items() if digest in named)
    done, missing, lines = 0, [], []
    altered = False

    def more(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total)

    for digest, (size, seq) in named.items():
        name = there.get(digest)
        if name is None:
            missing.append(digest)
            lines.append(partial(_missing, digest, seq))
            continue
        try:
            same = card.size(name) == size and card.digest(name, more) == digest
        except (CardError, OSError):
            same = False
        if not same:
            altered = True
            lines.insert(0, partial(_altered, name, seq))
    extra = [name for digest, name in there.items() if digest not in named]
    lines += [partial(_extra, name) for name in extra]
    report.facts["photographs"] = {
        "named": len(named), "missing": len(missing), "extra": len(extra), "altered": altered,
    }  # fmt: skip
    if altered:
        text = "A photograph on the card is not what was signed:"
        report.add("photographs", FAILED, text, lines=lines[:_LINES])
    elif lines:
        text = "The photographs and the journal do not name the same:"
        report.add("photographs", WARNING, text, lines=lines[:_LINES])
    else:
        text = "All %d photographs that the journal names are there, bit for bit"
        report.add("photographs", OK, text, len(named))


def _missing(digest: bytes, seq: int, t: Words) -> str:
    return t("Entry %d names %s.jpg, which is not here") % (seq, digest.hex()[:16])


def _altered(name: str, seq: int, t: Words) -> str:
    return t("%s was changed after entry %d was signed, or cannot be read") % (name, seq)


def _extra(name: str, t: Words) -> str:
    return t("%s is named by no entry") % name
