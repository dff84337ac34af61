"""Checks one receipt against a trust bundle, without a network. Pure: bytes in, report out.

What is the same for every receipt is made once: PPS check thousands in one go.
"""

from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from firmware import record
from host_tools.provision import keys
from host_tools.provision.bundle import SPARE, Bundle
from host_tools.verify import figures_check, frame, mode
from host_tools.verify.report import OK, SKIPPED, Check, Report
from host_tools.verify.trust import Known, Trust

NEEDED = (*frame.SIGNED, "election", "revoked")
BATCH = 1024
CLOCK_AHEAD = 86400  # a kit's clock may be off; a day into the future is worth a word
KINDS = {
    record.RESULT: "result",
    record.CORRECTION: "correction",
    record.EVENT: "event",
    record.ACK: "acknowledgement",
}
_ROLE = Check("role", OK, "A kind of record that a receipt may hold")
_NOT_REVOKED = Check("revoked", OK, "The key is not revoked in this bundle")
_CLOCK = Check("time", OK, "The kit's clock is not ahead of this machine's")
_LOG = Check("log", SKIPPED, "Whether the public log holds this record: needs the network")
_CERTIFICATE = Check(
    "certificate", SKIPPED, "The kit's certificate was not given: the bundle vouches for its key"
)
_PHOTOGRAPHS = Check(
    "photographs", SKIPPED, "The photographs: saksi verify photo compares them"
)  # fmt: skip
_SUPERSEDED = Check(
    "superseded", SKIPPED, "Whether a correction replaced this record: only the log knows"
)
_OPEN = (_LOG, _PHOTOGRAPHS, _SUPERSEDED)


def check_receipt(data: bytes, trust: Trust | Bundle, now: int) -> Report:
    """Every check of RECORD.md section 9 on the bytes of one receipt; never raises.

    `trust`: a Trust, or a bare verified Bundle; `now`: Unix seconds.
    """
    return check_receipts([data], trust, now)[0]


def check_receipts(datas: Sequence[bytes], trust: Trust | Bundle, now: int) -> list[Report]:
    """As check_receipt, for many.

    Signatures are verified a batch at a time with nothing in between, so that the code and tables
    for it stay in the processor's cache: a sixth of the time of all.
    """
    if isinstance(trust, Bundle):
        trust = Trust(trust, bytes(64))
    reports = []
    for at in range(0, len(datas), BATCH):
        begun = [_begin(data, trust) for data in datas[at : at + BATCH]]
        signed = [one.signature is not None and frame.holds(one.signature) for one in begun]
        reports += map(_finish, begun, signed, repeat(trust), repeat(now))
    return reports


class _Begun(NamedTuple):
    """A receipt on its way: `signature` to be verified, or None when a check before it failed."""

    report: Report
    entry: record.Entry | None = None
    known: Known | None = None
    signature: frame.Signature | None = None


def _begin(data: bytes, trust: Trust) -> _Begun:
    """All checks before the signature; never raises."""
    report = Report("receipt", NEEDED)
    try:
        entry = frame.take_apart(report, bytes(data))
        if entry is None:
            return _Begun(report)
        report.facts = _facts(entry)
        if entry.kind not in KINDS:
            report.fail("role", "Kind %d is not what a receipt holds", entry.kind)
            return _Begun(report)
        report.checks.append(_ROLE)
        if entry.kind == record.ACK:
            key = _collectors_key(report, entry, trust)
            return _Begun(report, entry, None, key and frame.Signature.of(entry, key))
        known = trust.known(entry.kid, entry.payload[1])
        if known is None:
            text = "Key %s is not in this bundle: foreign, or of another region"
            report.fail("key", text, kid_shown(entry))
            return _Begun(report)
        listed = known.said.get("key")
        if listed is None:
            text = "Key %s is in the bundle"
            listed = known.said["key"] = Check("key", OK, text, (kid_shown(entry),))
        report.checks.append(listed)
        return _Begun(report, entry, known, frame.Signature.of(entry, known.key))
    except Exception as error:  # whatever it was, it is not a valid receipt
        return _Begun(_unforeseen(report, error))


def _finish(begun: _Begun, signed: bool, trust: Trust, now: int) -> Report:
    """The signature's check and all after it; never raises."""
    report, entry, known, signature = begun
    if entry is None or signature is None:
        return report.finish()
    if not frame.say_signed(report, signed):
        return report.finish()
    try:
        if known is None:
            _check_ack(report, trust)
        else:
            _check_kits(report, entry, known, trust, now)
    except Exception as error:  # whatever it was, it is not a valid receipt
        return _unforeseen(report, error).finish()
    return report


def _unforeseen(report: Report, error: Exception) -> Report:
    report.fail("unexpected", "Something unforeseen: %s", type(error).__name__)
    return report


def _check_kits(
    report: Report, entry: record.Entry, known: Known, trust: Trust, now: int
) -> None:  # fmt: skip
    """What is checked of a record whose signature by a kit of a bundle holds."""
    check_place(report, entry, known)
    if entry.payload[-1] > now + CLOCK_AHEAD:
        report.warn("time", "The kit's clock is ahead of this machine's by more than a day")
    else:
        report.checks.append(_CLOCK)
    if trust.certificates is None:
        report.checks.append(_CERTIFICATE)
    else:
        trust.certificates.check(report, entry.kid, entry.payload[1], entry.time)
    package = trust.package
    if package is not None and package.station == entry.payload[2]:
        report.facts["utc_offset"] = package.offset
    elif package is not None:
        text = "The station package given is for station %013d: not used"
        report.warn("package", text, package.station)
    figures_check.check(report, entry, package)
    report.checks.extend(_of_bundle(trust, known.bundle, now))
    report.checks.extend(_OPEN if entry.kind < record.EVENT else (_LOG,))


