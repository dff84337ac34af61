"""The key ceremony: makes the authority's keys and certificates in an empty folder, and its log.

A further region gets its CA later, when the root key comes out of its safe. Nothing here ever
overwrites: a key that is lost is lost, and a second ceremony gets a new folder.
"""

import os
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from host_tools.provision import profile
from host_tools.provision.key_reference import open_key
from host_tools.provision.keys import KeyFileError, SoftwareKey, load_public

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


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at `path`: the old file or the new one is there, never half."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate as the log and `authority show` write it."""
    return f"sha256:{certificate.fingerprint(hashes.SHA256()).hex()}"


def log_line(folder: Path, when: datetime, what: str, print_of: str | None) -> None:
    """Append `when, what, fingerprint` to the ceremony log."""
    text = re.sub(r"[\r\n\t]", " ", what)
    with (folder / "ceremony.log").open("a", encoding="utf-8") as file:
        file.write(f"{when:%Y-%m-%dT%H:%M:%SZ}\t{text}\t{print_of or '-'}\n")
        file.flush()
        os.fsync(file.fileno())


def protection(passphrase: bytes | None) -> serialization.KeySerializationEncryption:
    """How a key file with this passphrase is encrypted; None leaves it open."""
    if passphrase:
        return serialization.BestAvailableEncryption(passphrase)
    return serialization.NoEncryption()


def key_pem(key: SoftwareKey, passphrase: bytes | None) -> bytes:
    """The key in PKCS#8 PEM."""
    how = protection(passphrase)
    return key.private.private_bytes(PEM, serialization.PrivateFormat.PKCS8, how)


class Ceremony:
    """One ceremony in one folder. `passphrase` None leaves the keys unencrypted, and says so.

    `tokens`: {name: pkcs11: URI} of keys that are in a token already; the others are made here.
    """

    def __init__(
        self,
        folder: Path,
        passphrase: bytes | None,
        clock: Callable[[], datetime],
        tokens: Mapping[str, str] | None = None,
    ):
        self.folder, self.passphrase, self.clock = folder, passphrase, clock
        self.tokens = tokens or {}

    def hold(self, region: int, region_name: str) -> None:
        """Root, regional CA, signing key, collector key, in this order."""
        held = self._open_tokens()
        (self.folder / "offline").mkdir(parents=True)
        (self.folder / "issued").mkdir()
        root_key, root_certificate = self._make(
            "root", "root key", self._self_signed, held, "offline/"
        )
        root = profile.Issuer(root_key, root_certificate, self.clock())
        self._region(region, region_name, root, held)
        for service in ("signing", "collector"):

            def certify(key: SoftwareKey, service=service) -> x509.Certificate:
                return profile.service_certificate(service, key, root)

            self._make(service, f"{service} key", certify, held)

    def add_region(self, region: int, region_name: str, root: profile.Issuer) -> None:
        """One more regional CA, from the root key that was brought for it."""
        held = self._open_tokens()
        self._region(region, region_name, root, held)

    def _open_tokens(self) -> dict[str, SoftwareKey]:
        """The keys in tokens, before anything is written: one may not answer, or be another's."""
        held = {name: open_key(uri) for name, uri in self.tokens.items()}
        certified = [load_public(path) for path in self.folder.glob("*.cert.pem")]
        points = [key.public_key() for key in held.values()] + certified
        if len(set(points)) < len(points):
            raise KeyFileError("a key in a token has another use already: each needs its own")
        return held

    def _region(
        self, region: int, region_name: str, root: profile.Issuer, held: Mapping[str, SoftwareKey]
    ) -> None:
        def certify(key: SoftwareKey) -> x509.Certificate:
            return profile.authority_certificate(f"Saksi {region} {region_name}", 0, key, root)

        self._make(f"region-{region}", f"CA of region {region}", certify, held)

    def _self_signed(self, key: SoftwareKey) -> x509.Certificate:
        issuer = profile.Issuer(key, None, self.clock())
        return profile.authority_certificate("Saksi root", 1, key, issuer)

    def _make(
        self,
        name: str,
        what: str,
        certify: Certify,
        held: Mapping[str, SoftwareKey],
        place: str = "",
    ) -> tuple[SoftwareKey, x509.Certificate]:
        key = held.get(name) or SoftwareKey.generate()
        certificate = certify(key)
        if name in held:
            how = "in a token"
            uri = self.tokens[name].encode() + b"\n"
            write_new(self.folder / f"{place}{name}.key.uri", uri, 0o600)
        else:
            how = "encrypted with a passphrase" if self.passphrase else "NOT encrypted"
            pem = key_pem(key, self.passphrase)
            write_new(self.folder / f"{place}{name}.key.pem", pem, 0o600)
        write_new(self.folder / f"{name}.cert.pem", certificate.public_bytes(PEM), 0o644)
        log_line(self.folder, self.clock(), f"{what} made, {how}", fingerprint(certificate))
        return key, certificate
