"""A bare MicroPython board over its REPL, by mpremote: look at it, bring its software, start it.

Everything may be repeated after a pulled cable: files that are on the board already are not sent
again, and nothing starts by itself before the last file, main.py, is whole.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import serial

from host_tools.provision.boards import Bare, BoardError
from host_tools.provision.link import Stream

_PATIENCE = 600  # s for the longest of its commands

_LOOK = """
import sys, os, json
def has(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return True
disk = os.statvfs("/")
print(json.dumps([
    sys.platform,
    getattr(sys.implementation, "_machine", ""),
    list(sys.implementation.version[:3]),
    disk[1] * disk[3],
    disk[1] * disk[2],
    [name for name in %s if has(name)],
]))
"""

_DIGESTS = """
import sys, os, json, hashlib
def walk(path):
    for entry in os.ilistdir(path):
        full = path + "/" + entry[0]
        if entry[1] & 0x4000:
            walk(full)
        else:
            h = hashlib.sha256()
            with open(full, "rb") as file:
                while True:
                    data = file.read(512)
                    if not data:
                        break
                    h.update(data)
            print(json.dumps([full, h.digest().hex()]))
for path in %s:
    try:
        os.stat(path)
    except OSError:
        continue
    walk(path)
"""


class NotBare(Exception):
    """No REPL answers at this port."""


def mpremote(port: str, *arguments: str, resume: bool = True) -> str:
    """What `mpremote connect PORT …` prints; BoardError with its last line when it fails.

    `resume`: go on in the running REPL, without the soft reset that a new talk begins with.
    """
    command = [sys.executable, "-m", "mpremote", "connect", port]
    if resume:
        command.append("resume")
    try:
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise BoardError("the board stopped answering: check the cable, then try again") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no answer"]
        raise BoardError(f"the board does not do as it is told: {lines[-1]}")
    return done.stdout


def look(port: str, modules: tuple[str, ...] = ()) -> Bare:
    """What the board at `port` is; NotBare when no REPL answers."""
    try:
        with serial.Serial(port, 115200, timeout=0.1) as stream:
            # Asked first: mpremote waits for ever for a pseudo-terminal that is silent.
            if not has_repl(stream):
                raise NotBare("no REPL answers at this port")
    except serial.SerialException as error:
        raise NotBare(f"the port cannot be opened: {error}") from error
    try:
        said = mpremote(port, "exec", _LOOK % (list(modules),), resume=False)
    except BoardError as error:
        raise NotBare(str(error)) from error
    try:
        platform, machine, version, free, size, found = json.loads(said.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise NotBare("the REPL answers, but not as MicroPython does") from None
    return Bare(platform, machine, tuple(version), free, size, tuple(found))


def digests(port: str, folders: list[str]) -> dict[str, str]:
    """{path: SHA-256 in hex} of every file under these folders, as the board computes it."""
    said = mpremote(port, "exec", _DIGESTS % (folders,))
    return dict(json.loads(line) for line in said.splitlines() if line.startswith("["))


def put(port: str, folder: Path, progress: Callable[[int, int], None]) -> None:
    """Bring `folder` with all that is in it to the board's root, and compare it there.

    What is on the board already, byte for byte, is not sent again. `progress(done, total)` counts
    files. BoardError when a file cannot be brought, differs there, or is there and not here.
    """
    wanted = {
        f"/{path.relative_to(folder.parent).as_posix()}": hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    have = digests(port, [f"/{folder.name}"])
    if have != wanted:
        for number, _ in enumerate(_copying(port, folder)):
            progress(min(number, len(wanted)), len(wanted))
        have = digests(port, [f"/{folder.name}"])
    progress(len(wanted), len(wanted))
    for path in sorted(wanted.keys() | have.keys()):
        if path not in have:
            raise BoardError(f"{path} did not arrive on the board: try again")
        if path not in wanted:
            raise BoardError(f"{path} is on the board and not of this release: erase the board")
        if have[path] != wanted[path]:
            raise BoardError(f"{path} is not the same on the board: its flash is worn, change it")


def put_file(port: str, path: Path, target: str) -> None:
    """One file, compared on the board."""
    mpremote(port, "fs", "cp", str(path), ":" + target)
    said = mpremote(port, "fs", "sha256sum", ":" + target)
    if hashlib.sha256(path.read_bytes()).hexdigest() not in said:
        raise BoardError(f"{target} is not the same on the board: its flash is worn, change it")


def _copying(port: str, folder: Path) -> Iterator[str]:
    """mpremote's lines while it copies, one a file."""
    command = [sys.executable, "-m", "mpremote", "connect", port, "resume"]
    with subprocess.Popen(
        [*command, "fs", "cp", "-r", str(folder), ":/"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        last = ""
        for line in process.stdout:
            last = line.strip() or last
            yield last
    if process.returncode:
        raise BoardError(f"the board does not take its software: {last}; check the cable")


def start(stream: Stream) -> None:
    """Soft-reset the board out of its REPL, so that boot.py and main.py run."""
    stream.write(b"\r\x03\x03\x02")  # Ctrl-C: end what runs; Ctrl-B: the friendly REPL
    time.sleep(0.3)
    stream.write(b"\x04")  # Ctrl-D


def has_repl(stream: Stream, patience: float = 2.0) -> bool:
    """True when Ctrl-C and Ctrl-A bring out a raw REPL, as on a board that is not sealed."""
    stream.write(b"\r\x03\x03\x01")
    deadline, seen = time.monotonic() + patience, b""
    while time.monotonic() < deadline and b"raw REPL" not in seen:
        seen += stream.read(256)
    return b"raw REPL" in seen
