"""Runs on the kit's MicroPython: `micropython on_device.py PORT FOLDER`. Prints JSON lines.

Every figure comes with its yardstick, measured in turns in the same process.
"""

import gc
import hashlib
import json
import sys

from firmware import record
from firmware.board_virtual import LinkI2C
from firmware.compat import make_dir, ticks_diff, ticks_ms
from firmware.drivers.atecc608 import ATECC608
from firmware.photos import Photos

CHUNK = 4096
PHOTO = 3_000_000
PHOTOS = 10
ROUNDS = 5


def timed(work):
    """Milliseconds that `work()` takes."""
    gc.collect()
    start = ticks_ms()
    work()
    return max(ticks_diff(ticks_ms(), start), 1)


def best(work, rounds=ROUNDS):
    """The least of several timings: what the machine's other work disturbs least."""
    return min(timed(work) for _ in range(rounds))


def hashing(folder):
    """MB/s of storing photographs while they are hashed; yardstick: hashlib alone."""
    view = memoryview(bytes(range(256)) * (CHUNK // 256))
    photos = Photos(folder)

    def alone():
        for _ in range(PHOTOS):
            h = hashlib.sha256()
            for _ in range(PHOTO // CHUNK):
                h.update(view)

    def storing():
        for _ in range(PHOTOS):
            photos.begin()
            for _ in range(PHOTO // CHUNK):
                photos.write(view)
            photos.keep()

    megabytes = PHOTO * PHOTOS / 1_000_000
    return megabytes * 1000 / best(storing), megabytes * 1000 / best(alone)


def building():
    """Microseconds to build a result entry of 28 figures; yardstick: json.dumps of the same."""
    figures = list(range(100, 128))
    payload = [1, 2024, 1607012001001, 1, 1, figures, b"m" * 32, 17, b"p" * 32, 1732700000]
    plain = [1, 2024, 1607012001001, 1, 1, figures, "m" * 64, 17, "p" * 64, 1732700000]
    count = 2000

    def build():
        for _ in range(count):
            record.assemble(payload, b"12345678", lambda digest: b"\x01" * 64)

    def dump():
        for _ in range(count):
            json.dumps(plain)

    return best(build) * 1000 / count, best(dump) * 1000 / count


def signing(port):
    """Milliseconds of one signature over the bus; yardstick: the bus round trip of Info alone."""
    chip = ATECC608(LinkI2C(port, "i2c-chip"))
    digest = hashlib.sha256(b"bench").digest()
    return best(lambda: chip.sign(digest)), best(chip.revision)


def main(port, folder):
    """Print one JSON line a benchmark."""
    make_dir(folder)
    for name, (figure, yardstick) in (
        ("hash while storing", hashing(folder)),
        ("build and encode an entry", building()),
        ("signature over the bus", signing(port)),
    ):
        print(json.dumps({"name": name, "figure": figure, "yardstick": yardstick}))


main(int(sys.argv[1]), sys.argv[2])
