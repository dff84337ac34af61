"""Runs day.py on MicroPython for the tests of this folder."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import micropython

ROOT = Path(__file__).parents[2]
HEAP = "heapsize=48m"  # two devices of 1 MiB, their image and the log of a day are in it


def command(*arguments: object, heap: str = HEAP) -> list[str]:
    """The command line of a day."""
    binary = micropython()
    if binary is None:
        pytest.skip("no MicroPython: pip has it for x86-64, elsewhere apt install micropython")
    return [binary, "-X", heap, "tests/power/day.py", *map(str, arguments)]


def environment() -> dict[str, str]:
    """MicroPython finds firmware and tests of this working copy only."""
    return {**os.environ, "MICROPYPATH": f".frozen:{ROOT}"}


def day(*arguments: object, heap: str = HEAP) -> dict:
    """The outcome of one command of day.py."""
    done = subprocess.run(
        command(*arguments, heap=heap),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=7200,
    )
    # A finaliser may complain about a device without power before, or at the very end.
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(lines[-1])
