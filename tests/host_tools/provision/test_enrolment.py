"""Enrolment end to end: host, cable, the kit's firmware and the emulated security chip."""

import hashlib
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from firmware import cbor, csr, record
from firmware.drivers import PartError
from firmware.enrol import NO_PINS, read_package, read_pins
from firmware.package import Package
from firmware.pins import KETUA, SECOND, stretch
from host_tools.kit.bench_kit import BenchKit
from host_tools.provision import bundle as bundles
from host_tools.provision import enrol as enrolment
from host_tools.provision import keys, profile, sample
from host_tools.provision.authority import AuthorityError
from host_tools.provision.keys import SoftwareKey
from host_tools.provision.package import PackageError, build_package
from host_tools.provision.pins import PinsError

NOW = 1_790_000_000
ELECTION = sample.load("pilkada")
PINS = {KETUA: "135790", SECOND: "046801"}


@pytest.fixture
def kit(tmp_path):
    return BenchKit(tmp_path / "kit")


def enrol(kit, authority, election=ELECTION, station=sample.STATION, kit_id=None, **options):
    kit_id = kit_id or f"KIT-{kit.folder.parent.name}"[:32]
    options = {"now": lambda: NOW, **options}
    return enrolment.enrol(kit.plug(), authority, election, station, kit_id, **options)


def test_a_blank_kit_becomes_ready_in_one_call(kit, authority):
    steps = []
    done = enrol(kit, authority, kit_id="KIT-0001", pins=PINS, progress=steps.append, start=True)
    kit.thread.join(5)
    assert not kit.thread.is_alive()
    assert steps[0] == "hello" and steps[-1] == "start"
    assert kit.clock == [NOW]
    assert kit.setup.locked() == (True, True)
    assert kit.setup.authority_key() == authority.signing.public_key()
    held = Package((kit.folder / "package.cbor").read_bytes())
    assert (held.election, held.station) == (202411, sample.STATION)
    for mode in ("live", "training"):
        der = (kit.folder / f"device-{mode}.der").read_bytes()
        assert der == done.certificates[mode]
        assert done.keys[mode] == kit.signers[mode].public_key()
        leaf = x509.load_der_x509_certificate(der)
        assert profile.is_training(leaf) == (mode == "training")
        policy = PolicyBuilder().store(Store([authority.root_certificate]))
        policy.build_client_verifier().verify(leaf, [authority.regional_certificate])
    assert done.serial == "0123A1B2C3D4E5F6EE"


def test_what_the_enrolled_kit_signs_verifies_by_the_bundle(kit, authority):
    done = enrol(kit, authority)
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
    signer = kit.signers["live"]
    genesis = hashlib.sha256(done.certificates["live"]).digest()
    payload = [record.EVENT, done.election, done.station, record.BOOT, [], 1, genesis, NOW]
    entry = record.parse(record.assemble(payload, record.kid_of(signer.public_key()), signer.sign))
    key = bundle.key(entry.kid)
    assert key is not None
    assert bundle.station(entry.kid) == done.station
    assert keys.verify(key, entry.signed_digest(), entry.signature)
    training = record.kid_of(kit.signers["training"].public_key())
    assert bundle.key(training) is None


def test_enrolling_again_changes_neither_keys_nor_certificates(kit, authority):
    first = enrol(kit, authority)
    again = enrol(kit, authority)
    assert again == first


class Pulled(Exception):
    pass


@pytest.mark.parametrize(
    "step",
    ["configure", "certify the live", "certify the training", "station", "PINs", "clock", "start"],
)
def test_a_cable_pulled_before_any_step_is_resumed(kit, authority, step):
    def pull(name):
        if step in name:
            raise Pulled

    with pytest.raises(Pulled):
        enrol(kit, authority, pins=PINS, progress=pull, start=True)
    before = [path.name for path in kit.folder.iterdir()]
    done = enrol(kit, authority, pins=PINS, start=True)
    kit.thread.join(5)
    assert not kit.thread.is_alive()
    assert done.keys["live"] == kit.signers["live"].public_key()
    assert set(before) <= {path.name for path in kit.folder.iterdir()}


