"""Acknowledgements verified by a chip that works while the relay goes on sending."""

import asyncio

from firmware import record
from firmware import relay_codes as codes
from firmware.drivers import PartError
from firmware.relay_acks import MOST, CollectorKey
from tests.firmware.peer import (
    ACK_SIGNATURE,
    KID,
    SIGNATURE,
    Collector,
    Kit,
    Wire,
    WireStream,
    ack_of,
    one_round,
    relay_of,
    verify_ack,
)
from tests.firmware.support import raises, temp_dir


class Chip:
    """Plays verify_ack: the result comes after `looks`; one at a time, as in the relay."""

    def __init__(self, looks=3):
        self.looks = looks
        self.order = []  # rec-ids as they were begun
        self.fail = 0  # how many of the next fail in the middle
        self.left = 0

    def __call__(self, data, rec_id):
        raise AssertionError("the relay does not wait for the chip")

    def begin(self, data, rec_id):
        assert self.left == 0, "one at a time"
        self.order.append(rec_id)
        self.left = self.looks
        return lambda: self._poll(data, rec_id)

    def _poll(self, data, rec_id):
        assert self.left > 0, "nothing is asked for after it was told"
        self.left -= 1
        if self.fail and self.left < self.looks - 1:
            self.fail -= 1
            self.left = 0
            raise PartError(101, "The security chip does not wake up")
        if self.left:
            return None
        try:
            return verify_ack(data, rec_id)
        except ValueError:
            return False


def setup(looks=3):
    kit = Kit(temp_dir())
    wire = Wire(Collector())
    r = relay_of(kit, wire)
    chip = r.acks.verify_ack = Chip(looks)
    return kit, wire.collector, wire, r, chip


def slow(r, wire, on_write=None):
    """A line that makes the kit wait for every piece, as a real one does."""

    class Slow(WireStream):
        async def write(self, buf):
            await asyncio.sleep(0.003)
            if on_write:
                on_write()
            await WireStream.write(self, buf)

    async def opener():
        return Slow(wire)

    r.client.open_stream = opener


def rec_ids(kit):
    return {seq: record.rec_id(data) for seq, data, _ in kit.journal.entries()}


def test_photographs_go_on_while_the_chip_works():
    kit, collector, wire, r, chip = setup(8)
    kit.result([kit.page(1, b"x" * 50_000)])
    seen = []  # at each piece that was written: (begun by the chip, looks until it is done)
    slow(r, wire, lambda: seen.append((len(chip.order), chip.left)))
    assert one_round(r) and kit.acks == [2]
    busy = [begun for begun, left in seen if left]
    assert len(busy) > 15, "pieces were written while the chip had an acknowledgement"
    assert set(busy) == {2, 3}, "after the result's, and the next before the photograph had ended"
    assert chip.order[0] == rec_ids(kit)[2]
    assert collector.complaints == [] and len(collector.entries) == 3


def test_those_of_results_are_verified_first():
    kit, _, _, r, chip = setup()
    for _ in range(6):
        kit.event(record.BOOT, ["1.0", None, 0, []])
    result = kit.result()
    names = rec_ids(kit)
    for seq in (1, 2, result):
        r.acks.add(seq, names[seq], ack_of(names[seq]))
        assert r.acks.prove() is None  # the first has the chip when the others come
    asyncio.run(r.backlog.scan())
    while r.acks.unproved:
        r.acks.prove()
    assert chip.order == [names[1], names[result], names[2]]
    assert kit.acks == [result] and r.under_way == set()


def test_a_wrong_signature_found_meanwhile_counts_as_none_and_is_asked_for_again():
    def of_nobody(rec_id):
        return ack_of(rec_id, SIGNATURE)

    for bad in (of_nobody, lambda rec_id: ack_of(b"\x33" * 32), lambda rec_id: b"rubbish"):
        kit, collector, _, r, chip = setup()
        page = kit.page(1, b"x" * 60_000)
        kit.result([page])
        collector.ack = bad
        assert not one_round(r)
        assert r.status.last_error == codes.TEXTS[codes.BAD_ACK]
        assert kit.acks == [] and r.status.waiting == 2 and r.status.sent == 0
        assert len(chip.order) == 2 and r.acks.unproved == [] and r.under_way == set()
        collector.ack = ack_of
        collector.certified = False  # nothing was acknowledged, so the certificate goes again
        assert one_round(r) and kit.acks == [2] and r.status.waiting == 0
        assert r.status.last_error == "" and collector.complaints == []


