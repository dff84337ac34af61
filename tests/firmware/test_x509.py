import binascii

from firmware.tls_engine import Records
from firmware.tls_stream import OTHER_KEY, OTHER_NAME, OUT_OF_DATE, TEXTS, judge
from firmware.x509 import Certificate
from tests.firmware.support import raises

# Made with OpenSSL's library: P-256, self-signed, CN CONTOH, SAN collector.example.id and
# b.example.id, valid from 2025-01-01 00:00:00 to 2055-06-30 12:30:59 UTC.
DER = binascii.unhexlify(
    "308201513081f8a003020102020107300a06082a8648ce3d0403023011310f300d06035504030c06434f4e54"
    "4f483020170d3235303130313030303030305a180f32303535303633303132333035395a3011310f300d0603"
    "5504030c06434f4e544f483059301306072a8648ce3d020106082a8648ce3d03010703420004f9ebe464147c"
    "c102d92324d099d927c1a50e42d57a08a116ffec0a29819d8c6570baf7d12888902a6a0c1d67add103123c85"
    "9ab69bf8e9431c9384930d4b7eeea33f303d300c0603551d130101ff04023000302d0603551d110426302482"
    "14636f6c6c6563746f722e6578616d706c652e6964820c622e6578616d706c652e6964300a06082a8648ce3d"
    "04030203480030450221009a7f45375ed6b5f42d977567920dccb648762d42232a4ff3731ca1e6ac9a7b7002"
    "207480ac7eb56f50feab0372d410e6eed26d6ef16e66daac9a5691622a563b55f0"
)
PIN = binascii.unhexlify("d3949091b17809e3c090eb70c3592b2ce2020fb8b5081c99220565a7eb1990f4")
START, END = 1735689600, 2697971459


def test_key_dates_and_names_are_found():
    certificate = Certificate(DER)
    assert certificate.pin == PIN
    assert certificate.key in DER and len(certificate.key) == 64
    assert (certificate.start, certificate.end) == (START, END)
    assert certificate.names == ["collector.example.id", "b.example.id"]


def test_the_certificate_is_judged_by_key_name_and_date():
    host = "collector.example.id"
    for pin, name, now, expected in (
        (PIN, host, START, None),
        (PIN, "B.example.id", END, None),
        (PIN, host, None, None),
        (bytes(32), host, START, OTHER_KEY),
        (PIN, "example.id", START, OTHER_NAME),
        (PIN, "x.collector.example.id", START, OTHER_NAME),
        (PIN, host, START - 1, OUT_OF_DATE),
        (PIN, host, END + 1, OUT_OF_DATE),
    ):
        assert judge(DER, name, pin, now) == expected, (name, now)
    assert sorted(TEXTS) == [381, 382, 383, 384, 385, 386]


def test_no_cut_certificate_is_taken_and_none_breaks_the_reading():
    for size in range(len(DER)):
        assert judge(DER[:size], "collector.example.id", PIN, START) == OTHER_KEY, size
    raises(ValueError, Certificate, b"")
    raises(ValueError, Certificate, b"\x30\x84\xff\xff\xff\xff")


def test_no_changed_byte_changes_key_name_or_dates_unseen():
    right = Certificate(DER)
    for at in range(len(DER)):
        spoilt = bytearray(DER)
        spoilt[at] ^= 0x21
        try:
            found = Certificate(bytes(spoilt))
        except (ValueError, IndexError):
            continue
        same = found.pin == right.pin and found.names == right.names
        same = same and (found.start, found.end) == (right.start, right.end)
        inside = DER.find(PIN_FIELD) <= at < DER.find(PIN_FIELD) + len(PIN_FIELD)
        assert not (same and inside), at


# SubjectPublicKeyInfo: what the pin is the digest of.
PIN_FIELD = binascii.unhexlify(
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004f9ebe464147cc102d92324d099d927c1a5"
    "0e42d57a08a116ffec0a29819d8c6570baf7d12888902a6a0c1d67add103123c859ab69bf8e9431c9384930d"
    "4b7eee"
)


def records(*pieces):
    watched = Records()
    for piece in pieces:
        watched.watch(piece)
    return watched


def test_the_records_tell_the_end_of_the_handshake_however_they_are_cut():
    hello = b"\x16\x03\x03\x00\x04abcd"
    change = b"\x14\x03\x03\x00\x01\x01"
    finished = b"\x16\x03\x03\x00\x03xyz"
    assert not records(hello, hello).finished
    assert not records(hello, change).finished
    whole = hello + change + finished
    for cut in range(len(whole) + 1):
        watched = records(whole[:cut], whole[cut:])
        assert watched.finished and watched.alert is None
        assert records(whole[:cut]).finished == (cut == len(whole))


def test_an_alert_in_clear_is_read_and_one_in_cipher_is_not():
    alert = b"\x15\x03\x03\x00\x02\x02\x46"
    assert records(alert).alert == 70
    assert records(alert[:6], alert[6:]).alert == 70
    assert records(b"\x14\x03\x03\x00\x01\x01", alert).alert is None
