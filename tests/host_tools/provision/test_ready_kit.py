"""The whole kit on MicroPython, tested, stated ready and its slip printed over the serial line."""

import hashlib

import pytest
import zxingcpp

from firmware import VERSION, cbor, parts_test, qr_text, record, selftest
from firmware.readiness import CHECKS
from host_tools.kit.machine import VirtualKit
from host_tools.kit.process import ROOT, NoRuntime, find_micropython
from host_tools.provision import enrol as enrolment
from host_tools.provision import keys, sample
from host_tools.provision.link import KitError, Link
from host_tools.provision.pins import make_pins


@pytest.fixture
def kit(tmp_path):
    try:
        find_micropython()
    except NoRuntime as error:
        pytest.skip(str(error))
    with VirtualKit(tmp_path / "kit", speed=1000) as kit:
        yield kit


def press_all(kit, link):
    for name in cbor.decode(link.request("TEST", cbor.encode(["keys"])))[1:]:
        kit.press(name)
    kit.matrix.settle()
    assert cbor.decode(link.request("KEYS"))[0] == 1


def test_a_kit_is_tested_stated_ready_and_prints_its_slip(kit, authority):
    kit.power_on()
    election = sample.load("pilkada").as_training()
    link = Link(kit.cable, timeout=120)
    done = enrolment.enrol(
        link, authority, election, sample.STATION, "READY-1", pins=make_pins()
    )  # fmt: skip
    parts = ("chip", "random", "signature", "display", "printer", "card", "modem", "clock")
    for part in (*parts, "memory"):
        answer = cbor.decode(link.request("TEST", cbor.encode([part])))
        assert answer[0] == 1, answer
    # The camera has no picture before it: the kit finds it failed, and stays with that.
    assert cbor.decode(link.request("TEST", cbor.encode(["camera"])))[:2] == [0, parts_test.BLACK]
    press_all(kit, link)
    data = link.request("READY", cbor.encode([[check, 1] for check in CHECKS]))
    entry = record.parse(data)
    key = done.keys["training"]
    assert entry.kid == record.kid_of(key)
    assert keys.verify(key, entry.signed_digest(), entry.signature)
    package = hashlib.sha256(kit.flash_files()["package.cbor"]).digest()
    digest = selftest.firmware_digest(str(ROOT / "firmware"))
    serial = bytes.fromhex(done.serial)
    place = [election.number, sample.STATION]
    assert entry.payload[:7] == [record.READINESS, serial, VERSION, digest, *place, package]
    expected = [[check, int(check != selftest.CAMERA)] for check in CHECKS]
    assert entry.payload[8] == expected
    kit.printer.papers.clear()
    assert link.request("SLIP", cbor.encode(["READY-1"])) == b""
    (code,) = zxingcpp.read_barcodes(kit.printer.papers[-1])
    assert qr_text.parse_qr(code.text) == (qr_text.RECORD, data)
    enrolment.start_kit(link)


def test_in_its_day_a_kit_is_tested_no_more(kit, authority):
    process = kit.power_on()
    link = Link(kit.cable, timeout=120)
    enrolment.enrol(
        link, authority, sample.load("pilkada"), sample.STATION, "READY-2", pins=make_pins(),
        start=True,
    )  # fmt: skip
    process.wait_for(r"^entry 1 kind 3 ", timeout=60)
    for verb in ("TEST", "KEYS", "READY", "SLIP"):
        with pytest.raises(KitError) as refused:
            link.request(verb, cbor.encode(["chip"]))
        assert refused.value.code == 831
