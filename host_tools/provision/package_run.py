"""Signs the packages of a whole election into a folder, by several processes.

Everything is checked before the first signature. An interrupted run leaves no index; the next one,
given the same --issued, keeps what is there byte for byte and replaces the rest.

The signing key goes to the other processes through a pipe, once each; it is on no command line, in
no environment and in no file. Signatures are RFC 6979's: no process draws a nonce.
"""

import fcntl
import hashlib
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from firmware import cbor, record
from host_tools.provision import package_folder as folders
from host_tools.provision.authority import Authority
from host_tools.provision.election import Election
from host_tools.provision.keys import SoftwareKey
from host_tools.provision.package import (
    LONGEST,
    PackageError,
    content_of,
    file_name,
    verify_package,
)
from host_tools.provision.stations import Station
from host_tools.provision.template import Frame, Template
from host_tools.provision.token import TokenKey

FEW = 5000  # packages that are signed sooner than another process has started
_AHEAD = 4  # folders a process that wait in its queue
_FRAME = 92  # bytes around a payload, at most: 83 and the head of its length
_VARIES = 64  # bytes by which packages of one village and the same contests differ, at most


class _Signer:
    """What a process needs: the key and the templates. Made once in each."""

    def __init__(self, key: SoftwareKey, election: int, templates: dict[tuple, Template]):
        self.public, self.frame = key.public_key(), Frame(key)
        self.election, self.templates = election, templates

    def folder(self, place: Path, stations: list[Station]) -> tuple[int, str]:
        """Write the packages of one folder and its listing: (packages, SHA-256 of the listing).

        A new folder gets its name when all is in it; in an old one file by file is replaced.
        """
        new = not place.exists()
        final, place = place, place.with_name(place.name + folders.PART) if new else place
        place.mkdir(parents=True, exist_ok=True)
        there = set(os.listdir(place))
        put = Path.write_bytes if new else folders.replace
        digests: dict[str, str] = {}
        for station in stations:
            name = file_name(self.election, station.code)
            data = self.frame.around(self.templates[tuple(sorted(station.dpt))].payload(station))
            if not digests:
                verify_package(data, self.public, self.election, station.code)
            digests[name] = hashlib.sha256(data).hexdigest()
            if name not in there or (place / name).read_bytes() != data:
                put(place / name, data)
        for name in there - digests.keys() - {folders.LISTING}:
            if folders.is_ours(name):
                (place / name).unlink(missing_ok=True)  # a draft may just have been used
        data = folders.listing(digests)
        put(place / folders.LISTING, data)
        if new:
            place.rename(final)
        return len(digests), hashlib.sha256(data).hexdigest()


_signer: _Signer | None = None


def _begin(secret: bytes, election: int, templates: dict[tuple, Template]) -> None:
    global _signer  # noqa: PLW0603 - a process of the pool has one
    key = serialization.load_der_private_key(secret, None)
    _signer = _Signer(SoftwareKey(key), election, templates)  # type: ignore[arg-type]


def _folder(place: Path, stations: list[Station]) -> tuple[int, str]:
    assert _signer is not None
    return _signer.folder(place, stations)