def _facts(entry: record.Entry) -> dict:
    """What the record says, with names; signed or not is the report's matter."""
    facts: dict = {
        "kind": KINDS.get(entry.kind, str(entry.kind)),
        "rec_id": entry.rec_id.hex(),
        "kid": entry.kid.hex(),
    }
    payload = entry.payload
    if entry.kind < record.EVENT:
        _, facts["election"], station, *middle, manifest, seq, _, time = payload
        facts["station"] = f"{station:013d}"
        facts["contest"], facts["form"], facts["figures"] = middle
        facts["manifest"], facts["seq"], facts["time"] = manifest.hex(), seq, time
    elif entry.kind == record.EVENT:
        facts["election"], facts["station"] = payload[1], f"{payload[2]:013d}"
        facts["event"], facts["seq"], facts["time"] = payload[3], entry.seq, entry.time
    elif entry.kind == record.ACK:
        facts["quotes"] = payload[1].hex()
        facts["received"], facts["log_index"] = payload[2:4]
    return facts


def kid_shown(entry: record.Entry) -> str:
    """The key id as it stands on paper."""
    return entry.kid.hex().upper()


def check_place(
    report: Report, entry: record.Entry, known: Known, at: tuple[int, int] | None = None
) -> None:
    """Election, revocation, station and mode of a signed entry whose key a bundle lists.

    `at`: its (election, station), when they do not come first in its payload.
    """
    place = election, station = at or (entry.payload[1], entry.payload[2])
    made = known.said.get(place)
    if made is None:
        apart = Report("place", ())
        _check_place(apart, entry, known, election, station)
        made = known.said[place] = (apart.checks, apart.facts)
    report.checks.extend(made[0])
    report.facts.update(made[1])


def _check_place(
    report: Report, entry: record.Entry, known: Known, election: int, station: int
) -> None:  # fmt: skip
    bundle = known.bundle
    if election == bundle.election:
        report.ok("election", "Election %d, as the bundle", election)
    else:
        report.fail("election", "Election %d, but the bundle is for %d", election, bundle.election)
    if known.revoked:
        report.fail("revoked", "Key %s was revoked: do not rely on this kit", kid_shown(entry))
    else:
        report.checks.append(_NOT_REVOKED)
    planned = known.station
    if planned == station:
        report.ok("station", "The kit is the one of station %013d", station)
    elif planned != SPARE:
        text = "The kit belongs to station %013d, the record names %013d: ask who moved it"
        report.warn("station", text, planned, station)
    elif f"{station:013d}".startswith(str(bundle.region)):
        report.ok("station", "A spare kit of this region, at station %013d", station)
    else:
        report.warn("station", "A spare kit, but station %013d is in another region", station)
    mode.check(report, election)


def _collectors_key(
    report: Report, entry: record.Entry, trust: Trust
) -> ec.EllipticCurvePublicKey | None:
    """For a proof of sending: the collector's key, which the station package names."""
    if trust.package is None:
        report.skip("key", "A proof of sending: give the station package, it names the collector")
        return None
    report.facts["utc_offset"] = trust.package.offset
    key = bytes(trust.package.collector_key)
    if entry.kid != record.kid_of(key):
        report.fail("key", "Key %s is not the collector's", kid_shown(entry))
        return None
    report.ok("key", "Key %s is the collector's", kid_shown(entry))
    return keys.public_from(key)


def _check_ack(report: Report, trust: Trust) -> None:
    """What is said of a proof of sending whose signature by the collector holds."""
    assert trust.package is not None
    # An acknowledgement names no election: its key does, through the package.
    report.ok("election", "Election %d, as the bundle", trust.package.election)
    report.ok("revoked", "The collector's key is the package's own")
    mode.check(report, trust.package.election)
    report.skip("log", "Whether the record is in the public log: compare its index when on line")


def check_bundle(report: Report, trust: Trust, bundle: Bundle, now: int) -> None:
    """Age of the bundle, and how the authority's key came here."""
    report.checks.extend(_of_bundle(trust, bundle, now))


def _of_bundle(trust: Trust, bundle: Bundle, now: int) -> list[Check]:
    """The checks that are the same for all receipts of a bundle, made once a second."""
    made = trust.said.get(bundle.region)
    if made is None or made[0] is not bundle or made[1] != now:
        report = Report("bundle", ())
        if bundle.stale(now):
            report.warn("bundle", "Bundle version %d is old: ask for a newer one", bundle.version)
        else:
            text = "Bundle version %d of region %s is current"
            report.ok("bundle", text, bundle.version, bundle.region)
        if not trust.pinned:
            text = (
                "The authority's key was taken from beside the bundle; compare its fingerprint: %s"
            )
            report.skip("authority", text, trust.fingerprint)
        made = trust.said[bundle.region] = (bundle, now, report.checks)
    return made[2]
