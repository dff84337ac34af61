"""The whole chain as the demo shows it, on real photographs where they are at hand."""

import json
import time

import pytest
from PIL import Image

from firmware import record
from firmware.qr_text import bytes_of
from host_tools.verify import trust as trusts
from host_tools.verify.receipt import check_receipt
from tests.papers import qr_codes

pytestmark = pytest.mark.xdist_group("demo")


def report(demo_out) -> dict:
    return json.loads((demo_out / "report.json").read_text())


def test_every_check_of_the_demo_holds(demo_out):
    found = report(demo_out)
    assert found["good"] is True
    assert [name for name, good in found["checks"].items() if not good] == []


def test_the_kit_is_micropython_and_stays_under_its_heap_with_large_photographs(demo_out):
    found = report(demo_out)
    assert found["runtime"] == "micropython"
    assert 0 < found["heap_peak"] < found["heap_total"] <= 1024 * 1024


def test_stored_photographs_are_byte_identical_to_the_files(demo_out):
    paths = report(demo_out)["paths"]
    assert len(paths["stored"]) == 3
    for photograph, stored in zip(paths["photographs"], paths["stored"], strict=True):
        with open(photograph, "rb") as a, open(stored, "rb") as b:
            assert a.read() == b.read()


def test_every_receipt_decodes_and_shows_the_broken_rule(demo_out):
    found = report(demo_out)
    assert found["rules_broken"] == ["R7"]
    assert found["figures"][-6:] == [123, 274, 32, 427, 3, 430]
    assert len(found["paths"]["receipts"]) == 5  # three witnesses, the supervisor, PPS
    held = trusts.load(found["paths"]["bundle"], found["paths"]["authority"])
    for path in found["paths"]["receipts"]:
        texts = [code.text for code in qr_codes(Image.open(path))]
        assert len(texts) == 1 and texts[0].startswith("HTTPS://TPS.EXAMPLE.ID/#1")
        data = bytes_of(texts[0])
        assert data.hex() == found["entry"]
        checked = check_receipt(data, held, int(time.time()))
        assert checked.exit_code == 0
        lines = [line for check in checked.checks for line in check.below(lambda text: text)]
        assert any("R7" in line and "427" in line and "429" in line for line in lines), lines


def test_the_broken_rule_and_its_explanation_are_in_the_signed_manifest(demo_out):
    found = report(demo_out)
    entry = record.parse(bytes.fromhex(found["entry"]))
    manifest = bytes.fromhex(found["manifest"])
    assert record.sha256(manifest) == entry.payload[6]
    assert record.parse_manifest(manifest)[1][record.RULES] == [[7, 0]]


def test_forgeries_are_refused_by_verifier_and_collector(demo_out):
    forgeries = report(demo_out)["forgeries"]
    assert len(forgeries) == 6
    assert all(one["refused"] for one in forgeries.values()), forgeries
