"""The authority's own revocations, kept in its folder, and the CRL that is made from them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

from host_tools.provision import people, profile
from host_tools.provision.ceremony import PEM, replace_file
from host_tools.provision.revocation import (
    Revocation,
    RevocationError,
    build_revocation,
    load_revocation,
)
from host_tools.provision.series import Series, regions

if TYPE_CHECKING:
    from host_tools.provision.authority import Authority

STEM = "revocation"
# RFC 5280, 5.3.1: a kit that is lost may be in anybody's hands, and its key with it.
_CRL_REASONS = {
    1: x509.ReasonFlags.key_compromise,
    2: x509.ReasonFlags.cessation_of_operation,
    3: x509.ReasonFlags.cessation_of_operation,
    4: x509.ReasonFlags.key_compromise,
}
_COMPROMISED = (1, 4)


def _series(folder: Path, region: int) -> Series:
    return Series(folder / "revocations", STEM, region)


def latest(folder: Path, region: int, signing_key: bytes) -> Revocation | None:
    """The region's newest revocation, verified; RevocationError when it does not hold."""
    found = _series(folder, region).latest()
    return None if found is None else load_revocation(found[1], signing_key, region, found[0])


def kids(folder: Path, signing_key: bytes) -> set[bytes]:
    """Every kid revoked in any region of the authority in `folder`; raises RevocationError."""
    found = set()
    for region in regions(folder / "revocations", STEM):
        held = latest(folder, region, signing_key)
        found.update(held.kids() if held else [])
    return found


def kids_of_kit(authority: "Authority", kit_id: str) -> list[bytes]:
    """The kids of every certificate that the region's CA gave this kit, of both modes."""
    found = []
    for path in sorted((authority.folder / "issued").glob("*.der")):
        certificate = x509.load_der_x509_certificate(path.read_bytes())
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        ours = certificate.issuer == authority.regional_certificate.subject
        if ours and [name.value for name in names] == [kit_id]:
            found.append(bytes.fromhex(path.stem))
    if not found:
        raise RevocationError(f"kit {kit_id} has no certificate of region {authority.region}")
    return found


def _certificate(authority: "Authority", kid: bytes) -> x509.Certificate | None:
    path = authority.folder / "issued" / f"{kid.hex()}.der"
    return x509.load_der_x509_certificate(path.read_bytes()) if path.exists() else None


def _check_known(authority: "Authority", kid: bytes) -> None:
    """A kid mistyped would leave the stolen key in use."""
    certificate = _certificate(authority, kid)
    if certificate is not None:
        if certificate.issuer != authority.regional_certificate.subject:
            raise RevocationError(f"key {kid.hex()} was certified in another region: revoke there")
    elif kid not in [person.kid for person in people.everyone(authority.folder)]:
        raise RevocationError(f"key {kid.hex()} is nobody's here: compare the key id")


def revoke(authority: "Authority", gone: Iterable[bytes], reason: int, since: int) -> Revocation:
    """Revoke these kids from `since` (Unix seconds) on: sign and keep the region's next version.

    Who is on the list stays on it; `since` only moves back, a reason only to a worse one. Returns
    the newest Revocation, which is the one that there was when nothing changes. The CRL is the
    caller's next step.
    """
    signer, folder = authority.signing, authority.folder
    held = latest(folder, authority.region, signer.public_key())
    rows = {kid: (at, why) for kid, at, why in held.rows()} if held else {}
    before = dict(rows)
    for kid in gone:
        _check_known(authority, kid)
        at, why = rows.get(kid, (since, reason))
        rows[kid] = (min(at, since), reason if reason in _COMPROMISED else why)
    if held is not None and rows == before:
        return held
    raw = build_revocation(
        version=held.version + 1 if held else 1,
        region=authority.region,
        issued=int(authority.clock().timestamp()),
        rows=[(kid, at, why) for kid, (at, why) in rows.items()],
        signer=signer,
        previous=held,
    )
    version = held.version + 1 if held else 1
    path = _series(folder, authority.region).add(version, raw)
    count = len(rows) - len(before)
    authority.log(f"revocation of region {authority.region} v{version} signed, {count} keys more")
    return load_revocation(path, signer.public_key(), authority.region, version)


def write_crl(authority: "Authority", days: int) -> Path:
    """Replace region-NNNN.crl.pem: the certificates of the revoked keys, due anew in `days`."""
    held = latest(authority.folder, authority.region, authority.signing.public_key())
    rows = []
    for kid, since, reason in held.rows() if held else []:
        certificate = _certificate(authority, kid)
        if certificate is not None:
            when = datetime.fromtimestamp(since, UTC)
            rows.append((certificate.serial_number, when, _CRL_REASONS[reason]))
    issuer = authority.issuer()
    listed = profile.revocation_list(rows, issuer, issuer.now + timedelta(days=days))
    path = authority.folder / f"region-{authority.region}.crl.pem"
    replace_file(path, listed.public_bytes(PEM))
    authority.log(f"CRL of region {authority.region} signed, {len(rows)} certificates")
    return path