def test_a_line_left_half_by_a_pulled_cable_is_got_over(kit, authority):
    cable = kit.plug()
    cable.write(b"SAKSI PACKAGE d284")
    assert enrolment.enrol(
        cable, authority, ELECTION, sample.STATION, "KIT-HALF", now=lambda: NOW
    ).keys


def test_a_booting_boards_noise_is_passed_over(kit, authority):
    cable = kit.plug()
    sock = cable.sock
    noise = b"rst:0x1 (POWERON)\r\n\xff\xfe\x00 boot\r\n"

    class Noisy:
        sent = False

        def read(self, size=1, /):
            if not self.sent:
                self.sent = True
                return noise
            return cable.read(size)

        def write(self, data, /):
            sock.sendall(data)

    done = enrolment.enrol(
        Noisy(), authority, ELECTION, sample.STATION, "KIT-NOISE", now=lambda: NOW
    )
    assert done.serial


def test_a_silent_port_is_named_within_its_time():
    class Silent:
        def read(self, size=1, /):
            return b""

        def write(self, data, /):
            pass

    link = enrolment.Link(Silent(), timeout=0.05)
    with pytest.raises(enrolment.LinkError, match="check cable, port and power"):
        link.hello()


def test_another_device_on_the_port_is_told_apart():
    class Modem:
        def read(self, size=1, /):
            return b"ERROR\r\n"

        def write(self, data, /):
            pass

    with pytest.raises(enrolment.LinkError, match="not a Saksi kit"):
        enrolment.Link(Modem(), timeout=5).hello()


def test_a_request_for_another_key_than_the_chips_is_refused(kit, authority):
    thief = SoftwareKey.generate()

    def swapped(data):
        _mode, kit_id = cbor.decode(data)
        return csr.csr("0123A1B2C3D4E5F6EE", kit_id, False, thief.public_key(), thief.sign)

    kit.handlers["CSR"] = swapped
    with pytest.raises(enrolment.EnrolError, match="another key than the chip's"):
        enrol(kit, authority)
    assert not (kit.folder / "device-live.der").exists()


def test_a_request_that_names_another_chip_is_refused(kit, authority):
    signer = kit.signers["live"]

    def renamed(data):
        kit_id = cbor.decode(data)[1]
        return csr.csr("0123FFFFFFFFFFFFEE", kit_id, False, signer.public_key(), signer.sign)

    kit.handlers["CSR"] = renamed
    with pytest.raises(enrolment.EnrolError, match="another chip"):
        enrol(kit, authority)


def test_a_request_of_an_earlier_kit_cannot_be_replayed(tmp_path, authority):
    first, second = BenchKit(tmp_path / "1"), BenchKit(tmp_path / "2")
    kept = []
    honest = first.handlers["CSR"]

    def keep(data):
        kept.append(honest(data))
        return kept[-1]

    first.handlers["CSR"] = keep
    enrol(first, authority, kit_id="KIT-R1")
    second.handlers["CSR"] = lambda data: kept[0]
    with pytest.raises(enrolment.EnrolError, match="another key than the chip's"):
        enrol(second, authority, kit_id="KIT-R1")


def test_a_kit_gets_one_name(kit, authority):
    enrol(kit, authority, kit_id="KIT-A")
    with pytest.raises(AuthorityError, match="already certified"):
        enrol(kit, authority, kit_id="KIT-B")


def test_nothing_is_locked_for_a_station_that_does_not_exist(kit, authority):
    with pytest.raises(PackageError, match="is not in election"):
        enrol(kit, authority, station=1607012001999)
    assert kit.setup.locked() == (False, False)


def test_a_kit_of_another_authority_is_refused_by_its_chip(kit, authority, stranger):
    enrol(kit, authority)
    with pytest.raises(enrolment.KitError) as caught:
        enrol(kit, stranger)
    assert caught.value.code == 123
    assert kit.setup.authority_key() == authority.signing.public_key()


