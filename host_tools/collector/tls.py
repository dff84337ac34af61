"""The collector's TLS: what its certificate and key must be, so that kits speak to it.

A kit knows the collector by its key alone: the station package carries the pin, SHA-256 of the
key's SubjectPublicKeyInfo (RFC 7469 2.4). It reads the certificate with firmware.x509, and so does
this file: what the kit would not understand is told here, before the day.
"""

import datetime
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from firmware.x509 import Certificate
from host_tools.collector.reasons import SetupError

_P256 = "kits are proved with P-256 keys only: openssl ecparam -name prime256v1 -genkey -noout"


@dataclass(frozen=True)
class Tls:
    """A server's TLS, ready to use; `pin` is 32 bytes, `warnings` one line each."""

    context: ssl.SSLContext
    pin: bytes
    names: tuple[str, ...]  # the DNS names under which kits may dial
    warnings: tuple[str, ...]


def load(certificate: Path | None, key: Path | None) -> Tls | None:
    """TLS 1.2 and 1.3 with a certificate (chain) and its key, PEM files; None without both.

    Raises SetupError for what no kit could speak to.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise SetupError("give --tls-cert and --tls-key together: the certificate and its key")
    chain = _chain(certificate)
    private = _private(key)
    _belong_together(chain, certificate, private, key)
    try:
        read = Certificate(chain[0].public_bytes(serialization.Encoding.DER))
    except (ValueError, IndexError) as error:
        raise SetupError(f"{certificate}: kits cannot read it ({error}); make another") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A ticket (TLS 1.3) is written after the handshake, while the first request is coming in: on a
    # line that was cut right behind that request, the failed write would lose it. Kits use none.
    context.num_tickets = 0
    try:
        # Never asks at the terminal: an encrypted key was refused above.
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(f"{certificate}: not usable for TLS ({error})") from error
    warnings = _warnings(certificate, read, time.time())
    return Tls(context, read.pin, tuple(read.names), warnings)


def _chain(path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file, the server's own first."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise SetupError(
            f"{path}: cannot be read ({error.strerror}); --tls-cert takes the server's certificate"
        ) from error
    except ValueError as error:
        raise SetupError(
            f"{path}: no certificate in PEM; --tls-cert takes the server's certificate, then"
            " those between it and its CA"
        ) from error
    if not _is_p256(found[0].public_key()):
        raise SetupError(f"{path}: not the certificate of a P-256 key; {_P256}")
    return found


def _private(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise SetupError(
            f"{path}: cannot be read ({error.strerror}); --tls-key takes the certificate's"
            " private key"
        ) from error
    except TypeError as error:
        raise SetupError(
            f"{path}: the key is encrypted and nobody is asked for its passphrase at a start: store"
            f" it without (openssl pkey -in {path} -out NEW), readable by the collector alone"
        ) from error
    except Exception as error:  # the parser raises several kinds on rubbish
        raise SetupError(
            f"{path}: no private key in PEM; --tls-key takes the certificate's private key"
        ) from error
    if not (isinstance(found, ec.EllipticCurvePrivateKey) and _is_p256(found.public_key())):
        raise SetupError(f"{path}: not a P-256 key; {_P256}")
    return found


def _belong_together(
    chain: list[x509.Certificate],
    certificate: Path,
    private: ec.EllipticCurvePrivateKey,
    key: Path,
) -> None:
    ours = [one.public_key() == private.public_key() for one in chain]
    if ours[0]:
        return
    if any(ours):
        raise SetupError(f"{certificate}: put the certificate of {key} first, then its CAs'")
    raise SetupError(
        f"{key}: not the key of {certificate}; give the key that this certificate was made for"
    )


def _is_p256(key: object) -> bool:
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == ec.SECP256R1.name


def _warnings(path: Path, read: Certificate, now: float) -> tuple[str, ...]:
    """What kits will refuse the certificate for, though it can be served."""
    found = []
    if now > read.end:
        found.append(
            f"{path}: out of date since {_day(read.end)}, kits refuse it: make a new certificate"
            " for the same key, the pin stays"
        )
    if now < read.start:
        found.append(
            f"{path}: valid from {_day(read.start)} only, kits refuse it until then: check this"
            " machine's clock"
        )
    if not read.names:
        found.append(
            f"{path}: bears no DNS name, kits refuse it: make one with subjectAltName=DNS:HOST,"
            " HOST as in election.toml"
        )
    return tuple(found)


def _day(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
