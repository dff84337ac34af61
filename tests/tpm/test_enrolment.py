"""The firmware's enrolment on a TPM, to an entry that the trust bundle vouches for."""

import hashlib
import socket

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from firmware import record
from firmware.enrol import read_package
from firmware.pins import KETUA, SECOND
from host_tools.provision import bundle as bundles
from host_tools.provision import enrol as enrolment
from host_tools.provision import keys, profile, sample
from host_tools.provision.authority import Authority
from tests.tpm.bench import TpmKit
from tests.tpm.test_signer import refusal

NOW = 1_790_000_000
ELECTION = sample.load("pilkada")
PINS = {KETUA: "135790", SECOND: "046801"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    folder = tmp_path_factory.mktemp("authority") / "keys"
    return Authority.create(folder, sample.REGION, sample.REGION_NAME)


@pytest.fixture
def pi(tmp_path):
    kit = TpmKit(tmp_path / "kit")
    kit.start()
    yield kit
    kit.close()


class Plug:
    """The kit's socket with a serial port's read and write."""

    def __init__(self, kit):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(kit.cable))
        self.socket.settimeout(0.1)

    def read(self, size=1, /):
        try:
            return self.socket.recv(size)
        except TimeoutError:
            return b""

    def write(self, data, /):
        self.socket.sendall(data)


def enrol(kit, authority, stream=None, **options):
    options = {"now": lambda: NOW, "pins": PINS, **options}
    stream = Plug(kit) if stream is None else stream
    name = f"KIT-{kit.folder.parent.name}"[:32]
    return enrolment.enrol(stream, authority, ELECTION, sample.STATION, name, **options)


def vouched(kit, authority, done) -> bool:
    """An entry signed by the kit holds by the trust bundle that the authority made for it."""
    raw = bundles.build_bundle(
        version=1,
        election=done.election,
        region=sample.REGION,
        issued=NOW,
        next_issue=NOW + 1,
        entries=[done.entry("live")],
        revoked=[],
        signer=authority.signing,
    )
    bundle = bundles.verify_bundle(raw, authority.signing.public_key(), done.election)
    genesis = hashlib.sha256(done.certificates["live"]).digest()
    payload = [record.EVENT, done.election, done.station, record.BOOT, [], 1, genesis, NOW]
    signer = kit.live
    entry = record.parse(record.assemble(payload, record.kid_of(signer.public_key()), signer.sign))
    assert bundle.station(entry.kid) == done.station
    return keys.verify(bundle.key(entry.kid), entry.signed_digest(), entry.signature)


def test_a_blank_tpm_kit_is_ready_in_one_call_and_its_entry_holds(pi, authority):
    done = enrol(pi, authority, start=True)
    assert pi.clock == [NOW]
    assert done.board == "pi"
    pi.stop()
    assert pi.started == 1
    serial = pi.live.serial()
    assert done.serial == serial.hex().upper()
    policy = PolicyBuilder().store(Store([authority.root_certificate]))
    for mode, signer in pi.signers.items():
        leaf = x509.load_der_x509_certificate((pi.folder / f"device-{mode}.der").read_bytes())
        assert profile.is_training(leaf) == (mode == "training")
        assert keys.to_point64(leaf.public_key()) == signer.public_key() == done.keys[mode]
        assert profile.chip_serial(leaf.subject) == done.serial
        policy.build_client_verifier().verify(leaf, [authority.regional_certificate])
    assert pi.setup.authority_key() == authority.signing.public_key()
    held = read_package(str(pi.folder), pi.setup.authority_key(), pi.live.verify)
    assert held.station == sample.STATION
    assert vouched(pi, authority, done)


def test_the_same_kit_again_keeps_its_keys_after_a_power_cut(pi, authority):
    first = enrol(pi, authority)
    pi.tpm.restart()
    assert enrol(pi, authority) == first


def test_another_authority_is_refused_by_the_tpm(pi, authority, tmp_path):
    enrol(pi, authority)
    stranger = Authority.create(tmp_path / "stranger", sample.REGION, "Elsewhere")
    with pytest.raises(enrolment.KitError) as caught:
        enrol(pi, stranger)
    assert caught.value.code == 123
    pi.stop()
    assert refusal(pi.setup.set_authority_key, stranger.signing.public_key()) == 123


def test_a_lost_connection_keeps_nobody_out(pi, authority):
    left = Plug(pi)
    left.write(b"SAKSI PACKAGE d284")  # half a line, and the other end hears no more of it
    first = enrol(pi, authority)
    left.write(b"\n")
    assert enrol(pi, authority) == first


def test_two_technicians_get_each_their_own_answers(pi):
    plugs = [Plug(pi) for _ in range(3)]
    links = [enrolment.Link(plug) for plug in plugs]
    said = [link.hello() for link in links]
    assert said[0] == said[1] == said[2]
    plugs[0].write(b"SAKSI NO")
    plugs[1].write(b"SAKSI TIME ")
    plugs[0].write(b"NE -\nSAKSI TIME zz\n")
    plugs[1].write(b"1a65\nSAKSI HELLO -\n")
    answers = [_lines(plug) for plug in plugs[:2]]
    assert [line[:7] for line in answers[0]] == [b"ERR 831", b"ERR 832"]
    assert [line[:3] for line in answers[1]] == [b"ERR", b"OK "]


def _lines(plug):
    data = b""
    while data.count(b"\n") < 2:
        data += plug.read(4096)
    return data.splitlines()
