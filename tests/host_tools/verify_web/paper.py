"""Receipts as the emulated printer prints them, and films of them as a phone's camera sees them."""

import asyncio
import io
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image, ImageFilter

from firmware import qr_parts, qr_text, receipt, record
from firmware.drivers import escpos
from firmware.language import Words
from firmware.package import Package
from host_tools.kit.bus import LocalUART
from host_tools.kit.escpos import EscPosEmulator
from tests.host_tools.verify import world
from tests.papers import qr_codes
from tests.vectors import good, keys

FAST = 300
FRAME = (640, 480)
CONTENT = record.parse(world.entry_bytes("package")).payload[5]


def package(election: int = good.LIVE) -> bytes:
    """The vectors' station package, for any election."""
    return world.signed([37, 1, election, good.STATION, good.START, CONTENT], keys.AUTHORITY)


def manifest(name: str) -> bytes:
    """The manifest of a good vector."""
    listed = world.vectors()["good"]
    return next(bytes.fromhex(v["manifest"]) for v in listed if v["name"] == name)


def printed(data: bytes, listed: bytes | None = None, election: int = good.LIVE) -> Image.Image:
    """The paper of a result's receipt with record `data`, as it leaves the printer."""
    slips = receipt.Receipts(Words("id"), Package(package(election)))
    copy, entry = receipt.Copy(receipt.PPS, 3, 3), record.parse(data)
    name = "correction-28-figures" if entry.kind == record.CORRECTION else "result-28-figures"
    return _print(slips.result(entry, listed or manifest(name), copy))


def in_parts(data: bytes, most: int = 320) -> list[Image.Image]:
    """The papers of a record whose code was cut in several, one paper a part."""
    texts = qr_parts.split(good.HOST, data, most)
    ends = [("feed", 2), ("cut",)]
    return [
        _print([("text", f"{i} / {len(texts)}"), ("qr", text), *ends])
        for i, text in enumerate(texts, 1)
    ]


def text_of(data: bytes) -> str:
    """The text of a record's QR code."""
    return qr_text.qr_text(good.HOST, qr_text.RECORD, data)


def _print(operations) -> Image.Image:
    part = EscPosEmulator("epson", speed=FAST)
    driver = escpos.EscPos(LocalUART(part), "epson")
    job = receipt.print_job(driver, operations, 1)
    with ThreadPoolExecutor(1) as thread:  # playwright's own event loop runs in this one
        thread.submit(asyncio.run, job).result()
    return part.papers[0]


def film(path: Path, *papers: Image.Image, each: int = 24) -> Path:
    """Motion JPEG of the papers' QR codes one after the other, held by a hand that is not still.

    Every third frame is out of focus beyond reading; the light falls from one side.
    """
    chance = random.Random(1)
    frames = []
    for paper in papers:
        box = _around_code(paper)
        for i in range(each):
            frames.append(_jpeg(_held(paper.crop(box), chance, blurred=i % 3 == 1)))
    path.write_bytes(b"".join(frames))
    return path


def _around_code(paper: Image.Image) -> tuple[int, int, int, int]:
    where = qr_codes(paper)[0].position
    x, y = where.top_left.x, where.top_left.y
    side = where.top_right.x - x
    return (x - 60, y - 50, x + side + 60, y + side + 50)


def _held(code: Image.Image, chance: random.Random, blurred: bool) -> Image.Image:
    size = round(420 + chance.uniform(-15, 15))
    code = code.resize((size, size * code.height // code.width), Image.Resampling.BILINEAR)
    code = code.rotate(chance.uniform(-7, 7), expand=True, fillcolor=235)
    table = Image.new("L", FRAME, 120)
    table.paste(code, ((FRAME[0] - code.width) // 2, (FRAME[1] - code.height) // 2))
    shade = (
        Image.linear_gradient("L")
        .rotate(90)
        .resize(FRAME)
        .point([150 + v * 2 // 5 for v in range(256)])
    )
    lit = Image.composite(table, Image.new("L", FRAME, 40), shade)
    return lit.filter(ImageFilter.GaussianBlur(9 if blurred else 0.8))


def _jpeg(frame: Image.Image) -> bytes:
    out = io.BytesIO()
    frame.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


def png(paper: Image.Image) -> bytes:
    """The paper as a picture file."""
    out = io.BytesIO()
    paper.save(out, "PNG")
    return out.getvalue()
