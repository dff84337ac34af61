"""The chip, the clock, the keys and the display; honest to their roles, stricter than the part.

What outlives a power cut is in World; the parts are made anew at every start and hold nothing.
"""

from firmware import record
from tests.power.cutdev import Defect

AUTHORITY = bytes(range(64))
COLLECTOR = bytes(range(64, 128))
KIT_KEYS = {"live": b"\x51" * 64, "training": b"\x52" * 64}
CERTIFICATES = {
    "live": b"DER \x00\x04" + KIT_KEYS["live"],
    "training": b"DER LATIHAN \x00\x04" + KIT_KEYS["training"],
}
SIGNATURE = b"\x01" * 64  # in range and low: keys are tested elsewhere


class Signer:
    """Signer role of one mode; counter and key are the chip's, so they survive."""

    def __init__(self, world, power, mode):
        self.world = world
        self.power = power
        self.mode = mode

    def public_key(self):
        """64 B."""
        return KIT_KEYS[self.mode]

    def serial(self):
        """9 B."""
        return b"\x01\x23power\x00\xee"

    def random_is_live(self):
        """The source is reached."""

    def random(self, n):
        """n bytes, other ones each time."""
        self.world.time += 1
        return record.sha256(b"random %d" % self.world.time)[:n]

    def count(self):
        """The monotonic counter."""
        return self.world.count[self.mode]

    def count_up(self):
        """Durable at once; the power can go before it and before the answer."""
        self.power.act("count")
        self.world.count[self.mode] += 1
        self.power.act("counted")
        return self.world.count[self.mode]

    def sign(self, digest):
        """r|s; a digest of another length is refused as the chip would."""
        if len(digest) != 32:
            raise Defect("digest of %d bytes" % len(digest))
        self.power.act("sign")
        return SIGNATURE

    def verify(self, key, digest, signature):
        """Signatures of these parts are all the same; what is checked is the shape."""
        return len(key) == 64 and len(digest) == 32 and signature == SIGNATURE

    def verify_begin(self, key, digest, signature):
        """The same, known at the third look."""
        return Verification(self.verify(key, digest, signature))


class Verification:
    """What the chip has not told yet."""

    def __init__(self, result):
        self.result = result
        self.looks = 0

    def poll(self):
        """None twice, then the result."""
        self.looks += 1
        return self.result if self.looks > 2 else None


class Setup:
    """Setup role of an enrolled kit."""

    def locked(self):
        """(configuration, data)."""
        return True, True

    def authority_key(self):
        """64 B."""
        return AUTHORITY

    def set_authority_key(self, key):
        """The same key again."""
        if key != AUTHORITY:
            raise Defect("another authority")


class Clock:
    """Goes on without power."""

    quality = 2

    def __init__(self, world):
        self.world = world

    def now(self):
        """Unix seconds."""
        self.world.time += 7
        return self.world.time

    def set(self, seconds):
        """Set by nobody here."""


class Keys:
    """Keys role: nobody presses, none is stuck."""

    def read(self):
        """No key."""
        return None

    def stuck(self):
        """None."""
        return []


class Display:
    """Display role."""

    size = (240, 320)

    def blit(self, canvas, y0, y1):
        """Nobody looks at the dots here."""
