"""The printer's driver and our receipts against the emulated printer."""

import asyncio

import pytest
from escpos.printer import Dummy
from PIL import Image, ImageChops

from firmware import package, receipt, record
from firmware.drivers import PartError, escpos
from host_tools.kit.bus import LocalUART
from host_tools.kit.escpos import EscPosEmulator
from host_tools.kit.escpos_paper import MARGIN, TOP
from host_tools.kit.escpos_parts import writes
from tests.firmware import test_receipt
from tests.papers import qr_codes

FAST = 300


class Clock:
    """Time that moves only when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def wired(profile="epson", speed=FAST, patience=1500, **emulator):
    """(driver, emulator) on one line."""
    part = EscPosEmulator(profile, speed=speed, **emulator)
    return escpos.EscPos(LocalUART(part), profile, patience, pace=1 / speed), part


def render(data: bytes, **emulator) -> EscPosEmulator:
    """Bytes into an emulator as fast as it takes them; whatever is left is cut off."""
    clock = Clock()
    part = EscPosEmulator(clock=clock, buffer=256, **emulator)
    clock.now = 1
    at = 0
    while at < len(data) or part.room < 256:
        piece = data[at : at + part.room]
        part.receive(piece)
        at += len(piece)
        clock.now += 0.05
    clock.now += 60
    part.tick()
    part.receive(b"\x1d\x56\x00")
    part.tick()
    return part


def codes(picture: Image.Image) -> list[str]:
    return [code.text for code in qr_codes(picture)]


def result_slip(columns=32, again=0, training=True):
    entry, manifest = test_receipt.result(extra={record.RULES: [[7, 1]]})
    made = receipt.Receipts(str, test_receipt.station(training), columns)
    copy = receipt.Copy(receipt.WITNESS, 3, 8, 2, again)
    return entry, made.result(entry, manifest, copy)


def print_slip(printer, operations, job=41):
    return asyncio.run(receipt.print_job(printer, operations, job))


def job_of_lines(printer, lines=12, job=5):
    async def run():
        await printer.begin(job)
        for number in range(lines):
            await printer.text(f"line {number:<27}")
        return await printer.finish(job)

    return asyncio.run(run())


@pytest.mark.parametrize("profile", escpos.PROFILES)
def test_receipts_code_reads_back_to_the_signed_bytes(profile, tmp_path):
    dots = 576 if profile.endswith("80") else 384
    printer, part = wired(profile)
    entry, slip = result_slip(printer.columns)
    assert print_slip(printer, slip) is True
    part.save_png(tmp_path / "receipt.png")
    with Image.open(tmp_path / "receipt.png") as picture:
        assert picture.width == dots + 2 * MARGIN
        (text,) = codes(picture)
    assert receipt.bytes_of(text) == entry.data
    assert (part.errors, part.dropped) == ([], 0)
    assert len(part.papers) == (0 if profile.startswith("cheap") else 1)  # torn off, not cut


def test_every_slip_of_the_day_prints_without_an_error():
    event = [record.EVENT, 900, 1607012003005, record.CLOSE, [57, b"\xab" * 32], 58]
    payload = [*event, b"\x11" * 32, test_receipt.TIME]
    close = record.parse(record.assemble(payload, test_receipt.KID, test_receipt.sign))
    ack_payload = [record.ACK, close.rec_id, test_receipt.TIME, 12, 13, b"\x22" * 32]
    ack = record.parse(record.assemble(ack_payload, test_receipt.KID, test_receipt.sign))
    made = receipt.Receipts(str, test_receipt.station())
    copy = receipt.Copy(receipt.ZERO)
    printer, part = wired()
    assert print_slip(printer, made.opening(close, [[1, 7, 1]], copy, b"credential"), 1)
    assert print_slip(printer, made.sent([(7, ack)], copy), 2)
    assert print_slip(printer, made.closing(close, copy), 3)
    opening, sent, closing = part.papers
    assert sorted(receipt.parse_qr(text) for text in codes(opening)) == [
        (receipt.RECORD, close.data),
        (receipt.CREDENTIAL, b"credential"),
    ]
    assert [receipt.bytes_of(text) for text in codes(sent)] == [ack.data]
    assert [receipt.bytes_of(text) for text in codes(closing)] == [close.data]
    assert part.errors == []


def test_names_of_a_package_cannot_command_the_printer():
    content = package.Package(test_receipt.station().data)
    content.title = "JUDUL \x1b@\x1cq\x01 \x1dV\x00"
    entry, manifest = test_receipt.result()
    made = receipt.Receipts(str, content)
    printer, part = wired()
    assert print_slip(printer, made.result(entry, manifest, receipt.Copy(receipt.PPS)))
    assert (part.errors, len(part.papers)) == ([], 1)


# The same operations by python-escpos: bytes and paper.


def test_raster_is_that_of_python_escpos():
    picture = Image.new("1", (384, 2), 1)
    for x in range(0, 384, 3):
        picture.putpixel((x, x % 2), 0)
    other = Dummy()
    other.image(picture, impl="bitImageRaster")
    rows = [
        bytes(byte ^ 0xFF for byte in picture.tobytes()[start : start + 48]) for start in (0, 48)
    ]
    sent = bytearray()
    printer, part = wired()
    receive = part.receive

    def record_bytes(data):
        sent.extend(data)
        receive(data)

    part.receive = record_bytes

    async def run():
        await printer.begin(1)
        await printer.raster(48, 2, rows)
        return await printer.finish(1)

    assert asyncio.run(run())
    assert other.output in bytes(sent)


@pytest.mark.parametrize(("size", "level"), [(3, 0), (4, 1), (6, 2)])
def test_native_qr_is_that_of_python_escpos(size, level):
    text = "HTTPS://TPS.EXAMPLE.ID/#1123"
    other = Dummy()
    other.qr(text, ec=level, size=size, native=True)
    sent = bytearray()
    printer, part = wired()
    receive = part.receive

    def record_bytes(data):
        sent.extend(data)
        receive(data)

    part.receive = record_bytes

    async def run():
        await printer.begin(1)
        await printer.qr(text.encode(), size, "LMQ"[level])
        await printer.cut()
        return await printer.finish(1)

    assert asyncio.run(run())
    assert other.output in bytes(sent)
    assert codes(part.papers[0]) == [text]
    assert part.errors == []


def test_paper_of_python_escpos_is_readable():
    other = Dummy()
    other.set(align="center", bold=True, double_height=True, double_width=True)
    other.text("SAKSI\n")
    other.qr("https://example.id/1", native=True, size=5)
    other.qr("https://example.id/2", image_arguments={"impl": "bitImageRaster"}, size=5)
    part = render(other.output)
    assert sorted(codes(part.papers[0])) == ["https://example.id/1", "https://example.id/2"]


def test_text_on_paper_is_the_fonts_own():
    part = render(b"\x1b\x61\x01\x1b\x45\x00\x1d\x21\x00Ag\n")
    picture = part.papers[0]
    left = MARGIN + (384 - 24) // 2
    box = ImageChops.invert(picture).getbbox()
    assert box is not None
    assert left <= box[0]
    assert box[2] <= left + 24
    assert TOP <= box[1] < box[3] <= TOP + 24
    double = ImageChops.invert(render(b"\x1b\x61\x01\x1d\x21\x11Ag\n").papers[0]).getbbox()
    assert double is not None
    assert (double[2] - double[0], double[3] - double[1]) == (
        2 * (box[2] - box[0]),
        2 * (box[3] - box[1]),
    )


# What goes wrong.


def test_too_much_at_once_is_dropped_and_said():
    clock = Clock()
    part = EscPosEmulator(clock=clock, buffer=256)
    clock.now = 1
    part.receive(b"x" * 31 + b"\n")
    part.receive(b"y" * 300)
    assert part.dropped > 0
    assert part.errors == ["buffer overflow"]


def test_paper_out_in_mid_job_is_said_and_finish_is_false():
    printer, part = wired()
    part.set_paper(rows=100)
    with pytest.raises(PartError) as caught:
        job_of_lines(printer, 30)
    assert caught.value.code == escpos.NO_PAPER
    assert asyncio.run(printer.finish(5)) is False
    assert part.rows_printed == 100


def test_paper_out_in_the_last_lines_makes_finish_false_and_says_why():
    printer, part = wired()
    part.set_paper(rows=3 * 28)
    assert job_of_lines(printer, 4) is False
    assert printer.problem is not None
    assert printer.problem.code == escpos.NO_PAPER
    part.set_paper()
    assert job_of_lines(printer, 4) is True
    assert printer.problem is None


def test_slip_that_runs_out_of_paper_at_its_end_raises_the_reason():
    printer, part = wired()
    part.set_paper(rows=50)
    with pytest.raises(PartError) as caught:
        print_slip(printer, [("text", "one", False, 1, 0), ("text", "two", False, 1, 0)])
    assert caught.value.code == escpos.NO_PAPER


@pytest.mark.parametrize("rows", [3 * 28, 100])
def test_cheap_printer_out_of_paper_never_counts_as_printed(rows):
    printer, part = wired("cheap", patience=600)
    part.set_paper(rows=rows)
    try:
        assert job_of_lines(printer, 4) is False
    except PartError as error:
        assert error.code in (escpos.NO_PAPER, escpos.SILENT)


def test_cover_opened_in_mid_job_is_said():
    printer, part = wired()

    async def run():
        await printer.begin(1)
        await printer.text("one")
        part.set_cover(True)
        for _ in range(40):
            await printer.text("more" * 8)

    with pytest.raises(PartError) as caught:
        asyncio.run(run())
    assert caught.value.code == escpos.COVER


def test_power_loss_in_mid_job_is_not_printed():
    printer, part = wired(patience=700)
    part.lose_power_after(100)
    with pytest.raises(PartError) as caught:
        job_of_lines(printer, 30)
    assert caught.value.code == escpos.SILENT
    assert asyncio.run(printer.finish(5)) is False


def test_power_loss_before_the_last_row_makes_finish_false():
    printer, part = wired(patience=700)
    part.lose_power_after(4 * 28 - 5)
    assert job_of_lines(printer, 4) is False


def test_after_new_paper_and_power_the_next_job_prints_whole():
    printer, part = wired(patience=700)
    part.lose_power_after(100)
    with pytest.raises(PartError):
        job_of_lines(printer, 30)
    part.set_power(True)
    part.paper.cut()
    entry, slip = result_slip(again=1)
    assert print_slip(printer, slip, 6) is True
    assert [receipt.bytes_of(text) for text in codes(part.papers[-1])] == [entry.data]


@pytest.mark.parametrize("profile", ["epson", "cheap"])
def test_kit_cut_off_inside_a_band_does_not_spoil_the_next_job(profile):
    printer, part = wired(profile)

    async def run():
        await printer.begin(1)
        await printer.text("half of a")
        await printer._flow.send()

    asyncio.run(run())
    part.receive(b"\x1d\x76\x30\x00\x30\x00\x02\x00" + b"\xff" * 30)
    restarted = escpos.EscPos(LocalUART(part), profile, 1500, pace=0)
    entry, slip = result_slip()
    assert print_slip(restarted, slip) is True
    paper = part.papers[-1] if part.papers else part.paper.picture()
    assert [receipt.bytes_of(text) for text in codes(paper)] == [entry.data]
    assert part.errors == []


def test_no_slip_has_bytes_that_could_write_the_printers_memory_even_read_from_the_middle():
    """A printer that restarts inside a picture takes the rest of it for commands."""
    for profile in escpos.PROFILES:
        printer, part = wired(profile, speed=3000)
        sent = bytearray()
        receive = part.receive

        def record_bytes(data, receive=receive, sent=sent):
            sent.extend(data)
            receive(data)

        part.receive = record_bytes
        for again in (0, 1):
            _, slip = result_slip(printer.columns, again)
            assert print_slip(printer, slip, 40 + again) is True
        assert len(sent) > 20000
        assert writes(bytes(sent)) == []
        assert part.errors == []
