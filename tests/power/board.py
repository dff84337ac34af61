"""What firmware/main.py wants of a board, and what these days leave out."""

from firmware import login, main, pins, printing, selftest
from firmware.compat import ticks_ms
from firmware.drivers import PartError
from firmware.drivers.modem_time import NetworkTime
from firmware.photo_places import PhotoPlaces
from tests.power import parts, relay
from tests.power.camera import Camera
from tests.power.people import PINS
from tests.power.printer import Printer

FLASH, CARD = "/flash", "/card"
NO_PAPER = 201
RESERVE = 131072  # bytes of flash that photographs leave to the journal
ROUNDS = 1000  # the fewest that enrolment takes
TICKS = 4000  # ms that pass between two looks at the clock of the PINs
ROLES = ((pins.KETUA, "PIN of the KPPS chair"), (pins.SECOND, "PIN of the second officer"))


class Board:
    """What firmware/main.py wants of a board."""

    name = "power"
    flash = FLASH
    card = CARD
    root = FLASH
    serial = None

    def __init__(self, world, power, plan, log, on_read, draw):
        self.world = world
        self.power = power
        self.log = log
        self.plan = plan
        self.draw = draw
        self.clock = parts.Clock(world)
        self.camera = Camera(world, plan["fog"], on_read)
        self.display = parts.Display()
        self.keys = parts.Keys()
        self.signers = {mode: parts.Signer(world, power, mode) for mode in parts.KIT_KEYS}
        self.setup = parts.Setup()

    def shut_console(self):
        """There is no cable to these days, so nobody seals the kit."""
        raise AssertionError("sealed")

    def modem(self, apn, pin="", log=None):
        """The Modem role."""
        return relay.Modem(self.world, self.plan)

    def uplink(self, modem):
        """The modem's own TCP."""
        return modem

    def network_time(self, log=None):
        """What sets the clock by the modem's readings."""
        return NetworkTime(self.clock, ticks_ms, log)

    def messages(self, modem):
        """No short messages here: the relay of these days does without."""
        return None

    def printer(self, profile):
        """The Printer role."""

        def no_paper():
            return PartError(NO_PAPER, "Paper is out: put in a new roll")

        return Printer(self.world, self.power, self.plan["silent"], no_paper, self.draw)


def pin_rows():
    """The officers' PINs as the technician brings them."""
    rows = []
    for role, text in ROLES:
        salt = bytes([role]) * pins.SALT
        digest = pins.stretch("%06d" % PINS[text], salt, ROUNDS)
        rows.append([role, salt, ROUNDS, digest])
    return rows


class Seldom:
    """The card's copy and photographs for card.tend, looked at every so many turns, not seconds:
    the same plan gives the same day."""

    def __init__(self, copy, photos, turns):
        self.copy = copy
        self.photos = photos
        self.turns = turns
        self.turn = 0

    @property
    def problem(self):
        """What ails the card."""
        return self.copy.problem or self.photos.problem

    def retry(self):
        """As CardCopy."""
        self.turn += 1
        if self.turn % self.turns == 0:
            self.copy.retry()

    async def move(self):
        """As PhotoPlaces."""
        if self.turn % self.turns == 0:
            await self.photos.move()


def quicken():
    """Waits pass in no time, and a flash as small as this one takes photographs too."""
    ticks = [0]

    def now():
        ticks[0] += TICKS
        return ticks[0]

    login._POLL = 0
    main.Relay = relay.Turns
    main.Pins = lambda table, saved: pins.Pins(table, saved, now)
    main.PhotoPlaces = lambda card, flash: PhotoPlaces(card, flash, RESERVE)


def leave_out():
    """What these days leave out, since it is tested elsewhere: words, dots, the firmware's hash."""
    quicken()

    async def code(printer, text):
        await printer.code(text)

    class Words:
        def __init__(self, language):
            pass

    class Gauge:
        peak = total = 0

        def look(self):
            return 0

        lap = look

    printing._print_qr = code
    main.Gauge = Gauge
    main.Words = Words
    selftest.firmware_digest = lambda folder: bytes(32)
