"""The authority: an offline root, one regional CA, a signing key and the collector's key.

    offline/root.key.pem    issued the three below; belongs in a safe, not on this machine
    root.cert.pem           what a verifier of certificates trusts
    region-NNNN.*.pem       issues device certificates
    signing.*.pem           signs station packages and trust bundles
    collector.*.pem         signs the collector's acknowledgements
    issued/<kid>.der        every device certificate given out, by key
    ceremony.log            what was made, when, with which fingerprint; only ever appended to

All keys are P-256 in PKCS#8 PEM, encrypted when a passphrase is given.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from firmware import record
from host_tools.provision import profile
from host_tools.provision.ceremony import Ceremony, log_line, write_new
from host_tools.provision.keys import KeyFileError, load_private, load_public, to_point64

__all__ = ("Authority", "AuthorityError", "load_private", "load_public", "read_request")


class AuthorityError(Exception):
    """The authority refuses; the text says why in one line."""


def _now() -> datetime:
    return datetime.now(UTC)


class Authority:
    """The authority's folder, opened for one region.

    `signing` and `collector` are SoftwareKeys; `root_certificate` and `regional_certificate` are
    the chain above the device certificates. The root's private key is not needed and not opened.
    """

    def __init__(
        self,
        folder: Path,
        region: int,
        passphrase: bytes | None = None,
        clock: Callable[[], datetime] = _now,
    ):
        self.folder, self.region, self.clock = Path(folder), region, clock
        regional = f"region-{region}"
        try:
            self.root_certificate = self._certificate("root")
            self.regional_certificate = self._certificate(regional)
            self._regional = load_private(self.folder / f"{regional}.key.pem", passphrase)
            self.signing = load_private(self.folder / "signing.key.pem", passphrase)
            self.collector = load_private(self.folder / "collector.key.pem", passphrase)
        except KeyFileError as error:
            raise AuthorityError(str(error)) from error

    @classmethod
    def create(
        cls,
        folder: Path,
        region: int,
        region_name: str,
        passphrase: bytes | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> "Authority":
        """Hold the key ceremony in a new or empty folder and open the result."""
        folder = Path(folder)
        if folder.exists() and any(folder.iterdir()):
            raise AuthorityError(f"{folder}: is not empty; a ceremony never overwrites keys")
        try:
            Ceremony(folder, passphrase, clock).hold(region, region_name)
        except OSError as error:
            raise AuthorityError(f"{folder}: cannot be written ({error.strerror})") from error
        return cls(folder, region, passphrase, clock)

    def issue_device(self, csr_der: bytes, kit_id: str, training: bool) -> bytes:
        """The device certificate (DER) for a kit's CSR; raises AuthorityError.

        The CSR must be exactly of the profile, for this kit and mode, and signed by its own key.
        One key has one certificate: the same request again gets the same certificate, any other
        request with that key is refused.
        """
        request = read_request(csr_der)
        serial = profile.chip_serial(request.subject)
        if serial is None:
            raise AuthorityError("the request names no chip serial number of 9 bytes")
        wanted = profile.device_name(serial, kit_id, training)
        if request.subject != wanted:
            raise AuthorityError(f"the request is not for {wanted.rfc4514_string()}")
        key = request.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        kid = record.kid_of(to_point64(key)).hex()
        path = self.folder / "issued" / f"{kid}.der"
        if path.exists():
            issued = path.read_bytes()
            if x509.load_der_x509_certificate(issued).subject != wanted:
                raise AuthorityError(f"key {kid} is already certified for another kit or mode")
            return issued
        issuer = profile.Issuer(self._regional, self.regional_certificate, self.clock())
        certificate = profile.device_certificate(wanted, kit_id, key, issuer)
        der = certificate.public_bytes(serialization.Encoding.DER)
        write_new(path, der, 0o644)
        mode = "training" if training else "live"
        what = f"kit {kit_id} certified, {mode}, chip {serial}"
        log_line(self.folder, self.clock(), what, certificate)
        return der

    def log(self, what: str) -> None:
        """One more line in the ceremony log: a bundle signed, packages made."""
        log_line(self.folder, self.clock(), what, None)

    def _certificate(self, name: str) -> x509.Certificate:
        path = self.folder / f"{name}.cert.pem"
        try:
            return x509.load_pem_x509_certificate(path.read_bytes())
        except OSError as error:
            raise AuthorityError(f"{path}: cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise AuthorityError(f"{path}: not a certificate in PEM") from error


def read_request(csr_der: bytes) -> x509.CertificateSigningRequest:
    """A CSR (PKCS#10 DER) whose key, algorithm, signature and lack of attributes were checked."""
    try:
        request = x509.load_der_x509_csr(csr_der)
        key = request.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            raise AuthorityError("the request's key is not P-256")
        if request.signature_algorithm_oid != x509.SignatureAlgorithmOID.ECDSA_WITH_SHA256:
            raise AuthorityError("the request is not signed with ECDSA and SHA-256")
        if not request.is_signature_valid:
            raise AuthorityError("the request's signature is not by its own key")
        if list(request.attributes) or list(request.extensions):
            raise AuthorityError("the request asks for attributes; a kit never does")
    except (ValueError, TypeError) as error:
        raise AuthorityError("not a certificate request (PKCS#10 in DER)") from error
    return request