def sign_all(
    election: Election,
    issued: int,
    authority: Authority,
    out: Path,
    *,
    processes: int | None = None,
    done: Callable[[int], None] = lambda n: None,
) -> folders.Index:
    """Sign a package for every station into `out`/<election>; the index of what is there then.

    `done(n)` is told of n packages more. Raises PackageError, OSError: there is no index then.
    """
    templates = _templates(election, issued, authority)
    root = out / str(election.number)
    root.mkdir(parents=True, exist_ok=True)
    with _lock(root):
        _check_older(root, election, issued, authority)
        folders.remove_index(root)
        shares: dict[str, list[int]] = {}
        for code in sorted(election.stations):
            shares.setdefault(folders.folder_of(code), []).append(code)
        work = (
            (name, root / name, [election.stations[code] for code in codes])
            for name, codes in shares.items()
        )
        if isinstance(authority.signing.private, TokenKey):
            processes = 1  # a token's key goes to no other process
        if processes is None:
            cores = len(os.sched_getaffinity(0))
            processes = min(cores, -(-len(election.stations) // FEW))
        signer = (authority.signing, election.number, templates)
        run = _here(*signer, work) if processes < 2 else _pool(*signer, work, processes)
        made: dict[str, list] = {}
        for name, (count, digest) in run:
            made[name] = [count, digest]
            done(count)
        total = sum(row[0] for row in made.values())
        index = folders.Index(election.number, election.version, issued, total, made)
        for path in folders.leftovers(root, index):
            path.unlink()
        folders.write_index(root, index, authority.signing)
    return index


def _templates(election: Election, issued: int, authority: Authority) -> dict[tuple, Template]:
    """A template for each set of contests, all stations measured; PackageError."""
    collector = authority.collector.public_key()
    first = (election.version, election.number)
    templates: dict[tuple, Template] = {}
    measured: dict[tuple, tuple[object, int]] = {}
    for station in map(election.stations.__getitem__, election.stations):
        contests = tuple(sorted(station.dpt))
        if contests not in templates:
            content = content_of(election, station.code, collector)
            made = templates[contests] = Template(first, issued, content)
            head = [record.PACKAGE, *first, station.code, issued]
            if made.payload(station) != cbor.encode([*head, content]):
                raise PackageError("the packages' template is wrong: report this, sign nothing")
        regions, size = measured.get(contests, (None, 0))
        if regions is not station.regions:
            size = len(templates[contests].payload(station)) + _FRAME
            measured[contests] = (station.regions, size)
        if size > LONGEST - _VARIES and _size(templates[contests].payload(station)) > LONGEST:
            raise PackageError(f"the package of {station.code:013d} is too big for the cable")
    return templates


def _size(payload: bytes) -> int:
    return _FRAME - 9 + len(cbor.head(2, len(payload))) + len(payload)


def _here(
    key: SoftwareKey, election: int, templates: dict[tuple, Template], work: Iterator
) -> Iterator[tuple[str, tuple[int, str]]]:
    signer = _Signer(key, election, templates)
    for name, place, stations in work:
        yield name, signer.folder(place, stations)


def _pool(
    key: SoftwareKey,
    election: int,
    templates: dict[tuple, Template],
    work: Iterator,
    processes: int,
) -> Iterator[tuple[str, tuple[int, str]]]:
    """The same by other processes; only a few folders wait at a time, so memory stays small."""
    secret = key.private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    waiting: deque[tuple[str, Future]] = deque()
    with ProcessPoolExecutor(
        processes,
        multiprocessing.get_context("spawn"),  # a fork would copy threads' locks as they stand
        _begin,
        (secret, election, templates),
    ) as pool:
        try:
            for name, place, stations in work:
                waiting.append((name, pool.submit(_folder, place, stations)))
                while len(waiting) > _AHEAD * processes:
                    first, result = waiting.popleft()
                    yield first, result.result()
            while waiting:
                first, result = waiting.popleft()
                yield first, result.result()
        except BrokenProcessPool as error:
            raise PackageError("a signing process was ended: run the same command again") from error
        finally:
            pool.shutdown(cancel_futures=True)


def _check_older(root: Path, election: Election, issued: int, authority: Authority) -> None:
    """What is complete already is replaced by newer packages only, as on the kits."""
    if not (root / folders.INDEX).exists():
        return
    held = folders.read_index(root, authority.signing.public_key())
    if (held.version, held.issued) > (election.version, issued):
        text = f"holds version {held.version}, issued {held.issued}: newer than these packages"
        raise PackageError(f"{root}: {text}; raise the version, or give another folder")


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    """One run a folder at a time."""
    with (root / folders.LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PackageError(f"{root}: another run signs into this folder") from error
        yield