def test_a_strangers_package_is_refused_by_the_chips_own_check(kit, authority, stranger):
    enrol(kit, authority)
    before = (kit.folder / "package.cbor").read_bytes()
    link = enrolment.Link(kit.plug())
    raw = build_package(replace(ELECTION, version=9), sample.STATION, NOW, stranger)
    payload = record.parse(raw).payload
    forged = record.assemble(payload, authority.signing.kid(), stranger.signing.sign)
    for package in (raw, forged):
        with pytest.raises(enrolment.KitError, match="did not sign this package"):
            link.request("PACKAGE", package)
    assert (kit.folder / "package.cbor").read_bytes() == before


def test_a_package_swapped_on_flash_is_found_at_the_next_start(kit, authority, stranger):
    enrol(kit, authority)
    path = kit.folder / "package.cbor"
    path.write_bytes(build_package(ELECTION, sample.STATION, NOW, stranger))
    signer = kit.signers["live"]
    with pytest.raises(Exception, match="did not sign this package"):
        read_package(str(kit.folder), kit.setup.authority_key(), signer.verify)


def test_after_its_first_entry_a_kit_keeps_station_and_election(kit, authority):
    enrol(kit, authority)
    kit.journals[202411] = 1
    enrol(kit, authority)
    for election, station in (
        (ELECTION, 1607012001002),
        (sample.load("pilpres"), sample.STATION),
    ):
        with pytest.raises(enrolment.KitError, match="has a journal of another"):
            enrol(kit, authority, election, station)


def test_a_kit_goes_from_training_to_the_day(kit, authority):
    trained = enrol(kit, authority, ELECTION.as_training())
    kit.journals[trained.election] = 40
    done = enrol(kit, authority)
    assert trained.election == 1_202_411
    assert done.keys == trained.keys
    assert trained.entry("training")[0] != done.entry("live")[0]


def test_the_kit_gets_the_pins_salted_and_stretched(kit, authority):
    done = enrol(kit, authority, pins=PINS)
    assert done.pins == PINS
    assert not any(pin in repr(done) for pin in PINS.values())
    table = read_pins(str(kit.folder))
    assert table is not None
    for role, (salt, rounds, digest) in table.items():
        assert stretch(PINS[role], salt, rounds) == digest
    held = b"".join(path.read_bytes() for path in kit.folder.iterdir())
    assert not any(pin.encode() in held for pin in PINS.values())


def test_without_pins_a_live_kit_is_readied_but_does_not_start(kit, authority):
    with pytest.raises(enrolment.KitError, match="no PINs for its officers") as caught:
        enrol(kit, authority, start=True)
    assert caught.value.code == NO_PINS
    assert enrol(kit, authority).pins is None
    assert enrol(kit, authority, pins=PINS, start=True).pins == PINS


def test_enrolling_without_pins_leaves_those_that_the_kit_has(kit, authority):
    enrol(kit, authority, pins=PINS)
    before = read_pins(str(kit.folder))
    assert enrol(kit, authority, start=True).pins is None
    assert read_pins(str(kit.folder)) == before


def test_a_kit_that_has_begun_keeps_its_pins_and_says_so(kit, authority):
    enrol(kit, authority, pins=PINS)
    before = read_pins(str(kit.folder))
    kit.journals[202411] = 1
    steps = []
    assert enrol(kit, authority, pins=PINS, progress=steps.append).pins is None
    assert "the kit has begun its day: it keeps the PINs that it has" in steps
    assert read_pins(str(kit.folder)) == before


def test_nothing_is_locked_for_pins_that_are_not_fit(kit, authority):
    with pytest.raises(PinsError, match="too easy"):
        enrol(kit, authority, pins={**PINS, KETUA: "123456"})
    assert kit.setup.locked() == (False, False)


def test_an_election_needs_a_key_of_its_mode(kit, authority):
    with pytest.raises(enrolment.EnrolError, match="needs a key of mode live"):
        enrol(kit, authority, modes=["training"])


def test_a_chip_locked_with_other_settings_is_refused(kit, authority):
    chip = kit.signers["live"]

    def foreign(_):
        raise PartError(120, "The security chip was locked with other settings: use a blank chip.")

    kit.handlers["CONFIGURE"] = foreign
    with pytest.raises(enrolment.KitError, match=r"E120 .* use a blank chip"):
        enrol(kit, authority)
    assert chip.serial()
