import asyncio
import os

from firmware import card
from firmware.card import CardCopy
from tests.firmware import peer
from tests.firmware.support import TornWrites, temp_dir


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def put(path, data):
    with open(path, "wb") as file:
        file.write(data)


def setup(entries=3):
    """A kit with a journal of so many entries, and the folder of an empty card."""
    kit = peer.Kit(temp_dir())
    for number in range(entries):
        kit.event(1, [number])
    return kit, temp_dir()


def is_equal(copy):
    return copy.problem is None and contents(copy.path) == contents(copy.journal.path)


def test_the_copy_grows_with_the_journal_and_catches_up_at_the_start():
    kit, folder = setup()
    copy = CardCopy(kit.journal, folder)
    assert copy.path == folder + "/journal" and is_equal(copy)
    kit.event(1, ["more"])
    kit.result()
    assert is_equal(copy)
    kit.journal.on_append = None
    kit.event(1, ["unseen"])
    assert not is_equal(copy)
    assert is_equal(CardCopy(kit.journal, folder))
    assert os.listdir(folder) == ["journal"]


def test_a_copy_cut_off_at_any_byte_is_completed():
    kit, folder = setup()
    whole = contents(kit.journal.path)
    for length in range(len(whole) + 1):
        put(folder + "/journal", whole[:length])
        assert is_equal(CardCopy(kit.journal, folder)), length
    assert os.listdir(folder) == ["journal"]


def test_a_torn_last_frame_is_written_over():
    kit, folder = setup()
    whole = contents(kit.journal.path)
    start = kit.journal.frame(len(whole) - 1)[0]
    for torn in (
        whole[:start] + b"\0" * (len(whole) - start),
        whole[: start + 20] + b"\xff" * 30,
        whole[:start] + b"\x00\x01\xff\xf0" * 3,
        whole[:-1] + bytes((whole[-1] ^ 1,)),
    ):
        put(folder + "/journal", torn)
        assert is_equal(CardCopy(kit.journal, folder))
    assert os.listdir(folder) == ["journal"]


def test_what_is_not_this_journal_is_put_aside_and_never_read_back():
    kit, folder = setup()
    before = contents(kit.journal.path)
    other = peer.Kit(temp_dir())
    for number in (0, 1, 9):  # the third is another entry of the same length: a second signing
        other.event(1, [number])
    fork = contents(other.journal.path)
    assert len(fork) == len(before) and fork != before
    other.event(1, [10])
    ahead = contents(other.journal.path)
    foreign = [fork, ahead, before + fork[-100:], b"no journal at all" * 100]
    for number, data in enumerate(foreign, 1):
        put(folder + "/journal", data)
        assert is_equal(CardCopy(kit.journal, folder))
        assert contents("%s/journal-old-%d" % (folder, number)) == data
    assert contents(kit.journal.path) == before and kit.journal.last == 3


def test_an_empty_journal_puts_a_full_copy_aside():
    kit, folder = setup(0)
    put(folder + "/journal", b"the journal of a flash that was lost")
    copy = CardCopy(kit.journal, folder)
    assert os.listdir(folder) == ["journal-old-1"]
    kit.event(1, [])
    assert is_equal(copy)


def test_a_pulled_card_stops_nothing_and_the_copy_catches_up_when_it_is_back():
    kit, folder = setup()
    copy = CardCopy(kit.journal, folder)
    os.rename(folder, folder + "-out")
    kit.event(1, ["without"])
    assert copy.problem.code == card.CARD_MISSING and kit.journal.last == 4
    assert "put it in" in copy.problem.text
    copy.retry()
    kit.event(1, ["still without"])
    assert copy.problem.code == card.CARD_MISSING
    os.rename(folder + "-out", folder)
    kit.event(1, ["not waiting for a card that may be dead"])
    assert copy.problem.code == card.CARD_MISSING and not is_equal(copy)
    copy.retry()
    assert is_equal(copy) and kit.journal.last == 6


def test_a_pulled_card_is_noticed_without_an_append_too():
    kit, folder = setup()
    copy = CardCopy(kit.journal, folder)
    os.rename(folder, folder + "-out")
    copy.retry()
    assert copy.problem.code == card.CARD_MISSING


def test_another_card_gets_the_whole_copy_even_if_nobody_saw_the_change():
    kit, folder = setup()
    copy = CardCopy(kit.journal, folder)
    os.rename(folder, folder + "-out")
    os.mkdir(folder)
    kit.event(1, ["on the other card"])
    assert is_equal(copy)


class Failing(TornWrites):
    """That, and reading works."""

    def __init__(self, path, mode):
        super().__init__(path, mode)
        self.readinto, self.read, self.seek = self.file.readinto, self.file.read, self.file.seek


def test_a_full_and_a_dead_card_have_their_codes_and_lose_nothing():
    for errno, code in ((28, card.CARD_FULL), (5, card.CARD_FAILED)):
        kit, folder = setup()
        copy = CardCopy(kit.journal, folder)
        Failing.errno = errno
        card.open = Failing
        try:
            kit.event(1, ["half"])
        finally:
            del card.open
        assert copy.problem.code == code and card.TEXTS[code] == copy.problem.text
        assert len(contents(copy.path)) < len(contents(kit.journal.path))
        copy.retry()
        assert is_equal(copy) and os.listdir(folder) == ["journal"]


def test_the_card_s_state_is_told_when_it_changes():
    kit, folder = setup()
    copy = CardCopy(kit.journal, folder)
    told = []

    class Photographs:
        problem = None
        looks = 0

        async def move(self):
            self.looks += 1
            if self.looks == 3:
                os.rename(folder, folder + "-out")
            if self.looks == 6:
                os.rename(folder + "-out", folder)

    photographs = Photographs()

    async def run():
        task = asyncio.create_task(card.tend(copy, photographs, told.append, 0))
        while photographs.looks < 9:
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(run())
    assert [problem and problem.code for problem in told] == [None, card.CARD_MISSING, None]
