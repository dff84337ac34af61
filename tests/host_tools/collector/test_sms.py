"""Entries by SMS: whole or not at all, once, of the kit that signed them, and answered."""

import random
import time

import pytest
import serial

from firmware import record, sms
from host_tools.collector import sms as desk
from host_tools.collector.intake import Intake
from host_tools.collector.reasons import Refused, SetupError
from host_tools.collector.store import Store
from host_tools.kit.modem_sms import Smsc, SmsModemEmulator, deliver
from host_tools.kit.serial_port import SerialPort
from tests.host_tools.collector.process import Process
from tests.host_tools.collector.world import photo

KIT, OTHER, COLLECTOR = "+6281200000001", "+6281200000002", "+62811000000"
ROUNDS = 10_000
DECEMBER = 1_900_000_000.0


class Memory:
    """The store's place for the long loop: keeps what is added, refuses to be given one twice."""

    def __init__(self):
        self.kept = {}

    def entry(self, rec_id):
        return self.kept.get(rec_id)

    def pages(self, rec_id):
        return []

    def add(self, new, received, acknowledge):
        assert new.rec_id not in self.kept
        self.kept[new.rec_id] = Kept(new, acknowledge(new.rec_id, received))
        return self.kept[new.rec_id], True


class Kept:
    def __init__(self, new, ack):
        self.entry, self.rec_id, self.kid, self.ack = new.entry, new.rec_id, new.kid, ack
        self.manifest, self.kind = None, new.kind


class Quick:
    """An acknowledger that does not sign: the loop is about what is taken in."""

    def sign(self, rec_id, received):
        return b"ack of " + rec_id


class Clock:
    def __init__(self):
        self.now = DECEMBER

    def __call__(self):
        return self.now


@pytest.fixture
def kit(world):
    return world.kit()


@pytest.fixture
def rules(world, kit, tmp_path):
    """(SmsIntake on a real store, its clock, the store)."""
    store = Store(tmp_path / "data")
    clock = Clock()
    intake = Intake(world.trust(), store, world.acknowledger(), clock)
    yield desk.SmsIntake(intake, clock), clock, store
    store.close()


def pdus(number, data, reference=None):
    if reference is None:
        reference = sms.reference_of(record.sha256(data))
    return [deliver(number, ud).hex().upper() for ud in sms.split(data, reference)]


def test_an_entry_in_parts_is_taken_in_and_answered_to_its_sender(rules, kit):
    intake, _, store = rules
    entry = kit.result([photo(100)], figures=[250] * 28)
    parts = pdus(KIT, entry.data)
    assert len(parts) == 2
    intake.message(parts[1])
    assert intake.answers == [] and store.entry(entry.rec_id) is None
    intake.message(parts[0])
    stored = store.entry(entry.rec_id)
    assert stored is not None and stored.entry == entry.data and stored.manifest is None
    assert intake.answers == [(KIT, stored.ack, entry.rec_id)]
    assert len(sms.split(stored.ack, 1)) == 1  # an answer is one message


def test_the_same_entry_is_answered_again_but_not_for_every_copy(rules, kit):
    intake, clock, store = rules
    entry = kit.result(figures=[250] * 28)
    for _ in range(5):
        for text in pdus(KIT, entry.data):
            intake.message(text)
    assert len(intake.answers) == 1 and len(list(store.entries())) == 1
    for _ in range(100):
        clock.now += 600
        for text in pdus(KIT, entry.data):
            intake.message(text)
    assert len(intake.answers) == desk.ANSWERS and len(set(intake.answers)) == 1


def test_what_no_listed_kit_signed_gets_no_answer(rules, kit, world):
    intake, _, store = rules
    stranger = world.kit(listed=None).result(figures=[1] * 28)
    bad = bytearray(kit.result(figures=[1] * 28).data)
    bad[60] ^= 1
    for data in (stranger.data, bytes(bad), b"\xd2" * 300, b"hello"):
        for text in pdus(KIT, data):
            intake.message(text)
    intake.message("not hex")
    intake.message(deliver(KIT, b"\xc8\x32\x9b\xfd\x06", header=False, coding=0).hex())
    assert intake.answers == [] and list(store.entries()) == []
    assert intake.counts.foreign == 2 and intake.counts.refused == 4


