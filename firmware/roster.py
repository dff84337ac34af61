"""The region's roster (kind 38): whose key opens a sealed kit, and whose signs its software.

Kept as the signed bytes in `<store>/roster.cbor`. A version below the one held is refused, so that
nobody who was taken off comes back by an old roster.
"""

from firmware import record
from firmware.compat import CodedError, const
from firmware.saved import read, replace

NOT_A_ROSTER = const(870)
NOT_SIGNED = const(871)
OLDER_ROSTER = const(872)


class RosterError(CodedError):
    """The kit does not take this roster."""


class Roster:
    """A parsed roster; RosterError when the bytes are none. Its signature was checked before."""

    def __init__(self, data):
        try:
            entry = record.parse(data)
        except record.RecordError as error:
            raise RosterError(NOT_A_ROSTER, "Not a roster: %s", error.text) from None
        if entry.kind != record.ROSTER:
            raise RosterError(NOT_A_ROSTER, "Not a roster: kind %d", entry.kind)
        self.entry = entry
        _, self.version, self.region, self.issued, self.until, technicians, releasers = (
            entry.payload
        )
        self._technicians = {record.kid_of(key): (name, key) for name, key in technicians}
        self.releasers = releasers  # 64 B keys

    def technician(self, kid):
        """(name, 64 B key) of the technician with this key id, or None."""
        return self._technicians.get(kid)


def check(data, authority, verify, held=None):
    """The Roster in `data` when `authority` (64 B key or None) signed it and it is not older.

    `verify(key, digest, signature)` is the chip's; `held` is the Roster that the kit has, or None.
    """
    roster = Roster(data)
    entry = roster.entry
    if authority is None or entry.kid != record.kid_of(authority):
        raise RosterError(NOT_SIGNED, "The roster is not signed by this kit's authority")
    if verify(authority, entry.signed_digest(), entry.signature) is not True:
        raise RosterError(NOT_SIGNED, "The roster was altered: its signature is wrong")
    if held is not None:
        if roster.version < held.version:
            raise RosterError(OLDER_ROSTER, "The kit has a newer roster already")
        if roster.region != held.region:
            raise RosterError(OLDER_ROSTER, "The kit has the roster of another region")
    return roster


def held_roster(store):
    """The Roster that the kit keeps, or None; RosterError when its file is damaged."""
    data = read(store + "/roster.cbor")
    return None if data is None else Roster(data)


def keep(store, data, authority, verify):
    """Check `data` and keep it; returns the Roster."""
    try:
        held = held_roster(store)
    except RosterError:
        held = None  # damaged: to be replaced
    roster = check(data, authority, verify, held)
    replace(store + "/roster.cbor", data)
    return roster
