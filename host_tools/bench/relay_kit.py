"""Runs on MicroPython: `micropython relay_kit.py CHIP_PORT FOLDER HOST PORT COLLECTOR_KEY WAIT`.

The kit's own relay, recorder and chip driver over one plain TCP stream; the chip is emulated behind
CHIP_PORT. FOLDER holds journal, photographs, certificate and state as a day left them. Prints a
line for every acknowledgement and photograph, and `done` when nothing is left. WAIT is the relay's
first wait in seconds.
"""

# pyright: reportAttributeAccessIssue=false, reportArgumentType=false
import asyncio
import binascii
import sys
import time

from firmware import record
from firmware.board_virtual import LinkI2C
from firmware.compat import exists
from firmware.drivers.atecc608 import ATECC608
from firmware.drivers.uplink import SystemUplink
from firmware.journal import Journal
from firmware.photos import Photos
from firmware.recorder import Recorder
from firmware.relay import Relay
from firmware.relay_acks import CollectorKey
from firmware.saved import Saved


async def open_stream():
    """A connection to the collector."""
    return await SystemUplink().open_tcp(sys.argv[3], int(sys.argv[4]))


def kit(chip_port, folder, collector_key, wait):
    """(relay, journal) over what lies in `folder`."""
    signer = ATECC608(LinkI2C(chip_port, "i2c-chip"))
    certificate = None
    if exists(folder + "/kit.der"):
        with open(folder + "/kit.der", "rb") as file:
            certificate = file.read()
    journal = Journal(folder + "/journal", record.sha256(certificate))
    first = record.parse(journal.entry(1)[0]).payload
    recorder = Recorder(journal, signer, first[1], first[2], lambda: int(time.time()))

    def on_ack(seq, data):
        print("result", seq)
        recorder.event(record.ACKNOWLEDGED, [data])

    relay = Relay(
        open_stream,
        journal,
        Photos(folder + "/photos"),
        CollectorKey(signer, collector_key),
        Saved(folder + "/relay"),
        "collector.example.id",
        certificate,
        on_ack,
        lambda seq, text: print("refused", seq, text),
        wait,
        timeout=float(sys.argv[7]) if len(sys.argv) > 7 else 30,
    )
    return relay, journal


def told(relay):
    """Print what the relay takes for sent, when it does."""
    acked, photo, offset = relay.backlog.acked, relay.backlog.photo, relay.photographs.told
    replied = relay._replied

    def on_reply(seq, rec_id, body):
        print("reply", seq)  # its acknowledgement is here; the chip verifies it next
        replied(seq, rec_id, body)

    def on_acked(seq):
        acked(seq)
        print("entry", seq)

    def on_photo(digest, refused=False):
        photo(digest, refused)
        print("photo", binascii.hexlify(digest).decode())

    def on_offset(digest, at):
        print("offset", binascii.hexlify(digest).decode(), at)
        offset(digest, at)

    relay._replied = on_reply
    relay.backlog.acked, relay.backlog.photo = on_acked, on_photo
    relay.photographs.told = on_offset


async def main():
    chip_port, folder, _, _, key, wait = sys.argv[1:7]
    relay, journal = kit(int(chip_port), folder, binascii.unhexlify(key), float(wait))
    told(relay)
    print("ready")
    task = asyncio.create_task(relay.run())
    error = ""
    while relay.status.sent < journal.last or relay.status.photos_waiting:
        if relay.status.last_error != error:
            error = relay.status.last_error
            print("error", error)
        await asyncio.sleep(0.002)
    print("done", journal.last)
    task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
