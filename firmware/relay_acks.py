"""From a collector's acknowledgement to an entry that counts as sent: verified by the chip first.

The chip takes up to 105 ms to verify a signature and the kit stands still meanwhile. A result's
acknowledgement is verified at once; those of events wait until the line makes the kit wait anyway.
"""

MOST = 24  # acknowledgements that wait in memory, about 200 bytes each


class Acks:
    """`verify_ack(ack bytes, rec-id) -> bool`, or ValueError. `on_ack(seq, ack bytes)` journals."""

    def __init__(self, backlog, verify_ack, on_ack):
        self.backlog = backlog
        self.verify_ack = verify_ack
        self.on_ack = on_ack
        self.unproved = []  # (seq, rec-id, ack), oldest first

    def _good(self, rec_id, ack):
        try:
            return self.verify_ack(ack, rec_id)
        except ValueError:  # not even a record
            return False

    def take(self, seq, rec_id, ack):
        """Verify now and mark entry `seq` as sent; False when the acknowledgement is no good."""
        if not self._good(rec_id, ack):
            return False
        backlog = self.backlog
        backlog.known = True
        if backlog.state.is_acked(seq):
            return True
        # Journal first: if power fails here, the acknowledgement is asked for again, and an event
        # in the journal tells that it is there already.
        if backlog.is_result(seq) and self.on_ack and rec_id not in backlog.journaled:
            self.on_ack(seq, ack)
            backlog.journaled.add(rec_id)
        backlog.acked(seq)
        return True

    def prove(self):
        """Verify the oldest that waits; (seq, whether it is good)."""
        seq, rec_id, ack = self.unproved.pop(0)
        return seq, self.take(seq, rec_id, ack)