def test_a_chip_that_fails_in_the_middle_leaves_the_entry_waiting():
    kit, collector, _, r, chip = setup()
    kit.result([kit.page(1, b"x" * 60_000)])
    chip.fail = 3
    for _ in range(3):
        collector.certified = False
        assert raises(PartError, one_round, r).code == 101
        assert kit.acks == [] and r.status.sent == 0
    collector.certified = False
    assert one_round(r) and kit.acks == [2] and r.status.waiting == 0
    assert r.under_way == set() and collector.complaints == []


def test_a_journal_that_is_full_leaves_the_entry_waiting():
    kit, _, _, r, _ = setup()
    kit.result()

    def full(seq, data):
        raise OSError(28)

    r.acks.on_ack = full
    raises(OSError, one_round, r)
    assert r.status.waiting == 1 and r.under_way == set()
    r.acks.on_ack = kit.on_ack
    assert one_round(r) and kit.acks == [1]


def test_a_line_that_breaks_while_the_chip_works_loses_no_acknowledgement():
    kit, collector, wire, r, chip = setup(60)
    kit.result([kit.page(1, b"x" * 60_000)])
    slow(r, wire)
    wire.cut = 20_000
    raises(OSError, one_round, r)
    assert chip.left > 0 and r.status.sent == 1, "the result's was verified, the page's is not yet"
    wire.cut = None
    posts = collector.posts
    assert one_round(r) and kit.acks == [2] and r.status.sent == 3
    assert collector.posts == posts, "no entry goes again"


def test_an_entry_acknowledged_otherwise_meanwhile_is_not_journaled_twice():
    kit, _, _, r, _ = setup()
    result = kit.result()
    name = rec_ids(kit)[result]
    asyncio.run(r.backlog.scan())
    r.acks.add(result, name, ack_of(name))
    assert r.acks.prove() is None
    r.acks.verify_ack = verify_ack
    assert r.acks.take(result, name, ack_of(name)) and kit.acks == [result]
    while r.acks.unproved:
        r.acks.prove()
    assert kit.acks == [result] and kit.journal.last == 2


def test_photographs_go_while_as_many_acknowledgements_wait_as_memory_holds():
    kit, collector, _, r, _ = setup(10**6)
    kit.page(1, b"x" * 3000)
    for _ in range(3 * MOST):
        kit.event(record.BOOT, ["1.0", None, 0, []])

    async def run():
        task = asyncio.create_task(r.round())
        for _ in range(10_000):
            await asyncio.sleep(0)
            if ("photo", b"x" * 3000) in collector.order:
                break
        for _ in range(200):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
        await r.client.close()

    asyncio.run(run())
    assert ("photo", b"x" * 3000) in collector.order
    assert MOST <= len(r.acks.unproved) <= MOST + r.client.ahead()
    assert len(collector.entries) == len(r.acks.unproved)


class Signer:
    """Notes what is asked; nothing but `right` holds."""

    def __init__(self, right):
        self.right = right
        self.asked = []

    def verify(self, key, digest, signature):
        self.asked.append(key)
        return signature == self.right

    def verify_begin(self, key, digest, signature):
        self.later = iter([None, None, self.verify(key, digest, signature)])
        return self

    def poll(self):
        return next(self.later)


def test_the_chip_is_asked_only_for_the_collectors_own_acknowledgement_of_the_entry():
    key = bytes(range(64))
    kid = record.kid_of(key)
    rec_id = b"\x44" * 32

    def made(payload, by=kid, signature=ACK_SIGNATURE):
        return record.assemble(payload, by, lambda digest: signature)

    good = made([36, rec_id, 5, None, None, None])
    for data, asked, right in (
        (good, 1, True),
        (made([36, rec_id, 5, None, None, None], signature=SIGNATURE), 1, False),
        (made([36, b"\x45" * 32, 5, None, None, None]), 0, False),
        (made([36, rec_id, 5, None, None, None], KID), 0, False),
        (made([3, 2024, 1607, 1, ["1.0", None, 0, []], 1, bytes(32), 5]), 0, False),
        (good[:-1], 0, False),
        (b"rubbish", 0, False),
    ):
        signer = Signer(ACK_SIGNATURE)
        check = CollectorKey(signer, key)
        assert check(data, rec_id) is right and signer.asked == [key] * asked
        poll = check.begin(data, rec_id)
        answers = [poll()]
        while answers[-1] is None:
            answers.append(poll())
        assert answers == [None, None, right][2 - 2 * asked :] and len(signer.asked) == 2 * asked
