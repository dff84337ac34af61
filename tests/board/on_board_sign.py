"""Runs on the board: the chip is set up and tested, a result is signed and kept on flash."""

import gc

from machine import I2C, Pin

from firmware import record
from firmware.drivers import ticks_diff, ticks_ms
from firmware.drivers.atecc608 import ATECC608
from firmware.drivers.atecc608_role import Setup
from firmware.journal import Journal
from firmware.recorder import Recorder

ELECTION, STATION = 2029, 3201012003001
NOW = 1865800000


def chip():
    """The kit's chip on I2C 0, GP4 and GP5."""
    return ATECC608(I2C(0, scl=Pin(5), sda=Pin(4), freq=100000))


def recorder(signer, genesis):
    journal = Journal(f"/journal-{ELECTION}", genesis)
    return Recorder(journal, signer, ELECTION, STATION, lambda: NOW)


def setup():
    """Lock the blank chip and make its keys."""
    signer = chip()
    Setup(signer).configure()
    print(signer.public_key().hex())


def self_test():
    """The chip's part of the kit's self-test."""
    signer = chip()
    start = ticks_ms()
    signer.self_test()
    took = ticks_diff(ticks_ms(), start)
    print(signer.serial().hex(), *Setup(signer).locked(), took)


def sign(genesis, digest, size):
    """Append one event, and one result with a photograph of this digest; returns the Recorder."""
    made = recorder(chip(), genesis)
    made.check_counter()
    made.event(record.BOOT, ["saksi", None, 1, [[1, True]]])
    start = ticks_ms()
    figures = [123, 274, 32, 429, 3, 432]
    entry = made.result(1, 1, figures, [[1, digest, size]], {1: "saksi"})
    gc.collect()
    print(entry.rec_id.hex(), ticks_diff(ticks_ms(), start), gc.mem_free())
    return made


def check(genesis):
    """After a reset: what the journal says, and whether it and the chip belong together."""
    made = recorder(chip(), genesis)
    journal = made.journal
    print(journal.last, journal.head.hex(), journal.dropped, made.check_counter())
