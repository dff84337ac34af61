"""Checks a kit's journal: chain, counters, signatures, photographs, and what it says of itself.

The file is read as a copy: the kit's own reader cuts off a torn last write, evidence is never cut.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from cryptography import x509

from firmware import record
from firmware.journal import Journal, JournalError
from host_tools.verify import frame, kept, receipt, remains, story
from host_tools.verify.card import Card, CardError, open_card
from host_tools.verify.certificate import CertificateError, Certificates, key_of
from host_tools.verify.report import Report
from host_tools.verify.story import Entries
from host_tools.verify.trust import Known, Trust

NEEDED = ("key", "chain", "signature", "election", "revoked")
Progress = Callable[[int, int], None]


class JournalFileError(Exception):
    """The journal or certificate cannot be read; the text says what to do."""


@contextmanager
def _copy(data: bytes) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="saksi-") as folder:
        copy = Path(folder) / "journal"
        copy.write_bytes(data)
        yield str(copy)


def _first(data: bytes) -> record.Entry | None:
    """The first entry of a journal's bytes, unverified; None when there is none."""
    size, manifest_size = int.from_bytes(data[:4], "big"), int.from_bytes(data[8:10], "big")
    try:
        entry = record.parse(data[10 + manifest_size : 10 + size])
    except record.RecordError:
        return None
    return entry if entry.kind <= record.EVENT else None


def opened(path: Path) -> Card:
    """The card, image or journal at `path`; JournalFileError."""
    try:
        return open_card(path)
    except CardError as error:
        raise JournalFileError(str(error)) from error


def frames(path: Path) -> Entries:
    """(entry, manifest or None) of every journal at `path`, unverified; JournalFileError."""
    card, listed = opened(path), []
    for name in card.journals:
        data = _read(card, name)
        first = _first(data)
        with _copy(data) as copy:
            try:
                journal = Journal(copy, first.prev if first else b"")
                listed += [(record.parse(entry), kept) for _, entry, kept in journal.entries()]
            except (JournalError, record.RecordError) as error:
                raise JournalFileError(f"{path}: not a journal ({error.text})") from error
    if not listed:
        raise JournalFileError(f"{path}: not a journal, or an empty one")
    return listed


def _read(card: Card, name: str) -> bytes:
    try:
        return card.read(name)
    except CardError as error:
        raise JournalFileError(str(error)) from error


def check_journal(path: Path, certificate: bytes | None, trust: Trust, now: int) -> Report:
    """Every check of the journal in file `path` against the kit's certificate (DER); never raises.

    Raises JournalFileError only when the file cannot be read at all.
    """
    card = opened(path)
    return check_one(card, card.journals[0], certificate, trust, now)


def check_card(
    path: Path,
    certificate: bytes | None,
    trust: Trust,
    now: int,
    progress: Progress = lambda done, total: None,
) -> list[tuple[str, Report]]:
    """(name, report) of every journal in a card's folder, an image, or the journal's own file."""
    card = opened(path)
    return [
        (str(path) if len(card.journals) == 1 else f"{path}: {name}", report)
        for name in card.journals
        for report in [check_one(card, name, certificate, trust, now, progress)]
    ]


