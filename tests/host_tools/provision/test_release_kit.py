"""Real MicroPython from the starter on: built releases in slots, on the virtual kit's parts."""

import os
import shutil
import subprocess
import threading

import pytest

from firmware.slots import Slots
from host_tools.kit.machine import VirtualKit
from host_tools.kit.process import find_micropython
from host_tools.provision import release
from host_tools.provision.link import Link
from tests.host_tools.provision.release_bench import ROOT, Cable, built

WAITING = "screen Waiting for provisioning"


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    """Signed releases 0.2.0 and 0.3.0."""
    folder = tmp_path_factory.mktemp("releases")
    return {version: built(folder, version) for version in ("0.2.0", "0.3.0")}


class Board:
    """A kit as it was first installed: the starter as main.py, the first firmware beside it."""

    def __init__(self, folder):
        self.root = folder / "flash"
        self.root.mkdir()
        shutil.copy(ROOT / "firmware/starter.py", self.root / "main.py")
        shutil.copytree(ROOT / "firmware", self.root / "firmware")
        self.kit = VirtualKit(folder / "kit", speed=1000, flash="folder")
        self.kit.flash.mkdir()
        self.slots = Slots(str(self.root))

    def start(self) -> str | int:
        """Power on, the version that HELLO tells, power off; or the code that it ended with."""
        kit, line = self.kit, "import sys, main; main.start(sys.argv[1], sys.argv[1:])"
        command = [find_micropython(), "-X", "heapsize=1m", "-c", line, self.root]
        command += [kit.bus.port, kit.flash, kit.card, kit.speed]
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=self.root.parent,
            env={**os.environ, "MICROPYPATH": f".frozen:{self.root}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        watchdog = threading.Timer(
            120, process.kill
        )  # a kit that hangs fails, for ever is too long
        watchdog.daemon = True
        watchdog.start()
        with process:
            for said in process.stdout:
                if said.startswith(WAITING):
                    version = Link(kit.cable).hello()[0]
                    process.kill()
                    watchdog.cancel()
                    kit.power_off()
                    return version.removeprefix("saksi ")
        watchdog.cancel()
        kit.power_off()
        return process.returncode

    def send(self, folder) -> None:
        release.send(Link(Cable(self.root)), folder, lambda _done, _total: None)

    def passed(self) -> bool:
        """What firmware.main does after the self-test, in the slot on trial."""
        return self.slots.confirm(f"{self.root}/{self.slots.trial()}/firmware")


@pytest.fixture
def board(tmp_path):
    board = Board(tmp_path)
    yield board
    board.kit.close()


def test_a_kit_goes_from_its_first_firmware_over_two_releases(board, releases):
    assert board.start() == "0.1.0"
    board.send(releases["0.2.0"])
    assert board.start() == "0.2.0", "on trial"
    assert board.start() == "0.1.0", "the power went before its self-test"
    board.send(releases["0.2.0"])
    assert board.start() == "0.2.0" and board.passed()
    assert board.start() == "0.2.0" and board.slots.current() == "a"
    board.send(releases["0.3.0"])
    assert board.start() == "0.3.0" and board.passed()
    assert board.start() == "0.3.0" and board.slots.current() == "b"


def test_bytecode_that_does_not_load_is_followed_by_the_old_software(board, releases):
    board.send(releases["0.2.0"])
    assert board.start() == "0.2.0" and board.passed()
    board.send(releases["0.3.0"])
    path = board.root / "b/firmware/station.mpy"
    path.write_bytes(b"C" + path.read_bytes()[1:])  # as of another compiler
    assert board.start() == 1
    assert board.start() == "0.2.0"
    assert "ValueError" in board.slots.status()[3]


def test_a_sealed_kit_ends_its_process_and_does_not_tell_why(board, releases):
    board.send(releases["0.2.0"])
    assert board.start() == "0.2.0" and board.passed()
    (board.root / "sealed").touch()
    assert board.start() == "0.2.0"
    (board.root / "a/firmware/main.mpy").unlink()
    assert board.start() == 1
