"""The trust bundle: which keys of one region may sign in one election, signed by the authority.

    [32, version, election, region, issued, next, [[point33, station]...], [kid...]]

Points are sorted by station, then point; station 0 is a spare kit. A revoked key stays listed, so
that what it signed can still be read and shown as revoked. A bundle past its `next` time is old,
not wrong: `stale()` says so and the caller shows it.
"""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from firmware import record
from host_tools.provision import keys

SPARE = 0


class BundleError(Exception):
    """A bundle that must not be used; the text says why in one line."""


class Bundle:
    """A verified bundle. Keys are 64 B X|Y, found by their 8 B kid."""

    def __init__(self, payload: list, raw: bytes):
        _, self.version, self.election, self.region, self.issued, self.next, points, gone = payload
        self.raw = raw
        self._keys: dict[bytes, tuple[bytes, int]] = {}
        for point33, station in points:
            try:
                key = keys.to_point64(keys.public_from(point33))
            except ValueError as error:
                raise BundleError(f"a key of station {station:013d} is not a P-256 key") from error
            kid = record.kid_of(key)
            if kid in self._keys:
                raise BundleError(f"key {kid.hex()} is listed twice")
            self._keys[kid] = (key, station)
        self._revoked = frozenset(gone)

    def key(self, kid: bytes) -> bytes | None:
        """64 B public key, or None when the bundle does not know this kid."""
        return self._keys[kid][0] if kid in self._keys else None

    def station(self, kid: bytes) -> int | None:
        """The planned station (0: spare kit), or None for an unknown kid."""
        return self._keys[kid][1] if kid in self._keys else None

    def revoked(self, kid: bytes) -> bool:
        return kid in self._revoked

    def kids(self) -> list[bytes]:
        """Every listed kid, in the bundle's order."""
        return list(self._keys)

    def revocations(self) -> list[bytes]:
        return sorted(self._revoked)

    def entries(self) -> list[tuple[bytes, int]]:
        """[(64 B key, station)] in the bundle's order, to build the next version from."""
        return list(self._keys.values())

    def stale(self, now: int) -> bool:
        """True when a newer bundle is due: results still verify, the reader is told it is old."""
        return now > self.next

    @property
    def training(self) -> bool:
        return record.is_training(self.election)


def file_name(region: int, version: int) -> str:
    """The bundle's file name as record.md 8.6 lays it down."""
    return f"bundle-{region}-{version}.cbor"


def build_bundle(
    *,
    version: int,
    election: int,
    region: int,
    issued: int,
    next_issue: int,
    entries: Iterable[tuple[bytes, int]],
    revoked: Iterable[bytes],
    signer,
) -> bytes:
    """A signed bundle. `entries`: (64 B key, station); `signer`: public_key(), sign(digest).

    Raises BundleError for what load would refuse too: a key twice, a station outside the region.
    """
    points = sorted(
        ([keys.to_point33(key), station] for key, station in entries),
        key=lambda item: (item[1], item[0]),
    )
    gone = sorted(set(revoked))
    payload = [record.BUNDLE, version, election, region, issued, next_issue, points, gone]
    _check(payload)
    Bundle(payload, b"")
    try:
        return record.assemble(payload, record.kid_of(signer.public_key()), signer.sign)
    except record.RecordError as error:
        raise BundleError(error.text) from error


def load_bundle(
    path: Path,
    authority_public_key: bytes,
    election: int | None = None,
    at_least: int = 0,
) -> Bundle:
    """Read and verify a bundle file against the authority's 64 B key; raises BundleError.

    `election`: the one it must be for; `at_least`: the version already held (no going back).
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return verify_bundle(raw, authority_public_key, election, at_least)
    except BundleError as error:
        raise BundleError(f"{path}: {error}") from error


def verify_bundle(
    raw: bytes,
    authority_public_key: bytes,
    election: int | None = None,
    at_least: int = 0,
) -> Bundle:
    """As load_bundle, for bytes in hand."""
    try:
        entry = record.parse(raw)
    except record.RecordError as error:
        raise BundleError(f"not a signed bundle ({error.text})") from error
    if entry.kind != record.BUNDLE:
        raise BundleError(f"a signed object of kind {entry.kind}, not a bundle (kind 32)")
    if entry.kid != record.kid_of(authority_public_key):
        raise BundleError(f"signed by key {entry.kid.hex()}, which is not this authority's")
    if not keys.verify(authority_public_key, entry.signed_digest(), entry.signature):
        raise BundleError("the authority's signature is wrong: the bundle was altered")
    payload: Any = entry.payload
    _check(payload)
    bundle = Bundle(payload, raw)
    if election is not None and bundle.election != election:
        raise BundleError(f"for election {bundle.election}, not {election}")
    if bundle.version < at_least:
        raise BundleError(f"version {bundle.version}, but {at_least} is already known")
    return bundle


def _check(payload: list) -> None:
    """What the record's shape does not say: order, no doubles, every station in the region."""
    _, _, _, region, issued, next_issue, points, revoked = payload
    if next_issue <= issued:
        raise BundleError("the next issue is not after this one")
    order = [(station, point) for point, station in points]
    if any(a >= b for a, b in pairwise(order)):
        raise BundleError("the key list is not sorted by station and point")
    if any(a >= b for a, b in pairwise(revoked)):
        raise BundleError("the revoked list is not sorted")
    for station, _point in order:
        if station != SPARE and not f"{station:013d}".startswith(str(region)):
            raise BundleError(f"station {station:013d} is not in region {region}")
