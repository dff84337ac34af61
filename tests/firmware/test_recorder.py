from firmware import journal, record, recorder
from tests.firmware.support import raises, temp_dir

GENESIS = b"\x11" * 32


class Signer:
    """Counts as the chip does and signs with a number that stands for a signature."""

    def __init__(self, count=0):
        self.counter = count
        self.signed = []
        self.dead = False

    def public_key(self):
        return b"\x05" * 64

    def count(self):
        return self.counter

    def count_up(self):
        self.counter += 1
        return self.counter

    def sign(self, digest):
        if self.dead:
            raise OSError(5)
        self.signed.append(digest)
        return b"\x01" * 64


def made(signer, path=None):
    j = journal.Journal(path or temp_dir() + "/journal", GENESIS)
    return recorder.Recorder(j, signer, 2024, 1607, lambda: 1700000000)


def test_entries_follow_each_other_and_the_counter():
    signer = Signer()
    r = made(signer)
    first = r.event(record.BOOT, [])
    second = r.result(1, 1, [3, None], [[1, GENESIS, 9]], {record.RULES: [[7, 1]]})
    third = r.result(1, 1, [4, 1], [], {record.REPLACES: second.rec_id, record.REASON: 1})
    assert [e.seq for e in (first, second, third)] == [1, 2, 3] and signer.counter == 3
    assert [e.kind for e in (first, second, third)] == [3, 1, 2]
    assert second.prev == first.rec_id and third.prev == second.rec_id
    assert first.prev == GENESIS and first.kid == record.kid_of(signer.public_key())


def test_a_cut_between_counting_and_writing_is_made_good():
    signer = Signer()
    r = made(signer)
    r.event(record.BOOT, [])
    signer.dead = True
    raises(OSError, r.event, record.OPEN, [])
    assert (signer.counter, r.journal.last) == (2, 1)
    signer.dead = False
    assert r.event(record.OPEN, []).seq == 2
    assert signer.counter == 2


def test_lost_entries_and_a_foreign_chip_refuse_to_sign():
    signer = Signer()
    path = temp_dir() + "/journal"
    r = made(signer, path)
    for _ in range(3):
        r.event(record.BOOT, [])
    signer.counter = 5
    assert raises(recorder.RecorderError, r.event, 1, []).code == recorder.COUNTER_AHEAD
    signer.counter = 2
    assert raises(recorder.RecorderError, r.event, 1, []).code == recorder.COUNTER_BEHIND
    assert r.journal.last == 3 and len(signer.signed) == 3
