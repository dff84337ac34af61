"""Sources of several versions, releasers with real keys, and a kit's cable without a kit."""

import os
import shutil
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from firmware import record, serial_link
from firmware.release import Releases
from firmware.slots import Slots
from host_tools.provision import keys, release, release_build

ROOT = Path(__file__).parents[3]
FIRST, SECOND, STRANGER = (keys.SoftwareKey.generate() for _ in range(3))
ROSTER = [FIRST.public_key(), SECOND.public_key()]
NOW = 1_700_000_000


def sources(folder: Path, version: str) -> Path:
    """A copy of the firmware that says it is this version."""
    shutil.copytree(ROOT / "firmware", folder / "firmware", ignore=shutil.ignore_patterns("__pyc*"))
    path = folder / "firmware/__init__.py"
    path.write_text(path.read_text().replace("saksi 0.1.0", f"saksi {version}"))
    return folder


def built(folder: Path, version: str, signers=(FIRST, SECOND)) -> Path:
    """A signed release of the virtual kit's firmware."""
    out = folder / f"release-{version}"
    release_build.build("virtual", version, out, sources(folder / f"source-{version}", version))
    for key in signers:
        release.sign(out, key, now=lambda: NOW)
    return out


def key_file(folder: Path, name: str, key: keys.SoftwareKey) -> Path:
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = folder / f"{name}.key.pem"
    path.write_bytes(key.private.private_bytes(*pem, serialization.NoEncryption()))
    return path


TECHNICIAN = ["TEKNISI CONTOH", keys.SoftwareKey.generate().public_key()]


def roster_file(folder: Path, authority, releasers=ROSTER) -> Path:
    """A roster that the authority signed (record kind 38)."""
    payload = [record.ROSTER, 1, 1607, NOW, NOW + 86400, [TECHNICIAN], list(releasers)]
    path = folder / "roster.cbor"
    signer = authority.signing
    path.write_bytes(record.assemble(payload, signer.kid(), signer.sign))
    return path


def content(folder: Path) -> dict[str, bytes]:
    """{name: bytes} of every file below a folder."""
    names = (Path(top) / name for top, _, found in os.walk(folder) for name in found)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in names}


class Unplugged(Exception):
    """The cable was pulled."""


class Cable:
    """A kit's end of the cable, line by line as firmware.serial_link answers them.

    The cable is pulled at request number `pulled_at`: before the kit reads it, or, when `late`,
    after it acted and before the answer is through.
    """

    def __init__(self, root: Path, roster=ROSTER, pulled_at: int = 0, late: bool = False):
        self.verbs = Releases(Slots(str(root)), "virtual", roster, keys.verify)
        self.pulled_at, self.late = pulled_at, late
        self.requests = 0
        self.longest = 0
        self._out = b""

    def write(self, data: bytes) -> None:
        self.requests += 1
        if self.requests == self.pulled_at and not self.late:
            raise Unplugged
        assert data.endswith(b"\n") and data.count(b"\n") == 1
        self.longest = max(self.longest, len(data))
        self._out += serial_link.answer(data[:-1], self.verbs.handlers())[0]
        if self.requests == self.pulled_at:
            raise Unplugged

    def read(self, size: int = 1) -> bytes:
        data, self._out = self._out[:size], self._out[size:]
        return data
