import os

from firmware import VERSION, cbor, enrol, record, saved
from firmware.compat import exists
from tests.firmware.support import raises, temp_dir

LIVE, TRAINING = "live", "training"
SERIAL = bytes.fromhex("0123a1b2c3d4e5f6ee")
NOW = 1700000000


class Key:
    """Stands for an ECDSA key on both runtimes: a signature is two digests over key and message.

    It verifies what it signed and nothing else; real signatures are tested through the emulated
    chip (tests/host_tools/provision/test_enrolment.py).
    """

    def __init__(self, name, count=0):
        self.public = record.sha256(name) + record.sha256(name + b"y")
        self.counter = count

    def public_key(self):
        return self.public

    def sign(self, digest):
        s = b"\x01" + record.sha256(b"s" + self.public + digest)[1:]
        return record.sha256(b"r" + self.public + digest) + s

    def verify(self, public, digest, signature):
        other = Key(b"")
        other.public = public
        return other.sign(digest) == signature

    def serial(self):
        return SERIAL

    def count(self):
        return self.counter


class Setup:
    def __init__(self):
        self.is_locked = False
        self.authority = None
        self.asked = 0

    def locked(self):
        return (self.is_locked, self.is_locked)

    def configure(self):
        self.asked += 1
        self.is_locked = True

    def authority_key(self):
        return self.authority

    def set_authority_key(self, key):
        if self.authority not in (None, key):
            raise enrol.EnrolError(123, "another authority")
        self.authority = key


OFFICE = Key(b"office")
PINS = [[1, bytes(16), 4000, b"k" * 32], [2, b"s" * 16, 4000, b"t" * 32]]
FORM = [1, "C.HASIL-PPWP", ["DPT", "DPTb", "DPK"], [[1, 101, ["dpt", "votes"]]]]


def package(election=202402, station=1607012001001, version=1, issued=NOW, key=OFFICE):
    content = {
        1: "Pemilu",
        2: ["Sumatera Selatan", "Kabupaten Banyuasin", "Banyuasin I", "Sungai Rebo"],
        3: station % 1000,
        4: 420,
        5: [[1, "Presiden", 1, "abu-abu", 120, 123, ["CONTOH A", "CONTOH B"]]],
        6: [FORM],
        7: ["collector.example.id", 8443, bytes(64)],
        8: "TPS.EXAMPLE.ID",
        9: "internet",
        11: 20,
    }
    payload = [record.PACKAGE, version, election, station, issued, content]
    return record.assemble(payload, record.kid_of(key.public), key.sign)


def made(journals=None):
    """(Enrolment, setup) with a locked chip and an empty store."""
    signers = {LIVE: Key(b"live", 3), TRAINING: Key(b"training", 4)}
    setup = Setup()
    setup.is_locked = True
    journals = {} if journals is None else journals
    times = []
    kit = enrol.Enrolment(
        temp_dir(),
        signers,
        setup,
        "bench",
        set_time=times.append,
        journal_length=lambda election: journals.get(election, 0),
    )
    kit.times = times
    return kit, setup


def certificate(kit, mode, extra=b""):
    mark = b"LATIHAN" if mode == TRAINING else b""
    return b"0..." + mark + extra + b"\x03\x42\x00\x04" + kit.signers[mode].public_key() + b"..."


def enrolled(mode=LIVE, journals=None):
    kit, setup = made(journals)
    kit.enrol(cbor.encode([mode, certificate(kit, mode), OFFICE.public]))
    return kit, setup


def code(function, argument):
    return raises(enrol.EnrolError, function, argument).code


def test_hello_before_the_locks_tells_no_keys_and_after_them_all():
    kit, setup = made()
    setup.is_locked = False
    assert cbor.decode(kit.hello(b"")) == [
        VERSION, "bench", SERIAL, False, False, [], [None, None], [None, None], None,
    ]  # fmt: skip
    kit.configure(b"")
    assert setup.asked == 1
    said = cbor.decode(kit.hello(b""))
    assert said[3:7] == [True, True, [], [3, 4]]
    assert said[7] == [kit.signers[LIVE].public, kit.signers[TRAINING].public]


def test_hello_names_what_the_kit_already_has():
    kit, _ = enrolled()
    kit.package(package())
    said = cbor.decode(kit.hello(b""))
    assert said[5] == [LIVE] and said[8] == [202402, 1, 1607012001001]


