"""The seal: after it a cable opens nothing without a technician's signature on a fresh challenge.

    CHALLENGE  -                      -> [chip serial 9 B, challenge 32 B from the chip]
    PROVE      [kid 8 B, r|s 64 B]    -> name of the technician; opens the other verbs for a while
    LOCK       -                      -> shut again
    SEAL       -                      -> for good: the mark is never removed

A technician is who the region's roster (kind 38) lists; his key signs SHA-256 of the CBOR of
["saksi maintenance", serial, challenge]. A challenge serves once. There is no way back to a REPL.
"""

from firmware import cbor, record
from firmware.compat import CodedError, const, exists, ticks_diff, ticks_ms
from firmware.saved import replace

SEALED = const(853)
NO_CHALLENGE = const(854)
NOT_A_TECHNICIAN = const(855)
BAD_PROOF = const(856)
ROSTER_OVER = const(857)
NOT_SEALABLE = const(858)

OPEN_MS = const(900_000)  # 15 minutes, from the proof on
FRESH_MS = const(300_000)  # a challenge is answered within 5 minutes

CONTEXT = "saksi maintenance"

# Harmless to anyone who holds a cable: what a kit is, its start, what carries its own signature.
PUBLIC = ("HELLO", "START", "ROSTER", "CHALLENGE", "PROVE", "LOCK", "JOURNAL", "ENTRY", "ACKED")


class SealError(CodedError):
    """The seal holds."""


def seal_file(root):
    """Path of the mark, where the starter looks for it too."""
    return root + "/sealed"


def is_sealed(root):
    """True once SEAL was given."""
    return exists(seal_file(root))


def maintenance_digest(serial, challenge):
    """What a technician's key signs, 32 bytes."""
    return record.sha256(cbor.encode([CONTEXT, serial, challenge]))


class Seal:
    """`root`: folder of the mark; `signer`: random(), serial(), verify().

    `roster()`: the kept Roster or None; it raises when that is damaged. `now()`: Unix seconds, or
    None by a clock that was never set. `sealable()` raises a CodedError while something is missing;
    `on_seal()` takes the REPL away.
    """

    def __init__(self, root, signer, roster, now, sealable, on_seal, ticks=ticks_ms):
        self.root = root
        self.signer = signer
        self.roster = roster
        self.now = now
        self.sealable = sealable
        self.on_seal = on_seal
        self.ticks = ticks
        self._challenge = None  # (bytes, ticks)
        self._opened = None  # ticks of the proof

    def handlers(self):
        """{verb: function(bytes) -> bytes}"""
        return {
            "CHALLENGE": self.challenge,
            "PROVE": self.prove,
            "LOCK": self.lock,
            "SEAL": self.seal,
        }

    def guard(self, handlers):
        """`handlers` with every verb but the public ones shut while the seal holds."""
        return {verb: self._guarded(verb, handlers[verb]) for verb in handlers}

    def _guarded(self, verb, handler):
        if verb in PUBLIC:
            return handler

        def checked(data):
            if is_sealed(self.root) and not self.is_open():
                raise SealError(SEALED, "The kit is sealed: a technician's key opens it")
            return handler(data)

        return checked

    def is_open(self):
        """True within 15 minutes of a proof."""
        if self._opened is None or ticks_diff(self.ticks(), self._opened) > OPEN_MS:
            self._opened = None
        return self._opened is not None

    def challenge(self, _):
        """A fresh challenge; an earlier one is void."""
        fresh = self.signer.random(32)
        self._challenge = (fresh, self.ticks())
        return cbor.encode([self.signer.serial(), fresh])

    def prove(self, data):
        """Open for the technician whose key signed the challenge."""
        held, self._challenge = self._challenge, None  # whatever comes of it, it served once
        if held is None or ticks_diff(self.ticks(), held[1]) > FRESH_MS:
            raise SealError(NO_CHALLENGE, "Ask for a CHALLENGE first, and answer within 5 minutes")
        kid, signature = self._proof(data)
        roster = self.roster()
        now = self.now()
        if roster is not None and now is not None and now > roster.until:
            raise SealError(ROSTER_OVER, "The kit's roster is out of date: bring a newer one")
        found = roster.technician(kid) if roster else None
        if found is None:
            raise SealError(NOT_A_TECHNICIAN, "This key is not on the kit's roster of technicians")
        name, key = found
        digest = maintenance_digest(self.signer.serial(), held[0])
        if not self.signer.verify(key, digest, signature):
            raise SealError(BAD_PROOF, "The signature is not by this technician's key")
        self._opened = self.ticks()
        return cbor.encode(name)

    @staticmethod
    def _proof(data):
        try:
            value = cbor.decode(data)
        except cbor.CborError:
            value = None
        if not isinstance(value, list) or [type(part) for part in value] != [bytes, bytes]:
            value = (b"", b"")
        if [len(part) for part in value] == [8, 64]:
            return value
        raise SealError(BAD_PROOF, "PROVE wants a key id of 8 and a signature of 64 bytes")

    def lock(self, _):
        """Shut again before the time is over."""
        self._opened = None
        return b""

    def seal(self, _):
        """Seal the kit; refused while it could not work. Once more is fine."""
        self.sealable()
        if self.roster() is None:
            raise SealError(NOT_SEALABLE, "Without a roster nobody could open the kit again")
        replace(seal_file(self.root), b"1")
        self.on_seal()
        return b""
