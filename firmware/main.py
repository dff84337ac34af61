"""Ordered start of the kit: board, identity, self-test, journal, relay, the day.

Whatever goes wrong ends on a numbered screen that says what to do; there is no dead display.
"""

import asyncio
import sys

from firmware import VERSION, enrol, record, selftest
from firmware.board import find_board
from firmware.cable import Cable
from firmware.card import CardCopy, tend
from firmware.carrier import Carrier
from firmware.compat import (
    CodedError,
    const,
    exists,
    print_exception,
    ticks_diff,
    ticks_ms,
)
from firmware.desk import Desk
from firmware.gauge import Gauge
from firmware.journal import Journal
from firmware.language import Words
from firmware.login import Login
from firmware.neighbour import Neighbour
from firmware.photo_places import PhotoPlaces
from firmware.pins import Pins
from firmware.recorder import Recorder
from firmware.relay import Relay
from firmware.relay_acks import CollectorKey
from firmware.relay_card import CardAcks
from firmware.relay_sms import RelaySms
from firmware.saved import Saved, read
from firmware.screens import Screens
from firmware.serial_link import serve
from firmware.settings import Settings
from firmware.station import Station
from firmware.technician import Technician
from firmware.tls_stream import open_tls

FAULT = const(999)
NO_SIGNING = const(910)
_FOLDER = __file__.rsplit("/", 1)[0]


