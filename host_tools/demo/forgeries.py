"""What a forger might try, each tried for real: every one has to be refused.

A changed digit, a changed photograph and a foreign kit, against the verifier and the collector.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import segno

from firmware import cbor, record
from firmware.drivers.atecc608 import ATECC608
from firmware.drivers.atecc608_role import Setup
from firmware.qr_text import bytes_of, qr_text
from host_tools.kit.atecc608 import ATECC608Emulator
from host_tools.kit.bus import I2CBus, LocalI2C
from host_tools.verify.photo import check_photo, digest_of
from host_tools.verify.read import read
from host_tools.verify.receipt import check_receipt
from host_tools.verify.trust import Trust

FOREIGN_SERIAL = bytes.fromhex("0123f00ff00ff00fee")


@dataclass(frozen=True)
class Attempt:
    """One forgery: what was tried, whether it was refused, and in whose words."""

    name: str
    refused: bool
    said: str


def changed_digit(entry: record.Entry) -> bytes:
    """The entry with one vote added to its last written figure; the signature stays."""
    payload = list(entry.payload)
    figures = list(payload[5])
    last = max(at for at, figure in enumerate(figures) if figure is not None)
    figures[last] += 1
    payload[5] = figures
    return record.assemble(payload, entry.kid, lambda digest: entry.signature)


def foreign_chip(folder: Path) -> ATECC608:
    """Another kit's secure element, set up as the real ones are, but certified by nobody."""
    chip = ATECC608(LocalI2C(I2CBus(ATECC608Emulator(folder, speed=1000, serial=FOREIGN_SERIAL))))
    Setup(chip).configure()
    return chip


def picture(text: str, path: Path) -> Path:
    """A QR code of `text` as a PNG, as a forger would print it."""
    segno.make_qr(text, error="m").save(str(path), scale=5, border=4)
    return path


class Forger:
    """Tries forgeries of one real receipt. `url` is the collector's address."""

    def __init__(self, entry: record.Entry, manifest: bytes, trust: Trust, url: str, out: Path):
        self.entry = entry
        self.manifest = manifest
        self.trust = trust
        self.url = url
        self.out = out
        out.mkdir(parents=True, exist_ok=True)

    def attempts(self, host: str, photo: Path) -> list[Attempt]:
        """Every forgery in turn; `host` stands in the QR text, `photo` is a signed photograph."""
        altered = changed_digit(self.entry)
        chip = foreign_chip(self.out / "foreign-chip.json")
        kid = record.kid_of(chip.public_key())
        foreign = record.assemble(self.entry.payload, kid, chip.sign)
        posing = record.assemble(self.entry.payload, self.entry.kid, chip.sign)
        return [
            self._receipt("changed digit", altered, host),
            self._photo(photo),
            self._receipt("foreign kit", foreign, host),
            self._receipt("foreign kit under this kit's name", posing, host),
            self._collector("changed digit, to the collector", altered),
            self._collector("foreign kit, to the collector", foreign),
        ]

    def _receipt(self, name: str, data: bytes, host: str) -> Attempt:
        path = self.out / f"{name.replace(' ', '-')}.png"
        found = read(str(picture(qr_text(host, 1, data), path)))
        report = check_receipt(found[0].data, self.trust, int(time.time()))
        return Attempt(name, report.exit_code == 1 and not report.valid, _first_failure(report))

    def _photo(self, photo: Path) -> Attempt:
        data = bytearray(photo.read_bytes())
        data[len(data) // 2] ^= 1
        path = self.out / "changed-photograph.jpg"
        path.write_bytes(data)
        digest, size = digest_of(path)
        report = check_photo(
            digest, size, self.entry.data, self.manifest, self.trust, int(time.time())
        )
        refused = report.exit_code == 1 and report.status("photograph") == "failed"
        return Attempt("changed photograph", refused, _first_failure(report))

    def _collector(self, name: str, data: bytes) -> Attempt:
        body = cbor.encode([data, self.manifest, None, []])
        reply = httpx.post(
            f"{self.url}/v1/records", content=body, headers={"content-type": "application/cbor"}
        )
        said = f"{reply.status_code} {reply.text.strip()}"
        return Attempt(name, reply.status_code == 422, said)


def _first_failure(report) -> str:
    english: Callable[[str], str] = lambda text: text  # noqa: E731
    for check in report.checks:
        if check.status == "failed":
            return check.sentence(english)
    return "accepted"


def same_file(a: Path, b: Path) -> bool:
    """True when two files have the same bytes."""
    return hashlib.sha256(a.read_bytes()).digest() == hashlib.sha256(b.read_bytes()).digest()


def receipts_in(path: Path) -> list[bytes]:
    """The signed bytes in a receipt's picture."""
    return [one.data for one in read(str(path))]


__all__ = ("Attempt", "Forger", "bytes_of", "receipts_in", "same_file")
