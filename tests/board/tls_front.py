"""TLS 1.2 in front of the collector, as patient as an emulated board needs it.

The collector serves TLS by itself, but gives a handshake 60 s, which the emulation may exceed.
"""

import datetime
import hashlib
import socket
import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PATIENCE = 900.0  # s


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(
    subject: str,
    key: ec.EllipticCurvePublicKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    host: str | None = None,
) -> x509.Certificate:
    """A certificate for `key` that `signer` signs; `host` is its DNS name."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
    )
    if host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)
    return builder.sign(signer, hashes.SHA256())


class TlsFront:
    """Listens on loopback with a P-256 key of its own; `pin` as in firmware.tls_stream."""

    def __init__(self, folder: Path, host: str, behind: tuple[str, int]):
        key = ec.generate_private_key(ec.SECP256R1())
        spki = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.pin = hashlib.sha256(spki).digest()
        self.behind = behind
        self.ciphers: list[tuple[str, str]] = []  # (version, cipher suite) of each connection
        file = folder / "front.pem"
        pem = serialization.Encoding.PEM
        file.write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + certificate(host, key.public_key(), host, key, host).public_bytes(pem)
        )
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(file)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                plain = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(PATIENCE)
        try:
            with self.context.wrap_socket(plain, server_side=True) as kit:
                cipher = kit.cipher()
                self.ciphers.append((str(kit.version()), cipher[0] if cipher else ""))
                first = kit.recv(4096)
                with socket.create_connection(self.behind) as collector:
                    collector.sendall(first)
                    back = threading.Thread(target=self._back, args=(collector, kit), daemon=True)
                    back.start()
                    while data := kit.recv(4096):
                        collector.sendall(data)
                    collector.shutdown(socket.SHUT_WR)
                    back.join()
        except OSError:
            plain.close()

    def _back(self, collector: socket.socket, kit: ssl.SSLSocket) -> None:
        try:
            while data := collector.recv(4096):
                kit.sendall(data)
            kit.unwrap()
        except (OSError, ValueError):
            pass

    def close(self) -> None:
        """Take no more connections."""
        self.listener.close()
