"""The two officers' PINs of a kit: made at random, stretched, told once, kept nowhere."""

import hashlib
import secrets
from itertools import pairwise

from firmware.pins import DIGITS, KETUA, ROLES, ROUNDS, SALT, SECOND

NAMES = {KETUA: "ketua", SECOND: "second officer"}


class PinsError(Exception):
    """These PINs are not fit for a kit; the text says why in one line, without a PIN in it."""


def is_trivial(pin: str) -> bool:
    """True for what people try first: 777777, 123456, 876543, 121212, 123123."""
    digits = [int(digit) for digit in pin]
    steps = {(after - before) % 10 for before, after in pairwise(digits)}
    return len(steps) == 1 or any(pin == pin[:n] * (DIGITS // n) for n in (2, 3))


def make_pins() -> dict[int, str]:
    """{role: a random PIN}; the officers' PINs differ and none is trivial."""
    pins: dict[int, str] = {}
    for role in ROLES:
        pin = ""
        while not pin or is_trivial(pin) or pin in pins.values():
            pin = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        pins[role] = pin
    return pins


def pin_table(pins: dict[int, str], rounds: int = ROUNDS) -> list[list]:
    """[[role, salt, rounds, digest]…] for the kit's verb PINS; PinsError when they are not fit.

    digest = PBKDF2-HMAC-SHA256 (RFC 8018) with a fresh salt of 16 bytes each.
    """
    if sorted(pins) != list(ROLES):
        raise PinsError("a kit has exactly two PINs: the ketua's and the second officer's")
    for role, pin in pins.items():
        if len(pin) != DIGITS or not (pin.isascii() and pin.isdigit()):
            raise PinsError(f"the PIN of the {NAMES[role]} must be {DIGITS} digits")
        if is_trivial(pin):
            raise PinsError(f"the PIN of the {NAMES[role]} is too easy to guess")
    if len(set(pins.values())) < len(pins):
        raise PinsError("the two officers must have different PINs")
    table = []
    for role in ROLES:
        salt = secrets.token_bytes(SALT)
        digest = hashlib.pbkdf2_hmac("sha256", pins[role].encode(), salt, rounds)
        table.append([role, salt, rounds, digest])
    return table
