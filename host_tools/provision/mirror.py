"""The micropython-lib packages that a board is given, kept in a folder for places without internet.

`firmware/mip.lock.json` names each package, its version and the SHA-256 of its files. They come
from an index that speaks mip's protocol (micropython-lib's tools/build.py writes one):

    INDEX/package/py/<name>/<version>.json    {"v": 1, "version", "hashes": [[path, prefix]…]}
    INDEX/file/<first two digits>/<prefix>    the file; prefix: hex digits of its SHA-256

and go onto a board by `mpremote mip install FOLDER/package.json`, whose "urls" are paths here.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from host_tools.provision.release_build import SOURCE

LOCK = SOURCE / "firmware/mip.lock.json"
PACKAGE = "package.json"
_PREFIX = 8  # hex digits that an index names a file by, at least
_PATH = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*\.py")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LARGEST = 65536  # bytes of an index's answer about a package


class MirrorError(Exception):
    """A mirror, an index or a board is not as the lock file says; one line."""


class CannotMirror(Exception):
    """The index or the board cannot be reached, or the folder is in the way; one line."""


@dataclass(frozen=True)
class Pinned:
    """One file of a package as the lock names it."""

    package: str
    version: str
    path: str
    size: int
    sha256: str

    @property
    def place(self) -> str:
        """Where it lies in the mirror's folder."""
        return f"{self.package}/{self.path}"


def read_lock(path: Path = LOCK) -> tuple[str, list[Pinned]]:
    """(index, files) of a lock file; MirrorError when it is not exactly of its form."""
    try:
        said: Any = json.loads(path.read_text())
        files = [
            Pinned(package["name"], package["version"], name, file["size"], file["sha256"])
            for package in said["packages"]
            for name, file in package["files"].items()
        ]
        good = all(
            _NAME.fullmatch(f.package)
            and re.fullmatch(r"[0-9][0-9A-Za-z.-]*", f.version)
            and _PATH.fullmatch(f.path)
            and _DIGEST.fullmatch(f.sha256)
            and type(f.size) is int
            for f in files
        )
        index = str(said["index"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MirrorError(f"{path}: is not a lock file") from error
    if not files or not good or len({f.path for f in files}) != len(files):
        raise MirrorError(f"{path}: is not a lock file")
    return index, files


def fill(folder: Path, index: str, files: list[Pinned]) -> None:
    """Fetch every file into the new folder, which appears when all are as locked, else not at all.

    Nothing is followed: a redirect, a package that wants others, another file is refused.
    """
    if folder.exists():
        raise CannotMirror(f"{folder}: exists; a mirror is filled once (look at it with --check)")
    base = index.rstrip("/")
    with httpx.Client(follow_redirects=False, timeout=30) as client:
        prefixes: dict[str, str] = {}
        for package in dict.fromkeys((f.package, f.version) for f in files):
            prefixes |= _agree(
                client, base, [f for f in files if (f.package, f.version) == package]
            )
        content = {f.place: _fetch(client, base, f, prefixes[f.path]) for f in files}
    content[PACKAGE] = manifest(files)
    draft = folder.with_name(folder.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        for name, data in content.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        os.rename(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def manifest(files: Iterable[Pinned]) -> bytes:
    """The package.json that mpremote installs from: every file by its path beside it."""
    urls = [[f.path, f.place] for f in files]
    return (json.dumps({"v": 1, "urls": urls, "version": "1"}, indent=2) + "\n").encode()


def _agree(client: httpx.Client, base: str, files: list[Pinned]) -> dict[str, str]:
    """{path: the index's name for it} of a package that is exactly the locked files."""
    name, version = files[0].package, files[0].version
    data = _get(client, f"{base}/package/py/{name}/{version}.json", _LARGEST)
    try:
        said: Any = json.loads(data)
        hashes = {path: prefix for path, prefix in said["hashes"]}
        others = said.get("urls") or said.get("deps")
        agreed = (
            said["version"] == version and not others and set(hashes) == {f.path for f in files}
        )
        for file in files:
            prefix = hashes.get(file.path, "")
            agreed = agreed and len(prefix) >= _PREFIX and file.sha256.startswith(prefix)
    except (ValueError, KeyError, TypeError, AttributeError):
        agreed, hashes = False, {}
    if not agreed:
        raise MirrorError(f"{name} {version}: the index has other files than the lock file")
    return hashes


def _fetch(client: httpx.Client, base: str, file: Pinned, prefix: str) -> bytes:
    data = _get(client, f"{base}/file/{prefix[:2]}/{prefix}", file.size)
    if len(data) != file.size or hashlib.sha256(data).hexdigest() != file.sha256:
        raise MirrorError(f"{file.place}: is not the locked file; nothing was kept")
    return data


def _get(client: httpx.Client, url: str, most: int) -> bytes:
    """The body of `url`, of which no more than `most` + 1 bytes are read."""
    try:
        with client.stream("GET", url) as response:
            if response.is_redirect:
                to = response.headers.get("location", "nowhere")
                raise MirrorError(f"{url}: leads elsewhere ({to}), which is not followed")
            if response.status_code != httpx.codes.OK:
                raise CannotMirror(f"{url}: the index answers {response.status_code}")
            data = b""
            for piece in response.iter_bytes(4096):
                data += piece
                if len(data) > most:
                    raise MirrorError(f"{url}: is longer than it may be")
            return data
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = str(error) or type(error).__name__
        raise CannotMirror(f"{url}: cannot be fetched ({why})") from error


def check(folder: Path, files: list[Pinned]) -> None:
    """MirrorError names the first thing in which the folder is not as the lock file says."""
    wanted = {f.place: f.sha256 for f in files}
    wanted[PACKAGE] = hashlib.sha256(manifest(files)).hexdigest()
    for name, digest in wanted.items():
        try:
            data = (folder / name).read_bytes()
        except OSError as error:
            raise MirrorError(f"{folder / name}: cannot be read ({error.strerror})") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise MirrorError(f"{folder / name}: is not as in the lock file")
    for path in sorted(folder.rglob("*")):
        if not path.is_dir() and path.relative_to(folder).as_posix() not in wanted:
            raise MirrorError(f"{path}: does not belong in the mirror")


def run_mpremote(arguments: list[str]) -> str:
    """What `python -m mpremote ARGUMENTS` printed; CannotMirror with its last line if it failed."""
    command = [sys.executable, "-m", "mpremote", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise CannotMirror(f"mpremote: {lines[-1] if lines else 'failed'}")
    return done.stdout


def install(
    port: str,
    folder: Path,
    run: Callable[[list[str]], str] = run_mpremote,
    *,
    target: str = "/lib",
    files: list[Pinned] | None = None,
) -> list[str]:
    """Put the mirror's packages onto the board at `port`; the paths there, read back and compared.

    `run(arguments)` is mpremote: what it printed, or an exception. `files`: the repository's lock.
    """
    files = read_lock()[1] if files is None else files
    check(folder, files)
    source = str((folder / PACKAGE).resolve())
    if "@" in source:
        raise CannotMirror(f"{folder}: mpremote takes no path with @: move the folder")
    run(["connect", port, "mip", "install", "--target", target, source])
    places = []
    for file in files:
        place = f"{target}/{file.path}"
        said = run(["connect", port, "fs", "sha256sum", f":{place}"])
        if _DIGEST.findall(said) != [file.sha256]:
            raise MirrorError(f"{place}: on the board is not the locked file; install it again")
        places.append(place)
    return places
