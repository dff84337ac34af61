"""Whatever comes over the cable, the kit answers in its protocol and keeps what it had."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import cbor, serial_link
from firmware.enrol import Enrolment
from host_tools.provision.keys import SoftwareKey, verify
from host_tools.provision.link import _hello

VERBS = ["HELLO", "CONFIGURE", "CSR", "ENROL", "PACKAGE", "PINS", "TIME", "START"]


class Signer:
    """A software key with the Signer role's methods."""

    def __init__(self):
        self.key = SoftwareKey.generate()
        self.public_key, self.sign = self.key.public_key, self.key.sign

    def verify(self, public, digest, signature):
        return verify(public, digest, signature)

    def serial(self):
        return bytes.fromhex("0123a1b2c3d4e5f6ee")

    def count(self):
        return 0


class Setup:
    def __init__(self):
        self.authority = None

    def locked(self):
        return True, True

    def configure(self):
        pass

    def authority_key(self):
        return self.authority

    def set_authority_key(self, key):
        self.authority = key


class UART:
    def __init__(self, incoming: bytes):
        self.incoming = incoming
        self.sent = b""

    def readinto(self, buf):
        n = min(len(buf), len(self.incoming))
        buf[:n] = self.incoming[:n]
        self.incoming = self.incoming[n:]
        return n or None

    def write(self, buf):
        self.sent += bytes(buf)
        return len(buf)


def kit(folder, authority=None) -> Enrolment:
    setup = Setup()
    setup.authority = authority
    return Enrolment(str(folder), {"live": Signer(), "training": Signer()}, setup, "fuzz")


VALUE = st.recursive(
    st.one_of(
        st.integers(-(2**63), 2**64 - 1),
        st.binary(max_size=70),
        st.text(max_size=20),
        st.sampled_from(["live", "training"]),
        st.none(),
        st.booleans(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.integers(0, 20), inner, max_size=3)
    ),
    max_leaves=8,
)
ARGUMENT = st.one_of(st.binary(max_size=200), VALUE.map(cbor.encode))
REQUEST = st.tuples(st.sampled_from(VERBS), ARGUMENT).map(
    lambda pair: b"SAKSI %s %s" % (pair[0].encode(), pair[1].hex().encode() or b"-")
)
LINE = st.one_of(REQUEST, st.binary(max_size=120).map(lambda raw: raw.replace(b"\n", b" ")))


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(LINE, max_size=8))
def test_every_line_gets_one_answer_and_nothing_is_stored(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("store")
    enrolment = kit(folder)
    handlers = {**enrolment.handlers(), "END": lambda _: b"\x55"}
    # The talk ends with START; here with a START that always succeeds, behind the fuzzed lines.
    handlers["START"] = _only(b"\x77", handlers["START"])
    uart = UART(b"\n".join([*lines, b"SAKSI START 77", b""]))
    asyncio.run(serial_link.serve(uart, handlers))
    answers = uart.sent.decode("ascii").split("\n")
    assert answers.pop() == ""
    assert len(answers) == 1 + sum(1 for line in lines if line)
    for answer in answers:
        word, _, rest = answer.partition(" ")
        assert word in ("OK", "ERR")
        if word == "ERR":
            code, _, text = rest.partition(" ")
            assert 800 <= int(code) < 900 and text
            assert int(code) != serial_link.FAILED, "an exception that nobody foresaw"
    assert not (folder / "package.cbor").exists()


def _only(secret, function):
    return lambda data: b"" if data == secret else function(data)


@settings(max_examples=200, deadline=None)
@given(value=VALUE)
def test_signed_rubbish_is_no_package(tmp_path_factory, value):
    from firmware import record

    office = SoftwareKey.generate()
    enrolment = kit(tmp_path_factory.mktemp("store"), office.public_key())
    content = value if isinstance(value, dict) else {1: value}
    payload = [record.PACKAGE, 1, 202402, 1607012001001, 1, content]
    raw = record.assemble(payload, office.kid(), office.sign)
    line = b"SAKSI PACKAGE " + raw.hex().encode()
    reply, verb = serial_link.answer(line, enrolment.handlers())
    assert verb is None
    assert reply.startswith(b"ERR 811 ")


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=100))
def test_the_host_takes_no_rubbish_for_a_kit(data):
    said = _hello(data)
    assert said is None or len(said) == 9