def test_a_store_that_cannot_write_gives_no_answer_and_the_repetition_gets_one(rules, kit):
    intake, clock, store = rules
    entry = kit.result(figures=[1] * 28)

    def full(*_):
        raise Refused("full", "The disk is full.")

    add, store.add = store.add, full
    for text in pdus(KIT, entry.data):
        intake.message(text)
    assert intake.answers == []
    store.add = add
    clock.now += 600
    for text in pdus(KIT, entry.data):
        intake.message(text)
    assert [number for number, _, _ in intake.answers] == [KIT]


def test_a_fault_that_nobody_foresaw_does_not_end_the_service(rules, kit):
    intake, _, store = rules
    entry = kit.result(figures=[1] * 28)
    store.entry = lambda rec_id: 1 / 0
    for text in pdus(KIT, entry.data):
        intake.message(text)
    del store.entry
    for text in pdus(KIT, entry.data):
        intake.message(text)
    assert store.entry(entry.rec_id) is not None


def test_a_flood_of_unfinished_sets_stays_in_bounds_and_a_record_still_gets_through(rules, kit):
    intake, _, store = rules
    entry = kit.result(figures=[1] * 28)
    first, second = pdus(KIT, entry.data)
    intake.message(first)
    for n in range(desk.SETS - 1 - desk.SETS_OF_ONE):
        intake.message(pdus(f"+1{n}", bytes(300), n)[0])
        intake.message(pdus(OTHER, bytes(300), n)[0])
    intake.message(second)
    assert store.entry(entry.rec_id) is not None
    for n in range(3 * desk.SETS):
        intake.message(pdus(f"+2{n}", bytes(300), n)[0])
        assert len(intake._parts) <= desk.SETS
    for text in (first, second):  # whatever was pushed out: the next try is whole
        intake.message(text)
    assert intake.counts.known == 1


def test_ten_thousand_disorders_take_each_record_whole_or_not_at_all_once_and_unmixed(world):
    kits = {KIT: world.kit(), OTHER: world.kit(), "0812": world.kit()}
    made = {
        number: [kit.result(figures=[n] * 28) for n in range(4)] for number, kit in kits.items()
    }
    owner = {m.data: kits[number].key.kid() for number, all_of in made.items() for m in all_of}
    trust = world.trust()
    rng = random.Random(10_000)
    whole = lost = 0
    for _ in range(ROUNDS):
        store = Memory()
        intake = desk.SmsIntake(Intake(trust, store, Quick(), lambda: DECEMBER), lambda: DECEMBER)  # type: ignore[arg-type]
        wire, complete = disorder(rng, made)
        for text in wire:
            intake.message(text)
        for kept in store.kept.values():
            assert owner[kept.entry] == kept.kid
        assert store.kept.keys() >= complete
        answered = [rec_id for _, _, rec_id in intake.answers]
        assert sorted(answered) == sorted(store.kept)  # once each
        for number, _, rec_id in intake.answers:
            assert any(m.rec_id == rec_id for m in made[number])
        whole += len(store.kept)
        lost += 3 - len(complete)
    assert whole > ROUNDS and lost > ROUNDS / 10
    print(f"{ROUNDS} disorders: {whole} records taken in, {lost} not complete on arrival")


def disorder(rng, made):
    """(PDUs as they arrive, rec-ids that must have got through) of up to three records."""
    loss, double = rng.choice((0, 0.1, 0.4)), rng.choice((0, 0.3, 1))
    wire, complete, used = [], set(), set()
    for number in rng.sample(sorted(made), 3):
        record_made = rng.choice(made[number])
        reference = rng.choice((0, 1, 0x100, sms.reference_of(record_made.rec_id)))
        arrived = [p for p in pdus(number, record_made.data, reference) if rng.random() >= loss]
        alone = True
        if rng.random() < 0.3:  # an older record's part under the same reference, or a forger's
            alone = False
            older = rng.choice((rng.choice(made[number]).data, rng.randbytes(240)))
            wire.append(rng.choice(pdus(number, older, reference)))
        if rng.random() < 0.3:  # the other kit's parts from this number, a part of an older try
            wire.append(rng.choice(pdus(number, record_made.data, reference)))
        if alone and len(arrived) == 2:
            complete.add(record_made.rec_id)
        used.add(record_made.rec_id)
        wire += arrived + [p for p in arrived if rng.random() < double]
    wire += [hostile(rng, number, reference) for _ in range(rng.randrange(3))]
    rng.shuffle(wire)
    return wire, complete


