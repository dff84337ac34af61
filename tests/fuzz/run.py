"""The loop: one seed, an alarm against hanging, a failing input's number to find it again."""

import os
import random
import signal
from collections.abc import Callable

INPUTS = 200_000  # of all targets together; SAKSI_FUZZ_INPUTS asks for more
PATIENCE = 20  # seconds for one input, which takes some tenths of a millisecond

Target = Callable[[random.Random], None]


class Failed(AssertionError):
    """A target failed; the text says how to run this one input again."""


def wanted() -> int:
    """How many inputs to make."""
    return int(os.environ.get("SAKSI_FUZZ_INPUTS", INPUTS))


def seed() -> int:
    """The seed; SAKSI_FUZZ_SEED draws other inputs."""
    return int(os.environ.get("SAKSI_FUZZ_SEED", "1"))


def one(target: Target, number: int, start: int) -> None:
    """Input `number` of a target."""
    target(random.Random(f"{start} {target.__name__} {number}"))


def run(target: Target, count: int, start: int) -> int:
    """Run a target on `count` inputs; Failed on the first that it does not stand."""

    def hangs(*_):
        raise TimeoutError(f"no answer in {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, hangs)
    try:
        for number in range(count):
            if number % 64 == 0:
                signal.alarm(PATIENCE)
            try:
                one(target, number, start)
            except Exception as error:
                again = f"python -m tests.fuzz {target.__name__} --number {number} --seed {start}"
                raise Failed(f"{error!r}; again: {again}") from error
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return count
