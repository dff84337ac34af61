"""A folder of signed packages, and whether all of it is there as it was signed.

    DIR/202411/packages.json                    the index, signed; written last
    DIR/202411/1607/160701/packages.sha256      as `sha256sum -c` reads it
    DIR/202411/1607/160701/package-202411-1607012001001.cbor

The index lists the folders with the SHA-256 of their packages.sha256. Its signature is ES256 by the
authority's signing key over _CONTEXT and the rest of the index as JSON with sorted keys and without
spaces. Without an index the folder is unfinished, whatever else lies in it.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from firmware import record
from host_tools.provision import keys
from host_tools.provision.package import PackageError, file_name
from host_tools.provision.tables import Problems
from host_tools.provision.template import sign

LOCK = ".lock"  # of the run that signs into the folder; stays there
INDEX, LISTING = "packages.json", "packages.sha256"
FORMAT = "saksi-packages/1"
PART = ".part"  # a file on its way
_CONTEXT = b"saksi packages.json\n"
_OURS = re.compile(r"package-[0-9]+-[0-9]{13}\.cbor(\.part)?")
_LINE = re.compile(r"([0-9a-f]{64})  (package-[0-9]+-[0-9]{13}\.cbor)\n")


@dataclass(frozen=True)
class Index:
    """What packages.json says. `folders`: {"1607/160701": [packages, SHA-256 of the listing]}."""

    election: int
    version: int
    issued: int
    packages: int
    folders: dict[str, list]

    @property
    def digest(self) -> str:
        """SHA-256 over all packages: over the lines `folder SHA-256`, sorted."""
        lines = (f"{name} {row[1]}\n" for name, row in sorted(self.folders.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def body(self) -> dict[str, Any]:
        """All of it but the signature, as JSON has it."""
        return {"format": FORMAT, **asdict(self), "digest": self.digest}


def folder_of(station: int) -> str:
    """The folder of a station's package, by regency and subdistrict: "1607/160701"."""
    code = f"{station:013d}"
    return f"{code[:4]}/{code[:6]}"


def path_of(root: Path, election: int, station: int) -> Path:
    """Where a package lies in a folder of packages."""
    return root / str(election) / folder_of(station) / file_name(election, station)


def inside(root: Path) -> list[Path]:
    """The folders in `root` into which packages were signed, finished or not."""
    found = (path.parent for name in (LOCK, INDEX) for path in root.glob(f"*/{name}"))
    return sorted(set(found))


def is_ours(name: str) -> bool:
    """True for the names that are written here, finished or not."""
    return bool(_OURS.fullmatch(name)) or name in (LISTING, LISTING + PART)


def replace(path: Path, data: bytes) -> None:
    """Replace a file whole; without fsync, since the index comes after one sync of everything."""
    draft = path.with_name(path.name + PART)
    draft.write_bytes(data)
    draft.replace(path)


def _digest(body: dict[str, Any]) -> bytes:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(_CONTEXT + text.encode()).digest()


def write_index(folder: Path, index: Index, key: keys.SoftwareKey) -> None:
    """Sign and write the index durably, after everything that it lists."""
    body = index.body()
    signed = {**body, "kid": key.kid().hex(), "signature": sign(key, _digest(body)).hex()}
    os.sync()  # hundreds of thousands of files at once; fsync of each would take an hour
    draft = folder / (INDEX + PART)
    with draft.open("w") as file:
        json.dump(signed, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / INDEX)
    sync_folder(folder)


def remove_index(folder: Path) -> None:
    """From here on the folder is unfinished."""
    (folder / INDEX).unlink(missing_ok=True)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_index(folder: Path, authority: bytes) -> Index:
    """The verified index of DIR/<election>; `authority`: 64 B key. Raises PackageError."""
    path = folder / INDEX
    try:
        said = json.loads(path.read_bytes())
        signature, kid = bytes.fromhex(said.pop("signature")), said.pop("kid")
    except FileNotFoundError as error:
        text = f"{path}: is missing, the packages are not finished: run `saksi provision package`"
        raise PackageError(text) from error
    except OSError as error:
        raise PackageError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackageError(f"{path}: not an index of packages") from error
    if kid != record.kid_of(authority).hex():
        raise PackageError(f"{path}: signed by key {kid}, which is not this authority's")
    if not keys.verify(authority, _digest(said), signature):
        raise PackageError(f"{path}: the authority's signature is wrong: the index was altered")
    index = Index(**{name: said[name] for name in Index.__dataclass_fields__})
    if index.body() != said:
        raise PackageError(f"{path}: an index of another version of saksi")
    return index


def leftovers(folder: Path, index: Index, wanted: bool = False) -> Iterator[Path]:
    """Packages, drafts and listings that lie in `folder` and outside the folders of the index.

    `wanted`: those inside them too that the listings do not name.
    """
    for place, _, names in os.walk(folder):
        inside = Path(place).relative_to(folder).as_posix()
        listed = _listed(Path(place))[1] if inside in index.folders else {}
        for name in names:
            if inside in index.folders and (not wanted or name in listed or name == LISTING):
                continue
            if is_ours(name):
                yield Path(place) / name


def _listed(folder: Path) -> tuple[bytes, dict[str, str]]:
    """(bytes, {file name: SHA-256}) of a listing; empty when there is none that can be read."""
    try:
        raw = (folder / LISTING).read_bytes()
        return raw, {name: digest for digest, name in _LINE.findall(raw.decode("ascii"))}
    except (OSError, UnicodeDecodeError):
        return b"", {}


def listing(packages: dict[str, str]) -> bytes:
    """The bytes of packages.sha256 for {file name: SHA-256}."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(packages.items())).encode()


def check(
    folder: Path, authority: bytes, done: Callable[[int], None] = lambda n: None
) -> tuple[Index, Problems]:
    """Compare every package in DIR/<election> with the signed index: (index, faults found).

    `done(n)` is told of n packages more. Raises PackageError when there is no index to go by.
    """
    index, problems = read_index(folder, authority), Problems()
    for name, (count, wanted) in sorted(index.folders.items()):
        place = folder / name
        raw, listed = _listed(place)
        if hashlib.sha256(raw).hexdigest() != wanted or len(listed) != count:
            problems.add(f"{place / LISTING}", "is missing or was altered")
        for file, digest in listed.items():
            try:
                found = hashlib.sha256((place / file).read_bytes()).hexdigest()
            except OSError as error:
                problems.add(f"{place / file}", f"cannot be read ({error.strerror})")
                continue
            if found != digest:
                problems.add(f"{place / file}", "was altered: not the package that was signed")
        done(count)
    for path in leftovers(folder, index, wanted=True):
        problems.add(f"{path}", "does not belong to these packages")
    return index, problems
