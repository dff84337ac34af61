"""All that the technician's cable answers, with the seal around it."""

from firmware import cbor, enrol, record, roster
from firmware.release import Releases
from firmware.seal import Seal, is_sealed
from firmware.slots import Slots


class Technician:
    """The verbs of `board`; `journal_length(election)`: as Enrolment has it."""

    def __init__(self, board, journal_length):
        self.board = board
        self.signer = board.signers[enrol.LIVE]
        self.enrolment = enrol.Enrolment(
            board.flash,
            board.signers,
            board.setup,
            board.name,
            set_time=board.clock.set,
            journal_length=journal_length,
        )
        self.seal = Seal(
            board.root,
            self.signer,
            self.kept_roster,
            self.now,
            self.enrolment.ready,
            board.shut_console,
        )

        self.slots = Slots(board.root)
        self.releases = Releases(self.slots, board.name, [], self.signer.verify)

    def now(self):
        """Unix seconds, or None while the clock was never set."""
        return self.board.clock.now() if self.board.clock.quality else None

    def handlers(self):
        """{verb: function(bytes) -> bytes}"""
        handlers = self.enrolment.handlers()
        handlers.update(self.seal.handlers())
        held = self.held_roster()
        self.releases.releasers = held.releasers if held else []
        handlers.update(self.releases.handlers())
        handlers["HELLO"] = self.hello
        handlers["ROSTER"] = self.roster
        return handlers

    def guard(self, handlers):
        """`handlers` as a sealed kit has them."""
        return self.seal.guard(handlers)

    def hello(self, _):
        """What Enrolment says, then: sealed, version of the roster or 0."""
        held = self.held_roster()
        more = [is_sealed(self.board.root), held.version if held else 0]
        return cbor.encode(self.enrolment.said() + more)

    def kept_roster(self):
        """The Roster that is kept, or None; RecordError or RosterError when it is damaged."""
        board = self.board
        return roster.load(board.flash, board.setup.authority_key(), self.signer.verify)

    def held_roster(self):
        """The same; None also for a damaged one, which another may replace."""
        try:
            return self.kept_roster()
        except (roster.RosterError, record.RecordError):
            return None

    def roster(self, data):
        """The region's roster, signed: keep it; without an argument, the version that is held."""
        board = self.board
        held = self.held_roster()
        if data:
            key = board.setup.authority_key()
            station = self.enrolment.station()
            held = roster.take(board.flash, data, key, self.signer.verify, station)
            self.releases.releasers = held.releasers
        return cbor.encode(held.version if held else 0)
