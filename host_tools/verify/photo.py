"""Compares a photograph with the record that names it: receipt -> manifest -> page -> SHA-256."""

import hashlib
from pathlib import Path
from typing import Any

from firmware import record
from host_tools.verify import journal as journals
from host_tools.verify import receipt
from host_tools.verify.report import Report
from host_tools.verify.trust import Trust

NEEDED = (*receipt.NEEDED, "manifest", "photograph")


class SourceError(Exception):
    """The manifest or the photograph cannot be had; the text says what to do."""


def digest_of(path: Path) -> tuple[bytes, int]:
    """(SHA-256, size in bytes) of a file, read in pieces; SourceError."""
    h, size = hashlib.sha256(), 0
    try:
        with Path(path).open("rb") as file:
            while piece := file.read(1 << 20):
                h.update(piece)
                size += len(piece)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from error
    return h.digest(), size


def read_manifest(path: Path) -> bytes:
    """A manifest's bytes from a file that holds them as they are or in hex; SourceError."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return bytes.fromhex(data.decode("ascii").strip())
    except (UnicodeDecodeError, ValueError):
        return data


def manifest_in_journal(path: Path, rec_id: bytes) -> bytes:
    """The manifest of record `rec_id` from a journal's file; SourceError when it is not there."""
    for entry, manifest in journals.frames(path):
        if entry.rec_id == rec_id and manifest is not None:
            return manifest
    raise SourceError(f"{path}: has no record {rec_id.hex()[:8]}; give the journal of that kit")


def check_photo(
    digest: bytes, size: int, data: bytes, manifest: bytes, trust: Trust, now: int
) -> Report:
    """The receipt's checks on `data`, then manifest and photograph; never raises."""
    report = receipt.check_receipt(data, trust, now)
    report.subject, report.needed = "photo", NEEDED
    report.checks = [check for check in report.checks if check.name != "photographs"]
    try:
        _check(report, digest, size, data, manifest)
    except Exception as error:  # whatever it was, the photograph is not proved
        report.fail("unexpected", "Something unforeseen: %s", type(error).__name__)
    return report.finish()


def _check(report: Report, digest: bytes, size: int, data: bytes, manifest: bytes) -> None:
    if report.failed or not report.valid_without("manifest", "photograph"):
        return
    entry = record.parse(data)
    payload: Any = entry.payload
    if entry.kind not in (record.RESULT, record.CORRECTION):
        report.fail("manifest", "This record names no photographs: give a result's receipt")
        return
    if record.sha256(manifest) != payload[6]:
        report.fail("manifest", "The manifest is not the one that the record names")
        return
    pages, _ = record.parse_manifest(manifest)
    report.ok("manifest", "The manifest is the one that the record names: %d pages", len(pages))
    report.facts["pages"] = [[no, sha.hex(), length] for no, sha, length in pages]
    report.facts["sha256"] = digest.hex()
    for number, wanted, length in pages:
        if wanted == digest and length == size:
            report.facts["page"] = number
            report.ok("photograph", "The photograph is page %d, bit for bit", number)
            return
    report.fail("photograph", "The photograph is none of the pages: another one, or altered")