class Kit:
    """What the station works with, by name; see station.Station."""

    def __init__(self, board):
        self.board = board
        self.log = board.log
        self.clock = board.clock
        self.camera = board.camera
        self.gauge = Gauge()
        self.card_problem = None
        self.settings = Settings(board.flash + "/settings")
        words = Words(self.settings.get("language"))
        self.screens = Screens(board.display, board.keys, words, self.on_show)
        self.firmware_digest = selftest.firmware_digest(_FOLDER)
        self.technician = Technician(board, self.journal_length)

    def on_show(self, name, lines):
        """A line on the console for every screen: what a log or a script can wait for."""
        self.gauge.look()
        self.log("screen %s | %s" % (name, " | ".join(lines)))

    def journal_path(self, election):
        """Where the journal of an election is: training and live never share one."""
        return "%s/journal-%d" % (self.board.flash, election)

    async def provision(self):
        """Serve the technician's cable until the kit is enrolled and START came."""
        # Loaded here: once the kit has its station, the day needs neither.
        from firmware.parts_test import PartsTest
        from firmware.readiness import Readiness

        words = self.screens.words
        parts = PartsTest(self.board, words, self.settings)
        readiness = Readiness(self.board, parts, words, self.firmware_digest)
        more = parts.handlers()
        more.update(readiness.handlers())
        await self.screens.progress("Waiting for provisioning", 0, 1, VERSION)
        await self.serve_cable(more)
        parts.stop()

    async def serve_cable(self, more=None):
        """Answer the technician until START; what would break a journal is refused there.

        `more`: handlers of verbs that only a kit before its day has.
        """
        handlers = self.technician.handlers()
        handlers.update(more or {})
        if hasattr(self, "relay"):  # the day has begun
            handlers["RETRY"] = self.retry
            handlers.update(self.neighbour.handlers())
        await serve(self.board.serial, self.technician.guard(handlers))

    def retry(self, _):
        """Cable verb: send again what the collector refused, once its cause was put right."""
        self.relay.retry_refused()
        return b""

    def journal_length(self, election):
        """Entries signed for an election: nonzero once the kit is bound to it."""
        return 1 if exists(self.journal_path(election)) else 0

    def restore(self):
        """Package, signer, journal and what hangs on them."""
        board = self.board
        verify = board.signers[enrol.LIVE].verify
        self.package = enrol.read_package(board.flash, board.setup.authority_key(), verify)
        mode = enrol.TRAINING if self.package.training else enrol.LIVE
        self.signer = board.signers[mode]
        self.certificate = read(enrol.certificate_file(board.flash, mode))
        journal = Journal(self.journal_path(self.package.election), record.sha256(self.certificate))
        if journal.dropped:
            self.log("journal cut %d bytes of an unfinished entry" % journal.dropped)
        self.recorder = Recorder(
            journal, self.signer, self.package.election, self.package.station, self.clock.now
        )
        self.saved = Saved("%s/day-%d" % (board.flash, self.package.election))
        self.photos = PhotoPlaces(board.card, board.flash)
        self.card_copy = CardCopy(journal, board.card)
        self.printer = board.printer(self.settings.get("printer"))
        self.desk = Desk(self.printer, self.recorder, self.screens)
        pins = enrol.station_pins(board.flash, self.package)
        tries = Saved(board.flash + "/pin-tries")
        self.login = Login(self.screens, Pins(pins, tries) if pins else None)
        status = self.screens.status
        status.tps = "TPS %03d" % self.package.tps
        status.training = self.package.training

    async def examine(self):
        """[[check, passed]…] of the self-test."""
        await self.screens.progress("Self-test", 0, 1)
        return await selftest.run(
            self.signer,
            self.board.setup,
            self.recorder,
            self.printer,
            self.camera,
            self.board.keys,
            self.clock,
            self.photos,
        )

    async def check(self):
        """Self-test; signs the boot entry, or ends on a fault screen when signing is not safe."""
        results = await self.examine()
        failed = [number for number, ok in results if not ok]
        for number in failed:
            self.log("self-test %d failed: %s" % (number, selftest.NAMES[number]))
        if not selftest.may_sign(results):
            self.recorder.check_counter()  # says which of the two does not fit, if it is that
            t = self.screens.t
            names = ", ".join(t(selftest.NAMES[n]) for n in failed)
            raise SelfTestError(NO_SIGNING, "Self-test failed: %s", names)
        if self.technician.slots.confirm():
            self.log("software %s stays" % VERSION)
        entry = self.recorder.event(
            record.BOOT, [VERSION, self.firmware_digest, self.clock.quality, results]
        )
        self.log("entry %d kind 3 %s" % (entry.seq, entry.rec_id.hex()))
        for number in failed:
            await self.screens.fault(
                NO_SIGNING + number, selftest.NAMES[number], "Put it right, or go on without."
            )

    async def self_test(self):
        """The checks again, on demand; shows what failed, or that all is well."""
        failed = [number for number, ok in await self.examine() if not ok]
        lines = [selftest.NAMES[number] for number in failed] or ["All checks have passed."]
        await self.screens.message("Self-test", lines)

    def on_card(self, problem):
        """The card's trouble, or its end, on the console and in the status bar."""
        self.screens.status.card = problem.code if problem else 0
        self.card_problem = problem
        if problem is None:
            self.relay.wake()  # photographs that were out of reach may be there again
        self.log("card %s" % (problem or "ready"))

    def start_relay(self):
        """The relay in the background; its acknowledgements go into the journal."""
        package = self.package
        self.modem = self.board.modem(package.apn, self.settings.get("sim_pin"), self.log)
        self.uplink = self.board.uplink(self.modem)
        self.network_time = self.board.network_time(self.log)
        verify_ack = CollectorKey(self.signer, package.collector_key)

        def on_ack(seq, data):
            self.recorder.event(record.ACKNOWLEDGED, [data])
            self.log("acknowledged %d" % seq)

        def on_refused(seq, text):
            self.log("refused %d %s" % (seq, text))

        def carry(kit):
            pace = self.settings.get("backoff_ms") / 1000
            return kit.relay(self.open_stream, verify_ack, package.collector_host, on_refused, pace)

        folder, journal = self.board.flash, self.recorder.journal
        verify = self.signer.verify
        self.carrier = Carrier(folder, package.election, self.certificate, verify, carry, self.log)
        self.relay = Relay(
            self.open_stream,
            journal,
            self.photos,
            verify_ack,
            Saved("%s/relay-%d" % (self.board.flash, package.election)),
            package.collector_host,
            self.certificate,
            on_ack,
            on_refused,
            self.settings.get("backoff_ms") / 1000,
            card=CardAcks((self.board.card, self.board.flash), package.election),
            carrier=self.carrier,
        )
        self.neighbour = Neighbour(package, journal, self.certificate, self.relay)
        self.sms = RelaySms(
            self.board.messages(self.modem),
            self.relay.backlog,
            lambda: self.relay.status.online,
            package.collector_sms,
            verify_ack,
            on_ack,
            Saved("%s/sms-%d" % (self.board.flash, package.election)),
            self.settings.get("sms_after"),
            self.settings.get("sms_limit"),
        )
        return asyncio.create_task(self.relay.run())

    async def open_stream(self):
        """A stream to the collector over whatever link is up."""
        await self.uplink.up()
        await self.take_time()
        package = self.package
        host = package.collector_host
        stream = await self.uplink.open_tcp(host, package.collector_port)
        if package.collector_pin is None:
            return stream
        now = self.clock.now() if self.clock.quality else None
        return await open_tls(stream, host, package.collector_pin, now)

    async def take_time(self):
        """A reading of the network's time; the modem gives none while data flows."""
        self.network_time.reading(await self.uplink.time())

    async def maintain(self):
        """The cable stays served: a newer package is kept and holds from the next start on."""
        while True:
            await self.serve_cable()

    def start_cable(self):
        """Serve the cable in the background."""
        self.cable = asyncio.create_task(self.maintain())

    async def carry(self, tell):
        """A talk with a neighbour's kit (carrier.Carrier.talk); nobody is served meanwhile."""
        self.cable.cancel()
        await asyncio.sleep(0)
        try:
            return await self.carrier.talk(Cable(self.board.serial), tell)
        finally:
            self.start_cable()
            self.relay.wake()

    async def watch(self):
        """Keep the status bar and the memory gauge up to date."""
        reported = None
        minute = 0
        while True:
            self.gauge.look()
            if ticks_diff(ticks_ms(), minute) > 60_000:
                minute = ticks_ms()
                await self.take_time()
                await self.uplink.signal()
            relay, status = self.relay.status, self.screens.status
            status.waiting, status.sent = relay.waiting, relay.sent
            status.signal = self.uplink.dbm
            minutes = self.clock.now() // 60 + self.package.offset
            status.clock = "%02d.%02d" % (minutes // 60 % 24, minutes % 60)
            sms = self.sms.status
            now = (relay.waiting, relay.photos_waiting, relay.last_error)
            messages = (sms.sent, sms.acked, sms.last_error)
            if now + messages != reported:
                reported = now + messages
                self.log("relay %d waiting, %d photographs, %s" % now)
                self.log("sms %d sent, %d acknowledged, %s" % messages)
                self.log("memory peak %d of %d" % (self.gauge.peak, self.gauge.total))
            await asyncio.sleep(0.2)


class SelfTestError(CodedError):
    """The kit may not sign."""


async def run(argv):
    """The kit from power on; returns only when a fault screen was acknowledged."""
    board = find_board(_FOLDER)(argv)
    board.log("runtime %s" % sys.implementation.name)
    kit = Kit(board)
    try:
        if board.flash_fault:
            raise board.flash_fault
        if not enrol.is_started(board.flash):
            await kit.provision()
        kit.restore()
        await kit.check()
        # Kept in a list: a task that nobody refers to may be collected.
        tasks = [kit.start_relay(), asyncio.create_task(kit.watch())]
        tasks.append(asyncio.create_task(kit.sms.run()))
        kit.start_cable()
        tasks.append(asyncio.create_task(tend(kit.card_copy, kit.photos, kit.on_card)))
        while not await kit.login.ask(kit.login.KETUA, "Kit is locked"):
            pass
        await Station(kit).run()
    except Exception as error:
        print_exception(error)
        code = getattr(error, "code", FAULT)
        text = getattr(error, "text", "%s: %s" % (type(error).__name__, error))
        board.log("fault E%d %s" % (code, text))
        sentence = getattr(error, "sentence", text)
        await kit.screens.fault(
            code, sentence, "Switch off and on. If it comes again, call for help."
        )


if __name__ == "__main__":
    asyncio.run(run(sys.argv))
