"""The authority: an offline root, one regional CA, a signing key and the collector's key.

    offline/root.key.pem    issued the three below; belongs in a safe, not on this machine
    root.cert.pem           what a verifier of certificates trusts
    region-NNNN.*.pem       issues device certificates; region-NNNN.crl.pem lists the revoked ones
    signing.*.pem           signs packages, trust bundles, rosters, revocations, assignments
    collector.*.pem         signs the collector's acknowledgements
    issued/<kid>.der        every device certificate given out, by key
    technicians/, releasers/, rosters/, revocations/
    ceremony.log            what was made, when, with which fingerprint; only ever appended to

All keys are P-256 in PKCS#8 PEM, encrypted when a passphrase is given, or in a token, which
<name>.key.uri then names.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from firmware import record
from host_tools.provision import profile, revoked
from host_tools.provision.ceremony import Ceremony, fingerprint, log_line, write_new
from host_tools.provision.key_reference import open_key, open_keys
from host_tools.provision.keys import (
    KeyFileError,
    SoftwareKey,
    load_private,
    load_public,
    to_point64,
)

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
            names = (regional, "signing", "collector")
            self._regional, self.signing, self.collector = open_keys(self.folder, names, passphrase)
        except KeyFileError as error:
            raise AuthorityError(str(error)) from error
        for name, key in zip(names, (self._regional, self.signing, self.collector), strict=True):
            _check_pair(self._certificate(name), key, f"{self.folder / name}: key and certificate")

    @classmethod
    def create(
        cls,
        folder: Path,
        region: int,
        region_name: str,
        passphrase: bytes | None = None,
        clock: Callable[[], datetime] = _now,
        tokens: Mapping[str, str] | None = None,
    ) -> "Authority":
        """Hold the key ceremony in a new or empty folder and open the result.

        `tokens`: {"root", "region-NNNN" or "signing": pkcs11: URI} of keys that are in a token.
        """
        folder = Path(folder)
        if folder.exists() and any(folder.iterdir()):
            raise AuthorityError(f"{folder}: is not empty; a ceremony never overwrites keys")
        try:
            Ceremony(folder, passphrase, clock, tokens).hold(region, region_name)
        except KeyFileError as error:
            raise AuthorityError(str(error)) from error
        except OSError as error:
            raise AuthorityError(f"{folder}: cannot be written ({error.strerror})") from error
        return cls(folder, region, passphrase, clock)

    @classmethod
    def add_region(
        cls,
        folder: Path,
        region: int,
        region_name: str,
        root: Path | str,
        *,
        root_passphrase: bytes | None = None,
        passphrase: bytes | None = None,
        clock: Callable[[], datetime] = _now,
        tokens: Mapping[str, str] | None = None,
    ) -> "Authority":
        """One more regional CA, from the offline `root` key: its file or its pkcs11: URI.

        `passphrase` is that of the folder's other keys, under which the new one is kept too.
        """
        folder = Path(folder)
        certificate = _read_certificate(folder / "root.cert.pem")
        taken = sorted(folder.glob(f"region-{region}.*"))
        if taken:
            raise AuthorityError(f"{taken[0]}: region {region} has its CA, or half of one, already")
        try:
            # Whoever opens the folder has one passphrase for all of its keys.
            open_keys(folder, ["signing", "collector"], passphrase)
            key = open_key(root, root_passphrase)
            _check_pair(certificate, key, f"{root}: is not the root key of {folder}; they")
            issuer = profile.Issuer(key, certificate, clock())
            Ceremony(folder, passphrase, clock, tokens).add_region(region, region_name, issuer)
        except KeyFileError as error:
            raise AuthorityError(str(error)) from error
        except OSError as error:
            raise AuthorityError(f"{folder}: cannot be written ({error.strerror})") from error
        return cls(folder, region, passphrase, clock)

    def issue_device(self, csr_der: bytes, kit_id: str, training: bool) -> bytes:
        """The device certificate (DER) for a kit's CSR; raises AuthorityError.

        The CSR must be exactly of the profile, for this kit and mode, and signed by its own key.
        One key has one certificate: the same request again gets the same certificate, any other
        request with that key is refused, and so is every request with a revoked key.
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
        if bytes.fromhex(kid) in self.revoked_kids():
            raise AuthorityError(f"key {kid} is revoked: this kit must not be used")
        path = self.folder / "issued" / f"{kid}.der"
        if path.exists():
            issued = path.read_bytes()
            held = x509.load_der_x509_certificate(issued)
            if held.subject != wanted:
                raise AuthorityError(f"key {kid} is already certified for another kit or mode")
            if held.issuer != self.regional_certificate.subject:
                raise AuthorityError(f"key {kid} is already certified in another region")
            return issued
        certificate = profile.device_certificate(wanted, kit_id, key, self.issuer())
        der = certificate.public_bytes(serialization.Encoding.DER)
        write_new(path, der, 0o644)
        mode = "training" if training else "live"
        what = f"kit {kit_id} certified, {mode}, chip {serial}"
        log_line(self.folder, self.clock(), what, fingerprint(certificate))
        return der

    def issuer(self) -> profile.Issuer:
        """The regional CA, to sign a certificate or a revocation list now."""
        return profile.Issuer(self._regional, self.regional_certificate, self.clock())

    def revoked_kids(self) -> set[bytes]:
        """Every kid that this authority revoked, in any region; raises RevocationError."""
        return revoked.kids(self.folder, self.signing.public_key())

    def log(self, what: str) -> None:
        """One more line in the ceremony log: a bundle signed, packages made."""
        log_line(self.folder, self.clock(), what, None)

    def _certificate(self, name: str) -> x509.Certificate:
        return _read_certificate(self.folder / f"{name}.cert.pem")


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise AuthorityError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise AuthorityError(f"{path}: not a certificate in PEM") from error


def _check_pair(certificate: x509.Certificate, key: SoftwareKey, what: str) -> None:
    public = certificate.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey) or to_point64(public) != key.public_key():
        raise AuthorityError(f"{what} do not belong together")


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