def check_one(
    card: Card,
    name: str,
    certificate: bytes | None,
    trust: Trust,
    now: int,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Every check of one journal of `card`; never raises but JournalFileError for its reading."""
    report = Report("journal", NEEDED)
    data = _read(card, name)
    try:
        _check(report, card, data, certificate or _beside(card, data), trust, now, progress)
    except Exception as error:  # whatever it was, the journal is not proved
        report.fail("unexpected", "Something unforeseen: %s", type(error).__name__)
    if card.aside:
        text = "The kit put another journal aside, which is to be checked by itself: %s"
        report.warn("aside", text, ", ".join(card.aside))
    return report.finish()


def _beside(card: Card, data: bytes) -> bytes | None:
    """The certificate on the same medium whose digest the first entry names; None without."""
    first = _first(data)
    for name in card.certificates:
        der = _read(card, name)
        if first is not None and record.sha256(der) == first.prev:
            return der
    return None


def _check(
    report: Report,
    card: Card,
    data: bytes,
    certificate: bytes | None,
    trust: Trust,
    now: int,
    progress: Progress,
) -> None:
    first = _first(data)
    some = first or next((entry for _, _, entry in remains.whole_frames(data)), None)
    known = _key(report, some, certificate, trust)
    if known is None:
        return
    genesis = record.sha256(certificate) if certificate else first.prev if first else b""
    entries = _chain(report, data, genesis, known)
    if not entries or not _signatures(report, entries, known):
        return
    _places(report, entries, known)
    if trust.certificates is not None and certificate is not None:
        _issuer(report, certificate, trust.certificates, entries[0][0])
    story.check(report, entries, trust.package)
    kept.check(report, entries, card, progress)
    receipt.check_bundle(report, trust, known.bundle, now)
    report.skip("tail", "Entries cut off at the end: compare the last slip and the collector")


def _key(
    report: Report, first: record.Entry | None, certificate: bytes | None, trust: Trust
) -> Known | None:
    """The kit's key: its certificate's where there is one, else the one that the journal names."""
    election = first.payload[1] if first else 0
    if certificate is None:
        report.skip("certificate", "The kit's certificate was not given: only the bundle vouches")
        kid, point = (first.kid if first else b""), None
    else:
        point = _certificate_key(report, certificate)
        if point is None:
            return None
        kid = record.kid_of(point)
    report.facts["kid"] = kid.hex()
    known = trust.known(kid, election)
    shown = kid.hex().upper()
    if certificate is not None and (known is None or known.point != point):
        report.fail("certificate", "Key %s of the certificate is not in this bundle", shown)
        return None
    if known is None and first is None:
        report.fail("chain", "There is no entry in it")
        return None
    if known is None:
        text = "Key %s is not in this bundle: foreign, or of another region"
        report.fail("key", text, shown)
        return None
    if certificate is not None:
        report.ok("certificate", "The certificate's key %s is in the bundle", shown)
    report.ok("key", "Key %s is in the bundle", shown)
    return known


def _certificate_key(report: Report, der: bytes) -> bytes | None:
    try:
        certificate = x509.load_der_x509_certificate(der)
    except Exception:  # the parser raises a dozen kinds on rubbish
        report.fail("certificate", "The certificate is not X.509 in DER")
        return None
    try:
        return key_of(certificate)
    except CertificateError:
        report.fail("certificate", "The certificate's key is not P-256")
        return None


def _issuer(report: Report, der: bytes, held: Certificates, head: record.Entry) -> None:
    kit = x509.load_der_x509_certificate(der)
    Certificates([kit], held.authorities).check(report, head.kid, head.payload[1], head.time)


def _chain(report: Report, data: bytes, genesis: bytes, known: Known) -> Entries:
    with _copy(data) as copy:
        try:
            journal = Journal(copy, genesis)
        except JournalError as error:
            report.fail("chain", "The chain does not hold: %s", error.text)
            remains.check(report, data, known.key, record.kid_of(known.point))
            return []
        report.facts["entries"], report.facts["head"] = journal.last, journal.head.hex()
        if journal.dropped:
            report.warn("torn", "The last %d bytes are a torn write, left out", journal.dropped)
        if not journal.last:
            report.fail("chain", "There is no entry in it")
            return []
        report.ok("chain", "%d entries, each following the one before", journal.last)
        return [(record.parse(entry), manifest) for _, entry, manifest in journal.entries()]


def _signatures(report: Report, entries: Entries, known: Known) -> bool:
    kid = record.kid_of(known.point)
    for entry, _ in entries:
        if entry.kid != kid:
            return report.fail("signature", "Entry %d names another key than the kit's", entry.seq)
        if not frame.signed_by(entry, known.key):
            return report.fail("signature", "The signature of entry %d is wrong", entry.seq)
    return report.ok("signature", "Every signature fits its entry and the kit's key")


def _places(report: Report, entries: Entries, known: Known) -> None:
    """One election and one station throughout, and those of the bundle."""
    first = entries[0][0]
    report.facts["election"] = first.payload[1]
    report.facts["station"] = f"{first.payload[2]:013d}"
    for entry, _ in entries:
        if entry.payload[1:3] != first.payload[1:3]:
            report.fail("election", "Entry %d is of another election or station", entry.seq)
            return
    receipt.check_place(report, first, known)
    times = [entry.time for entry, _ in entries]
    back = next((i + 2 for i, (a, b) in enumerate(pairwise(times)) if b < a), 0)
    if back:
        report.warn("time", "The clock went back at entry %d", back)
    else:
        report.ok("time", "The clock never went back")
