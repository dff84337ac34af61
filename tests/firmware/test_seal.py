from firmware import cbor, record, roster, seal
from firmware.compat import CodedError, exists
from tests.firmware.support import raises, temp_dir
from tests.firmware.test_enrol import SERIAL, Key

AUTHORITY, STRANGER, TECHNICIAN = Key(b"authority"), Key(b"stranger"), Key(b"technician")
NOW = 1500


def made(version=1, until=2000, technicians=None):
    """A roster of one technician, signed."""
    rows = [["TEKNISI CONTOH", TECHNICIAN.public]] if technicians is None else technicians
    payload = [record.ROSTER, version, 1607, 1000, until, rows, [STRANGER.public]]
    return record.assemble(payload, record.kid_of(AUTHORITY.public), AUTHORITY.sign)


def keep(store, data):
    roster.take(store, data, AUTHORITY.public, AUTHORITY.verify)


class Chip(Key):
    """A chip whose challenges differ."""

    given = 0

    def random(self, n):
        self.given += 1
        return record.sha256(b"random %d" % self.given)[:n]


class Kit:
    """A sealable kit with one shut verb and one public one."""

    def __init__(self, technicians=None, until=2000, rostered=True):
        self.store = temp_dir()
        self.chip = Chip(b"chip")
        self.now = NOW
        self.ms = 0
        self.missing = None
        self.sealed = 0
        self.seal = seal.Seal(
            self.store,
            self.chip,
            lambda: roster.load(self.store, AUTHORITY.public, AUTHORITY.verify),
            lambda: self.now,
            self.sealable,
            self.on_seal,
            self.ticks,
        )
        if rostered:
            keep(self.store, made(technicians=technicians, until=until))

    def sealable(self):
        if self.missing:
            raise CodedError(self.missing, "missing")

    def on_seal(self):
        self.sealed += 1

    def ticks(self):
        return self.ms

    def ask(self, verb, argument=b""):
        """What the guarded kit answers."""
        handlers = {"HELLO": lambda _: b"hello", "PINS": lambda _: b"pins"}
        handlers.update(self.seal.handlers())
        return self.seal.guard(handlers)[verb](argument)

    def refused(self, code, verb, argument=b""):
        error = raises((CodedError, record.RecordError), self.ask, verb, argument)
        assert error.code == code, error.code

    def proof(self, key=TECHNICIAN, challenge=None):
        serial, fresh = cbor.decode(self.ask("CHALLENGE"))
        digest = seal.maintenance_digest(serial, challenge or fresh)
        return cbor.encode([record.kid_of(key.public), key.sign(digest)])


def sealed(**options):
    kit = Kit(**options)
    kit.ask("SEAL")
    return kit


def test_an_unsealed_kit_answers_everything():
    kit = Kit()
    assert kit.ask("PINS") == b"pins"
    assert not exists(seal.seal_file(kit.store))


def test_a_sealed_kit_answers_what_is_public_and_nothing_else():
    kit = sealed()
    assert kit.sealed == 1 and seal.is_sealed(kit.store)
    assert kit.ask("HELLO") == b"hello"
    kit.refused(seal.SEALED, "PINS")
    kit.refused(seal.SEALED, "SEAL")


def test_a_kit_that_could_not_work_or_that_nobody_could_open_is_not_sealed():
    kit = Kit()
    kit.missing = 847
    kit.refused(847, "SEAL")
    kit = Kit(rostered=False)
    kit.refused(seal.NOT_SEALABLE, "SEAL")
    assert not seal.is_sealed(kit.store) and kit.sealed == 0


def test_a_technicians_signature_opens_it_for_a_quarter_of_an_hour():
    kit = sealed()
    assert cbor.decode(kit.ask("PROVE", kit.proof())) == "TEKNISI CONTOH"
    assert kit.ask("PINS") == b"pins"
    kit.ms = seal.OPEN_MS
    assert kit.ask("PINS") == b"pins"
    kit.ms += 1
    kit.refused(seal.SEALED, "PINS")
    kit.ms = 0  # ticks that come round do not open it again
    kit.refused(seal.SEALED, "PINS")


def test_lock_shuts_it_before_its_time():
    kit = sealed()
    kit.ask("PROVE", kit.proof())
    kit.ask("LOCK")
    kit.refused(seal.SEALED, "PINS")


def test_a_challenge_serves_once_and_not_for_long():
    kit = sealed()
    kit.refused(seal.NO_CHALLENGE, "PROVE", cbor.encode([bytes(8), bytes(64)]))
    proof = kit.proof()
    kit.ask("PROVE", proof)
    kit.ask("LOCK")
    kit.refused(seal.NO_CHALLENGE, "PROVE", proof)
    proof = kit.proof()
    kit.ask("CHALLENGE")
    kit.refused(seal.BAD_PROOF, "PROVE", proof)  # an answer to an earlier challenge
    proof = kit.proof()
    kit.ms = seal.FRESH_MS + 1
    kit.refused(seal.NO_CHALLENGE, "PROVE", proof)
    kit.refused(seal.SEALED, "PINS")


def test_a_wrong_proof_opens_nothing_and_costs_the_challenge():
    kit = sealed()
    good = kit.proof()
    kit.proof()  # asks for a newer challenge
    kit.refused(seal.BAD_PROOF, "PROVE", good)
    for value in (b"rubbish", cbor.encode([bytes(8)]), cbor.encode([bytes(7), bytes(64)])):
        kit.proof()
        kit.refused(seal.BAD_PROOF, "PROVE", value)
    kit.refused(seal.NOT_A_TECHNICIAN, "PROVE", kit.proof(STRANGER))
    kit.refused(seal.NOT_A_TECHNICIAN, "PROVE", kit.proof(AUTHORITY))
    borrowed = cbor.decode(kit.proof(STRANGER))
    borrowed[0] = record.kid_of(TECHNICIAN.public)
    kit.refused(seal.BAD_PROOF, "PROVE", cbor.encode(borrowed))
    kit.refused(seal.SEALED, "PINS")


def test_a_proof_for_another_chip_opens_nothing():
    kit = sealed()
    _, fresh = cbor.decode(kit.ask("CHALLENGE"))
    digest = seal.maintenance_digest(bytes(9), fresh)
    proof = cbor.encode([record.kid_of(TECHNICIAN.public), TECHNICIAN.sign(digest)])
    kit.refused(seal.BAD_PROOF, "PROVE", proof)
    assert bytes(9) != SERIAL


def test_a_technician_who_was_taken_off_the_roster_is_shut_out():
    kit = sealed()
    keep(kit.store, made(2, technicians=[]))
    kit.refused(seal.NOT_A_TECHNICIAN, "PROVE", kit.proof())


def test_past_its_time_a_roster_opens_for_nobody():
    kit = sealed()
    kit.now = 2001
    kit.refused(seal.ROSTER_OVER, "PROVE", kit.proof())
    kit.now = None  # a clock that was never set shuts nobody out
    assert kit.ask("PROVE", kit.proof())


def test_a_sealed_kit_whose_roster_is_damaged_stays_shut():
    kit = sealed()
    with open(kit.store + "/roster.cbor", "wb") as file:
        file.write(b"half")
    kit.refused(record.BAD_FRAME, "PROVE", kit.proof())
    kit.refused(seal.SEALED, "PINS")
