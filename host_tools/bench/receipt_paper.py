"""A result's receipt as it leaves the emulated printer, printed by the kit's own code.

Beside it the same paper with the yardstick: the entry as an EU Digital COVID Certificate carries
it, "HC1:" + Base45 (RFC 9285) of its zlib, alphanumeric, level Q.
"""

import asyncio
import hashlib
import zlib
from dataclasses import dataclass

import zxingcpp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from PIL import Image

from firmware import package, printing, qr, receipt, record
from firmware.drivers import escpos
from firmware.language import Words
from firmware.qr_text import qr_text
from host_tools.kit.bus import LocalUART
from host_tools.kit.escpos import EscPosEmulator
from host_tools.provision import sample
from host_tools.provision.keys import SoftwareKey
from host_tools.provision.package import content_of

DOTS = 384
SPEED = 5000  # of the emulated print head: the paper is the same
ABOVE, BELOW = 150, 110  # dot rows of the slip that are on a photograph with its code
FIGURES = [
    131, 112, 243, 110, 98, 208, 1, 2, 3, 2, 1, 3, 113, 101, 214, 248, 214, 1, 33, 1, 1, 2,
    101, 77, 30, 208, 6, 214,
]  # fmt: skip


@dataclass(frozen=True)
class Paper:
    """A piece of paper with one code: its picture (1 pixel a dot), and what the code says."""

    name: str
    picture: Image.Image
    text: str
    version: int
    dots: int  # a module

    @property
    def millimetres(self) -> float:
        """Width of the code with its quiet zone at 8 dots a millimetre."""
        return (17 + 4 * self.version + 2 * printing.QUIET) * self.dots / 8


class Key(SoftwareKey):
    """A key whose signatures are the same every time (RFC 6979), so that codes are too."""

    def sign(self, digest: bytes) -> bytes:
        """64 B r|s, low s, over a 32 B digest."""
        how = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)
        r, s = decode_dss_signature(self.private.sign(digest, how))
        return record.low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def key(seed: int) -> Key:
    """A private key that is the same for the same seed."""
    digest = hashlib.sha256(b"saksi bench %d" % seed).digest()
    return Key(ec.derive_private_key(int.from_bytes(digest, "big"), ec.SECP256R1()))


def sample_entry(seed: int) -> tuple[record.Entry, bytes, package.Package]:
    """(result, manifest, station package) of the sample election; another entry for each seed."""
    election, kit = sample.load("pilpres"), key(seed)
    content = content_of(election, sample.STATION, kit.public_key())
    head = [record.PACKAGE, 1, election.number, sample.STATION, 1795766640]
    station = package.Package(record.assemble([*head, content], kit.kid(), kit.sign))
    digest = hashlib.sha256(b"page %d" % seed).digest()
    manifest = record.manifest([[1, digest, 312000]], {1: "0.1.0"})
    contest = station.contests[0]
    payload = [record.RESULT, election.number, sample.STATION, contest.number]
    payload += [contest.form.number, FIGURES, record.sha256(manifest), 14 + seed % 50]
    payload += [hashlib.sha256(b"prev %d" % seed).digest(), 1795766640 + seed]
    return record.parse(record.assemble(payload, kit.kid(), kit.sign)), manifest, station


def printed(job, dots: int = DOTS) -> Image.Image:
    """The paper of an async `job(printer)`, printed by the kit's driver on the emulated printer."""
    part = EscPosEmulator("epson", dots=dots, speed=SPEED)
    printer = escpos.EscPos(LocalUART(part), "epson")
    asyncio.run(job(printer))
    if part.errors or part.dropped or not part.papers:
        raise RuntimeError(f"the emulated printer printed no whole slip: {part.errors}")
    return part.papers[-1]


def slip(operations, dots: int = DOTS) -> Image.Image:
    """The paper of a slip's operations (firmware.slip)."""
    return printed(lambda printer: printing.print_job(printer, operations, 1), dots)


def picture(text: str) -> Image.Image:
    """A paper with nothing but one code."""
    return slip([("qr", text), ("cut",)])


def _operations(entry: record.Entry, manifest: bytes, station: package.Package) -> list:
    copy = receipt.Copy(receipt.WITNESS, 1, 5, 1)
    return list(receipt.Receipts(Words("id"), station).result(entry, manifest, copy))


def ours(seed: int) -> Paper:
    """The lower part of a printed result receipt, with its code."""
    entry, manifest, station = sample_entry(seed)
    text = qr_text(station.receipt_host, receipt.RECORD, entry.data)
    matrix = qr.encode(receipt.segments_of(text), "M")
    picture = slip(_operations(entry, manifest, station))
    return Paper("saksi", _around_code(picture, text), text, matrix.version, _dots(matrix))


def dcc(seed: int) -> Paper:
    """The same paper with the same entry in an EU-DCC-style code instead."""
    entry, manifest, station = sample_entry(seed)
    text = "HC1:" + base45(zlib.compress(entry.data, 9))
    matrix = qr.encode([(qr.ALPHANUMERIC, text)], "Q")
    dots, modules = _dots(matrix), matrix.size + 2 * printing.QUIET

    async def job(printer):
        await printer.begin(1)
        for name, *given in _operations(entry, manifest, station):
            if name == "text":
                await printer.text(*given)
            elif name == "qr":
                left, width = (printer.dots - modules * dots) // 2, printer.dots // 8
                rows = matrix.rows(dots, printing.QUIET, width, left)
                await printer.raster(width, modules * dots, rows)
        await printer.feed(2)
        await printer.cut()
        await printer.finish(1)

    return Paper("eu-dcc", _around_code(printed(job), text), text, matrix.version, dots)


def _dots(matrix) -> int:
    """Dots a module, as printing.print_job chooses them: as many as the paper takes, at most 5."""
    return min(printing.MOST_DOTS, DOTS // (matrix.size + 2 * printing.QUIET))


def _around_code(picture: Image.Image, text: str) -> Image.Image:
    """What somebody has on the photograph who wants the code: it, and some lines around it."""
    code = next(c for c in zxingcpp.read_barcodes(picture) if c.text == text)
    top, bottom = code.position.top_left.y, code.position.bottom_left.y
    return picture.crop((0, max(0, top - ABOVE), picture.width, bottom + BELOW))


_BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def base45(data: bytes) -> str:
    """Base45 (RFC 9285): two bytes as three characters, least significant first."""
    out = []
    for start in range(0, len(data), 2):
        pair = data[start : start + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            out.append(_BASE45[digit])
    return "".join(out)
