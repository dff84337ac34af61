import os

from firmware import journal, record
from tests.firmware.support import TornWrites, raises, temp_dir

GENESIS = b"\x11" * 32
KID = b"\x22" * 8
SIGNATURE = b"\x01" * 64  # in range and low: this file is about the chain, not the key


def event(seq, prev, detail=()):
    return record.assemble([3, 2024, 1607, 1, list(detail), seq, prev, 5], KID, lambda d: SIGNATURE)


def result(seq, prev, manifest):
    payload = [1, 2024, 1607, 1, 1, [1, None], record.sha256(manifest), seq, prev, 5]
    return record.assemble(payload, KID, lambda d: SIGNATURE)


def filled(path, count=3):
    j = journal.Journal(path, GENESIS)
    for _ in range(count):
        j.append(event(j.last + 1, j.head))
    return j


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def put(path, data):
    with open(path, "wb") as file:
        file.write(data)


def test_entries_and_manifests_come_back_as_written():
    path = temp_dir() + "/journal"
    j = filled(path, 2)
    manifest = record.manifest([[1, GENESIS, 300]], {})
    j.append(result(3, j.head, manifest), manifest)
    again = journal.Journal(path, GENESIS)
    assert (again.last, again.head) == (3, j.head)
    assert list(again.entries()) == list(j.entries())
    assert again.entry(3)[1] == manifest and again.entry(1)[1] is None
    raises(IndexError, again.entry, 4)
    raises(IndexError, again.entry, 0)


class FullMedium(TornWrites):
    """open() on a medium that takes half of what is appended, and nothing new."""

    def __init__(self, path, mode):
        if mode == "wb":
            raise OSError(28)
        super().__init__(path, mode)


class FullLittlefs(FullMedium):
    """As FullMedium, but of a write that failed it keeps nothing."""

    def write(self, data):
        raise OSError(28)


def no_new_files(path, mode):
    """open() on a medium that has room for one more entry, not for a second journal."""
    if mode == "wb":
        raise OSError(28)
    return open(path, mode)


def test_a_write_that_left_nothing_behind_needs_no_room_for_a_second_journal():
    path = temp_dir() + "/journal"
    j = filled(path, 2)
    before = contents(path)
    try:
        journal.open = FullLittlefs
        assert raises(journal.JournalError, j.append, event(3, j.head))
        assert contents(path) == before
        journal.open = no_new_files
        j.append(event(3, j.head))
    finally:
        del journal.open
    assert journal.Journal(path, GENESIS).last == 3


def test_only_the_next_entry_of_the_chain_is_taken():
    path = temp_dir() + "/journal"
    j = filled(path)
    before = contents(path)
    bundle = record.assemble([36, GENESIS, 1, None, None, None], KID, lambda d: SIGNATURE)
    # Signed by the kit, and yet no entry: it has no place in any chain.
    ready = [4, bytes(9), "1", GENESIS, 2024, 1607, GENESIS, 5, [[4, 1]]]
    ready = record.assemble(ready, KID, lambda d: SIGNATURE)
    for bad in (event(3, j.head), event(5, j.head), event(4, GENESIS), bundle, ready):
        assert raises(journal.JournalError, j.append, bad).code == journal.WRONG_ENTRY
    manifest = record.manifest([], {})
    assert raises(journal.JournalError, j.append, result(4, j.head, manifest), None)
    assert raises(journal.JournalError, j.append, result(4, j.head, manifest), manifest + b"\0")
    assert raises(journal.JournalError, j.append, event(4, j.head), manifest)
    assert contents(path) == before


def test_a_power_cut_at_any_byte_of_the_last_frame_loses_only_that_frame():
    path = temp_dir() + "/journal"
    filled(path, 2)
    two = contents(path)
    filled(path[:-7] + "whole", 3)
    three = contents(path[:-7] + "whole")
    assert three[: len(two)] == two
    for length in range(len(two), len(three)):
        put(path, three[:length])
        j = journal.Journal(path, GENESIS)
        assert (j.last, j.dropped) == (2, length - len(two))
        assert contents(path) == two
    j.append(event(3, j.head))
    assert contents(path) == three


def test_a_last_frame_with_wrong_bytes_is_torn_too():
    path = temp_dir() + "/journal"
    filled(path, 2)
    whole = contents(path)
    put(path, whole[:-1] + b"\0" if whole[-1] else whole[:-1] + b"\1")
    assert journal.Journal(path, GENESIS).last == 1


def test_damage_in_the_middle_refuses_to_open_and_changes_nothing():
    path = temp_dir() + "/journal"
    filled(path, 3)
    whole = contents(path)
    put(path, whole[:40] + bytes((whole[40] ^ 1,)) + whole[41:])
    bent = contents(path)
    assert raises(journal.JournalError, journal.Journal, path, GENESIS).code == journal.DAMAGED
    assert contents(path) == bent


def test_another_certificate_or_a_cut_out_entry_breaks_the_chain():
    path = temp_dir() + "/journal"
    filled(path, 3)
    error = raises(journal.JournalError, journal.Journal, path, b"\x12" * 32)
    assert error.code == journal.BROKEN_CHAIN
    whole = contents(path)
    size = len(whole) // 3
    put(path, whole[:size] + whole[-size:])
    error = raises(journal.JournalError, journal.Journal, path, GENESIS)
    assert error.code == journal.BROKEN_CHAIN


def test_a_full_medium_keeps_what_was_there_and_goes_on_later():
    path = temp_dir() + "/journal"
    j = filled(path, 2)
    before = contents(path)
    journal.open = FullMedium
    try:
        error = raises(journal.JournalError, j.append, event(3, j.head))
    finally:
        del journal.open
    assert error.code == journal.WRITE_FAILED
    assert contents(path) != before
    j.append(event(3, j.head))
    assert contents(path).startswith(before)
    assert journal.Journal(path, GENESIS).head == j.head
    assert "journal.new" not in os.listdir(path[:-8])
