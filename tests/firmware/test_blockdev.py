import os

from firmware import blockdev
from firmware.compat import MICROPYTHON
from firmware.journal import Journal
from tests.firmware import peer
from tests.firmware.support import raises, temp_dir

BLOCK = blockdev.BLOCK


def device(blocks=4):
    path = temp_dir() + "/chip"
    blockdev.make(path, blocks)
    return blockdev.FileBlockDevice(path)


def test_what_is_written_is_read_back_until_its_block_is_erased():
    chip = device()
    assert (chip.ioctl(4, 0), chip.ioctl(5, 0)) == (4, BLOCK)
    data, back = bytes(range(64)), bytearray(64)
    assert chip.ioctl(6, 2) == 0
    assert chip.writeblocks(2, data, 128) == 0
    assert chip.ioctl(3, 0) == 0
    assert chip.readblocks(2, back, 128) == 0 and back == data
    assert chip.ioctl(6, 1) == 0 and chip.ioctl(6, 3) == 0
    assert chip.readblocks(2, back, 128) == 0 and back == data
    assert chip.ioctl(6, 2) == 0
    assert chip.readblocks(2, back, 128) == 0 and back == b"\xff" * 64


def test_what_does_not_lie_within_one_block_is_refused():
    chip = device()
    buffer = bytearray(64)
    for block, offset in ((4, 0), (-1, 0), (0, BLOCK - 63), (0, -1)):
        assert chip.readblocks(block, buffer, offset) == -22
        assert chip.writeblocks(block, buffer, offset) == -22
    assert chip.ioctl(6, 4) == -22


def test_its_methods_allocate_nothing_on_micropython():
    if not MICROPYTHON:
        return
    from micropython import heap_lock, heap_unlock

    chip = device()
    buffer = bytearray(64)
    heap_lock()
    try:
        done = chip.ioctl(6, 1) or chip.writeblocks(1, buffer, 32) or chip.ioctl(3, 0)
        done = done or chip.readblocks(1, buffer, 32)
    finally:
        heap_unlock()
    assert done == 0


def test_a_journal_on_littlefs_outlives_the_power_on_micropython():
    if not MICROPYTHON:
        return
    import vfs

    image = temp_dir() + "/flash.img"
    blockdev.mount(image, "/chip")
    kit = peer.Kit("/chip")
    for _ in range(3):
        kit.event(1, [])
    vfs.umount("/chip")
    blockdev.mount(image, "/chip")
    again = Journal("/chip/journal", peer.GENESIS)
    vfs.umount("/chip")
    assert (again.last, again.head) == (3, kit.journal.head)
    assert os.stat(image)[6] == blockdev.BLOCKS * BLOCK


def test_a_flash_that_does_not_mount_is_left_as_it_is_on_micropython():
    if not MICROPYTHON:
        return
    image = temp_dir() + "/flash.img"
    blockdev.make(image, 4)
    with open(image, "rb") as file:
        before = file.read()
    raises(OSError, blockdev.mount, image, "/chip")
    with open(image, "rb") as file:
        assert file.read() == before
