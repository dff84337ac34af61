"""A release in its folder: what it says, who signed it, and the way onto a kit.

    statement-<kid>.cbor    a releaser's COSE_Sign1 over the release (record kind 40), two of them

The folder is judged by the kit's own code (firmware.release); the time of issue is the first
signer's, and the second signs the same payload, so both can build for themselves and compare.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware import cbor, record
from firmware import release as on_kit
from firmware.slots import DAMAGED
from host_tools.provision import keys
from host_tools.provision.link import KitError, Link, LinkError
from host_tools.provision.release_build import Release, ReleaseError, list_files, parse_version
from host_tools.provision.roster import RosterError, load_roster

PIECE = 3000  # bytes; in hex and with its name well below the cable's longest line
_TRIES = 3  # times that a file which the kit found altered is sent again


def load(folder: Path) -> Release:
    """The release in `folder`, every file of which is as its list says; ReleaseError names one."""
    try:
        data = (folder / "files.cbor").read_bytes()
        said: Any = json.loads((folder / "release.json").read_text())
        files: Any = cbor.decode(data)
        release = Release(said["board"], parse_version(said["version"]), files)
        size = release.size
    except OSError as error:
        raise ReleaseError(f"{error.filename}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ReleaseError(f"{folder}: is not a release: build it anew") from error
    have = list_files(folder)
    if have != files:
        odd = [row for row in have if row not in files] + [row for row in files if row not in have]
        raise ReleaseError(f"{odd[0][0] if odd else folder}: is not as in the list of files")
    rows = {name: {"size": length, "sha256": digest.hex()} for name, length, digest in files}
    about = (said.get("files"), said.get("size"), said.get("files_sha256"))
    if about != (rows, size, release.digest.hex()):
        raise ReleaseError("release.json: is not as the list of files")
    return release


def statements(folder: Path) -> list[bytes]:
    """The statements in `folder`, by name."""
    return [path.read_bytes() for path in sorted(folder.glob("statement-*.cbor"))]


def sign(folder: Path, key: keys.SoftwareKey, now: Callable[[], float] = time.time) -> Path:
    """Add the statement of `key`; the second one says the same as the first, its time too."""
    release = load(folder)
    held = [_parsed(data) for data in statements(folder)]
    if len(held) > 1:
        raise ReleaseError(f"{folder}: has two statements, which is all that a kit takes")
    path = folder / f"statement-{key.kid().hex()}.cbor"
    if path.exists() or any(entry.kid == key.kid() for entry in held):
        raise ReleaseError(f"{path.name}: this key has signed already; another releaser has to")
    payload = _payload(release, held[0].payload[3] if held else int(now()))
    if held and held[0].payload != payload:
        raise ReleaseError(f"{folder}: the first statement is over another release")
    data = record.assemble(payload, key.kid(), key.sign)
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.rename(draft, path)
    return path


def _payload(release: Release, issued: int) -> list:
    head = [record.RELEASE, release.version, release.board, issued]
    return [*head, release.digest, release.size]


def _parsed(data: bytes) -> record.Entry:
    try:
        return record.parse(data)
    except record.RecordError as error:
        raise ReleaseError(f"a statement cannot be read: {error.text}") from error


def releasers(path: Path, authority_key: bytes) -> list[bytes]:
    """The 64 B keys that the authority's roster names as releasers (record kind 38)."""
    try:
        return load_roster(path, authority_key).releasers
    except RosterError as error:
        raise ReleaseError(str(error)) from error


def verify(folder: Path, roster: list[bytes]) -> Release:
    """The release, if a kit with this roster would take it on its board; ReleaseError says why not.

    The same checks as on the kit, by the same code, on the files as they lie here.
    """
    release = load(folder)
    signed = statements(folder)
    if len(signed) != 2:
        raise ReleaseError(f"{folder}: has {len(signed)} of two statements: let a releaser sign")
    try:
        before_all = [-1, 0, 0]
        payload = on_kit.check_statements(signed, roster, keys.verify, release.board, before_all)
        on_kit.check_files(release.data, payload)
    except (on_kit.ReleaseError, record.RecordError) as error:
        raise ReleaseError(f"{folder}: {error.text}") from error
    if payload[1] != release.version:
        raise ReleaseError("release.json: names another version than the statements")
    return release


def send(link: Link, folder: Path, progress: Callable[[int, int], None]) -> list[int]:
    """Bring the release onto the kit and put it on trial; [major, minor, patch].

    `progress(bytes there, bytes in all)`. After a pulled cable call it again: the kit says what it
    has. Raises ReleaseError, KitError, LinkError.
    """
    release = load(folder)
    signed = statements(folder)
    if len(signed) != 2:
        raise ReleaseError(f"{folder}: has {len(signed)} of two statements: let a releaser sign")
    for left in reversed(range(_TRIES)):
        _bring(link, folder, release, signed, progress)
        try:
            return _answer(link, "INSTALL", None)
        except KitError as error:
            if error.code != DAMAGED or not left:
                raise
    raise AssertionError("not reached")


def _bring(link, folder, release, signed, progress) -> None:
    held = _answer(link, "RELEASE", signed)
    data, at = release.data, 0
    while not isinstance(held, list):
        held = _answer(link, "FILES", [len(data), at, data[at : at + PIECE]])
        if not isinstance(held, list):
            at = _further(held, at)
    if len(held) != len(release.files):
        raise LinkError("the kit's answer does not fit the release: check the cable")
    done = sum(held)
    for (name, size, _), start in zip(release.files, held, strict=True):
        content, at = (folder / name).read_bytes(), start
        while at < size:
            progress(done, release.size)
            now = _further(_answer(link, "PIECE", [name, at, content[at : at + PIECE]]), at)
            done += now - at
            at = now
    progress(done, release.size)


def _further(now: Any, before: int) -> int:
    """What the kit has now; LinkError when that is no progress."""
    if not isinstance(now, int) or now <= before:
        raise LinkError("the kit takes nothing more of the release: start the transfer again")
    return now


def _answer(link: Link, verb: str, argument: Any) -> Any:
    said = link.request(verb, b"" if argument is None else cbor.encode(argument))
    try:
        return cbor.decode(said)
    except cbor.CborError as error:
        raise LinkError("the kit's answer is damaged: check the cable") from error
