"""Takes in entries by SMS: reads a modem, puts parts together, checks, stores, acknowledges.

An entry that comes so passes the same checks as any other; its manifest comes later, over data.
What is not of a listed kit gets no answer at all, because answers cost money. A record that is
known is answered again, since an answer can be lost, but not more often than every REPEAT seconds
and ANSWERS times in all.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import serial

from firmware import cbor, sms
from firmware.drivers import PartError, modem_sms
from firmware.drivers.modem_at import Modem
from host_tools.collector.intake import Intake
from host_tools.collector.reasons import Refused, SetupError

log = logging.getLogger("saksi.collector")

BAUD = 115200
LOOK = 2.0  # s between looks into the modem's store
AGAIN = 30.0  # s after the modem failed
SETS = 1024  # unfinished records kept in memory: at most about 1 MB
SETS_OF_ONE = 4  # from one number; a kit sends one after the other
KEEP = 86400  # s that parts wait for the others: as long as the network tries to deliver
REPEAT = 60  # s between two answers to one record
ANSWERS = 20  # to one record
TRIES = 3  # to send one answer


class SerialUART:
    """A pyserial port in the shape of machine.UART, as the driver wants it."""

    def __init__(self, port: serial.Serial):
        self._port = port

    def any(self) -> int:
        return self._port.in_waiting

    def readinto(self, buf) -> int | None:
        return self._port.readinto(buf) or None

    def write(self, buf) -> int | None:
        return self._port.write(buf)


@dataclass
class Counts:
    """What came and went, for the operator."""

    messages: int = 0  # read from the modem
    foreign: int = 0  # of those, not for us
    accepted: int = 0  # entries that were new
    known: int = 0
    refused: int = 0
    answers: int = 0  # messages sent, each costs


class SmsIntake:
    """The rules: messages in, entries into `intake`, answers out. Knows no modem."""

    def __init__(self, intake: Intake, clock: Callable[[], float] = time.time):
        self._intake = intake
        self._clock = clock
        self._parts = sms.Parts(self._take, SETS, SETS_OF_ONE, KEEP)
        self._answered: dict[bytes, tuple[float, int]] = {}  # rec-id -> (when, how often)
        self.counts = Counts()
        self.answers: list[tuple[str, bytes, bytes]] = []  # (number, acknowledgement, rec-id)

    def message(self, text: str) -> None:
        """Take one SMS-DELIVER (hex); what is to be answered is in `answers` then."""
        self.counts.messages += 1
        try:
            part = sms.parse(text)
        except sms.SmsError as error:
            self.counts.foreign += 1
            log.info("sms: not for us: %s", error)
            return
        self._parts.add(part, self._clock())

    def _take(self, number: str, data: bytes) -> bool:
        try:
            outcome = self._intake.accept(cbor.encode([data, None, None, []]))
        except Refused as error:
            self.counts.refused += 1
            log.info("sms: refused %s: %s", error.reason, error.sentence)
            return False
        except Exception:  # as over HTTP: a stranger's bytes must not end the service
            log.exception("sms: unforeseen")
            return False
        if outcome.new:
            self.counts.accepted += 1
        else:
            self.counts.known += 1
        self._answer(number, outcome.stored.rec_id, outcome.stored.ack)
        return True

    def _answer(self, number: str, rec_id: bytes, ack: bytes) -> None:
        now = self._clock()
        when, how_often = self._answered.get(rec_id, (-REPEAT, 0))
        if now - when >= REPEAT and how_often < ANSWERS:
            self._answered[rec_id] = (now, how_often + 1)
            self.answers.append((number, ack, rec_id))


class SmsDesk:
    """A modem on `uart` (machine.UART's shape) in front of an SmsIntake."""

    def __init__(self, intake: SmsIntake, uart, pace: float = 1.0):
        self.intake = intake
        self.pace = pace
        self._messages = modem_sms.of(Modem(uart, "", pace=pace))

    async def serve(self) -> None:
        """Work for ever; trouble with the modem is logged once a kind and tried again."""
        told = ""
        started = False
        while True:
            try:
                if not started:
                    await self._messages.start()
                    started = True
                busy = await self.round()
                told = ""
            except (PartError, OSError) as error:
                started, busy = False, False
                if str(error) != told:
                    told = str(error)
                    log.warning("sms modem: %s", told)
                await asyncio.sleep(AGAIN * self.pace)
            if not busy:
                await asyncio.sleep(LOOK * self.pace)

    async def round(self) -> bool:
        """Read what has come and answer; True when there was something. Raises PartError."""
        found = await self._messages.read()
        for index, text in found:
            self.intake.message(text)  # what is to be kept is on the disk when this returns
            await self._messages.delete(index)
        while self.intake.answers:
            await self._answer(*self.intake.answers.pop(0))
        return bool(found)

    async def _answer(self, number: str, ack: bytes, rec_id: bytes) -> None:
        """Send one acknowledgement; a network that will not take it costs this one only."""
        for user_data in sms.split(ack, sms.reference_of(rec_id)):
            for left in range(TRIES - 1, -1, -1):
                try:
                    await self._messages.send(*sms.submit(number, user_data))
                    self.intake.counts.answers += 1
                    break
                except PartError as error:
                    if not left:
                        log.warning("sms: no answer to %s: %s", number, error)
                        return


class Background:
    """The desk in a thread of its own, on a serial port; SetupError when it cannot be opened."""

    def __init__(
        self,
        intake: Intake,
        port: str,
        pace: float = 1.0,
        clock: Callable[[], float] = time.time,
    ):
        try:
            # exclusive: two programs on one modem read each other's replies
            self._port = serial.Serial(port, BAUD, timeout=0, write_timeout=5, exclusive=True)
        except (serial.SerialException, OSError) as error:
            raise SetupError(f"{port}: cannot be opened as a modem's port ({error})") from error
        self.intake = SmsIntake(intake, clock)
        desk = SmsDesk(self.intake, SerialUART(self._port), pace)
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(desk.serve())
        self._thread = threading.Thread(target=self._run, name="sms", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)

    def stop(self) -> None:
        """End the thread and let go of the port."""
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)
        self._port.close()


@contextmanager
def listening(intake: Intake, port: str | None) -> Iterator[None]:
    """While the block runs, take in entries from the modem on `port`, if one is given."""
    desk = Background(intake, port) if port else None
    try:
        yield
    finally:
        if desk:
            desk.stop()