def test_a_request_is_for_the_modes_own_key():
    kit, _ = made()
    live = kit.request(cbor.encode([LIVE, "KIT-1"]))
    training = kit.request(cbor.encode([TRAINING, "KIT-1"]))
    assert kit.signers[LIVE].public in live and b"LATIHAN" not in live
    assert kit.signers[TRAINING].public in training and b"LATIHAN" in training
    assert b"0123A1B2C3D4E5F6EE" in live and b"KIT-1" in live


def test_a_request_with_a_wrong_argument_is_refused():
    kit, _ = made()
    for argument in (["other", "K"], [LIVE, ""], [LIVE, "K" * 33], [LIVE, 5], [[], "K"], [LIVE]):
        assert code(kit.request, cbor.encode(argument)) == enrol.BAD_ARGUMENT, argument
    assert code(kit.request, b"\xff") == enrol.BAD_ARGUMENT
    assert code(kit.request, b"") == enrol.BAD_ARGUMENT


def test_a_certificate_for_another_key_or_mode_is_refused():
    kit, setup = made()
    live, training = certificate(kit, LIVE), certificate(kit, TRAINING)
    marked = certificate(kit, LIVE, b"LATIHAN")
    for mode, der in ((LIVE, training), (TRAINING, live), (LIVE, marked), (LIVE, b"")):
        argument = cbor.encode([mode, der, OFFICE.public])
        assert code(kit.enrol, argument) == enrol.OTHER_CERTIFICATE, (mode, der)
    assert code(kit.enrol, cbor.encode([LIVE, live, b"short"])) == enrol.BAD_ARGUMENT
    assert setup.authority is None and os.listdir(kit.store) == []


def test_a_kit_stays_with_its_first_authority():
    kit, setup = enrolled()
    other = cbor.encode([LIVE, certificate(kit, LIVE), Key(b"other").public])
    assert code(kit.enrol, other) == 123
    assert setup.authority == OFFICE.public


def test_enrolling_again_changes_nothing():
    kit, _ = enrolled()
    before = enrol.read(enrol.certificate_file(kit.store, LIVE))
    kit.enrol(cbor.encode([LIVE, certificate(kit, LIVE), OFFICE.public]))
    assert enrol.read(enrol.certificate_file(kit.store, LIVE)) == before


def test_the_certificate_that_a_journal_begins_with_is_kept():
    journals = {}
    kit, _ = enrolled(LIVE, journals)
    kit.package(package())
    newer = cbor.encode([LIVE, certificate(kit, LIVE, b"2"), OFFICE.public])
    kit.enrol(newer)
    journals[202402] = 1
    assert enrol.read(enrol.certificate_file(kit.store, LIVE)) == certificate(kit, LIVE, b"2")
    third = cbor.encode([LIVE, certificate(kit, LIVE, b"3"), OFFICE.public])
    assert code(kit.enrol, third) == enrol.CERTIFICATE_IN_USE
    kit.enrol(cbor.encode([TRAINING, certificate(kit, TRAINING), OFFICE.public]))


def test_a_package_needs_an_authority_first():
    kit, _ = made()
    assert code(kit.package, package()) == enrol.NO_AUTHORITY


def test_a_package_not_signed_by_the_authority_is_refused():
    kit, _ = enrolled()
    assert code(kit.package, package(key=Key(b"other"))) == enrol.NOT_SIGNED
    altered = bytearray(package())
    altered[-1] ^= 1
    assert code(kit.package, bytes(altered)) == enrol.NOT_SIGNED
    altered = package().replace(b"Sungai Rebo", b"Sungai Rebu")
    assert code(kit.package, altered) == enrol.NOT_SIGNED
    assert not exists(kit.store + "/package.cbor")


def test_a_package_under_another_key_id_is_refused():
    kit, _ = enrolled()
    payload = record.parse(package()).payload
    other = record.assemble(payload, record.kid_of(Key(b"other").public), OFFICE.sign)
    assert code(kit.package, other) == enrol.NOT_SIGNED


def test_a_chip_that_gives_no_clear_yes_means_no():
    kit, _ = enrolled()
    kit.signers[LIVE].verify = lambda key, digest, signature: 1
    assert code(kit.package, package()) == enrol.NOT_SIGNED


