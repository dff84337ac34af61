"""The officers' PINs: salted, stretched, with waits after wrong tries that no power cut shortens.

Six digits are a million guesses: whoever reads the flash finds them on a PC within the hour,
whatever the stretching. What protects a PIN is that the kit itself lets nobody guess often.
"""

import asyncio
import hashlib

from firmware.compat import const, ticks_diff, ticks_ms
from firmware.saved import SavedError

KETUA = const(1)
SECOND = const(2)
ROLES = (KETUA, SECOND)
DIGITS = const(6)
SALT = const(16)  # bytes
DIGEST = const(32)  # bytes
# 2.1 us a round on the unix MicroPython of a PC. An ESP32-S3 at 240 MHz is estimated, not measured,
# at 0.1 to 0.25 ms: 0.4 to 1 s, as long as an officer waits without pressing again.
ROUNDS = const(4000)
ROUNDS_ALLOWED = (1000, 20000)

_SLICE = const(100)  # rounds between two looks at the other tasks
_FREE = const(3)  # wrong tries without a wait
_FIRST = const(30)  # seconds after the third, doubled after each one more
_LONGEST = const(900)
_MANY = const(8)  # tries from which the wait is the longest


def _stretching(pin, salt, rounds):
    """Yields None between slices of the work, at the end the digest (RFC 8018, 5.2, one block)."""
    sha = hashlib.sha256
    key = pin.encode()
    key = (sha(key).digest() if len(key) > 64 else key) + bytes(64)
    # HMAC's two blocks, each with room for the 32 bytes that change; there is no copy() of a hash
    # in MicroPython, so the pads are hashed again every round.
    inner = bytearray([b ^ 0x36 for b in key[:64]])
    outer = bytearray([b ^ 0x5C for b in key[:64]])
    made = sha(bytes(outer) + sha(bytes(inner) + salt + b"\0\0\0\1").digest()).digest()
    inner += made
    outer += made
    integer = int.from_bytes
    total = integer(made, "big")
    left = rounds - 1
    while left > 0:
        yield None
        for _ in range(min(left, _SLICE)):
            outer[64:] = sha(inner).digest()
            made = sha(outer).digest()
            inner[64:] = made
            total ^= integer(made, "big")
        left -= _SLICE
    yield total.to_bytes(DIGEST, "big")


def stretch(pin, salt, rounds):
    """PBKDF2-HMAC-SHA256 of `pin` (str) with `salt` (bytes): 32 bytes."""
    for made in _stretching(pin, salt, rounds):
        if made is not None:
            return made


def back_off(tries):
    """Seconds to wait after so many wrong tries in a row."""
    if tries < _FREE:
        return 0
    return min(_FIRST << min(tries - _FREE, 5), _LONGEST)


def _same(one, other):
    """True when equal; takes as long when they are not."""
    different = len(one) ^ len(other)
    for a, b in zip(one, other):  # noqa: B905 - MicroPython's zip has no strict
        different |= a ^ b
    return different == 0


class Pins:
    """`table`: {role: [salt, rounds, digest]}; `saved`: Saved of the wrong tries; `now`: ticks, ms.

    The wait is counted in ticks, which no set clock moves; a start begins it anew.
    """

    def __init__(self, table, saved, now=ticks_ms):
        self.table = table
        self.saved = saved
        self.now = now
        self.tries = self._load()
        self._since = {role: now() for role in table}

    def _load(self):
        """{role: wrong tries in a row}; what cannot be read counts as many, locking no one out."""
        try:
            value = self.saved.load({})
        except SavedError:
            value = None
        if not isinstance(value, dict):
            return {role: _MANY for role in self.table}
        tries = {role: value.get(role, 0) for role in self.table}
        return {r: n if type(n) is int and n >= 0 else _MANY for r, n in tries.items()}

    def wait(self, role):
        """Seconds until the role may try again, 0 = now."""
        now = self.now()
        passed = ticks_diff(now, self._since[role])
        if passed < 0:  # the ticks went round, days later
            self._since[role] = now
            passed = 0
        left = back_off(self.tries[role]) * 1000 - passed
        return (left + 999) // 1000 if left > 0 else 0

    def left(self, role):
        """Wrong tries that still bring no wait, or one more try after a wait."""
        return max(_FREE - self.tries[role], 1)

    async def check(self, role, pin):
        """True when `pin` (str) is the role's. During a wait it is not even looked at: False.

        Raises SavedError when the try cannot be counted: nobody learns then whether it was right.
        """
        if role not in self.table or self.wait(role) > 0:
            return False
        # Counted as wrong before the answer: who cuts the power instead of waiting gains nothing.
        self._keep(role, self.tries[role] + 1)
        salt, rounds, digest = self.table[role]
        for made in _stretching(pin, salt, rounds):
            if made is None:
                await asyncio.sleep(0)
            elif _same(made, digest):
                self._keep(role, 0)
                return True
        return False

    def _keep(self, role, count):
        tries = dict(self.tries)
        tries[role] = count
        self.saved.store(tries)
        self.tries = tries
        self._since[role] = self.now()
