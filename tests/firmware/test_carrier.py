import asyncio
import os

from firmware import cable, carried, carrier, cbor, neighbour, record, serial_link
from firmware.compat import CodedError
from firmware.journal import Journal
from firmware.x509 import Certificate
from tests.firmware import peer
from tests.firmware.peer import (
    ACK_SIGNATURE,
    SIGNATURE,
    Collector,
    Kit,
    Wire,
    ack_of,
    one_round,
    relay_of,
)
from tests.firmware.support import TornWrites, raises, temp_dir
from tests.firmware.test_x509 import DER

KEY = Certificate(DER).key


class Far(Kit):
    """The neighbour's kit: boot, a page, a result, and what its package says."""

    election, tps = 2024, 12

    def __init__(self, folder, certificate=DER):
        super().__init__(folder)
        self.certificate = certificate
        self.journal = Journal(folder + "/journal", record.sha256(certificate))
        self.kid = record.kid_of(KEY)
        self.event(record.BOOT, ["1.0", None, 0, []])
        self.result([self.page(1, b"one" * 800)])
        self.relay = relay_of(self, Wire(Collector()))
        asyncio.run(self.relay.backlog.scan())

    def _append(self, payload, manifest=None):
        payload = payload + [self.journal.last + 1, self.journal.head, 5]
        data = record.assemble(payload, self.kid, lambda digest: SIGNATURE)
        self.journal.append(data, manifest)
        return self.journal.last

    def handlers(self):
        mine = neighbour.Neighbour(self, self.journal, self.certificate, self.relay)
        return mine.handlers()


class Line:
    """A UART whose other end answers at once; `spoil(line)` may change what it answers."""

    def __init__(self, handlers, spoil=None):
        self.handlers = handlers
        self.spoil = spoil or (lambda line: line)
        self.heard = b""
        self.answers = b""
        self.verbs = []

    def write(self, buf):
        self.heard += bytes(buf[:50])
        while b"\n" in self.heard:
            line, self.heard = self.heard.split(b"\n", 1)
            if line:
                self.verbs.append(line.split(b" ")[1])
                self.answers += self.spoil(serial_link.answer(line, self.handlers)[0])
        return min(len(buf), 50)

    def readinto(self, buf):
        n = min(len(self.answers), len(buf))
        buf[:n] = self.answers[:n]
        self.answers = self.answers[n:]
        return n or None


def verify(key, digest, signature):
    return key == KEY and signature == SIGNATURE


class Near:
    """The kit that carries, with a collector for what it carries."""

    def __init__(self, folder):
        self.folder = folder
        self.kit = Kit(folder)
        self.kit.event(record.BOOT, ["1.0", None, 0, []])
        self.logged = []
        self.refused = []
        self.wire = Wire(Collector(certificate=DER))
        self.own = Wire(Collector())
        self.start()

    def start(self):
        """Power on."""
        self.kit.journal = Journal(self.folder + "/journal", peer.GENESIS)
        self.carrier = carrier.Carrier(
            self.folder, 2024, peer.CERTIFICATE, verify, self.make, self.logged.append
        )
        self.relay = relay_of(self.kit, self.own, carrier=self.carrier)

    def make(self, kit):
        return kit.relay(self.wire.open, peer.verify_ack, "collector.example.id", self.refuse, 0.01)

    def refuse(self, seq, text):
        self.refused.append(seq)

    def talk(self, line):
        told = []

        async def tell(done, total):
            told.append((done, total))

        result = asyncio.run(self.carrier.talk(cable.Cable(line, 0.05, 0), tell))
        assert told == [(n, len(told)) for n in range(1, len(told) + 1)]
        return result

    def round(self):
        return one_round(self.relay)


def both():
    far, near = Far(temp_dir()), Near(temp_dir())
    return far, near, Line(far.handlers())


def fails(near, line):
    """Code of the error with which a talk ends."""
    try:
        near.talk(line)
    except CodedError as error:
        return error.code
    raise AssertionError("it was taken")


def test_a_neighbours_entries_go_and_its_acknowledgements_come_back():
    far, near, line = both()
    assert near.talk(line) == (12, 3, 0)
    assert near.carrier.count() == (3, 0)
    assert near.round()
    collector = near.wire.collector
    assert collector.complaints == [] and len(collector.entries) == 3
    assert collector.order[0] == ("entry", 3), "the result goes first"
    assert collector.introduced >= 1 and near.carrier.count() == (0, 3)
    assert far.relay.status.sent == 0 and far.acks == []
    assert near.talk(line) == (12, 0, 3)
    # Its result's acknowledgement is journaled, and so it has one entry more.
    assert far.acks == [3] and far.journal.last == 4
    assert (far.relay.backlog.state.is_acked(3), far.relay.status.waiting) == (True, 0)
    assert near.talk(line) == (12, 1, 3)
    assert far.acks == [3]


