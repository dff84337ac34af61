"""Runs on the kit's MicroPython: `micropython on_device.py PORT FOLDER`. Prints JSON lines.

Every figure comes with its yardstick, measured in turns in the same process.
"""

import asyncio
import gc
import hashlib
import json
import sys
from time import ticks_us

from firmware import record
from firmware.board_virtual import LinkI2C, Pin
from firmware.compat import make_dir, ticks_diff, ticks_ms
from firmware.desk import Desk
from firmware.drivers.atecc608 import ATECC608
from firmware.drivers.display_st7789 import ST7789
from firmware.journal import Journal
from firmware.language import Words
from firmware.package import Package
from firmware.photos import Photos
from firmware.pins import ROUNDS as PIN_ROUNDS
from firmware.pins import stretch
from firmware.receipt import WITNESS, Copy, Receipts
from firmware.recorder import Recorder
from firmware.saved import Saved
from firmware.screens import Screens

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


class EnoughKeys(Exception):
    """The measurement is over."""


class TimedKeys:
    """Presses keys in a circle and notes when each was handed over; stops after `count`."""

    def __init__(self, sequence, count):
        self.sequence = sequence
        self.left = count
        self.at = 0
        self.pressed = None

    def read(self):
        if self.left == 0:
            raise EnoughKeys
        self.left -= 1
        key = self.sequence[self.at % len(self.sequence)]
        self.at += 1
        self.pressed = ticks_us()
        return key


class TimedDisplay:
    """The real display driver on a bus that swallows; notes the time from key to last pixel."""

    size = (240, 320)

    def __init__(self, keys):
        self.keys = keys
        self.times = []
        self.driver = ST7789(self, Pin(1))

    def write(self, buf):
        pass

    def blit(self, canvas, y0, y1):
        self.driver.blit(canvas, y0, y1)
        if self.keys.pressed is not None:
            self.times.append(ticks_diff(ticks_us(), self.keys.pressed))
            self.keys.pressed = None


def key_to_screen():
    """95th percentile of ms from a key to the whole new screen; yardstick: the goal, 50 ms."""
    times = []
    for sequence, ask in (
        (("1", "2", "3", "OK"), lambda s: s.number("First officer", "Votes for pair 1", 3)),
        (("TURUN", "TURUN", "NAIK"), lambda s: s.menu("Which receipt?", list("ABCDEFGHIJ"))),
        (("TURUN", "NAIK"), lambda s: s.message("Check before signing", ["Valid votes"] * 30)),
    ):
        keys = TimedKeys(sequence, 200)
        display = TimedDisplay(keys)
        screens = Screens(display, keys, Words("id"))
        try:
            while True:
                asyncio.run(ask(screens))
        except EnoughKeys:
            pass
        times += display.times
    times.sort()
    return times[len(times) * 95 // 100] / 1000, 50


def stretching():
    """Milliseconds that checking a PIN takes; yardstick: its hashes alone."""
    block = bytes(96)

    def hashes():
        for _ in range(2 * PIN_ROUNDS):
            hashlib.sha256(block).digest()

    return best(lambda: stretch("135790", b"s" * 16, PIN_ROUNDS)), best(hashes)


class TimedSigner:
    """The chip on its bus; adds up the milliseconds that are the chip's and the bus's own."""

    def __init__(self, chip):
        self.chip = chip
        self.ms = 0
        self.public_key = chip.public_key

    def _timed(self, work, *values):
        start = ticks_ms()
        try:
            return work(*values)
        finally:
            self.ms += ticks_diff(ticks_ms(), start)

    def count(self):
        """The counter."""
        return self._timed(self.chip.count)

    def count_up(self):
        """The counter, one up."""
        return self._timed(self.chip.count_up)

    def sign(self, digest):
        """r|s."""
        return self._timed(self.chip.sign, digest)


class FirstByte(Exception):
    """The printer was about to get its first byte."""


class WaitingPrinter:
    """A printer role that stops the clock where it would send."""

    columns = 32
    dots = 384

    async def begin(self, job):
        """The end of the measurement."""
        raise FirstByte


FORM = [1, "C.HASIL-PPWP", ["DPT", "DPTb", "DPK"]]
FORM.append(
    [[1, 1, ["dpt", "users", "ballots", "disabled"]], [2, 2, ["votes"]], [3, 3, ["totals"]]]
)
DAY = 60  # entries in the journal of a long day


def package():
    """A station package with one contest of three pairs, all invented (CONTOH)."""
    pairs = ["CONTOH A / CONTOH B", "CONTOH C / CONTOH D", "CONTOH E / CONTOH F"]
    content = {
        1: "CONTOH",
        2: ["PROVINSI", "KABUPATEN", "KECAMATAN", "DESA"],
        3: 1,
        4: 420,
        5: [[1, "Presiden dan Wakil Presiden", 1, "abu-abu", 131, 112, pairs]],
        6: [FORM],
        7: ["collector.example.id", 443, b"c" * 64],
        8: "TPS.EXAMPLE.ID",
        9: "internet",
        11: 20,
    }
    payload = [record.PACKAGE, 1, 2024, 1607012001001, 1732600000, content]
    return Package(record.assemble(payload, b"12345678", lambda digest: b"\x01" * 64))


def page_to_paper(port, folder):
    """Milliseconds of the kit's own work from the last page kept to the receipt's first byte.

    The page's entry, the saved step, the result, the saved step, the entry of the print and the
    slip's first line, without what the chip takes. Yardstick: the goal, 1000 ms.
    """
    signer = TimedSigner(ATECC608(LinkI2C(port, "i2c-chip")))
    station = package()
    journal = Journal(folder + "/journal", bytes(32))
    recorder = Recorder(journal, signer, 2024, station.station, lambda: 1732700000)
    while journal.last < DAY:
        recorder.event(record.BALLOTS, [1, 248, 248, 0])
    saved = Saved(folder + "/day")
    desk = Desk(WaitingPrinter(), recorder, None)
    receipts = Receipts(Words("id"), station)
    state = {"at": "sheets", "first": list(range(28)), "second": list(range(28)), "since": 17}
    digest = hashlib.sha256(b"page").digest()
    pages = [[number, digest, 400000] for number in (1, 2, 3)]
    extra = {record.FIRMWARE: "1", record.KEYED_ROUNDS: 2, record.STANDS: [[1, 1]]}

    def work():
        recorder.event(record.PAGE, [1, 3, digest, 400000, 1])
        saved.store(state)
        entry = recorder.result(1, 1, list(range(100, 128)), pages, extra)
        saved.store(state)
        manifest = journal.entry(entry.seq)[1]
        slip = desk.once(
            entry, lambda copy: receipts.result(entry, manifest, copy), Copy(WITNESS, 1, 5, 1)
        )
        try:
            asyncio.run(slip)
        except FirstByte:
            pass

    times = []
    for _ in range(ROUNDS):
        signer.ms = 0
        times.append(timed(work) - signer.ms)
    times.sort()
    return times[ROUNDS // 2], 1000


def main(port, folder):
    """Print one JSON line a benchmark."""
    make_dir(folder)
    for name, (figure, yardstick) in (
        ("hash while storing", hashing(folder)),
        ("build and encode an entry", building()),
        ("signature over the bus", signing(port)),
        ("key to screen, 95th percentile", key_to_screen()),
        ("last page kept to the receipt's first byte", page_to_paper(port, folder)),
        ("check of a PIN", stretching()),
    ):
        print(json.dumps({"name": name, "figure": figure, "yardstick": yardstick}))


main(int(sys.argv[1]), sys.argv[2])
