"""A day without data: result -> SMS -> collector -> SMS -> verified by the chip, journaled, shown.

The firmware's own relay, modem driver and chip driver run on emulated parts; the collector is the
whole service, its modem on a serial port. Between the modems messages get lost, doubled and late.
"""

import asyncio
import time

import pytest

from firmware import record
from firmware.drivers import atecc608_setup, modem_sms
from firmware.drivers.atecc608 import ATECC608
from firmware.drivers.modem_at import Modem
from firmware.journal import Journal
from firmware.language import Words
from firmware.photos import Photos
from firmware.recorder import Recorder
from firmware.relay import Relay
from firmware.relay_sms import RelaySms
from firmware.saved import Saved
from firmware.screens import Screens
from host_tools.collector import sms as desk
from host_tools.collector.intake import Intake
from host_tools.collector.serve import Background, Service
from host_tools.kit.atecc608 import ATECC608Emulator
from host_tools.kit.bus import I2CBus, LocalI2C, LocalUART
from host_tools.kit.modem_sms import Smsc, SmsModemEmulator, deliver
from host_tools.kit.serial_port import SerialPort
from tests.host_tools.collector.world import LIVE, STATION, World, photo

HOST = "collector.example.id"
NUMBER, COLLECTOR = "+6281200000001", "+62811000000"
FIGURES = [147, 154, 301, 141, 147, 288, 2, 1, 3, 4, 6, 10, 147, 154, 301, 308, 301, 1, 6]
FIGURES += [1, 0, 1, 123, 134, 32, 289, 12, 301]
NO_DATA = "another APN"
SPEED, PACE = 100.0, 0.1
SECOND = 0.01  # how long a second of waiting is here
AFTER = 90  # seconds without data


class Day:
    """One kit with an emulated chip and modem, one collector on HTTP and SMS."""

    def __init__(self, folder, **faults):
        self.folder = folder
        self.world = World()
        part = ATECC608Emulator(folder / "chip.json", speed=SPEED)
        self.signer = ATECC608(LocalI2C(I2CBus(part)))
        atecc608_setup.configure(self.signer)
        self.world.listed[LIVE].append((self.signer.public_key(), STATION))
        self.verified = 0
        self.journal = Journal(str(folder / "journal"), bytes(32))
        self.photos = Photos(str(folder / "photos"))
        self.recorder = Recorder(self.journal, self.signer, LIVE, STATION, lambda: 1_860_000_000)
        self.centre = Smsc(**faults)
        self.part = SmsModemEmulator(
            centre=self.centre, number=NUMBER, speed=SPEED, booted=True, apn=NO_DATA
        )
        self.runner = (
            asyncio.Runner()
        )  # one loop for the whole day: the driver's lock is bound to it
        self.start_kit()
        trust, acknowledger = self.world.trust(), self.world.acknowledger()
        service = Service(folder / "collector", trust, acknowledger, reserve=0)
        self.collector = Background(service)
        self.store = service.store
        self.part.hosts[HOST] = ("127.0.0.1", self.collector.port)
        self.far = SmsModemEmulator(
            centre=self.centre, number=COLLECTOR, speed=SPEED, booted=True, seed=5
        )
        self.port = SerialPort(self.far)
        self.desk = desk.Background(
            Intake(trust, self.store, acknowledger),
            self.port.path,
            PACE,
            lambda: time.monotonic() / SECOND,
        )

    def start_kit(self):
        """Driver, relay and SMS on the journal, as main.py has them."""
        self.modem = Modem(LocalUART(self.part), "internet", pace=PACE)
        kid = record.kid_of(self.world.collector.public_key())

        def verify_ack(data, rec_id):
            ack = record.parse(data)
            if ack.kind != record.ACK or ack.kid != kid or ack.payload[1] != rec_id:
                return False
            self.verified += 1
            key = self.world.collector.public_key()
            return self.signer.verify(key, ack.signed_digest(), ack.signature)

        def on_ack(_seq, data):
            self.recorder.event(record.ACKNOWLEDGED, [data])

        async def open_stream():
            return await self.modem.open_tcp(HOST, 8400)

        self.relay = Relay(
            open_stream,
            self.journal,
            self.photos,
            verify_ack,
            Saved(str(self.folder / "relay")),
            HOST,
            None,
            on_ack,
            None,
            first_wait=0.05,
            timeout=5,
        )
        self.sms = RelaySms(
            modem_sms.of(self.modem),
            self.relay.backlog,
            lambda: self.relay.status.online,
            COLLECTOR,
            verify_ack,
            on_ack,
            Saved(str(self.folder / "sms")),
            AFTER,
            second=SECOND,
        )

    def sign_results(self, contests=1):
        """The results of the day, each with a photograph; their rec-ids."""
        self.recorder.event(record.BOOT, ["1.0", None, 0, []])
        made = []
        for contest in range(1, contests + 1):
            self.photos.begin()
            self.photos.write(photo(3000, contest))
            digest, size = self.photos.keep()
            self.recorder.event(record.PAGE, [contest, 1, digest, size, 1])
            entry = self.recorder.result(contest, 1, FIGURES, [[1, digest, size]], {1: "1.0"})
            made.append(entry.rec_id)
        return made

    def run(self, done, limit=90):
        """Relay and SMS beside each other until `done()`; `limit` seconds are for a hang only."""

        async def main():
            tasks = [asyncio.create_task(each.run()) for each in (self.relay, self.sms)]
            end = time.monotonic() + limit
            while not done():
                assert time.monotonic() < end, (self.relay.status.last_error, self.state())
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.relay.client.close()

        self.runner.run(main())

    def state(self):
        return vars(self.sms.status), vars(self.desk.intake.counts), self.centre.lost

    def acknowledged(self):
        """Rec-ids whose acknowledgement is in the journal, in its order."""
        entries = [record.parse(data) for _, data, _ in self.journal.entries()]
        events = [e.payload[4] for e in entries if e.kind == record.EVENT and e.payload[3] == 9]
        return [record.parse(detail[0]).payload[1] for detail in events]

    def close(self):
        self.runner.close()
        self.desk.stop()
        self.port.close()
        self.collector.stop()


