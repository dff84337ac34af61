"""The trust of one dress rehearsal: its own authority, CA and kit keys, for training only.

Nothing here is signed by the real authority, and no collector of the real day knows these keys. All
keys follow from one secret of 32 bytes, which is as good as nothing elsewhere. A folder holds

    secret             those bytes, for its owner only
    authority.pem      the rehearsal's authority, for `saksi collect --authority`
    ca.pem             its CA, for --ca
    bundle-1607-1.cbor the keys of a regency's kits, for --bundle
    used               once a collector outside was rehearsed with: a chain is not begun twice
"""

import hmac
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from firmware import record
from host_tools.provision import bundle as bundles
from host_tools.provision import profile
from host_tools.provision.ceremony import write_new
from host_tools.provision.keys import CURVE, SoftwareKey

_DAY = 86400
_PEM = serialization.Encoding.PEM


class Trust:
    """The trust kept in `folder`. `now`: Unix seconds of certificates and bundles."""

    def __init__(self, folder: Path, election: int):
        self.folder, self.election = folder, election
        if not record.is_training(election):
            raise ValueError("a rehearsal is of training only")
        self._secret = (folder / "secret").read_bytes()
        self._held: bundles.Bundle | None = None

    @classmethod
    def make(cls, folder: Path, election: int, stations: Iterable[int], now: int) -> "Trust":
        """Make keys and bundles for these stations of a training election in a new folder."""
        folder.mkdir(parents=True, exist_ok=True)
        write_new(folder / "secret", secrets.token_bytes(32), 0o600)
        made = cls(folder, election)
        issuer = profile.Issuer(made._key("CA"), None, datetime.fromtimestamp(now, UTC))
        ca = profile.authority_certificate("Saksi rehearsal", 0, issuer.key, issuer)
        write_new(folder / "ca.pem", ca.public_bytes(_PEM), 0o644)
        public = made.authority.private.public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        write_new(folder / "authority.pem", public.public_bytes(_PEM, form), 0o644)
        regencies: dict[int, list[int]] = {}
        for station in stations:
            regencies.setdefault(station // 10**9, []).append(station)
        for region, codes in regencies.items():
            data = bundles.build_bundle(
                version=1,
                election=election,
                region=region,
                issued=now,
                next_issue=now + 30 * _DAY,
                entries=[(made.kit(station).public_key(), station) for station in codes],
                revoked=[],
                signer=made.authority,
            )
            write_new(folder / bundles.file_name(region, 1), data, 0o644)
        return made

    def _key(self, what: str) -> SoftwareKey:
        digest = hmac.digest(self._secret, f"saksi rehearsal {what}".encode(), "sha512")
        number = int.from_bytes(digest, "big") % (record.ORDER - 1) + 1
        return SoftwareKey(ec.derive_private_key(number, CURVE))

    @cached_property
    def authority(self) -> SoftwareKey:
        """Signs the training packages and bundles of this rehearsal."""
        return self._key("authority")

    @cached_property
    def _ca_key(self) -> SoftwareKey:
        return self._key("CA")

    @cached_property
    def ca(self) -> x509.Certificate:
        """The CA of its kits' certificates."""
        return x509.load_pem_x509_certificate((self.folder / "ca.pem").read_bytes())

    def kit(self, station: int) -> SoftwareKey:
        """The key of the station's kit."""
        return self._key(f"kit {station:013d}")

    def certificate(self, station: int, key: SoftwareKey) -> x509.Certificate:
        """The kit's certificate, for training (OU=LATIHAN); the chip's number is invented."""
        serial = hmac.digest(self._secret, f"chip {station}".encode(), "sha256")[:9].hex().upper()
        kit = f"REHEARSAL-{station:013d}"
        issuer = profile.Issuer(self._ca_key, self.ca, self.ca.not_valid_before_utc)
        subject = profile.device_name(serial, kit, training=True)
        return profile.device_certificate(subject, kit, key.private.public_key(), issuer)

    def files(self) -> list[Path]:
        """The bundles' files."""
        return sorted(self.folder.glob("bundle-*.cbor"))

    def bundle(self, station: int) -> bundles.Bundle:
        """The verified bundle of the station's regency; BundleError when there is none."""
        region = station // 10**9
        if self._held is None or self._held.region != region:  # stations come in order
            path = self.folder / bundles.file_name(region, 1)
            self._held = bundles.load_bundle(path, self.authority.public_key(), self.election)
        return self._held
