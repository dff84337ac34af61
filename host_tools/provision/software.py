"""What is laid onto a bare board: a release in its first slot, the slots' state, the starter."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firmware import cbor, starter
from host_tools.provision import release as releases

FIRST = starter.SLOTS[0]
STARTER = Path(starter.__file__)


@dataclass(frozen=True)
class Software:
    """`slot`: a folder that is called as the board's first slot, `state`: the file of the slots.

    `size` in bytes. `install(port)` brings the parts of micropython-lib that a board lacks.
    """

    board: str
    version: str
    slot: Path
    state: Path
    size: int
    install: Callable[[str], None] | None = None


def prepare(
    folder: Path,
    releasers: list[bytes],
    scratch: Path,
    install: Callable[[str], None] | None = None,
) -> Software:
    """Lay out the release in `folder` below `scratch`; ReleaseError unless it is signed."""
    release = releases.verify(folder, releasers)
    slot = scratch / FIRST
    for name, _, _ in release.files:
        (slot / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, slot / name)
    held = cbor.encode([releases.statements(folder), release.files])
    (slot / "release.cbor").write_bytes(held)
    starter.store(str(scratch), [FIRST, None, "", False, None])
    version = ".".join(map(str, release.version))
    state = scratch / "slots"
    return Software(release.board, version, slot, state, release.size + len(held), install)
