"""The signed assignment (kind 39): this kit serves at this station now, in that one's place.

    [39, election, station, kit kid, replaces kid, reason, issued]

The authority's signing key signs it, so that a swapped kit is believed before the next bundle.
"""

from dataclasses import dataclass

from firmware import record
from host_tools.provision import keys

REASONS = {"lost": 1, "broken": 2, "out of use": 3, "secret known": 4}  # as a revocation's


class AssignmentError(Exception):
    """An assignment that must not be used; the text says why in one line."""


@dataclass(frozen=True)
class Assignment:
    """A verified assignment. `kit` and `replaces` are 8 B kids; `issued` Unix seconds."""

    election: int
    station: int
    kit: bytes
    replaces: bytes | None
    reason: int
    issued: int


def file_name(election: int, station: int, number: int) -> str:
    """The file's name; `number` counts a station's signed assignments from 1."""
    return f"assignment-{election}-{station:013d}-{number}.cbor"


def build_assignment(assignment: Assignment, signer) -> bytes:
    """The record's bytes; `signer`: the authority's public_key(), sign(digest)."""
    a = assignment
    _check(a)
    payload = [record.ASSIGNMENT, a.election, a.station, a.kit, a.replaces, a.reason, a.issued]
    try:
        return record.assemble(payload, record.kid_of(signer.public_key()), signer.sign)
    except record.RecordError as error:
        raise AssignmentError(error.text) from error


def verify_assignment(raw: bytes, authority_public_key: bytes) -> Assignment:
    """The assignment in `raw` if the authority (64 B X|Y) signed it; raises AssignmentError."""
    try:
        entry = record.parse(raw)
    except record.RecordError as error:
        raise AssignmentError(f"not a signed assignment ({error.text})") from error
    if entry.kind != record.ASSIGNMENT:
        raise AssignmentError(f"a signed object of kind {entry.kind}, not an assignment (kind 39)")
    if entry.kid != record.kid_of(authority_public_key):
        raise AssignmentError(f"signed by key {entry.kid.hex()}, which is not this authority's")
    if not keys.verify(authority_public_key, entry.signed_digest(), entry.signature):
        raise AssignmentError("the authority's signature is wrong: the assignment was altered")
    assignment = Assignment(*entry.payload[1:])
    _check(assignment)
    return assignment


def _check(assignment: Assignment) -> None:
    """What the record's shape does not say."""
    if not 0 < assignment.station <= 9_999_999_999_999:
        raise AssignmentError("an assignment is to a station of 13 digits")
    if assignment.reason not in REASONS.values():
        raise AssignmentError(f"reason {assignment.reason} is not known")
    if assignment.kit == assignment.replaces:
        raise AssignmentError("a kit cannot take its own place")
