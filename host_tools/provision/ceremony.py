"""The key ceremony: makes the authority's keys and certificates in an empty folder, and its log.

Nothing here ever overwrites: a key that is lost is lost, and a second ceremony gets a new folder.
"""

import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from host_tools.provision import profile
from host_tools.provision.keys import SoftwareKey

PEM = serialization.Encoding.PEM
Certify = Callable[[SoftwareKey], x509.Certificate]


def write_new(path: Path, data: bytes, mode: int) -> None:
    """A whole new file with these rights; FileExistsError if there is one, never half a file."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    finally:
        draft.unlink()


def log_line(folder: Path, when: datetime, what: str, certificate: x509.Certificate | None) -> None:
    """Append `when, what, fingerprint` to the ceremony log."""
    fingerprint = (
        "-" if certificate is None else f"sha256:{certificate.fingerprint(hashes.SHA256()).hex()}"
    )
    text = re.sub(r"[\r\n\t]", " ", what)
    with (folder / "ceremony.log").open("a", encoding="utf-8") as file:
        file.write(f"{when:%Y-%m-%dT%H:%M:%SZ}\t{text}\t{fingerprint}\n")
        file.flush()
        os.fsync(file.fileno())


class Ceremony:
    """One ceremony in one folder. `passphrase` None leaves the keys unencrypted, and says so."""

    def __init__(self, folder: Path, passphrase: bytes | None, clock: Callable[[], datetime]):
        self.folder, self.passphrase, self.clock = folder, passphrase, clock
        self.protection = (
            serialization.BestAvailableEncryption(passphrase)
            if passphrase
            else serialization.NoEncryption()
        )

    def hold(self, region: int, region_name: str) -> None:
        """Root, regional CA, signing key, collector key, in this order."""
        (self.folder / "offline").mkdir(parents=True)
        (self.folder / "issued").mkdir()
        root_key, root_certificate = self._make("root", "root key", self._self_signed, "offline/")
        root = profile.Issuer(root_key, root_certificate, self.clock())

        def regional(key: SoftwareKey) -> x509.Certificate:
            name = f"Saksi {region} {region_name}"
            return profile.authority_certificate(name, 0, key, root)

        self._make(f"region-{region}", f"CA of region {region}", regional)
        for service in ("signing", "collector"):

            def certify(key: SoftwareKey, service=service) -> x509.Certificate:
                return profile.service_certificate(service, key, root)

            self._make(service, f"{service} key", certify)

    def _self_signed(self, key: SoftwareKey) -> x509.Certificate:
        issuer = profile.Issuer(key, None, self.clock())
        return profile.authority_certificate("Saksi root", 1, key, issuer)

    def _make(self, name: str, what: str, certify: Certify, place: str = ""):
        key = SoftwareKey.generate()
        certificate = certify(key)
        pem = key.private.private_bytes(PEM, serialization.PrivateFormat.PKCS8, self.protection)
        write_new(self.folder / f"{place}{name}.key.pem", pem, 0o600)
        write_new(self.folder / f"{name}.cert.pem", certificate.public_bytes(PEM), 0o644)
        how = "encrypted with a passphrase" if self.passphrase else "NOT encrypted"
        log_line(self.folder, self.clock(), f"{what} made, {how}", certificate)
        return key, certificate