@pytest.fixture
def begin(tmp_path):
    days = []

    def make(**faults):
        days.append(Day(tmp_path, **faults))
        return days[-1]

    yield make
    for day in days:
        day.close()


class Officer:
    """Presses OK on every screen."""

    def read(self):
        return "OK"


class Panel:
    size = (240, 320)

    def blit(self, canvas, y0, y1):
        pass


def test_without_data_the_result_is_sent_acknowledged_journaled_and_shown_by_sms(begin):
    day = begin()
    (rec_id,) = day.sign_results()
    day.run(day.acknowledged)
    assert day.acknowledged() == [rec_id] and day.verified == 1
    stored = day.store.entry(rec_id)
    assert stored is not None and stored.manifest is None and stored.station == STATION
    assert stored.entry == next(data for seq, data, _ in day.journal.entries() if seq == 3)
    assert day.sms.status.sent == 2 and day.centre.taken == 3  # two parts and one answer
    shown = []
    screens = Screens(Panel(), Officer(), Words("id"), lambda name, lines: shown.extend(lines))
    asyncio.run(screens.message("State of sending", day.sms.status.lines()))
    assert " ".join(shown) == "SMS dikirim: 2 Tanda terima lewat SMS: 1"


def test_when_data_comes_back_manifest_and_photographs_follow_and_nothing_is_doubled(begin):
    day = begin()
    (rec_id,) = day.sign_results()
    day.run(day.acknowledged)
    alone = day.store.entry(rec_id)
    day.part.apn = None
    day.run(lambda: day.store.complete(rec_id) and not day.relay.status.photos_waiting)
    day.run(lambda: len(list(day.store.entries())) == day.journal.last)
    stored = day.store.entry(rec_id)
    assert stored.manifest is not None and stored.ack == alone.ack
    assert day.store.complete(rec_id) and len(day.store.pages(rec_id)) == 1
    assert day.acknowledged() == [rec_id] and day.store.conflicts() == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_loss_doubling_and_delay_cost_repetitions_and_nothing_else(begin, seed):
    day = begin(loss=0.25, double=0.3, delay=0.3, seed=seed)
    made = day.sign_results(contests=2)
    day.run(lambda: len(day.acknowledged()) == 2)
    assert sorted(day.acknowledged()) == sorted(made)
    stored = [entry.rec_id for entry in day.store.entries()]
    assert sorted(stored) == sorted(made)
    assert day.sms.status.sent <= day.sms.limit


def test_a_kit_switched_off_between_sending_and_answer_takes_the_answer_later(begin):
    day = begin()
    (rec_id,) = day.sign_results()
    day.run(lambda: day.sms.status.sent == 2)
    day.start_kit()  # power cut: everything in memory is gone
    day.run(day.acknowledged)
    assert day.acknowledged() == [rec_id]
    assert day.sms.status.sent <= 4


def test_foreign_messages_and_a_forged_answer_change_nothing(begin):
    day = begin()
    day.sign_results()
    for n in range(25):
        day.centre.post(NUMBER, deliver("+1", b"\0buy %d" % n, header=False, coding=0))
    other = World().acknowledger().sign(day.sign_results()[0], 1)
    for user_data in desk.sms.split(other, 1):
        day.centre.post(NUMBER, deliver(COLLECTOR, user_data))
    day.run(lambda: len(day.acknowledged()) == 2)
    assert day.verified == 2  # the forger's key is not the collector's: the chip was not asked


def test_without_credit_it_is_told_and_goes_on_when_there_is_some(begin):
    day = begin()
    (rec_id,) = day.sign_results()
    day.part.credit = 1
    day.run(lambda: day.sms.status.last_error)
    assert day.sms.status.last_error == modem_sms.TEXTS[modem_sms.NOT_SENT]
    assert day.sms.status.sent == 1
    day.part.credit = 5
    day.run(day.acknowledged)
    assert day.acknowledged() == [rec_id] and day.part.credit == 4
