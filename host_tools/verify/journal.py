"""Checks a kit's journal from its SD card: chain, counters, signatures, and what it says of itself.

The file is read as a copy: the kit's own reader cuts off a torn last write, evidence is never cut.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from firmware import record
from firmware.journal import Journal, JournalError
from host_tools.provision import keys
from host_tools.verify import mode, receipt, story
from host_tools.verify.report import Report
from host_tools.verify.trust import Trust

NEEDED = ("certificate", "chain", "signature", "election", "revoked")


class JournalFileError(Exception):
    """The journal or certificate cannot be read; the text says what to do."""


@contextmanager
def _copy(path: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="saksi-") as folder:
        copy = Path(folder) / "journal"
        try:
            shutil.copyfile(path, copy)
        except OSError as error:
            raise JournalFileError(f"{path}: cannot be read ({error.strerror})") from error
        yield str(copy)


def frames(path: Path) -> list[tuple[bytes, bytes | None]]:
    """(entry, manifest or None) of a journal whose first `prev` is taken as it stands."""
    with _copy(path) as copy:
        try:
            with open(copy, "rb") as file:
                head = file.read(10)
                size, manifest_size = (
                    int.from_bytes(head[:4], "big"),
                    int.from_bytes(head[8:], "big"),
                )
                first = record.parse(file.read(size)[manifest_size:])
            journal = Journal(copy, first.prev)
            return [(data, manifest) for _, data, manifest in journal.entries()]
        except (JournalError, record.RecordError) as error:
            raise JournalFileError(f"{path}: not a journal ({error.text})") from error


def check_journal(path: Path, certificate: bytes, trust: Trust, now: int) -> Report:
    """Every check of the journal in file `path` against the kit's certificate (DER); never raises.

    Raises JournalFileError only when the file cannot be read at all.
    """
    report = Report("journal", NEEDED)
    with _copy(path) as copy:
        try:
            _check(report, copy, certificate, trust, now)
        except Exception as error:  # whatever it was, the journal is not proved
            report.fail("unexpected", "Something unforeseen: %s", type(error).__name__)
    return report.finish()


def _check(report: Report, copy: str, certificate: bytes, trust: Trust, now: int) -> None:
    key = _certificate_key(report, certificate, trust)
    if key is None:
        return
    entries = _chain(report, copy, record.sha256(certificate))
    if not entries or not _signatures(report, entries, key):
        return
    _places(report, entries, trust)
    mode.check(report, entries[0][0].payload[1])
    story.check(report, entries, trust.package)
    receipt.check_bundle(report, trust, now)
    report.skip("tail", "Entries cut off at the end: compare the last slip and the collector")


def _certificate_key(report: Report, der: bytes, trust: Trust) -> bytes | None:
    """The 64 B key of the certificate if the bundle lists it."""
    try:
        public = x509.load_der_x509_certificate(der).public_key()
    except Exception:  # the parser raises a dozen kinds on rubbish
        report.fail("certificate", "The certificate is not X.509 in DER")
        return None
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != keys.CURVE.name:
        report.fail("certificate", "The certificate's key is not P-256")
        return None
    key = keys.to_point64(public)
    kid = record.kid_of(key)
    report.facts["kid"] = kid.hex()
    if trust.bundle.key(kid) != key:
        text = "Key %s of the certificate is not in this bundle"
        report.fail("certificate", text, kid.hex().upper())
        return None
    report.ok("certificate", "The certificate's key %s is in the bundle", kid.hex().upper())
    return key


def _chain(report: Report, copy: str, genesis: bytes) -> list[tuple[record.Entry, bytes | None]]:
    try:
        journal = Journal(copy, genesis)
    except JournalError as error:
        report.fail("chain", "The chain does not hold: %s", error.text)
        return []
    report.facts["entries"], report.facts["head"] = journal.last, journal.head.hex()
    if journal.dropped:
        report.warn("torn", "The last %d bytes are a torn write, left out", journal.dropped)
    if not journal.last:
        report.fail("chain", "There is no entry in it")
        return []
    report.ok("chain", "%d entries, each following the one before", journal.last)
    return [(record.parse(data), manifest) for _, data, manifest in journal.entries()]


def _signatures(report: Report, entries: list, key: bytes) -> bool:
    kid = record.kid_of(key)
    for entry, _ in entries:
        if entry.kid != kid:
            return report.fail("signature", "Entry %d names another key than the kit's", entry.seq)
        if not keys.verify(key, entry.signed_digest(), entry.signature):
            return report.fail("signature", "The signature of entry %d is wrong", entry.seq)
    return report.ok("signature", "Every signature fits its entry and the kit's key")


def _places(report: Report, entries: list, trust: Trust) -> None:
    """One election and one station throughout, and those of the bundle."""
    first = entries[0][0]
    report.facts["election"] = first.payload[1]
    report.facts["station"] = f"{first.payload[2]:013d}"
    for entry, _ in entries:
        if entry.payload[1:3] != first.payload[1:3]:
            report.fail("election", "Entry %d is of another election or station", entry.seq)
            return
    receipt.check_place(report, first, trust.bundle)
    times = [entry.time for entry, _ in entries]
    back = next((i + 2 for i, (a, b) in enumerate(pairwise(times)) if b < a), 0)
    if back:
        report.warn("time", "The clock went back at entry %d", back)
    else:
        report.ok("time", "The clock never went back")
