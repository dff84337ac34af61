import asyncio
import os

from firmware import card, photo_places, photos, record
from firmware.photo_places import PhotoPlaces
from tests.firmware.support import raises, temp_dir

CHUNK = bytes(range(256)) * 4
PLENTY = 1 << 28
FREE = photo_places.free


class Room:
    """What photo_places.free() says of the card and of all else; OSError for a pulled card."""

    def __init__(self, folder):
        self.folder = folder
        self.card = self.flash = PLENTY

    def __call__(self, folder):
        os.stat(folder)
        return self.card if folder == self.folder else self.flash


def setup(reserve=1000):
    """(places, card folder, flash folder, free room as it is told)."""
    on_card, on_flash = temp_dir(), temp_dir()
    photo_places.free = Room(on_card)
    return PhotoPlaces(on_card, on_flash, reserve), on_card, on_flash, photo_places.free


def take(places, data, size=0):
    places.begin(size)
    for at in range(0, len(data), len(CHUNK)):
        places.write(memoryview(data)[at : at + len(CHUNK)])
    return places.keep()[0]


def pull(folder):
    os.rename(folder, folder + "-out")


def insert(folder):
    os.rename(folder + "-out", folder)


def listing(folder):
    try:
        return os.listdir(folder + "/photos")
    except OSError:
        return []


def read(places, digest):
    file = places.open(digest)
    data = bytearray(places.size(digest))
    assert file.readinto(data) == len(data) and places.has(digest)
    file.close()
    return bytes(data)


def test_photographs_go_to_the_card():
    places, on_card, on_flash, _ = setup()
    digest = take(places, CHUNK * 3)
    assert digest == record.sha256(CHUNK * 3) and read(places, digest) == CHUNK * 3
    assert len(listing(on_card)) == 1 and listing(on_flash) == []
    assert places.problem is None and not places.has(record.sha256(b""))
    places.begin()
    places.write(CHUNK)
    places.drop()
    assert len(listing(on_card)) == 1
    raises(ValueError, places.write, CHUNK)
    raises(ValueError, places.keep)


def test_without_a_card_they_go_to_flash_and_move_over_when_it_is_back():
    places, on_card, on_flash, _ = setup()
    first = take(places, b"before" * 999)
    pull(on_card)
    second = take(places, b"without" * 999)
    assert places.problem.code == card.CARD_MISSING
    assert read(places, second) == b"without" * 999 and not places.has(first)
    asyncio.run(places.move())
    assert places.problem.code == card.CARD_MISSING and len(listing(on_flash)) == 1
    insert(on_card)
    asyncio.run(places.move())
    assert places.problem is None
    assert listing(on_flash) == [] and len(listing(on_card)) == 2
    assert read(places, first) == b"before" * 999 and read(places, second) == b"without" * 999
    assert asyncio.run(places.is_sound(second))
    third = take(places, b"after")
    assert len(listing(on_card)) == 3 and places.has(third)


def test_a_kit_that_starts_without_a_card_goes_on():
    on_card, on_flash = temp_dir(), temp_dir()
    photo_places.free = Room(on_card)
    pull(on_card)
    places = PhotoPlaces(on_card, on_flash, 0)
    error = raises(card.CardError, places.check)
    assert error.code == card.CARD_MISSING and places.problem is error
    digest = take(places, CHUNK)
    assert places.has(digest) and len(listing(on_flash)) == 1
    insert(on_card)
    places.check()
    asyncio.run(places.move())
    assert listing(on_flash) == [] and read(places, digest) == CHUNK


def test_a_card_pulled_in_mid_photograph_loses_that_one_and_the_next_goes_to_flash():
    places, on_card, on_flash, _ = setup()
    places.begin(2 * len(CHUNK))
    places.write(CHUNK)
    pull(on_card)
    places.write(CHUNK)
    assert raises(photos.PhotoError, places.keep).code == photos.NOT_STORED
    assert places.problem.code == card.CARD_MISSING
    insert(on_card)  # back, but it has just lost one: the next is not trusted to it
    digest = take(places, CHUNK * 2)
    assert len(listing(on_flash)) == 1
    asyncio.run(places.move())
    assert places.problem is None and listing(on_flash) == [] and places.has(digest)
    assert len(listing(on_card)) == 1, "what was cut off is gone"
    take(places, b"next")
    assert listing(on_flash) == []


def test_a_photograph_that_a_card_has_no_room_for_goes_to_flash_at_once():
    places, _, on_flash, room = setup()
    room.card = 5000
    digest = take(places, b"x" * 6000, 6000)
    assert places.problem.code == card.CARD_FULL and len(listing(on_flash)) == 1
    asyncio.run(places.move())
    assert len(listing(on_flash)) == 1, "there is still no room"
    room.card = 6001
    asyncio.run(places.move())
    assert places.problem is None and listing(on_flash) == []
    assert read(places, digest) == b"x" * 6000


