"""Carries for neighbours without a network: their entries over the cable, then to the collector.

One talk over the cable does both ways: it takes over what the neighbour's kit has signed since the
last time, and hands back what the collector has acknowledged of it until then.
"""

import os
from binascii import hexlify

from firmware import record
from firmware.carried import Carried
from firmware.compat import CodedError, const
from firmware.drivers import PartError
from firmware.saved import replace
from firmware.x509 import Certificate

MOST = const(8)  # neighbours

OTHER_ELECTION = const(864)
ITSELF = const(865)
TOO_MANY_KITS = const(866)
NO_KIT = const(867)


class CarrierError(CodedError):
    """The kit at the other end is none to carry for."""


class Carrier:
    """`folder` on flash; `own`: this kit's certificate; `verify(key, digest, signature)`.

    `make(carried) -> CarriedRelay`; `log(line)`.
    """

    def __init__(self, folder, election, own, verify, make, log):
        self.folder = folder
        self.election = election
        self.own = own
        self.verify = verify
        self.make = make
        self.log = log
        self.kits = []
        self._tried = False  # in this round
        for name in sorted(os.listdir(folder)):
            if name.startswith(self._prefix()) and name.endswith(".der"):
                self._open(folder + "/" + name[:-4])

    def _prefix(self):
        return "carried-%d-" % self.election

    def _open(self, path):
        try:
            self.kits.append(Carried(path, self.verify))
        except (CodedError, ValueError) as error:  # its kit has it all still; ours goes on
            self.log("carried %s cannot be read: %s" % (path, error))

    def count(self):
        """(entries that wait, entries delivered)."""
        return sum([kit.waiting for kit in self.kits]), sum([len(kit.acked) for kit in self.kits])

    # To the collector

    def new_round(self):
        """What failed before is tried again."""
        self._tried = False

    def wants(self):
        """True when there is something to send in this round."""
        return not self._tried and any([not kit.done for kit in self.kits])

    async def forward(self):
        """Send all that waits. A line that fails is the relay's matter, which comes to it next."""
        self._tried = True
        for kit in self.kits:
            if kit.done:
                continue
            relay = self.make(kit)
            kit.done = True  # until an entry comes over the cable meanwhile
            try:
                kit.done = await relay.round() and kit.done
            except (PartError, OSError):
                kit.done = False
            finally:
                await relay.client.close()
                kit.refused = relay.status.refused
            self.log("carried %d of %d entries delivered" % (len(kit.acked), kit.journal.last))

    # Over the cable

    def _kit(self, certificate):
        """The Carried of a certificate, new or known."""
        for kit in self.kits:
            if kit.certificate == certificate:
                return kit
        if certificate == self.own:
            raise CarrierError(ITSELF, "The cable leads back to this kit.")
        if len(self.kits) >= MOST:
            raise CarrierError(TOO_MANY_KITS, "This kit carries for %d others already.", MOST)
        try:
            kid = record.kid_of(Certificate(certificate).key)
        except (ValueError, TypeError):
            raise CarrierError(NO_KIT, "The other kit has no certificate.") from None
        path = "%s/%s%s" % (self.folder, self._prefix(), hexlify(kid).decode())
        replace(path + ".der", certificate)
        self.kits.append(Carried(path, self.verify))
        return self.kits[-1]

    async def talk(self, cable, tell):
        """(TPS, entries taken over, acknowledgements handed back) of a talk with a neighbour's kit.

        What the relay delivers in the meantime is handed back too. `cable`: cable.Cable;
        `await tell(done, total)` shows the progress. CodedError ends it; what was taken over until
        then stays.
        """
        await cable.begin()
        offer = await cable.request("JOURNAL")
        if not isinstance(offer, list) or len(offer) != 4 or type(offer[2]) is not int:
            raise CarrierError(NO_KIT, "What answers is no kit in its day.")
        election, tps, last, certificate = offer
        if election != self.election:
            raise CarrierError(OTHER_ELECTION, "The other kit is of another election or mode.")
        kit = self._kit(certificate)
        first = kit.journal.last
        taken = max(0, last - first)
        for seq in range(first + 1, last + 1):
            row = await cable.request("ENTRY", seq)
            if not isinstance(row, list) or len(row) != 2:
                raise CarrierError(NO_KIT, "What answers is no kit in its day.")
            kit.take(row[0], row[1], self.election)
            await tell(seq - first, taken + len(kit.acked))
        handed = 0
        row = kit.ack(0)
        while row:
            seq, ack, place = row
            if seq <= last:
                await cable.request("ACKED", [seq, ack])
                handed += 1
                await tell(taken + handed, taken + len(kit.acked))
            row = kit.ack(place)
        self.log("carried TPS %d: %d entries, %d acknowledged" % (tps, taken, handed))
        return tps, taken, handed
