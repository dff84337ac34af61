"""Certificates and keys for a collector's TLS, right and wrong, as PEM files."""

import datetime
import hashlib
import ipaddress
import ssl
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

HOST = "collector.example.id"
_PEM = serialization.Encoding.PEM
P256 = ec.SECP256R1()


class Files(NamedTuple):
    certificate: Path
    key: Path

    @property
    def options(self) -> list[str]:
        """What `saksi collect` takes."""
        return ["--tls-cert", str(self.certificate), "--tls-key", str(self.key)]

    @property
    def pin(self) -> bytes:
        """Told by another library than the collector's: SHA-256 of the SubjectPublicKeyInfo."""
        found = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        public = found.public_key().public_bytes(serialization.Encoding.DER, form)
        return hashlib.sha256(public).digest()

    def client(self) -> ssl.SSLContext:
        """For a client that trusts this certificate and no other."""
        return ssl.create_default_context(cafile=str(self.certificate))


def make(folder: Path, stem: str = "tls", key=None, names=(HOST,), days=(-1, 30)) -> Files:
    """A certificate for itself, with the DNS `names` and 127.0.0.1, valid from and to `days`."""
    key = key or ec.generate_private_key(P256)
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CONTOH collector")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days[0]))
        .not_valid_after(now + datetime.timedelta(days[1]))
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.SubjectAlternativeName([*(x509.DNSName(one) for one in names), address]), False
        )
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    files = Files(folder / f"{stem}.pem", folder / f"{stem}-key.pem")
    files.certificate.write_bytes(made.public_bytes(_PEM))
    write_key(files.key, key)
    return files


def write_key(path: Path, key, passphrase: bytes | None = None) -> None:
    """A private key in PKCS#8, encrypted if there is a passphrase."""
    lock = serialization.NoEncryption()
    if passphrase:
        lock = serialization.BestAvailableEncryption(passphrase)
    path.write_bytes(key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, lock))


def other_keys() -> dict[str, object]:
    """Keys that are not P-256, by name."""
    return {
        "rsa": rsa.generate_private_key(65537, 2048),
        "p384": ec.generate_private_key(ec.SECP384R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
    }
