"""One file of a pinned npm package: fetched once by npm itself, checked, kept in the user's cache.

The SHA-512 is written here, so whatever serves the package cannot change what is built.
"""

import base64
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path


class NpmError(Exception):
    """The package cannot be had; the text says what to do."""


@dataclass(frozen=True)
class Pinned:
    """A package by name, version and the SHA-512 (Base64) of its tarball."""

    name: str
    version: str
    sha512: str

    @property
    def file(self) -> str:
        """The tarball's name as npm gives it."""
        return f"{self.name}-{self.version}.tgz"


READER = Pinned(
    "zxing-wasm",
    "3.1.4",
    "1+v8p7sauddySVNG+ye7GD/0TS95BG2ycdkrC+EnBrFBFkHeIghzUt2yVjtx3NucJeNrQnhT8yGAIz60Vx9o0w==",
)


def cache() -> Path:
    """Where fetched packages are kept: $XDG_CACHE_HOME/saksi, else ~/.cache/saksi."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "saksi"


def tarball(pinned: Pinned, given: Path | None = None) -> bytes:
    """The package's bytes: from `given`, else from the cache, else by npm; NpmError."""
    if given is not None:
        return _checked(pinned, _read(given), given)
    kept = cache() / pinned.file
    if kept.exists():
        return _checked(pinned, _read(kept), kept)
    with tempfile.TemporaryDirectory() as folder:
        fetched = _fetch(pinned, Path(folder))
        data = _checked(pinned, _read(fetched), fetched)
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{kept.name}.{os.getpid()}")
        part.write_bytes(data)
        part.replace(kept)  # two builds at once must not read half a file
    return data


def member(data: bytes, path: str) -> bytes:
    """A file of the tarball, `path` as in the package; NpmError."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        try:
            file = tar.extractfile(f"package/{path}")
        except KeyError:
            file = None
        if file is None:
            raise NpmError(f"the package has no {path}")
        return file.read()


def _fetch(pinned: Pinned, folder: Path) -> Path:
    npm = shutil.which("npm")
    wanted = f"{pinned.name}@{pinned.version}"
    if npm is None:
        raise NpmError(f"no npm to fetch {wanted}: install npm, or give the file, --reader")
    command = [npm, "pack", wanted, "--silent", "--ignore-scripts", "--pack-destination", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    file = folder / pinned.file
    if done.returncode or not file.exists():
        said = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        raise NpmError(f"npm cannot fetch {wanted} ({said}): try again, or give it, --reader")
    return file


def _read(path: Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise NpmError(f"{path}: cannot be read ({error.strerror})") from error


def _checked(pinned: Pinned, data: bytes, path: Path) -> bytes:
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != pinned.sha512:
        raise NpmError(f"{path}: is not {pinned.name} {pinned.version} (SHA-512 differs)")
    return data