def test_own_entries_go_before_and_own_photographs_after_what_is_carried():
    _, near, line = both()
    near.kit.result([near.kit.page(1, b"two" * 900)])
    near.talk(line)
    order = []
    for wire, name in ((near.own, "own"), (near.wire, "carried")):
        wire.collector.order = Order(order, name)
    assert near.round()
    own = [("own", "entry")] * 4  # boot, page, result, its acknowledgement
    assert order == own + [("carried", "entry")] * 3 + [("own", "photo")]


class Order:
    """Stands for a collector's list."""

    def __init__(self, order, name):
        self.order = order
        self.name = name

    def append(self, what):
        self.order.append((self.name, what[0]))


def test_what_is_carried_survives_power_cuts_at_every_stage():
    far, near, line = both()
    near.talk(line)
    near.start()
    assert near.carrier.count() == (3, 0)
    near.wire.cut = 1500  # in the middle of it
    near.round()
    near.start()
    near.wire.cut = None
    near.round()
    near.start()
    assert near.carrier.count() == (0, 3)
    assert near.wire.collector.complaints == []
    opened = near.wire.opened
    near.round()
    assert near.wire.opened == opened, "nothing was left to send"
    assert near.talk(line) == (12, 0, 3)
    assert far.acks == [3]


def test_a_torn_acknowledgement_in_the_file_is_cut_off_and_asked_for_again():
    _, near, line = both()
    near.talk(line)
    near.round()
    path = near.carrier.kits[0].path
    with open(path + ".acks", "rb") as file:
        data = file.read()
    with open(path + ".acks", "wb") as file:
        file.write(data[:-5])
    os.remove(path + ".relay")
    near.start()
    assert near.carrier.count() == (1, 2)
    near.round()
    assert near.carrier.count() == (0, 3)
    assert near.talk(line) == (12, 0, 3)


def test_a_line_that_fails_for_the_neighbour_does_not_hold_up_this_kit():
    _, near, line = both()
    near.kit.result([near.kit.page(1, b"two" * 900)])
    near.talk(line)
    calls = []

    async def down():
        calls.append(1)
        raise OSError(111)

    up, near.wire.open = near.wire.open, down
    assert near.round()
    assert near.carrier.count() == (3, 0) and near.relay.status.photos_waiting == 0
    assert len(calls) == 1, "once in a round"
    near.wire.open = up
    assert near.round()
    assert near.carrier.count() == (0, 3)


def test_an_entry_that_comes_over_the_cable_while_others_are_sent_is_sent_too():
    _, near, line = both()
    rows = []
    plain = near.wire.collector.post

    def post(headers, body):
        if not rows:
            rows.append(1)
            near.carrier.kits[0].done = False  # as take() leaves it
        return plain(headers, body)

    near.talk(line)
    near.wire.collector.post = post
    assert near.round() and rows
    assert near.carrier.kits[0].done is False
    assert near.round()
    assert near.carrier.kits[0].done is True


def test_half_an_acknowledgement_on_a_full_flash_does_not_spoil_the_next_one():
    far, near, line = both()
    near.talk(line)
    kit = near.carrier.kits[0]
    name = record.rec_id(far.journal.entry(1)[0])
    kit._keep(1, ack_of(name))

    second = ack_of(record.rec_id(far.journal.entry(2)[0]))
    carried.open = lambda path, mode: (TornWrites if mode == "ab" else open)(path, mode)
    raises(OSError, kit._keep, 2, second)
    del carried.open
    assert kit.acked == {1}
    kit._keep(2, second)
    seq, ack, place = kit.ack(kit.ack(0)[2])
    assert (seq, ack, kit.ack(place)) == (2, second, None)


def test_more_entries_than_a_day_can_have_are_not_taken():
    far, near, line = both()
    near.talk(line)
    kit = near.carrier.kits[0]
    far.event(record.BOOT, ["1.0", None, 0, []])
    kit.journal.last = 500
    error = raises(carried.CarriedError, kit.take, *far.journal.entry(4), 2024)
    assert error.code == carried.TOO_MANY


def test_what_the_collector_refuses_is_told_and_not_tried_again():
    _, near, line = both()
    near.talk(line)
    near.wire.collector.refuse = lambda seq: "no" if seq == 2 else None
    assert near.round()
    assert near.refused == [2] and near.carrier.count() == (0, 2)
    posts = near.wire.collector.posts
    near.round()
    assert near.wire.collector.posts == posts
    assert near.talk(line) == (12, 0, 2)


