"""Signer: a P-256 key, a monotonic counter and random numbers in an ATECC608.

The private key never leaves the chip. Every method wakes the chip, does its work and puts it back
to sleep; lost contact and ECC faults are retried, and what cannot be done is a PartError, never a
guess.
"""

from firmware.drivers import PartError, const
from firmware.drivers.atecc608_link import (
    E_CRC,
    E_ECC,
    E_REFUSED,
    E_SELF_TEST,
    E_SILENT,
    ERRORS,
    OP_COUNTER,
    OP_GENKEY,
    OP_INFO,
    OP_NONCE,
    OP_RANDOM,
    OP_READ,
    OP_SELF_TEST,
    OP_SIGN,
    Link,
    fault,
    until,
)
from firmware.drivers.atecc608_verify import NONCE_TO_DIGEST_BUFFER, Check, Verification

E_RANDOM = const(107)
E_COUNTER = const(108)
E_CHIP = const(109)
E_SIGNATURE = const(110)

ERRORS[E_RANDOM] = "The security chip's random numbers are not random: do not use this kit."
ERRORS[E_COUNTER] = "The security chip's counter is used up: change the kit."
ERRORS[E_CHIP] = "This is not an ATECC608 security chip: change the kit."
ERRORS[E_SIGNATURE] = "The security chip made a signature that does not hold: change the kit."

COUNTER_MAX = const(2_097_151)

_RETRIED = (E_SILENT, E_CRC, E_ECC)
_TRIES = const(3)

_INFO_REVISION = const(0)
_READ_32 = const(0x80)  # 32 bytes of the configuration zone
_SIGN_DIGEST_BUFFER = const(0xA0)
_SELF_TEST_RNG_ECDSA_SHA = const(0x23)

_UNLOCKED_RANDOM = b"\xff\xff\x00\x00" * 8  # what Random answers until the configuration is locked

# Order of the P-256 group (FIPS 186-4, D.1.2.3).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def low_s(signature):
    """The same 64 byte r | s signature with s in the lower half of the group's order.

    Both (r, s) and (r, n - s) hold; allowing one form only keeps an entry's identity unique.
    """
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:], "big")
    if not (0 < r < _ORDER and 0 < s < _ORDER):
        raise fault(E_SIGNATURE)
    if s > _ORDER // 2:
        s = _ORDER - s
    return bytes(signature[:32]) + s.to_bytes(32, "big")


