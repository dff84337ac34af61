"""A neighbour's journal that this kit carries to the collector, and the answers it brings back.

Files of a neighbour, whose names begin with carried-ELECTION-KID:

    .der       its device certificate
    .journal   its journal, entry by entry as it was taken over: the same chain, checked again
    .acks      [ size u16 | seq u16 | ack ]...  what the collector acknowledged
    .relay     what is sent (relay_state)

An entry is taken over only if the neighbour's key signed it and it follows the one before, so that
rubbish on the cable is told at once. Whether that key belongs to a kit, the collector knows.
"""

import struct

from firmware import record
from firmware.compat import CodedError, const, exists, sync
from firmware.journal import WRITE_FAILED, Journal, JournalError
from firmware.relay import Relay
from firmware.relay_backlog import Backlog
from firmware.saved import Saved, read, replace
from firmware.x509 import Certificate

_MOST = const(500)  # a day has under 100

NOT_VALID = const(862)
TOO_MANY = const(863)


class CarriedError(CodedError):
    """What the neighbour's kit gave is not taken over."""


class _Entries(Backlog):
    """Photographs stay with their kit; every acknowledgement is kept for it."""

    def _add_page(self, what, size, digest, seq):
        pass

    def is_result(self, seq):
        """All count as one: verified at once, and handed to on_ack."""
        return True


class CarriedRelay(Relay):
    """Relays a neighbour's entries."""

    BACKLOG = _Entries


class Carried:
    """The files whose names begin with `path`.

    `verify(key 64 B, digest, signature) -> bool` is the chip's.
    """

    def __init__(self, path, verify):
        self.path = path
        self.verify = verify
        self.certificate = read(path + ".der")
        self.key = Certificate(self.certificate).key
        self.journal = Journal(path + ".journal", record.sha256(self.certificate))
        self.acked = self._acked()
        self.done = False  # until a round has found nothing more to send
        self.refused = 0

    @property
    def waiting(self):
        """Entries of which the collector has said nothing yet."""
        return self.journal.last - len(self.acked) - self.refused

    def take(self, data, manifest, election):
        """Keep the neighbour's next entry; CarriedError when it is none of its key."""
        text = "An entry of the other kit is not valid: bring its card to the collector."
        if self.journal.last >= _MOST:
            raise CarriedError(TOO_MANY, "The other kit has too many entries: bring its card.")
        try:
            entry = record.parse(data)
            good = entry.kid == record.kid_of(self.key) and entry.payload[1] == election
            if not good or not self.verify(self.key, entry.signed_digest(), entry.signature):
                raise CarriedError(NOT_VALID, text)
            self.journal.append(data, manifest)
        except (record.RecordError, JournalError) as error:
            if error.code == WRITE_FAILED:
                raise
            raise CarriedError(NOT_VALID, text) from None
        self.done = False

    def relay(self, open_stream, verify_ack, host, on_refused, pace):
        """The relay of these entries."""
        return CarriedRelay(
            open_stream,
            self.journal,
            None,
            verify_ack,
            Saved(self.path + ".relay"),
            host,
            self.certificate,
            self._keep,
            on_refused,
            pace,
        )

    # Acknowledgements

    def _acked(self):
        """Seqs of those in the file; a torn last one is cut off."""
        found = set()
        size = 0
        row = self.ack(0)
        while row:
            seq, _, size = row
            found.add(seq)
            row = self.ack(size)
        data = read(self.path + ".acks")
        if data is not None and len(data) > size:
            replace(self.path + ".acks", data[:size])
        return found

    def _keep(self, seq, ack):
        if seq in self.acked:
            return
        try:
            with open(self.path + ".acks", "ab") as file:
                file.write(struct.pack(">HH", len(ack), seq) + ack)
                sync(file)
        except OSError:
            self._acked()  # half of it must not stand before the next one
            raise
        self.acked.add(seq)

    def ack(self, place):
        """(seq, acknowledgement, place of the next one) at byte `place` of the file, or None.

        The file is open for no longer than that: the relay may write to it at any wait.
        """
        if not exists(self.path + ".acks"):
            return None
        with open(self.path + ".acks", "rb") as file:
            file.seek(place)
            head = file.read(4)
            if len(head) < 4:
                return None
            size, seq = struct.unpack(">HH", head)
            ack = file.read(size)
        return (seq, ack, place + 4 + size) if len(ack) == size else None
