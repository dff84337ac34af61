"""Signed files of a region whose versions only grow: rosters, revocations.

The authority's folder keeps every version that it ever signed, so that the next number and the
list to go on from do not depend on what somebody kept elsewhere.
"""

import re
from pathlib import Path

from host_tools.provision.ceremony import write_new


class Series:
    """`<stem>-<region>-<version>.cbor` in `folder`, which may not exist yet."""

    def __init__(self, folder: Path, stem: str, region: int):
        self.folder, self.stem, self.region = folder, stem, region

    def name(self, version: int) -> str:
        """The file name of a version."""
        return f"{self.stem}-{self.region}-{version}.cbor"

    def latest(self) -> tuple[int, Path] | None:
        """(version, path) of the highest version, or None."""
        shape = re.compile(rf"{self.stem}-{self.region}-([1-9][0-9]*)\.cbor")
        names = (shape.fullmatch(path.name) for path in self.folder.glob("*.cbor"))
        versions = [int(found[1]) for found in names if found]
        if not versions:
            return None
        return max(versions), self.folder / self.name(max(versions))

    def add(self, version: int, data: bytes) -> Path:
        """Keep a new version; FileExistsError when it was signed already."""
        self.folder.mkdir(exist_ok=True)
        path = self.folder / self.name(version)
        write_new(path, data, 0o644)
        return path


def regions(folder: Path, stem: str) -> list[int]:
    """The regions that have a series of this stem in `folder`."""
    shape = re.compile(rf"{stem}-([1-9][0-9]*)-[1-9][0-9]*\.cbor")
    names = (shape.fullmatch(path.name) for path in folder.glob("*.cbor"))
    return sorted({int(found[1]) for found in names if found})