class ATECC608:
    """The chip at `address` of `i2c`, signing with the key of `slot`, counting with `counter`.

    `randoms` counts the random blocks that really came from the chip, for the self-test.
    """

    def __init__(self, i2c, address=0x60, slot=0, counter=0):
        self.link = Link(i2c, address)
        self.slot = slot
        self.counter = counter
        self.randoms = 0
        self._last_random = _UNLOCKED_RANDOM

    def with_key(self, slot, counter):
        """The same chip, signing with the key of `slot` and counting with `counter`."""
        other = ATECC608(self.link.i2c, self.link.address, slot, counter)
        other.link = self.link  # a verification of either is settled by both
        return other

    def public_key(self):
        """The slot's public key, X | Y, 64 bytes big-endian."""
        return self.session(self._public_key)

    def sign(self, digest):
        """r | s, 64 bytes, low s, over a 32 byte SHA-256 `digest` (FIPS 186-4 ECDSA)."""
        _expect(digest, 32)
        return self.session(self._sign, digest)

    def verify(self, key, digest, signature):
        """True when `signature` (64 B) over `digest` (32 B) was made by `key` (X | Y, 64 B)."""
        _expect_signed(key, digest, signature)
        return self.session(self._verify, key, digest, signature)

    def verify_begin(self, key, digest, signature):
        """Start verify() and return at once; `poll()` of what comes is None until it is done."""
        _expect_signed(key, digest, signature)
        self._settle()
        return Verification(self, key, digest, signature)

    def random(self, n):
        """`n` random bytes of the chip; raises E_RANDOM when they cannot be random."""
        return self.session(self._random, n)

    def random_is_live(self):
        """True when four random blocks in a row came from this chip and all differ."""
        before = self.randoms
        try:
            block = self.random(128)
        except PartError as error:
            if error.code != E_RANDOM:
                raise
            return False
        blocks = {block[at : at + 32] for at in range(0, 128, 32)}
        return self.randoms - before >= 4 and len(blocks) == 4

    def count(self):
        """The monotonic counter's value, 0 to COUNTER_MAX."""
        return self.session(self._count)

    def count_up(self):
        """Add one to the monotonic counter and return its new value.

        A lost answer is settled by reading the counter, never by counting twice.
        """
        before = self.count()
        if before >= COUNTER_MAX:
            raise fault(E_COUNTER)
        for left in range(_TRIES - 1, -1, -1):
            try:
                return self.session(self._count_up, before, tries=1)
            except PartError as error:
                if error.code not in _RETRIED or not left:
                    raise
            if self.count() == before + 1:
                break
        return before + 1

    def revision(self):
        """Four bytes that name the chip; the third is 0x60 on every ATECC608, else E_CHIP."""
        revision = self.session(self._info, _INFO_REVISION)
        if revision[2] != 0x60:
            raise fault(E_CHIP)
        return revision

    def serial(self):
        """The chip's serial number, 9 bytes, 01 23 ... EE."""
        block = self.session(self._config_block, 0)
        serial = block[0:4] + block[8:13]
        if serial[:2] != b"\x01\x23" or serial[8] != 0xEE:
            raise fault(E_CHIP)
        return serial

    def self_test(self):
        """Raise a PartError unless the chip is right, its own tests pass and a signature holds."""
        self.revision()
        self.session(self._self_test)
        if not self.random_is_live():
            raise fault(E_RANDOM)
        digest = self.random(32)
        other = bytes([digest[0] ^ 1]) + digest[1:]
        key = self.public_key()
        signature = self.sign(digest)
        if not self.verify(key, digest, signature) or self.verify(key, other, signature):
            raise fault(E_SIGNATURE)

    def session(self, work, *args, tries=_TRIES):
        """Wake the chip, return `work(*args)`, let it sleep; passing faults start `work` anew."""
        self._settle()
        while True:
            tries -= 1
            self.link.wake()
            try:
                return work(*args)
            except PartError as error:
                if error.code not in _RETRIED or tries <= 0:
                    raise
            finally:
                self.link.sleep()

    def _settle(self):
        # What the chip has loaded belongs to the verification: nothing comes between.
        if self.link.under_way:
            self.link.under_way.settle()

    def _public_key(self):
        return bytes(self.link.command(OP_GENKEY, 0, self.slot, 64))

    def _sign(self, digest):
        # A nonce from a dead generator gives the private key away: draw, and look, before signing.
        self._random_block()
        self.link.do(OP_NONCE, NONCE_TO_DIGEST_BUFFER, 0, digest)
        return low_s(self.link.command(OP_SIGN, _SIGN_DIGEST_BUFFER, self.slot, 64))

    def _verify(self, key, digest, signature):
        return until(Check(self.link, key, digest, signature).look)

    def _random(self, n):
        out = bytearray(n)
        for at in range(0, n, 32):
            size = min(32, n - at)
            out[at : at + size] = self._random_block()[:size]
        return bytes(out)

    def _random_block(self):
        block = bytes(self.link.command(OP_RANDOM, 0, 0, 32))
        if block in (_UNLOCKED_RANDOM, self._last_random) or block == block[:1] * 32:
            raise fault(E_RANDOM)
        self._last_random = block
        self.randoms += 1
        return block

    def _count(self):
        return int.from_bytes(self.link.command(OP_COUNTER, 0, self.counter, 4), "little")

    def _count_up(self, before):
        after = int.from_bytes(self.link.command(OP_COUNTER, 1, self.counter, 4), "little")
        if after != before + 1:
            raise fault(E_REFUSED)
        return after

    def _info(self, mode):
        return bytes(self.link.command(OP_INFO, mode, 0, 4))

    def _config_block(self, block):
        return bytes(self.link.command(OP_READ, _READ_32, block << 3, 32))

    def _self_test(self):
        try:
            failed = self.link.command(OP_SELF_TEST, _SELF_TEST_RNG_ECDSA_SHA, 0, 1)[0]
        except PartError as error:
            if error.code in _RETRIED and error.code != E_ECC:
                raise
            failed = True  # the bits that name the failed tests read like a status
        if failed:
            raise fault(E_SELF_TEST)


def _expect(value, size):
    if len(value) != size:
        raise ValueError("%d bytes expected" % size)


def _expect_signed(key, digest, signature):
    _expect(key, 64)
    _expect(digest, 32)
    _expect(signature, 64)
