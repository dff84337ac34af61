"""The roster: who may open a region's sealed kits and sign their software (RECORD.md, kind 38).

The kit keeps the highest version that it was shown in `roster.cbor`, as the authority signed it,
and checks it anew whenever it is read.
"""

from firmware import record
from firmware.compat import CodedError, const
from firmware.saved import read, replace

NO_AUTHORITY_YET = const(870)
ROSTER_NOT_SIGNED = const(871)
NOT_A_ROSTER = const(872)
OTHER_REGION = const(873)
OLDER_ROSTER = const(874)

_FILE = "/roster.cbor"


class RosterError(CodedError):
    """The kit refuses this roster."""


class Roster:
    """A parsed roster: data, kid 8 B of its signer, version, region, issued, until (Unix seconds),
    technicians [[name, key 64 B]…], releasers [key 64 B…].

    Raises RecordError or RosterError when `data` is no roster.
    """

    def __init__(self, data):
        self.entry = record.parse(data)
        if self.entry.kind != record.ROSTER:
            raise RosterError(NOT_A_ROSTER, "This is not a roster: ask the authority for one")
        self.data = self.entry.data
        self.kid = self.entry.kid
        _, self.version, self.region, self.issued, self.until = self.entry.payload[:5]
        self.technicians, self.releasers = self.entry.payload[5:]

    def technician(self, kid):
        """(name, 64 B key) of the technician with this 8 B key id, or None."""
        for name, key in self.technicians:
            if record.kid_of(key) == kid:
                return name, key
        return None

    def releaser(self, kid):
        """The 64 B key of the releaser with this 8 B key id, or None."""
        for key in self.releasers:
            if record.kid_of(key) == kid:
                return key
        return None

    def is_releaser(self, key):
        """True when this 64 B key, or the key with this 8 B id, may sign software."""
        return key in self.releasers or self.releaser(key) is not None


def _signed(data, authority_key, verify):
    roster = Roster(data)
    if authority_key is None:
        raise RosterError(NO_AUTHORITY_YET, "The kit knows no authority yet: enrol it first")
    ours = roster.kid == record.kid_of(authority_key)
    entry = roster.entry
    if not ours or verify(authority_key, entry.signed_digest(), entry.signature) is not True:
        raise RosterError(ROSTER_NOT_SIGNED, "The authority did not sign this roster")
    return roster


def check(data, authority_key, verify, held, station=None):
    """The Roster in `data`, if the authority (64 B key or None) signed it and it is no step back.

    `verify(key, digest, signature)` is the chip's; anything but a clear yes from it is a no.
    `held` is the kit's Roster or None; `station` the 13-digit code of its package or None.
    Raises RecordError or RosterError.
    """
    roster = _signed(data, authority_key, verify)
    foreign = station is not None and not ("%013d" % station).startswith(str(roster.region))
    if foreign or (held is not None and held.region != roster.region):
        raise RosterError(OTHER_REGION, "The roster is of another region than the kit")
    if held is not None and held.data != roster.data and roster.version <= held.version:
        raise RosterError(OLDER_ROSTER, "The kit has this roster's version or a newer one already")
    return roster


def load(store, authority_key, verify):
    """The kept Roster, or None when the kit was never given one.

    Raises RecordError or RosterError when the file is no longer what the authority signed: then
    nobody is a technician, which is not the same as having no roster yet.
    """
    data = read(store + _FILE)
    return None if data is None else _signed(data, authority_key, verify)


def take(store, data, authority_key, verify, station=None):
    """Check `data` against the kept roster and keep it; a damaged one may be replaced.

    Returns the Roster; raises as `check`.
    """
    try:
        held = load(store, authority_key, verify)
    except (record.RecordError, RosterError):
        held = None
    roster = check(data, authority_key, verify, held, station)
    if held is None or held.data != roster.data:
        replace(store + _FILE, roster.data)
    return roster
