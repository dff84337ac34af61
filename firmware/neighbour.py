"""What a kit without a network gives to a neighbour's over the cable, and takes back from it.

    JOURNAL                -> [election, TPS, entries, device certificate]
    ENTRY seq              -> [entry, manifest or null]
    ACKED [seq, ack]       -> nothing: the collector's acknowledgement, verified by this kit's chip

Entries are public statements and an acknowledgement proves itself, so that anybody may ask.
"""

from firmware import cbor, record
from firmware.compat import CodedError, const

NO_ENTRY = const(860)
NOT_ACKNOWLEDGED = const(861)


class Neighbour:
    """`relay`: the relay whose backlog becomes shorter by what was delivered."""

    def __init__(self, package, journal, certificate, relay):
        self.package = package
        self.journal = journal
        self.certificate = certificate
        self.relay = relay

    def handlers(self):
        """{verb: function(bytes) -> bytes} for serial_link.serve."""
        return {"JOURNAL": self.offer, "ENTRY": self.entry, "ACKED": self.acked}

    def offer(self, _):
        """What there is."""
        package = self.package
        return cbor.encode([package.election, package.tps, self.journal.last, self.certificate])

    def _seq(self, seq):
        if type(seq) is not int or not 1 <= seq <= self.journal.last:
            raise CodedError(NO_ENTRY, "The kit has no entry of this number")
        return seq

    def entry(self, data):
        """One entry, as it is in the journal."""
        return cbor.encode(list(self.journal.entry(self._seq(cbor.decode(data)))))

    def acked(self, data):
        """Count an entry as sent; anything but a clear yes from the chip is a no."""
        value = cbor.decode(data)
        if not (isinstance(value, list) and len(value) == 2 and isinstance(value[1], bytes)):
            raise CodedError(NOT_ACKNOWLEDGED, "ACKED wants a number and an acknowledgement")
        seq, ack = self._seq(value[0]), value[1]
        relay = self.relay
        if not relay.backlog.state.is_acked(seq):
            if not relay.acks.take(seq, record.rec_id(self.journal.entry(seq)[0]), ack):
                raise CodedError(NOT_ACKNOWLEDGED, "The acknowledgement is not for this entry")
            relay.backlog.count(relay.status)
        return b""
