"""The firmware's own relay on a line to a strict collector that keeps what it got for ever.

The collector is that of the relay's tests (tests/firmware/peer.py), the line is in memory; a wait
is a number of turns instead of seconds, so that the same plan gives the same day.
"""

import asyncio

from firmware import cbor, record
from firmware.relay import Relay
from tests.firmware import peer
from tests.power.parts import COLLECTOR, SIGNATURE

RECEIVED = 1732670000
TURNS = 25  # of the other tasks, for a wait of any length


class Collector(peer.Collector):
    """A kit whose power went does not know that its certificate arrived, and sends it again."""

    def __init__(self):
        super().__init__()
        self.connections = self.certificates = 0
        self.ack = ack_of

    def post(self, headers, body):
        """As peer.Collector; the certificate comes once a connection at most."""
        if cbor.decode(body)[2] == peer.CERTIFICATE:
            self.certificates += 1
            if self.certificates > self.connections:
                return self.complain("certificate %d" % self.certificates)
            self.certified = False
        return super().post(headers, body)


class Turns(Relay):
    """A relay without a clock."""

    async def _pause(self, seconds):
        for _ in range(TURNS):
            if self._event.is_set():
                break
            await asyncio.sleep(0)
        self._event.clear()

    async def _line_waits(self, ms):
        """After every piece the chip is looked at, however fast this machine is."""
        await super()._line_waits(1000)


class Modem:
    """Modem role: the line is up, and drops after so many bytes where the plan says so."""

    dbm = -80

    def __init__(self, world, plan):
        self.world = world
        self.plan = plan

    async def up(self):
        """It is."""

    async def time(self):
        """This network tells no time."""
        return None

    async def signal(self):
        """Always the same."""
        return self.dbm

    async def open_tcp(self, host, port):
        """A stream to the collector; planned ones are cut after some bytes."""
        self.world.lines += 1
        self.world.collector.connections += 1
        wire = peer.Wire(self.world.collector)
        for number, size in self.plan["lines"]:
            if number == self.world.lines:
                wire.cut = size
        return await wire.open()


def collector(certificate):
    """A collector that has never heard of this kit."""
    peer.CERTIFICATE = certificate
    return Collector()


def copy(one):
    """A collector that goes its own way from here."""
    new = Collector()
    for name, value in one.__dict__.items():
        setattr(new, name, value.copy() if isinstance(value, (list, dict)) else value)
    return new


def ack_of(rec_id):
    """The collector's acknowledgement of a record."""
    payload = [record.ACK, rec_id, RECEIVED, 1, 2, bytes(32)]
    return record.assemble(payload, record.kid_of(COLLECTOR), lambda digest: SIGNATURE)