def test_another_signed_object_is_no_package():
    kit, _ = enrolled()
    payload = [record.BUNDLE, 1, 202402, 1607, NOW, NOW + 1, [], []]
    bundle = record.assemble(payload, record.kid_of(OFFICE.public), OFFICE.sign)
    raises(record.RecordError, kit.package, bundle)
    raises(record.RecordError, kit.package, b"")
    assert not exists(kit.store + "/package.cbor")


def test_before_a_journal_exists_the_station_may_change():
    kit, _ = enrolled()
    kit.package(package())
    kit.package(package(station=1607012001002))
    kit.package(package(election=202411, station=1607012001003))
    assert kit._held().station == 1607012001003


def test_after_it_neither_station_nor_live_election_may_change():
    journals = {}
    kit, _ = enrolled(LIVE, journals)
    kit.package(package())
    journals[202402] = 1
    assert code(kit.package, package(station=1607012001002)) == enrol.OTHER_STATION
    assert code(kit.package, package(election=202411)) == enrol.OTHER_STATION
    assert code(kit.package, package(election=1202402)) == enrol.OTHER_STATION
    kit.package(package(version=2))
    assert kit._held().version == 2


def test_the_live_election_may_follow_the_training():
    journals = {1202402: 9}
    kit, _ = enrolled(TRAINING, journals)
    kit.package(package(election=1202402))
    kit.package(package(election=202402))
    assert kit._held().election == 202402


def test_an_older_package_is_refused_and_the_same_again_accepted():
    kit, _ = enrolled()
    kit.package(package(version=2))
    kit.package(package(version=2))
    kit.package(package(version=2, issued=NOW + 1))
    assert code(kit.package, package(version=2)) == enrol.OLDER_PACKAGE
    assert code(kit.package, package(version=1, issued=NOW + 9)) == enrol.OLDER_PACKAGE


def test_the_clock_takes_only_a_sensible_time():
    kit, _ = made()
    kit.time(cbor.encode(NOW + 10000000))
    assert kit.times == [NOW + 10000000]
    for value in (0, NOW - 100000000, 2300000000, -1, True, None, "x", [NOW]):
        assert code(kit.time, cbor.encode(value)) == enrol.BAD_TIME, value
    assert len(kit.times) == 1
    kit.set_time = None
    assert code(kit.time, cbor.encode(NOW + 10000000)) == enrol.NO_CLOCK


def test_a_kit_that_could_not_work_does_not_start():
    kit, _ = made()
    assert code(kit.start, b"") == enrol.NOT_READY
    kit, _ = enrolled(TRAINING)
    assert code(kit.start, b"") == enrol.NOT_READY
    kit.package(package())
    assert code(kit.start, b"") == enrol.NOT_READY
    kit.package(package(election=1202402))
    assert not enrol.is_started(kit.store)
    assert kit.start(b"") == b""
    assert enrol.is_started(kit.store)


def test_a_new_package_has_to_be_started_anew():
    kit, _ = enrolled()
    kit.package(package())
    kit.pins(cbor.encode(PINS))
    kit.start(b"")
    kit.package(package(version=2))
    assert not enrol.is_started(kit.store)
    kit.start(b"")
    assert enrol.is_started(kit.store)


def test_a_package_altered_in_the_store_is_found_at_start():
    kit, setup = enrolled()
    kit.package(package())
    path = kit.store + "/package.cbor"
    enrol.replace(path, enrol.read(path).replace(b"collector", b"deceiver_"))
    assert code(kit.start, b"") == enrol.NOT_SIGNED
    verify = kit.signers[LIVE].verify
    raises(enrol.EnrolError, enrol.read_package, kit.store, setup.authority, verify)


def test_a_damaged_package_can_be_replaced():
    kit, _ = enrolled()
    enrol.replace(kit.store + "/package.cbor", b"\x00" * 40)
    assert cbor.decode(kit.hello(b""))[8] is None
    kit.package(package())
    kit.pins(cbor.encode(PINS))
    assert kit.start(b"") == b""


def test_a_cut_while_replacing_leaves_the_old_file():
    kit, _ = enrolled()
    kit.package(package())
    with open(kit.store + "/package.cbor.new", "wb") as file:
        file.write(package(version=2)[:50])
    assert kit._held().version == 1
    kit.package(package(version=3))
    assert kit._held().version == 3


def test_pins_are_kept_and_read_back():
    kit, _ = made()
    assert enrol.read_pins(kit.store) is None
    assert kit.pins(cbor.encode(PINS)) == b""
    assert enrol.read_pins(kit.store) == {1: PINS[0][1:], 2: PINS[1][1:]}
    assert kit.pins(cbor.encode([PINS[1], PINS[0]])) == b"", "the order does not matter"


