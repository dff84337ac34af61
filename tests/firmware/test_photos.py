import asyncio
import os

from firmware import photos, record
from tests.firmware.support import raises, temp_dir

CHUNK = bytes(range(256)) * 4


def test_a_photograph_is_hashed_while_it_is_stored():
    store = photos.Photos(temp_dir() + "/photos")
    store.begin()
    for _ in range(3):
        store.write(memoryview(CHUNK))
    digest, size = store.keep()
    assert digest == record.sha256(CHUNK * 3) and size == len(CHUNK) * 3
    assert store.has(digest) and store.size(digest) == size
    with store.open(digest) as file:
        assert file.read() == CHUNK * 3


def test_an_unfinished_photograph_is_not_there_after_a_restart():
    folder = temp_dir() + "/photos"
    store = photos.Photos(folder)
    store.begin()
    store.write(CHUNK)
    photos.Photos(folder)
    assert os.listdir(folder) == []


def test_a_photograph_that_is_not_the_expected_one_is_not_kept():
    store = photos.Photos(temp_dir() + "/photos")
    store.begin()
    store.write(CHUNK)
    raises(photos.PhotoError, store.keep, record.sha256(b"another"))
    assert list(store.digests()) == [] and os.listdir(store.folder) == []
    store.begin()
    store.write(CHUNK)
    digest, _ = store.keep(record.sha256(CHUNK))
    assert list(store.digests()) == [digest]
    assert asyncio.run(store.is_sound(digest))
    with open(store.path(digest), "wb") as file:
        file.write(CHUNK[1:])
    assert not asyncio.run(store.is_sound(digest))
    store.remove(digest)
    assert not store.has(digest)


def test_a_full_card_keeps_what_was_there():
    folder = temp_dir() + "/photos"
    store = photos.Photos(folder)
    store.begin()
    store.write(CHUNK)
    digest, _ = store.keep()
    store.begin()

    class Full:
        def write(self, data):
            raise OSError(28)

        def close(self):
            pass

    store._file.close()
    store._file = Full()
    assert raises(photos.PhotoError, store.write, CHUNK).code == photos.NOT_STORED
    assert os.listdir(folder) == [store.path(digest).split("/")[-1]]
    store.begin()
    store.write(b"again")
    store.keep()
