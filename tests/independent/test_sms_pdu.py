"""Two strangers read and write our short messages: Gammu's library, and smspdudecoder.

Neither is ours nor knows the other. What they say of our SMS-SUBMIT must be what we meant; what
Gammu writes as SMS-DELIVER must be read by us. The count of messages a record takes is theirs too.
"""

import binascii
import hashlib
import io

import pytest

gammu = pytest.importorskip("gammu", reason="pip install python-gammu")
fields = pytest.importorskip("smspdudecoder.fields", reason="pip install smspdudecoder")

from firmware import record, sms  # noqa: E402
from firmware.forms import LIMIT  # noqa: E402
from host_tools.kit.modem_sms import deliver  # noqa: E402
from host_tools.provision import form_files  # noqa: E402

KIT, COLLECTOR = "+6281200000001", "+62811000000"
SIZES = (1, 132, 133, 134, 230, 254, 255, 381, 1016)


def data_of(size: int) -> bytes:
    return (hashlib.sha512(b"%d" % size).digest() * 16)[:size]


def messages(data: bytes, number: str = COLLECTOR) -> list[tuple[int, str]]:
    return [sms.submit(number, ud) for ud in sms.split(data, 0x1234)]


@pytest.mark.parametrize("size", SIZES)
def test_smspdudecoder_reads_what_the_kit_sends(size):
    data, got = data_of(size), b""
    parts = messages(data)
    for no, (length, text) in enumerate(parts, 1):
        assert len(text) == 2 * (length + 1)
        read = fields.SMSSubmit.decode(io.StringIO(text))
        assert read["header"]["mti"] == "submit" and read["header"]["udhi"]
        assert read["recipient"]["number"] == COLLECTOR[1:]
        assert read["recipient"]["toa"]["ton"] == "international"
        assert read["dcs"] == {"encoding": "binary"} and read["validity-hours"] == 24
        elements = {e["iei"]: e["data"] for e in read["user_data"]["header"]["elements"]}
        assert elements.pop(5) == f"{sms.PORT:04X}" * 2
        place = {"reference": 0x1234, "parts_count": len(parts), "part_number": no}
        assert elements == ({8: place} if len(parts) > 1 else {})
        got += read["user_data"]["data"]
    assert got == data


@pytest.mark.parametrize("number", [COLLECTOR, "+628110000001", "0811000000", "1234567"])
@pytest.mark.parametrize("size", SIZES)
def test_gammu_reads_what_the_kit_sends(size, number):
    data, got = data_of(size), b""
    for _, text in messages(data, number):
        read = gammu.DecodePDU(binascii.unhexlify(text))
        assert (read["Type"], read["Number"], read["Coding"]) == ("Submit", number, "8bit")
        assert read["SMSC"]["Validity"] == "1440M" and read["Class"] == -1
        header = read["UDH"]["Text"]
        assert len(header) + read["Length"] <= 140
        got += read["Text"][: read["Length"]]
    assert got == data


@pytest.mark.parametrize("size", SIZES)
def test_the_kit_and_the_collector_read_what_gammu_writes(size):
    data = data_of(size)
    held = sms.Parts(lambda number, whole: whole == data and number == KIT)
    parts = sms.split(data, 0xBEEF)
    results = []
    for user_data in reversed(parts):
        header = 1 + user_data[0]
        written = by_gammu(user_data[:header], user_data[header:])
        read = sms.parse(binascii.hexlify(written).decode())
        assert read.number == KIT and read.total == len(parts)
        results.append(held.add(read, 0))
    assert results == [None] * (len(parts) - 1) + [data]


@pytest.mark.parametrize("reference", [0, 1, 255])
def test_the_kit_reads_gammus_own_concatenation_with_an_eight_bit_reference(reference):
    header = bytes([11, 5, 4, sms.PORT >> 8, sms.PORT & 255, 0, 0, 0, 3, reference, 3, 2])
    part = sms.parse(binascii.hexlify(by_gammu(header, b"data")).decode())
    assert (part.reference, part.total, part.no, part.data) == (reference, 3, 2, b"data")


def by_gammu(header: bytes, data: bytes) -> bytes:
    """SMS-DELIVER from KIT as Gammu writes it."""
    message = {
        "Type": "Deliver",
        "SMSC": {"Number": "+62811", "Location": 0},
        "UDH": {"Type": "UserUDH", "Text": header},
        "Text": data,
        "Coding": "8bit",
        "Number": KIT,
        "Class": -1,
        "Folder": 1,
    }
    return gammu.EncodePDU(message, "Deliver")


def test_the_emulated_centre_writes_what_both_read():
    user_data = sms.split(data_of(230), 5)[0]
    pdu = deliver(KIT, user_data)
    read = gammu.DecodePDU(pdu)
    assert (read["Type"], read["Number"], read["Coding"]) == ("Deliver", KIT, "8bit")
    assert read["SMSC"]["Number"] == "+62811000000" and read["Text"] == user_data[13:]
    other = fields.SMSDeliver.decode(io.StringIO(pdu.hex().upper()))
    assert other["sender"]["number"] == KIT[1:] and other["scts"].year == 2025
    assert other["user_data"]["data"] == user_data[13:]


def entry(figures: list[int], election: int, seq: int) -> bytes:
    payload = [1, election, 3201012001001, 1, 3, figures, bytes(32), seq, bytes(32), 1800000000]
    return record.assemble(payload, bytes(8), lambda digest: b"\x01" * 64)


def test_how_many_messages_a_record_takes(capsys):
    usual = [147, 154, 301, 141, 147, 288, 2, 1, 3, 4, 6, 10, 147, 154, 301, 308, 301, 1, 6]
    usual += [1, 0, 1, 123, 134, 32, 289, 12, 301]
    longest_form = max(len(fields_of(code, 3)) for code in form_files.codes())
    rows = [
        ("28 figures, a usual TPS", entry(usual, 2029, 40)),
        (f"28 figures, all {LIMIT}, training", entry([LIMIT] * 28, 1_002_029, 9999)),
        (
            f"longest form with 9 pairs ({longest_form + 6} figures), the same",
            entry([LIMIT] * (longest_form + 6), 1_002_029, 9999),
        ),
        (
            f"longest form with 99 pairs ({longest_form + 96} figures), the same",
            entry([LIMIT] * (longest_form + 96), 1_002_029, 9999),
        ),
        (
            "acknowledgement",
            record.assemble([36, bytes(32), 1800000000, None, None, None], bytes(8), one),
        ),
        (
            "acknowledgement with a place in the log",
            record.assemble([36, bytes(32), 1800000000, 10**6, 10**6, bytes(32)], bytes(8), one),
        ),
    ]
    counts = []
    with capsys.disabled():
        print()
        for name, data in rows:
            counts.append(len(messages(data)))
            print(f"  {counts[-1]} SMS, {len(data):3} bytes: {name}")
        print(f"  {2 * counts[0]} SMS: two contests, and {2 * counts[4]} for their answers")
    assert counts == [2, 3, 3, 5, 1, 2]


def one(_digest: bytes) -> bytes:
    return b"\x01" * 64


def fields_of(code: str, pairs: int) -> tuple[str, ...]:
    from firmware.forms import Form

    return Form(form_files.load_form(code), ["x"] * pairs).fields