def test_malformed_pins_are_refused_and_change_nothing():
    kit, _ = made()
    kit.pins(cbor.encode(PINS))
    before = enrol.read(kit.store + "/pins.cbor")
    ketua, second = PINS
    for value in (None, 5, "x", {}, [], [ketua], [ketua, ketua], PINS + [second], [ketua, 2],
                  [ketua, []], [ketua, second[:3]], [ketua, second + [0]]):  # fmt: skip
        assert code(kit.pins, cbor.encode(value)) == enrol.BAD_PINS, value
    for at, wrong in ((0, 3), (0, True), (0, "2"), (0, [2]), (1, bytes(15)), (1, "s" * 16),
                      (2, 999), (2, 20001), (2, -1), (2, True), (2, None), (3, bytes(31)),
                      (3, bytes(33)), (3, None)):  # fmt: skip
        row = list(second)
        row[at] = wrong
        assert code(kit.pins, cbor.encode([ketua, row])) == enrol.BAD_PINS, (at, wrong)
    assert code(kit.pins, b"\xff") == enrol.BAD_ARGUMENT
    assert enrol.read(kit.store + "/pins.cbor") == before


def test_a_live_election_does_not_start_without_pins_and_a_training_may():
    kit, _ = enrolled()
    kit.package(package())
    assert code(kit.start, b"") == enrol.NO_PINS
    assert not enrol.is_started(kit.store)
    kit.pins(cbor.encode(PINS))
    assert kit.start(b"") == b"" and enrol.is_started(kit.store)
    held = kit._held()
    assert enrol.station_pins(kit.store, held)[1] == PINS[0][1:]
    os.remove(kit.store + "/pins.cbor")
    assert not enrol.is_started(kit.store), "PINs taken away: back to the technician"
    assert raises(enrol.EnrolError, enrol.station_pins, kit.store, held).code == enrol.NO_PINS
    kit, _ = enrolled(TRAINING)
    kit.package(package(election=1202402))
    assert kit.start(b"") == b"" and enrol.is_started(kit.store)
    assert enrol.station_pins(kit.store, kit._held()) is None


def test_new_pins_have_to_be_started_anew():
    kit, _ = enrolled()
    kit.package(package())
    kit.pins(cbor.encode(PINS))
    kit.start(b"")
    kit.pins(cbor.encode(PINS))
    assert enrol.is_started(kit.store), "the same again changes nothing"
    kit.pins(cbor.encode([PINS[0], [2, bytes(16), 5000, bytes(32)]]))
    assert not enrol.is_started(kit.store)


def test_after_its_first_entry_a_kit_keeps_its_pins():
    journals = {}
    kit, _ = enrolled(LIVE, journals)
    other = [PINS[0], [2, bytes(16), 5000, bytes(32)]]
    kit.package(package())
    kit.pins(cbor.encode(other))
    kit.pins(cbor.encode(PINS))
    journals[202402] = 1
    assert code(kit.pins, cbor.encode(other)) == enrol.PINS_IN_USE
    assert kit.pins(cbor.encode(PINS)) == b""
    assert enrol.read_pins(kit.store)[2] == PINS[1][1:]


def test_a_trained_kit_may_be_given_pins_for_the_day():
    journals = {}
    kit, _ = enrolled(TRAINING, journals)
    kit.package(package(election=1202402))
    journals[1202402] = 1
    kit.pins(cbor.encode(PINS))
    other = [PINS[0], [2, bytes(16), 5000, bytes(32)]]
    assert code(kit.pins, cbor.encode(other)) == enrol.PINS_IN_USE
    kit.package(package(election=202402))
    kit.pins(cbor.encode(other))


def test_damaged_pins_stop_the_start_and_can_be_replaced():
    journals = {}
    kit, _ = enrolled(LIVE, journals)
    kit.package(package())
    kit.pins(cbor.encode(PINS))
    path = kit.store + "/pins.cbor"
    good = enrol.read(path)
    enrol.replace(path, good[:-1] + b"?")
    assert raises(saved.SavedError, kit.start, b"").code == saved.UNREADABLE
    journals[202402] = 1
    kit.pins(cbor.encode(PINS))
    assert enrol.read(path) == good
    assert kit.start(b"") == b""
