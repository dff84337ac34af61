"""From a collector's acknowledgement to an entry that counts as sent: verified by the chip first.

The chip takes up to 125 ms for a signature. It works while the kit goes on sending, at one
acknowledgement at a time, those of results first; until it is done the entry counts as under way.
A power cut in between, or a chip that fails, costs asking for the acknowledgement again.
"""

from firmware import record

MOST = 24  # acknowledgements that wait in memory, about 200 bytes each


class CollectorKey:
    """The `verify_ack` of a kit: is it signed by the collector's `key` (X | Y, 64 B)?

    `signer`: the Signer role. Other callers may do with a plain function.
    """

    def __init__(self, signer, key):
        self.signer = signer
        self.key = key
        self.kid = record.kid_of(key)

    def __call__(self, data, rec_id):
        """True when `data` acknowledges `rec_id`. Waits for the chip; raises PartError."""
        signed = self._signed(data, rec_id)
        return signed is not None and self.signer.verify(*signed)

    def begin(self, data, rec_id):
        """The same without waiting: a function that gives None until the chip is done."""
        signed = self._signed(data, rec_id)
        return self.signer.verify_begin(*signed).poll if signed else lambda: False

    def _signed(self, data, rec_id):
        """The chip's part of the question; None when the answer is no without it."""
        try:
            ack = record.parse(data)
        except record.RecordError:
            return None
        if ack.kind != record.ACK or ack.kid != self.kid or ack.payload[1] != rec_id:
            return None
        return self.key, ack.signed_digest(), ack.signature


class Acks:
    """`verify_ack`: see Relay. `on_ack(seq, ack bytes)` journals.

    `under_way`: the relay's set, which holds the seqs that wait here too.
    """

    def __init__(self, backlog, verify_ack, on_ack, under_way):
        self.backlog = backlog
        self.verify_ack = verify_ack
        self.on_ack = on_ack
        self.under_way = under_way
        self.unproved = []  # (seq, rec-id, ack), oldest first
        self._proving = None  # (one of them, poll()) that the chip has

    def add(self, seq, rec_id, ack):
        """An acknowledgement has come: the chip is asked by prove()."""
        self.under_way.add(seq)
        self.unproved.append((seq, rec_id, ack))

    def take(self, seq, rec_id, ack):
        """Verify now and mark entry `seq` as sent; False when the acknowledgement is no good."""
        good = self._good(rec_id, ack)
        if good:
            self._sent(seq, rec_id, ack)
        return good

    def prove(self):
        """Let the chip begin, or look in: None while it works, then (seq, whether it is good).

        Raises what the chip or the journal does; the acknowledgement counts as none then.
        """
        if self._proving is None:
            one = self._next()
            self._proving = one, self._begin(*one)
            return None
        one, poll = self._proving
        over = True
        try:
            good = poll()
            over = good is not None
            if good:
                self._sent(*one)
        finally:
            if over:
                self._proving = None
                self.unproved.remove(one)
                self.under_way.discard(one[0])
        return (one[0], good) if over else None

    def _next(self):
        for one in self.unproved:
            if self.backlog.is_result(one[0]):
                return one
        return self.unproved[0]

    def _begin(self, _seq, rec_id, ack):
        if hasattr(self.verify_ack, "begin"):
            return self.verify_ack.begin(ack, rec_id)
        return lambda: self._good(rec_id, ack)  # a plain function waits

    def _good(self, rec_id, ack):
        try:
            return self.verify_ack(ack, rec_id)
        except ValueError:  # not even a record
            return False

    def _sent(self, seq, rec_id, ack):
        backlog = self.backlog
        backlog.known = True
        if backlog.state.is_acked(seq):
            return
        # Journal first: if power fails here, the acknowledgement is asked for again, and an event
        # in the journal tells that it is there already.
        if backlog.is_result(seq) and self.on_ack and rec_id not in backlog.journaled:
            self.on_ack(seq, ack)
            backlog.journaled.add(rec_id)
        backlog.acked(seq)
