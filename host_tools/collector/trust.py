"""Who may sign: the keys of the trust bundles, and the regional CAs behind kit certificates.

The bundle is the list. A certificate alone gives nobody the right to sign; it only has to be
genuine, because the first entry of a journal names its digest. Its validity dates are not looked
at: a CA that ran out on the evening must not shut out stations, and revocation is in the bundle.
"""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TypeGuard

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from firmware import record
from host_tools.collector.reasons import Refused, SetupError
from host_tools.provision import bundle as bundles
from host_tools.provision import keys


class Trust:
    """What the bundles and CA certificates of this collector allow."""

    def __init__(
        self, listed: Iterable[bundles.Bundle], authorities: Iterable[x509.Certificate] = ()
    ):
        self._authorities = list(authorities)
        self._keys: dict[bytes, bytes] = {}  # kid -> X|Y
        self._elections: dict[bytes, set[int]] = {}  # kid -> elections
        self._stations: dict[tuple[bytes, int], set[int]] = {}  # kid, election -> stations
        self._regions: dict[tuple[bytes, int], set[int]] = {}  # the same for spare kits -> regions
        self._revoked: set[bytes] = set()
        self.newest = _newest(listed)
        for bundle in self.newest:
            self._add(bundle)

    @classmethod
    def load(cls, bundle_files: Iterable[Path], authority: Path, ca_files: Iterable[Path]):
        """From files: signed bundles, the authority's pinned public key (PEM), CA certificates.

        Raises SetupError when one of them cannot be trusted.
        """
        try:
            pinned = keys.load_public(authority)
            listed = [bundles.load_bundle(path, pinned) for path in bundle_files]
        except (keys.KeyFileError, bundles.BundleError) as error:
            raise SetupError(str(error)) from error
        return cls(listed, [ca for path in ca_files for ca in _load_ca(path)])

    def _add(self, bundle: bundles.Bundle) -> None:
        self._revoked.update(bundle.revocations())
        for key, station in bundle.entries():
            kid = record.kid_of(key)
            elections = self._elections.setdefault(kid, set())
            if any(record.is_training(other) != bundle.training for other in elections):
                raise SetupError(
                    f"key {kid.hex()} is listed for a training and a live election: issue the"
                    " bundles again with separate keys"
                )
            if self._keys.setdefault(kid, key) != key:
                raise SetupError(f"two keys have the id {kid.hex()}: enrol one kit again")
            elections.add(bundle.election)
            place = (kid, bundle.election)
            if station == bundles.SPARE:
                self._regions.setdefault(place, set()).add(bundle.region)
            else:
                self._stations.setdefault(place, set()).add(station)

    def check(self, entry: record.Entry) -> None:
        """Raise Refused unless this key may sign this entry and its signature verifies."""
        kid, name = entry.kid, entry.kid.hex()
        if kid in self._revoked:
            raise Refused("revoked", f"Key {name} was revoked; ask the region for another kit.")
        if kid not in self._keys:
            raise Refused("kid", f"Key {name} is in no trust bundle of this collector.")
        if not keys.verify(self._keys[kid], entry.signed_digest(), entry.signature):
            raise Refused("signature", f"The signature does not verify with key {name}.")
        if entry.kind not in (record.RESULT, record.CORRECTION, record.EVENT):
            raise Refused("kind", f"A kit does not sign records of kind {entry.kind}.")
        _, election, station = entry.payload[:3]
        listed_for = self._elections[kid]
        if election not in listed_for:
            if record.is_training(election) != record.is_training(min(listed_for)):
                raise Refused("mode", f"Key {name} is of the other mode than election {election}.")
            raise Refused("election", f"Key {name} is not listed for election {election}.")
        if not self._serves((kid, election), station):
            raise Refused("station", f"Key {name} is not listed for station {station:013d}.")

    def _serves(self, place: tuple[bytes, int], station: int) -> bool:
        if station in self._stations.get(place, ()):
            return True
        # A spare kit may stand in for any station of the region whose bundle lists it.
        code = f"{station:013d}"
        return any(code.startswith(str(region)) for region in self._regions.get(place, ()))

    def check_certificate(self, der: bytes, kid: bytes) -> None:
        """Raise Refused unless `der` is this kit's certificate, signed by one of our CAs."""
        try:
            certificate = x509.load_der_x509_certificate(der)
            public = certificate.public_key()
        except Exception as error:  # the parser raises a dozen kinds on rubbish
            raise Refused("certificate", "The certificate is not X.509 in DER.") from error
        if not (_is_p256(public) and record.kid_of(keys.to_point64(public)) == kid):
            raise Refused("certificate", f"The certificate is not of key {kid.hex()}.")
        if not any(_issued_by(certificate, ca) for ca in self._authorities):
            raise Refused("certificate", "The certificate is not from a known regional CA.")


def _newest(listed: Iterable[bundles.Bundle]) -> list[bundles.Bundle]:
    """Of each election and region the newest version only: an older one may list revoked keys."""
    newest: dict[tuple[int, int], bundles.Bundle] = {}
    for bundle in listed:
        held = newest.get((bundle.election, bundle.region))
        if held is None or bundle.version > held.version:
            newest[bundle.election, bundle.region] = bundle
    return list(newest.values())


def _is_p256(public: object) -> TypeGuard[ec.EllipticCurvePublicKey]:
    return isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name == keys.CURVE.name


def _issued_by(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _load_ca(path: Path) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(Path(path).read_bytes())
    except OSError as error:
        raise SetupError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SetupError(f"{path}: no CA certificate in PEM") from error
    for certificate in found:
        try:
            is_ca = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except (x509.ExtensionNotFound, ValueError):
            is_ca = False
        if not is_ca:
            name = certificate.subject.rfc4514_string()
            raise SetupError(f"{path}: {name} is not a CA certificate; give the regional CA's")
    return found


def stale(trust: Trust, now: float | None = None) -> list[str]:
    """One line for each bundle past its `next` time: still used, but somebody should ask."""
    moment = int(time.time() if now is None else now)
    return [
        f"bundle of region {b.region}, election {b.election}, version {b.version} is past its"
        " next issue: fetch the newer one"
        for b in trust.newest
        if b.stale(moment)
    ]
