"""The rehearsal's line to a collector: the relay's requests, as `saksi collect --to` sends them.

A collector that speaks TLS is known by the key pinned in the package, as a kit knows it.
"""

import hashlib
import ssl
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from host_tools.collector.door import Remote
from host_tools.collector.reasons import SetupError


class Line(Remote):
    """A collector at `url`; `pin`: SHA-256 of its SubjectPublicKeyInfo, None without TLS."""

    def __init__(self, url: str, pin: bytes | None):
        verify = _pinned(url, pin) if url.startswith("https:") else True
        self._client = httpx.Client(base_url=url, timeout=60, verify=verify)

    def state(self, rec_id: bytes) -> str:
        """What the collector says of an entry: "accepted" or "complete"."""
        return self._ask("GET", f"/v1/records/{rec_id.hex()}").text


def _pinned(url: str, pin: bytes | None) -> ssl.SSLContext:
    """A context that takes the certificate with the pinned key and no other."""
    place = urlsplit(url)
    try:
        pem = ssl.get_server_certificate((place.hostname or "", place.port or 443), timeout=30)
    except (OSError, ValueError) as error:
        raise SetupError(f"{url}: cannot be reached ({error})") from error
    key: Any = x509.load_pem_x509_certificate(pem.encode()).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if hashlib.sha256(spki).digest() != pin:
        raise SetupError(f"{url}: its TLS key is not the one pinned in the packages")
    context = ssl.create_default_context(cadata=pem)
    context.check_hostname = False  # as on the kit: the key says who it is
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context