def hostile(rng, number, reference):
    """A message that must change nothing: foreign, cut, or with an impossible place."""
    ud = bytearray(sms.split(rng.randbytes(200), reference)[0])
    what = rng.randrange(6)
    if what == 0:
        return deliver(number, rng.randbytes(100), header=False).hex()
    if what == 1:
        ud[3] ^= 1  # another port
    elif what == 2:
        ud[11], ud[12] = rng.choice(((2, 0), (2, 3), (0, 0), (0, 1), (255, 1), (9, 1)))
    elif what == 3:
        ud[11] = 3  # a changed total
    elif what == 4:
        ud[0] = rng.choice((0, 1, 5, 13, 139, 140, 255))
    else:
        return deliver(number, bytes(ud)).hex()[: rng.randrange(200)]
    return deliver(number, bytes(ud)).hex()


@pytest.fixture
def modem() -> SmsModemEmulator:
    return SmsModemEmulator(centre=Smsc(), number=COLLECTOR, speed=100.0, booted=True)


@pytest.fixture
def line(modem):
    with SerialPort(modem) as port:
        yield port


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_it_reads_and_answers_through_a_modem_on_a_serial_port(line, modem, world, kit, tmp_path):
    centre = modem.centre
    entry = kit.result([photo(50)], figures=[250] * 28)
    store = Store(tmp_path / "data")
    intake = Intake(world.trust(), store, world.acknowledger())
    for n in range(30):  # more than the store holds
        centre.post(COLLECTOR, deliver("+1", b"\0buy %d" % n, header=False, coding=0))
    for text in pdus(KIT, entry.data):
        centre.post(COLLECTOR, bytes.fromhex(text))
    desk_there = desk.Background(intake, line.path, pace=0.05)
    try:
        wait_for(lambda: centre.boxes.get(KIT) and not modem.store)
    finally:
        desk_there.stop()
    stored = store.entry(entry.rec_id)
    assert stored is not None
    answer = sms.parse(centre.boxes[KIT][0][1].hex())
    assert (answer.number, answer.data) == (COLLECTOR, stored.ack)
    assert modem.store == {} and desk_there.intake.counts.foreign == 30
    store.close()


def test_the_command_takes_in_results_through_the_modem_that_it_is_given(
    line, modem, world, kit, tmp_path
):
    centre = modem.centre
    entry = kit.result(figures=[250] * 28)
    for text in pdus(KIT, entry.data):
        centre.post(COLLECTOR, bytes.fromhex(text))
    options = [*world.files(tmp_path), "--sms-modem", line.path]
    collector = Process(tmp_path / "data", options)
    modem.speed = modem.line.speed = 1.0  # the command knows no other pace
    try:
        wait_for(lambda: centre.boxes.get(KIT))
        assert collector.state(entry.rec_id) == "accepted"
        assert collector.submit(entry).status_code == 200
        assert collector.state(entry.rec_id) == "complete"
    finally:
        assert collector.stop() == 0


def test_a_modem_that_fails_for_a_while_is_used_again(line, modem, world, kit, tmp_path):
    entry = kit.result(figures=[250] * 28)
    store = Store(tmp_path / "data")
    intake = Intake(world.trust(), store, world.acknowledger())
    modem.silence()
    desk_there = desk.Background(intake, line.path, pace=0.02)
    try:
        for text in pdus(KIT, entry.data):
            modem.centre.post(COLLECTOR, bytes.fromhex(text))
        time.sleep(0.3)
        modem.silence(False)
        wait_for(lambda: modem.centre.boxes.get(KIT))
    finally:
        desk_there.stop()
        store.close()


def test_a_port_that_is_not_there_is_told_in_one_line(world, tmp_path):
    store = Store(tmp_path / "data")
    intake = Intake(world.trust(), store, world.acknowledger())
    with pytest.raises(SetupError, match="cannot be opened"):
        desk.Background(intake, str(tmp_path / "none"))
    store.close()


def test_the_serial_port_has_the_drivers_shape(line):
    with serial.Serial(line.path, timeout=0) as port:
        uart = desk.SerialUART(port)
        assert uart.any() == 0 and uart.readinto(bytearray(4)) is None
        uart.write(b"AT\r")
        wait_for(uart.any)
        assert uart.readinto(bytearray(4)) in (1, 2, 3, 4)
