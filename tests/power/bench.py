"""The kit of these days: the firmware's own start and station between stand-ins on every side."""

import asyncio
import gc
import os
import sys
from binascii import hexlify

import vfs

from firmware import cbor, enrol, main, record
from firmware.card import tend
from firmware.station import Station
from tests.power import board, checks, clock, cutdev, election, parts, relay, watched
from tests.power.board import CARD, FLASH
from tests.power.facts import DayOver, Facts
from tests.power.officer import Officer, Unknown
from tests.power.world import World

GEOMETRY = {"readsize": 32, "progsize": 32, "lookahead": 256}  # as firmware/blockdev.py
DIRECTORY = 0x4000
LOOK_AT_CARD = 40  # turns of the card's task between two looks


def new_stores():
    """Flash and card."""
    return cutdev.Store(0, cutdev.FLASH), cutdev.Store(1, cutdev.CARD)


class Bench:
    """A kit on the bench, from the first start to the end of its day."""

    def __init__(self, changes, stores=None):
        self.facts = Facts(changes)
        self.stores = new_stores() if stores is None else stores
        self.world = World()
        mode = enrol.TRAINING if self.facts.plan["training"] else enrol.LIVE
        self.world.collector = relay.collector(parts.CERTIFICATES[mode])
        rolls = self.facts.plan["paper"]
        self.world.paper_left = rolls[0] if rolls else None
        self.devices = {}  # of what is mounted
        self.verbose = False
        self.step = None  # the step that the kit said it is on, since the last start
        self.draw = None
        self.head = None  # rec-id of the journal's last entry, after the day
        self.provision()

    def provision(self):
        """Empty file systems with what enrolment leaves on them."""
        for store in self.stores:
            store.wipe()
        power = cutdev.Power()
        self.mount(power, fresh=True)
        signers = {mode: parts.Signer(self.world, power, mode) for mode in parts.KIT_KEYS}
        enrolment = enrol.Enrolment(FLASH, signers, parts.Setup(), "power")
        for mode in enrol.MODES:
            arguments = [mode, parts.CERTIFICATES[mode], parts.AUTHORITY]
            enrolment.enrol(cbor.encode(arguments))
        enrolment.package(election.package(self.facts.plan["training"]))
        enrolment.pins(cbor.encode(board.pin_rows()))
        enrolment.start(b"")
        self.unmount()

    def images(self):
        """Contents of flash and card."""
        return [bytes(store.data) for store in self.stores]

    def mount(self, power, fresh=False):
        """Mount both file systems on devices fed by `power`; the card only when it is in."""
        self.power = power
        self.devices = {}
        self._mount(0, FLASH, fresh)
        if not self.world.card_out:
            self._mount(1, CARD, fresh)

    def _mount(self, number, path, fresh=False):
        device = self.devices[number] = cutdev.CutDevice(self.stores[number], self.power)
        if fresh:
            vfs.VfsLfs2.mkfs(device, **GEOMETRY)  # pyright: ignore[reportArgumentType]
        vfs.mount(vfs.VfsLfs2(device, **GEOMETRY), path)  # pyright: ignore[reportArgumentType]

    def _unmount(self, number, path):
        device = self.devices.pop(number, None)
        if device:
            device.forget()
            vfs.umount(path)

    def unmount(self):
        """The mounts' devices answer nobody any more."""
        self._unmount(0, FLASH)
        self._unmount(1, CARD)
        gc.collect()  # files that were open when it went dark are forgotten, not written

    def pull(self):
        """The card is out: what is open on it fails."""
        self.world.card_out = True
        self._unmount(1, CARD)

    def put(self):
        """The card is in again."""
        if self.world.card_out:
            self.world.card_out = False
            self._mount(1, CARD)

    def on_read(self, place):
        """A photograph is on its way: somebody may pull the card."""
        if place and self.world.captures in self.facts.plan["card_photo"]:
            self.pull()

    def log(self, line):
        """The console."""
        if self.verbose:
            print(line)
        if line.startswith("state ") and self.step is None:
            self.step = line[6:]
            self.world.resumed.append((self.expected, self.step))

    def live(self, power):
        """Power on, until the day is over (True) or the power is cut (False)."""
        self.world.starts += 1
        self.step = None
        officer = Officer(self.facts, self.world, power, self.pull, self.put)
        main.Screens = lambda *arguments: self.screens(officer, *arguments)
        main.Journal = watched.journal(self.world)
        main.Saved = watched.saved(self.world)
        try:
            self.mount(power)
            clock.start()
            asyncio.run(self.day(power, officer))
        except cutdev.PowerCut:
            return False
        except DayOver:
            return True
        finally:
            self.unmount()
            asyncio.new_event_loop()

    async def day(self, power, officer):
        """As firmware/main.py: restore, check, relay, the station."""
        own = board.Board(self.world, power, self.facts.plan, self.log, self.on_read, self.draw)
        kit = main.Kit(own)
        self.kit = kit
        self.on_kit(kit)
        if not enrol.is_started(FLASH):
            raise Unknown("the kit is not enrolled any more")
        kit.restore()
        await kit.check()
        look = board.Seldom(kit.card_copy, kit.photos, LOOK_AT_CARD)
        tasks = [
            kit.start_relay(),
            asyncio.create_task(tend(look, look, kit.on_card, 0)),
        ]
        while not await kit.login.ask(kit.login.KETUA, "Kit is locked"):
            pass
        station = Station(kit)
        self.expected = station.state["at"]
        await station.run()
        raise Unknown("the station stopped %r" % tasks)

    def on_kit(self, kit):
        """A kit is there: its gauge's frequent collections are for small heaps."""
        gc.threshold(-1)

    def screens(self, officer, *arguments):
        """What stands for firmware.screens.Screens."""
        return officer

    def problems(self):
        """What does not hold after the day (checks.py)."""
        self.world.card_out = False
        self.mount(cutdev.Power())
        try:
            day = checks.Day(FLASH, CARD, self.world, self.facts)
            self.head = hexlify(day.journal.head).decode()
            return checks.problems(day)
        finally:
            self.unmount()

    def files(self):
        """{device: {path: SHA-256}} of everything on both."""
        self.mount(cutdev.Power())
        try:
            return {path[1:]: digests(path, "") for path in (FLASH, CARD)}
        finally:
            self.unmount()


def digests(root, folder):
    """{path under root: SHA-256 in hex}."""
    found = {}
    for name, kind, *_ in os.ilistdir(root + folder):
        path = folder + "/" + name
        if kind == DIRECTORY:
            found.update(digests(root, path))
        else:
            with open(root + path, "rb") as file:
                found[path] = hexlify(record.sha256(file.read())).decode()
    return found


def attempt(bench, work, *args):
    """[problems] of `work`, a crash among them, and whether the day ended."""
    try:
        work(*args)
    except (Exception, cutdev.Defect, Unknown) as error:
        if bench.verbose:
            sys.print_exception(error)
        return ["%s: %s" % (type(error).__name__, error)]
    return bench.problems()


def to_the_end(bench, seed=0):
    """Starts without further cuts until the day is over."""
    if not bench.live(cutdev.Power(0, seed)):
        raise Unknown("the power went by itself")


def with_cuts(bench, cuts):
    """The day with a cut at each of `cuts` [operations after the start, seed], then its rest."""
    for n, seed in cuts:
        if bench.live(cutdev.Power(n, seed)):
            return
    to_the_end(bench)
