"""A kit's signed statement that it was readied (RECORD.md, "Readiness"): taken apart and verified.

Whoever has the kit's certificate or a trust bundle verifies it without a network. It counts for
nothing in an election; collector, journal and receipt verification refuse its kind.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from firmware import qr_text, record, selftest
from firmware.readiness import CHECKS, FAILED, NAMES, PASSED, UNSEEN
from host_tools.provision import keys, profile
from host_tools.provision.bundle import SPARE, Bundle

OUTCOMES = {FAILED: "failed", PASSED: "passed", UNSEEN: "not looked at"}


class ReadinessError(Exception):
    """The statement must not be believed; the text says why in one line."""


def name(check: int) -> str:
    """A check's English name, which the kit's words translate."""
    return NAMES.get(check) or selftest.NAMES.get(check) or f"Check {check}"


@dataclass(frozen=True)
class Readiness:
    """What a statement says. `serial` 9 B, `digest` and `package` 32 B, `time` Unix seconds.

    `results` are (check, outcome) in the statement's order; `data` is the signed record.
    """

    data: bytes
    kid: bytes
    serial: bytes
    firmware: str
    digest: bytes
    election: int
    station: int
    package: bytes
    time: int
    results: tuple[tuple[int, int], ...]

    @property
    def training(self) -> bool:
        return record.is_training(self.election)

    @property
    def failed(self) -> list[int]:
        """Checks with any outcome but passed and not looked at."""
        return [check for check, outcome in self.results if outcome not in (PASSED, UNSEEN)]

    @property
    def unseen(self) -> list[int]:
        """Checks that nobody made: those that say so, and those that a kit has and this lacks."""
        said = dict(self.results)
        left = [check for check in CHECKS if check not in said]
        return [check for check, outcome in self.results if outcome == UNSEEN] + left

    @property
    def ready(self) -> bool:
        """True when every check that a kit has was made and passed."""
        return not self.failed and not self.unseen

    def as_json(self) -> dict[str, Any]:
        """For --json and for the report's file."""
        return {
            "kid": self.kid.hex(),
            "serial": self.serial.hex().upper(),
            "firmware": self.firmware,
            "digest": self.digest.hex(),
            "election": self.election,
            "training": self.training,
            "station": f"{self.station:013d}",
            "package": self.package.hex(),
            "time": self.time,
            "ready": self.ready,
            "results": [
                {"check": check, "name": name(check), "outcome": OUTCOMES.get(outcome, "failed")}
                for check, outcome in self.results
            ],
        }


def parse(data: bytes) -> Readiness:
    """The statement in a signed record, its signature not looked at; ReadinessError."""
    return _of(_entry(data))


def _entry(data: bytes) -> record.Entry:
    try:
        entry = record.parse(data)
    except record.RecordError as error:
        raise ReadinessError(f"not a signed statement ({error.text})") from error
    if entry.kind != record.READINESS:
        raise ReadinessError(f"a signed object of kind {entry.kind}, not a readiness (kind 4)")
    return entry


def _of(entry: record.Entry) -> Readiness:
    _, serial, firmware, digest, election, station, package, time, results = entry.payload
    pairs = tuple((check, outcome) for check, outcome in results)
    if len(dict(pairs)) != len(pairs):
        raise ReadinessError("one check has two outcomes")
    place = (serial, firmware, digest, election, station, package, time)
    return Readiness(entry.data, entry.kid, *place, pairs)


def verify(data: bytes, key: bytes) -> Readiness:
    """The statement, signed by the kit's 64 B public key; ReadinessError."""
    entry = _entry(data)
    if entry.kid != record.kid_of(key):
        raise ReadinessError(f"signed by key {entry.kid.hex()}, which is not this kit's")
    if not keys.verify(key, entry.signed_digest(), entry.signature):
        raise ReadinessError("the kit's signature is wrong: the statement was altered")
    return _of(entry)


def verify_by_certificate(
    data: bytes, der: bytes | Iterable[bytes], issuer: x509.Certificate
) -> Readiness:
    """As verify, with the kit's certificate (or several, of both modes) in DER.

    The certificate has to be issued by `issuer`, for the statement's chip and mode.
    """
    entry = _entry(data)
    for one in [der] if isinstance(der, bytes) else der:
        certificate = _certificate(one)
        public = certificate.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        key = keys.to_point64(public)
        if record.kid_of(key) == entry.kid:
            break
    else:
        raise ReadinessError(f"signed by key {entry.kid.hex()}, of which no certificate was given")
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise ReadinessError("the kit's certificate is not from this regional CA") from error
    said = verify(data, key)
    if profile.chip_serial(certificate.subject) != said.serial.hex().upper():
        raise ReadinessError("the statement names another chip than the kit's certificate")
    if profile.is_training(certificate) != said.training:
        raise ReadinessError("statement and certificate are not of one mode")
    return said


def _certificate(der: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        public = certificate.public_key()
    except Exception as error:  # the parser raises a dozen kinds on rubbish
        raise ReadinessError("the kit's certificate is not X.509 in DER") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != keys.CURVE.name:
        raise ReadinessError("the kit's certificate is not of a P-256 key")
    return certificate


def verify_by_bundle(data: bytes, bundle: Bundle) -> Readiness:
    """As verify, with a verified trust bundle: the key is listed for this place, not revoked."""
    entry = _entry(data)
    key = bundle.key(entry.kid)
    if key is None:
        raise ReadinessError(f"key {entry.kid.hex()} is not in this bundle")
    said = verify(data, key)
    if bundle.revoked(entry.kid):
        raise ReadinessError(f"key {entry.kid.hex()} was revoked: do not use this kit")
    if bundle.election != said.election:
        raise ReadinessError(f"for election {said.election}, the bundle for {bundle.election}")
    planned = bundle.station(entry.kid)
    code = f"{said.station:013d}"
    if planned == SPARE and not code.startswith(str(bundle.region)):
        raise ReadinessError(f"a spare kit of region {bundle.region} at station {code}")
    if planned not in (SPARE, said.station):
        raise ReadinessError(f"the kit of station {planned:013d} says it is at {code}")
    return said


def package_digest(package: bytes) -> bytes:
    """What a statement names of the package that the kit holds: SHA-256 of its file, 32 B."""
    return hashlib.sha256(package).digest()


def code_text(host: str, data: bytes) -> str:
    """The QR text of a statement under the package's receipt host; ReadinessError."""
    try:
        return qr_text.qr_text(host, qr_text.RECORD, _entry(data).data)
    except record.RecordError as error:
        raise ReadinessError(error.text) from error
