"""Certificate profiles (X.509 v3, P-256, ecdsa-with-SHA256), one function each.

A device certificate is an LDevID in the sense of IEEE 802.1AR: issued by the owner, named by kit
and chip, never by station, because kits are swapped. SAN and clientAuth are there because
`cryptography`'s and c2pa's verifiers refuse a leaf without them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from host_tools.provision.keys import SoftwareKey

NOT_AFTER = datetime(2041, 12, 31, 23, 59, 59, tzinfo=UTC)
# Laptops at the store disagree about the time; a certificate must not be "not yet valid" there.
CLOCK_SLACK = timedelta(hours=1)
TRAINING_UNIT = "LATIHAN"


def _name(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    country = [(NameOID.COUNTRY_NAME, "ID"), (NameOID.ORGANIZATION_NAME, "KPU")]
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in [*country, *attributes]])


def device_name(chip_serial_hex: str, kit_id: str, training: bool) -> x509.Name:
    """C=ID, O=KPU, (OU=LATIHAN,) serialNumber=<chip>, CN=<kit id>; also the CSR's subject."""
    unit = [(NameOID.ORGANIZATIONAL_UNIT_NAME, TRAINING_UNIT)] if training else []
    return _name(*unit, (NameOID.SERIAL_NUMBER, chip_serial_hex), (NameOID.COMMON_NAME, kit_id))


def chip_serial(name: x509.Name) -> str | None:
    """The 9-byte chip serial in hex from a subject, or None."""
    found = name.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    text = str(found[0].value) if len(found) == 1 else ""
    return text if len(text) == 18 and all(c in "0123456789ABCDEF" for c in text) else None


def is_training(certificate: x509.Certificate) -> bool:
    """True when the certificate is for training only."""
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return any(unit.value == TRAINING_UNIT for unit in units)


def _usage(**granted: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: granted.get(name, False) for name in names})


@dataclass(frozen=True)
class Issuer:
    """Who signs a certificate: the key, its certificate (None: it signs itself), the time."""

    key: SoftwareKey
    certificate: x509.Certificate | None
    now: datetime


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: Issuer
) -> x509.CertificateBuilder:
    issuer_public = issuer.key.private.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer.certificate else subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(issuer.now - CLOCK_SLACK)
        .not_valid_after(NOT_AFTER)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False
        )
    )


def authority_certificate(
    common_name: str, path_length: int, key: SoftwareKey, issuer: Issuer
) -> x509.Certificate:
    """A CA that may have `path_length` CAs below it."""
    limits = x509.BasicConstraints(ca=True, path_length=path_length)
    return (
        _builder(_name((NameOID.COMMON_NAME, common_name)), key.private.public_key(), issuer)
        .add_extension(limits, critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(issuer.key.private, hashes.SHA256())
    )


def _leaf(
    subject: x509.Name, urn: str, key: ec.EllipticCurvePublicKey, issuer: Issuer
) -> x509.Certificate:
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION]
    return (
        _builder(subject, key, issuer)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(urn)]), critical=False
        )
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .sign(issuer.key.private, hashes.SHA256())
    )


def service_certificate(service: str, key: SoftwareKey, issuer: Issuer) -> x509.Certificate:
    """The certificate of the signing key or of the collector's key."""
    subject = _name((NameOID.COMMON_NAME, f"Saksi {service}"))
    return _leaf(subject, f"urn:saksi:{service}", key.private.public_key(), issuer)


def device_certificate(
    subject: x509.Name, kit_id: str, key: ec.EllipticCurvePublicKey, issuer: Issuer
) -> x509.Certificate:
    """A kit's certificate; the caller has checked that `subject` is device_name() of this kit."""
    return _leaf(subject, f"urn:saksi:kit:{kit_id}", key, issuer)


def revocation_list(
    rows: Iterable[tuple[int, datetime, x509.ReasonFlags]], issuer: Issuer, due: datetime
) -> x509.CertificateRevocationList:
    """The CRL (RFC 5280, section 5) of a CA: `rows` are (serial number, since, reason).

    Its number is the Unix time of its issue, so that it grows although lists without a change are
    issued too; `due` is when the next one is.
    """
    assert issuer.certificate is not None
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.private.public_key())
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(issuer.now - CLOCK_SLACK)
        .next_update(due)
        .add_extension(authority, critical=False)
        .add_extension(x509.CRLNumber(int(issuer.now.timestamp())), critical=False)
    )
    for serial, since, reason in rows:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(serial)
            .revocation_date(since)
            .add_extension(x509.CRLReason(reason), critical=False)
            .build()
        )
    return builder.sign(issuer.key.private, hashes.SHA256())
