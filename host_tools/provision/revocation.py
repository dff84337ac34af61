"""The revocation: keys of a region that must not be believed, signed by the authority (kind 33).

    [33, version, region, issued, [[kid, since, reason]...]]

Rows are sorted by kid. Each version holds the keys of the earlier ones; a row changes only so that
its key is believed for a shorter time.
"""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from firmware import record
from host_tools.provision import keys

REASONS = {"lost": 1, "broken": 2, "unused": 3, "secret": 4}
NAMES = {number: name for name, number in REASONS.items()}


class RevocationError(Exception):
    """A revocation that must not be used, or that cannot be made; the text says why in one line."""


class Revocation:
    """A verified revocation."""

    def __init__(self, payload: list, raw: bytes):
        _, self.version, self.region, self.issued, rows = payload
        self.raw = raw
        self._rows: dict[bytes, tuple[int, int]] = {kid: (at, why) for kid, at, why in rows}

    def kids(self) -> list[bytes]:
        """Every revoked kid, sorted: what a bundle's `revoked` lists."""
        return sorted(self._rows)

    def rows(self) -> list[tuple[bytes, int, int]]:
        """[(kid, since, reason)] sorted by kid."""
        return [(kid, *self._rows[kid]) for kid in self.kids()]

    def since(self, kid: bytes) -> int | None:
        """Unix seconds from which on this key is not believed; None: it is not revoked."""
        return self._rows[kid][0] if kid in self._rows else None


def build_revocation(
    *,
    version: int,
    region: int,
    issued: int,
    rows: Iterable[tuple[bytes, int, int]],
    signer,
    previous: Revocation | None = None,
) -> bytes:
    """A signed revocation. `rows`: (kid, since, reason); `signer`: public_key(), sign(digest).

    Raises RevocationError for what verify would refuse too, and when `previous` is not held in it.
    """
    listed = sorted([kid, since, reason] for kid, since, reason in rows)
    payload = [record.REVOCATION, version, region, issued, listed]
    _check(payload)
    if previous is not None:
        check_follows(previous, Revocation(payload, b""))
    try:
        return record.assemble(payload, record.kid_of(signer.public_key()), signer.sign)
    except record.RecordError as error:
        raise RevocationError(error.text) from error


def check_follows(old: Revocation, new: Revocation) -> None:
    """RevocationError unless `new` is a later version of `old` that forgives no key."""
    if new.region != old.region or new.version <= old.version:
        raise RevocationError(f"version {new.version} does not follow version {old.version}")
    for kid, since, _reason in old.rows():
        now = new.since(kid)
        if now is None or now > since:
            raise RevocationError(f"key {kid.hex()} would be believed again")


def verify_revocation(
    raw: bytes, authority_public_key: bytes, region: int | None = None, at_least: int = 0
) -> Revocation:
    """The Revocation in `raw`, verified against the authority's 64 B key; raises RevocationError.

    `region`: the one it must be for; `at_least`: the version already held (no going back).
    """
    try:
        entry = record.parse(raw)
    except record.RecordError as error:
        raise RevocationError(f"not a signed revocation ({error.text})") from error
    if entry.kind != record.REVOCATION:
        raise RevocationError(f"a signed object of kind {entry.kind}, not a revocation (kind 33)")
    if entry.kid != record.kid_of(authority_public_key):
        raise RevocationError(f"signed by key {entry.kid.hex()}, which is not this authority's")
    if not keys.verify(authority_public_key, entry.signed_digest(), entry.signature):
        raise RevocationError("the authority's signature is wrong: the revocation was altered")
    payload: Any = entry.payload
    _check(payload)
    revocation = Revocation(payload, raw)
    if region is not None and revocation.region != region:
        raise RevocationError(f"for region {revocation.region}, not {region}")
    if revocation.version < at_least:
        raise RevocationError(f"version {revocation.version}, but {at_least} is already known")
    return revocation


def load_revocation(
    path: Path, authority_public_key: bytes, region: int | None = None, at_least: int = 0
) -> Revocation:
    """As verify_revocation, for a file."""
    try:
        return verify_revocation(Path(path).read_bytes(), authority_public_key, region, at_least)
    except OSError as error:
        raise RevocationError(f"{path}: cannot be read ({error.strerror})") from error
    except RevocationError as error:
        raise RevocationError(f"{path}: {error}") from error


def _check(payload: list) -> None:
    """What the record's shape does not say: order, no doubles, known reasons, no future."""
    _, _, _, issued, rows = payload
    if any(a[0] >= b[0] for a, b in pairwise(rows)):
        raise RevocationError("the list is not sorted by key, or a key is on it twice")
    for kid, since, reason in rows:
        if reason not in NAMES:
            raise RevocationError(f"key {kid.hex()}: reason {reason} is unknown")
        if since > issued:
            raise RevocationError(f"key {kid.hex()}: is revoked from a time still to come")
