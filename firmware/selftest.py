"""Checks at the start, each with a number that the manual explains. Signing fails closed.

1 chip answers  2 chip locked  3 random numbers live  4 signs and verifies  5 journal and chip agree
6 printer ready  7 camera sees  8 keys free  9 clock plausible  10 card writable
"""

import hashlib
import os

from firmware.compat import const
from firmware.drivers import PartError

CHIP, LOCKED, RANDOM, SIGNS, COUNTER, PRINTER, CAMERA, KEYS, CLOCK, CARD = range(1, 11)
NAMES = {
    CHIP: "Security chip answers",
    LOCKED: "Security chip is locked",
    RANDOM: "Random numbers are live",
    SIGNS: "Security chip signs",
    COUNTER: "Journal and chip agree",
    PRINTER: "Printer is ready",
    CAMERA: "Camera sees",
    KEYS: "No key is stuck",
    CLOCK: "Clock is plausible",
    CARD: "Card takes photographs",
}
NEEDED_TO_SIGN = (CHIP, LOCKED, RANDOM, SIGNS, COUNTER)
EARLIEST = const(1704067200)  # 2024-01-01


def _signs(signer):
    challenge = signer.random(32)
    return signer.verify(signer.public_key(), challenge, signer.sign(challenge))


def _random_is_live(signer):
    signer.random_is_live()
    return signer.random(32) != signer.random(32)


async def _check(problem):
    try:
        outcome = problem()
        if hasattr(outcome, "send"):  # a coroutine
            outcome = await outcome
        return outcome is not False
    except (PartError, OSError):
        return False
    except Exception as error:
        if not hasattr(error, "code"):
            raise
        return False


async def run(signer, setup, recorder, printer, camera, keys, clock, photos):
    """[[number, passed]…] in the order above."""

    async def ready():
        return await printer.status() <= 1  # ready, or paper near its end

    async def sees():
        w, h, gray = await camera.preview()
        return len(gray) == w * h and w > 0

    checks = (
        (CHIP, lambda: len(signer.serial()) == 9),
        (LOCKED, lambda: tuple(setup.locked()) == (True, True)),
        (RANDOM, lambda: _random_is_live(signer)),
        (SIGNS, lambda: _signs(signer)),
        (COUNTER, lambda: recorder.check_counter() >= 0),
        (PRINTER, ready),
        (CAMERA, sees),
        (KEYS, lambda: not keys.stuck()),
        (CLOCK, lambda: clock.now() > EARLIEST),
        (CARD, photos.check),
    )
    results = []
    for number, check in checks:  # MicroPython has no await in a comprehension
        results.append([number, await _check(check)])
    return results


def may_sign(results):
    """True when every check that signing rests on has passed."""
    passed = {number for number, ok in results if ok}
    return passed.issuperset(NEEDED_TO_SIGN)


def firmware_digest(folder):
    """SHA-256 over the names and contents of the firmware's files: what runs, in 32 bytes."""
    h = hashlib.sha256()
    buffer = bytearray(1024)
    view = memoryview(buffer)
    for part in ("", "/drivers"):
        for name in sorted(os.listdir(folder + part)):
            if name.endswith((".py", ".mpy")):
                h.update(name.encode())
                with open("%s%s/%s" % (folder, part, name), "rb") as file:
                    n = file.readinto(buffer)
                    while n:
                        h.update(view[:n])
                        n = file.readinto(buffer)
    return h.digest()
