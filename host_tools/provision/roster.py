"""The roster: a region's technicians and releasers, signed by the authority (kind 38).

    [38, version, region, issued, until, [[name, key64]...], [key64...]]

A roster past its `until` is old, not wrong: `stale()` says so and the caller shows it.
"""

from collections.abc import Iterable
from pathlib import Path

from firmware import record
from firmware.roster import Roster as KitRoster
from firmware.roster import RosterError as NoRosterError
from host_tools.provision import keys

MOST = 4000  # bytes; the provisioning cable's longest line holds 4,089 in hex


class RosterError(Exception):
    """A roster that must not be used, or that cannot be made; the text says why in one line."""


class Roster(KitRoster):
    """A verified roster, as the kit reads it."""

    def stale(self, now: int) -> bool:
        """True when a newer roster is due."""
        return now > self.until


def build_roster(
    *,
    version: int,
    region: int,
    issued: int,
    until: int,
    technicians: Iterable[tuple[str, bytes]],
    releasers: Iterable[bytes],
    signer,
) -> bytes:
    """A signed roster. `technicians`: (name, 64 B key); `releasers`: 64 B keys; `signer`:
    public_key(), sign(digest). Raises RosterError for what verify would refuse too.
    """
    people = [[name, key] for name, key in sorted(technicians)]
    payload = [record.ROSTER, version, region, issued, until, people, sorted(releasers)]
    try:
        raw = record.assemble(payload, record.kid_of(signer.public_key()), signer.sign)
    except record.RecordError as error:
        raise RosterError(error.text) from error
    _check(Roster(raw))
    return raw


def verify_roster(
    raw: bytes, authority_public_key: bytes, region: int | None = None, at_least: int = 0
) -> Roster:
    """The Roster in `raw`, verified against the authority's 64 B key; raises RosterError.

    `region`: the one it must be for; `at_least`: the version already held (no going back).
    """
    try:
        roster = Roster(raw)
    except record.RecordError as error:
        raise RosterError(f"not a signed roster ({error.text})") from error
    except NoRosterError as error:
        raise RosterError("a signed object of another kind, not a roster (kind 38)") from error
    if roster.kid != record.kid_of(authority_public_key):
        raise RosterError(f"signed by key {roster.kid.hex()}, which is not this authority's")
    if not keys.verify(authority_public_key, roster.entry.signed_digest(), roster.entry.signature):
        raise RosterError("the authority's signature is wrong: the roster was altered")
    _check(roster)
    if region is not None and roster.region != region:
        raise RosterError(f"for region {roster.region}, not {region}")
    if roster.version < at_least:
        raise RosterError(f"version {roster.version}, but {at_least} is already known")
    return roster


def load_roster(
    path: Path, authority_public_key: bytes, region: int | None = None, at_least: int = 0
) -> Roster:
    """As verify_roster, for a file."""
    try:
        return verify_roster(Path(path).read_bytes(), authority_public_key, region, at_least)
    except OSError as error:
        raise RosterError(f"{path}: cannot be read ({error.strerror})") from error
    except RosterError as error:
        raise RosterError(f"{path}: {error}") from error


def _check(roster: Roster) -> None:
    """What the shape does not say: real keys, nobody twice, a size that the cable takes."""
    if roster.until <= roster.issued:
        raise RosterError("it would be old before it was issued")
    if not roster.technicians:
        raise RosterError("it names no technician and shuts all out: give one a key first")
    names = [name for name, _key in roster.technicians]
    listed = [key for _name, key in roster.technicians] + roster.releasers
    if len(set(names)) < len(names) or len(set(listed)) < len(listed):
        raise RosterError("a name or a key is on it twice")
    for key in listed:
        try:
            keys.public_from(key)
        except ValueError as error:
            raise RosterError(f"key {record.kid_of(key).hex()} is not a P-256 key") from error
    if len(roster.data) > MOST:
        raise RosterError(f"{len(roster.data)} bytes; a kit's cable takes {MOST}: leave people out")