class Full:
    """A file on a card that is full or dead."""

    def __init__(self, errno):
        self.errno = errno

    def write(self, data):
        raise OSError(self.errno, "as on a real card")

    def close(self):
        pass


def test_a_card_that_fails_while_it_is_written_costs_one_photograph():
    for errno, code in ((28, card.CARD_FULL), (5, card.CARD_FAILED)):
        places, _, on_flash, room = setup()
        places.begin()
        places.write(CHUNK)
        places._on_card._file.close()
        places._on_card._file = Full(errno)
        error = raises(photos.PhotoError, places.write, CHUNK)
        assert error.code == photos.NOT_STORED and places.problem.code == code
        if errno == 28:
            room.card = 2 * len(CHUNK)
            asyncio.run(places.move())
            assert places.problem.code == code, "there is no more room than before"
            room.card = PLENTY
        take(places, CHUNK * 2)
        assert len(listing(on_flash)) == 1
        asyncio.run(places.move())
        assert places.problem is None and listing(on_flash) == []


def test_flash_keeps_its_reserve_for_the_journal():
    places, on_card, on_flash, room = setup(reserve=1000)
    pull(on_card)
    room.flash = 1000 + 2048
    take(places, b"x" * 2048)
    room.flash = 1000
    error = raises(photos.PhotoError, places.begin)
    assert error.code == photo_places.NO_ROOM and "go on without" in error.text
    room.flash = 1000 + 2048
    assert raises(photos.PhotoError, places.begin, 2048).code == photo_places.NO_ROOM
    places.begin()
    places.write(CHUNK)
    places.write(CHUNK)
    assert raises(photos.PhotoError, places.write, b"!").code == photo_places.NO_ROOM
    assert len(listing(on_flash)) == 1, "nothing is left of it"
    insert(on_card)
    take(places, b"y" * 9999)
    assert len(listing(on_card)) == 1


def test_a_photograph_that_is_being_read_is_moved_but_not_taken_away():
    places, on_card, on_flash, _ = setup()
    pull(on_card)
    digest = take(places, CHUNK)
    insert(on_card)
    file = places.open(digest)
    asyncio.run(places.move())
    assert len(listing(on_flash)) == 1
    again = places.open(digest)
    file.close()
    file.close()
    asyncio.run(places.move())
    assert len(listing(on_flash)) == 1, "the other one still reads"
    again.seek(3)
    data = bytearray(2)
    assert again.readinto(data) == 2 and bytes(data) == CHUNK[3:5]
    again.close()
    asyncio.run(places.move())
    assert listing(on_flash) == [] and read(places, digest) == CHUNK


def test_a_photograph_that_is_opened_while_it_moves_is_not_taken_away():
    places, on_card, on_flash, _ = setup()
    pull(on_card)
    digest = take(places, CHUNK)
    insert(on_card)
    keep, files = places._mover.keep, []

    def opening(expected):
        files.append(places.open(digest))
        return keep(expected)

    places._mover.keep = opening
    asyncio.run(places.move())
    assert len(listing(on_flash)) == 1 and len(listing(on_card)) == 1
    files[0].close()
    asyncio.run(places.move())
    assert listing(on_flash) == [] and len(files) == 1


def test_what_the_card_does_not_give_back_stays_on_flash():
    places, on_card, on_flash, _ = setup()
    pull(on_card)
    digest = take(places, CHUNK)
    insert(on_card)
    keep = places._mover.keep

    def lying(expected):
        kept = keep(expected)
        with open(places._on_card.path(digest), "wb") as file:
            file.write(CHUNK[:-1] + b"?")
        return kept

    places._mover.keep = lying
    asyncio.run(places.move())
    assert len(listing(on_flash)) == 1
    places._mover.keep = keep
    asyncio.run(places.move())
    assert listing(on_flash) == [] and read(places, digest) == CHUNK


def test_what_went_bad_on_flash_is_not_moved():
    places, on_card, on_flash, _ = setup()
    pull(on_card)
    digest = take(places, CHUNK)
    with open(places._on_flash.path(digest), "wb") as file:
        file.write(b"bad")
    insert(on_card)
    asyncio.run(places.move())
    assert listing(on_card) == [] and len(listing(on_flash)) == 1


def test_the_room_of_a_disk_is_told_in_bytes():
    assert FREE(temp_dir()) > 1000000
    raises(OSError, FREE, temp_dir() + "/none")


def test_a_full_littlefs_that_tells_less_than_nothing_is_full():
    class Os:
        @staticmethod
        def statvfs(folder):
            return (4096, 4096, 2048, 4294967294, 4294967294, 0, 0, 0, 0, 255)

    photo_places.os = Os
    try:
        assert FREE("/flash") == 0
    finally:
        photo_places.os = os
