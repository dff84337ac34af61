"""A kit's certificate: of this key, for this mode, issued by the authority's CA.

The bundle already says whose key it is. The certificate says so once more, signed by another key of
the authority, for whoever does not want to rest on the bundle alone.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from firmware import record
from host_tools.provision import keys, profile
from host_tools.verify.report import Report

_PEM = b"-----BEGIN CERTIFICATE"


class CertificateError(Exception):
    """A file that holds no usable certificate; the text says which and why."""


class Certificates:
    """Kits' certificates by key id, and the CAs that have to have issued them."""

    def __init__(self, kits: Iterable[x509.Certificate], authorities: list[x509.Certificate]):
        self.kits = {record.kid_of(key_of(kit)): kit for kit in kits}
        self.authorities = authorities

    @classmethod
    def load(cls, kits: Iterable[Path], authorities: Iterable[Path]) -> "Certificates":
        """From files (DER or PEM) or, for kits, folders of them; raises CertificateError."""
        files = []
        for path in map(Path, kits):
            inside = sorted(p for p in path.rglob("*") if p.suffix in (".der", ".pem", ".crt"))
            files += inside if path.is_dir() else [path]
        return cls(
            [one for path in files for one in read(path)],
            [one for path in authorities for one in read(Path(path))],
        )

    def check(self, report: Report, kid: bytes, election: int, moment: int) -> None:
        """The certificate of `kid` for a record of `election`, signed at `moment` (Unix s)."""
        kit = self.kits.get(kid)
        if kit is None:
            report.skip("certificate", "No certificate of key %s was given", kid.hex().upper())
            return
        if profile.is_training(kit) != record.is_training(election):
            text = "The certificate and the record are not both of training or both live"
            report.fail("certificate", text)
            return
        if not self.authorities:
            text = "The certificate is of this key; give the CA, --ca, to see who issued it"
            report.skip("certificate", text)
            return
        if not self._issued(kit):
            report.fail("certificate", "The kit's certificate was not issued by the CA given")
        elif not _covers(kit, moment):
            text = "The kit's clock was outside the time for which its certificate holds"
            report.warn("certificate", text)
        else:
            name = kit.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
            issuer = str(name[0].value) if name else kit.issuer.rfc4514_string()
            report.ok("certificate", "The kit's certificate was issued by %s", issuer)

    def _issued(self, kit: x509.Certificate) -> bool:
        """True when a path leads from the kit's certificate to one of the CAs."""
        # The record's time is the kit's own and is judged apart: the path is looked at when all
        # of it was valid.
        begin = max(one.not_valid_before_utc for one in [kit, *self.authorities])
        roots = [one for one in self.authorities if one.subject == one.issuer] or self.authorities
        try:
            (
                PolicyBuilder()
                .store(Store(roots))
                .time(begin)
                .build_client_verifier()
                .verify(kit, [one for one in self.authorities if one not in roots])
            )
        except VerificationError:
            return False
        return True


def _covers(certificate: x509.Certificate, moment: int) -> bool:
    try:
        when = datetime.fromtimestamp(moment, UTC)
    except (OverflowError, ValueError, OSError):
        return False
    return certificate.not_valid_before_utc <= when <= certificate.not_valid_after_utc


def key_of(certificate: x509.Certificate) -> bytes:
    """The certificate's P-256 key, 64 B X|Y; CertificateError for any other."""
    try:
        public = certificate.public_key()
    except Exception as error:  # the parser raises a dozen kinds on rubbish
        raise CertificateError("the certificate's key cannot be read") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != keys.CURVE.name:
        raise CertificateError("the certificate's key is not P-256")
    return keys.to_point64(public)


def read(path: Path) -> list[x509.Certificate]:
    """The certificates in a file: one in DER, or any number in PEM; CertificateError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        if _PEM in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except Exception as error:
        raise CertificateError(f"{path}: not a certificate (X.509 in DER or PEM)") from error