def test_the_neighbour_takes_no_acknowledgement_that_its_chip_does_not_verify():
    far, _, _ = both()
    right = ack_of(record.rec_id(far.journal.entry(3)[0]))
    other = ack_of(record.rec_id(far.journal.entry(2)[0]))
    forged = ack_of(record.rec_id(far.journal.entry(3)[0]), SIGNATURE)
    asked = far.handlers()["ACKED"]
    for value in ([3, other], [3, forged], [3, b""], [3, None], [3], 3, None):
        assert raises(CodedError, asked, cbor.encode(value)).code == neighbour.NOT_ACKNOWLEDGED
    for seq in (0, 4, -1, None, b"3", True):
        assert raises(CodedError, asked, cbor.encode([seq, right])).code == neighbour.NO_ENTRY
        entry = far.handlers()["ENTRY"]
        assert raises(CodedError, entry, cbor.encode(seq)).code == neighbour.NO_ENTRY
    assert far.acks == [] and far.relay.status.sent == 0
    assert asked(cbor.encode([3, right])) == asked(cbor.encode([3, right])) == b""
    assert far.acks == [3]


def test_an_acknowledgement_of_an_entry_that_the_relay_has_not_read_yet_is_journaled_too():
    far, _, _ = both()
    seq = far.result([])
    ack = ack_of(record.rec_id(far.journal.entry(seq)[0]), ACK_SIGNATURE)
    far.handlers()["ACKED"](cbor.encode([seq, ack]))
    assert far.acks == [seq]
    asyncio.run(far.relay.backlog.scan())
    far.relay.backlog.count(far.relay.status)
    assert far.relay.status.sent == 1


def test_an_entry_that_is_not_the_neighbours_is_not_taken_and_the_rest_stays():
    far, near, line = both()
    entries = {seq: far.journal.entry(seq) for seq in (1, 2, 3)}

    def give(changed):
        rows = dict(entries)
        rows.update(changed)
        handlers = far.handlers()
        handlers["ENTRY"] = lambda data: cbor.encode(list(rows[cbor.decode(data)]))
        return Line(handlers)

    payload = record.parse(entries[2][0]).payload

    def signed(digest):
        return SIGNATURE

    forged = record.assemble(payload, far.kid, lambda digest: ACK_SIGNATURE)
    foreign = record.assemble(payload, peer.KID, signed)
    elsewhere = record.assemble([3, 2025] + payload[2:], far.kid, signed)
    for wrong in (
        (forged, None),
        (foreign, None),
        (elsewhere, None),
        (b"", None),
        (entries[2][0], b"x"),
        entries[3],
        (entries[2][0] + b"x", None),
    ):
        assert fails(near, give({2: wrong})) == carried.NOT_VALID, wrong
        assert near.carrier.kits[0].journal.last == 1
    assert near.talk(line) == (12, 2, 0)


def test_no_kit_of_another_election_and_not_this_one_itself():
    far, near, line = both()
    far.election = 1002024
    assert fails(near, line) == carrier.OTHER_ELECTION
    far.election = 2024
    far.certificate = peer.CERTIFICATE
    assert fails(near, Line(far.handlers())) == carrier.ITSELF
    far.certificate = b"\x30\x00"
    assert fails(near, Line(far.handlers())) == carrier.NO_KIT
    far.certificate = None
    assert fails(near, Line(far.handlers())) == carrier.NO_KIT
    assert near.carrier.kits == [] and near.round()


def test_silence_rubbish_and_refusals_on_the_cable_are_told_apart():
    far, near, _ = both()
    for spoil, code in (
        (lambda line: b"", cable.NO_ANSWER),
        (lambda line: line[:-1], cable.NO_ANSWER),
        (lambda line: b"SAKSI JOURNAL -\n", cable.ODD_ANSWER),
        (lambda line: b"\xff" * 100 + b"\n", cable.ODD_ANSWER),
        (lambda line: b"x" * 20000, cable.ODD_ANSWER),
        (lambda line: b"OK 8\n", cable.ODD_ANSWER),
        (lambda line: b"OK 1c\n", cable.ODD_ANSWER),
        (lambda line: b"ERR 831 The kit does not know this verb\n", cable.REFUSED),
        (lambda line: b"ERR no number\n", cable.ODD_ANSWER),
        (lambda line: b"OK -\n", carrier.NO_KIT),
        (lambda line: b"OK 01\n", carrier.NO_KIT),
        (lambda line: b"OK 84f6f6f6f6\n", carrier.NO_KIT),
    ):
        assert fails(near, Line(far.handlers(), spoil)) == code, code
    line = Line(far.handlers())
    line.answers = b"left over from another talk\nOK -\n" * 40
    assert near.talk(line) == (12, 3, 0)


def test_a_kit_carries_for_so_many_and_no_more():
    _, near, line = both()
    near.carrier.kits = [Full()] * carrier.MOST
    assert fails(near, line) == carrier.TOO_MANY_KITS


class Full:
    certificate = b""


def test_a_damaged_file_of_a_neighbour_keeps_no_kit_from_starting():
    _, near, line = both()
    near.talk(line)
    with open(near.carrier.kits[0].path + ".der", "wb") as file:
        file.write(b"junk")
    near.start()
    assert near.carrier.kits == [] and "cannot be read" in near.logged[-1]
    assert near.round()
