"""A result of legislative size: printed in parts, scanned in any order, put together again."""

import asyncio
import io

import pytest
from PIL import Image

from firmware import forms, qr_parts, qr_text, receipt, record
from firmware.drivers import escpos
from host_tools.kit.bus import LocalUART
from host_tools.kit.escpos import EscPosEmulator
from host_tools.verify import parts
from host_tools.verify.picture import qr_texts
from host_tools.verify.read import from_texts
from tests.firmware import test_receipt
from tests.papers import qr_codes

HOST = "TPS.EXAMPLE.ID"
PARTIES, LINES_A_PARTY = 24, 11


def long_result(profile: str) -> tuple[record.Entry, Image.Image]:
    """(entry of 24 parties with 10 candidates each, its printed paper)."""
    names = [f"PARTAI CONTOH {number}" for number in range(1, PARTIES * LINES_A_PARTY + 1)]
    package = test_receipt.station()
    package.contests[0].form = forms.Form(test_receipt.FORM, names)
    figures = [*test_receipt.FIGURES[:22], *range(256, len(names) + 256), 427, 10, 437]
    figures[19:22] = [1, 2, 3]
    entry, manifest = test_receipt.result(figures=figures)
    part = EscPosEmulator(profile, speed=5000)
    printer = escpos.EscPos(LocalUART(part), profile, pace=0)
    made = receipt.Receipts(str, package, printer.columns)
    slip = made.result(entry, manifest, receipt.Copy(receipt.PPS, 8, 8))
    assert asyncio.run(receipt.print_job(printer, slip, 1)) is True
    assert (part.errors, part.dropped) == ([], 0)
    return entry, part.papers[0] if part.papers else part.paper.picture()


@pytest.mark.parametrize("profile", ["epson", "cheap80"])
def test_long_result_is_printed_in_parts_that_scan_in_any_order(profile):
    entry, paper = long_result(profile)
    texts = [code.text for code in qr_codes(paper)]
    assert len(texts) > 1
    assert all(text.partition("#")[2].startswith("3") for text in texts)
    for order in (texts, texts[::-1], [*texts, texts[0]]):
        (found,) = from_texts(list(order), "paper")
        assert (found.data, found.problem or "") == (entry.data, "")
    for left_out in range(len(texts)):
        some = texts[:left_out] + texts[left_out + 1 :]
        (found,) = from_texts(some, "paper")
        number = int(texts[left_out].partition("#")[2][1:3])
        assert found.data == b""
        mark = entry.rec_id[:4].hex().upper()
        assert found.missing == f"code {number} of {len(texts)} of record {mark}"


def test_photograph_of_the_whole_slip_is_enough():
    entry, paper = long_result("epson")
    data = io.BytesIO()
    paper.save(data, "PNG")
    found = from_texts(qr_texts(data.getvalue(), lambda texts: len(texts) > 1), "photograph")
    assert [one.data for one in found] == [entry.data]


@pytest.mark.parametrize("dots", [384, 576])
def test_parts_are_those_that_the_reader_knows(dots):
    for size in (100, 240, 460, 700, 1500, 5000):
        data = bytes(n * 7 & 255 for n in range(size))
        texts = qr_parts.texts(HOST, qr_text.RECORD, data, dots)
        if len(texts) == 1:
            assert qr_text.bytes_of(texts[0]) == data
        else:
            pieces = [piece for text in texts if (piece := parts.parse(text))]
            assert parts.join(pieces[::-1]) == data
            room = qr_parts.room(HOST, dots, qr_parts.PART_DOTS)
            assert all(len(text.partition("#")[2]) <= room for text in texts)


@pytest.mark.parametrize(("dots", "most"), [(384, 470), (576, 620)])
def test_one_code_holds_what_can_be_scanned_and_no_more(dots, most):
    """Modules of four dots at least: 0.5 mm, which a phone still reads on curled paper."""
    assert len(qr_parts.texts(HOST, qr_text.RECORD, bytes(most), dots)) == 1
    assert len(qr_parts.texts(HOST, qr_text.RECORD, bytes(most + 30), dots)) > 1


def test_credential_is_never_in_parts():
    assert len(qr_parts.texts(HOST, qr_text.CREDENTIAL, bytes(160), 384)) == 1
    with pytest.raises(record.RecordError):
        qr_parts.texts(HOST, qr_text.CREDENTIAL, bytes(900), 384)
