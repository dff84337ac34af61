"""Checks one receipt against a trust bundle, without a network. Pure: bytes in, report out."""

from firmware import record
from host_tools.provision.bundle import SPARE, Bundle
from host_tools.verify import figures_check, frame, mode
from host_tools.verify.report import Report
from host_tools.verify.trust import Trust

NEEDED = (*frame.SIGNED, "election", "revoked")
CLOCK_AHEAD = 86400  # a kit's clock may be off; a day into the future is worth a word
KINDS = {
    record.RESULT: "result",
    record.CORRECTION: "correction",
    record.EVENT: "event",
    record.ACK: "acknowledgement",
}


def check_receipt(data: bytes, trust: Trust | Bundle, now: int) -> Report:
    """Every check of RECORD.md section 9 on the bytes of one receipt; never raises.

    `trust`: a Trust, or a bare verified Bundle; `now`: Unix seconds.
    """
    report = Report("receipt", NEEDED)
    try:
        if isinstance(trust, Bundle):
            trust = Trust(trust, bytes(64))
        _check(report, bytes(data), trust, now)
    except Exception as error:  # whatever it was, it is not a valid receipt
        report.fail("unexpected", "Something unforeseen: %s", type(error).__name__)
    return report.finish()


def _check(report: Report, data: bytes, trust: Trust, now: int) -> None:
    entry = frame.take_apart(report, data)
    if entry is None:
        return
    report.facts = _facts(entry)
    if entry.kind not in KINDS:
        report.fail("role", "Kind %d is not what a receipt holds", entry.kind)
        return
    report.ok("role", "A kind of record that a receipt may hold")
    if entry.kind == record.ACK:
        _check_ack(report, entry, trust)
        return
    key = trust.bundle.key(entry.kid)
    if key is None:
        report.fail(
            "key", "Key %s is not in this bundle: foreign, or of another region", _kid(entry)
        )
        return
    report.ok("key", "Key %s is in the bundle", _kid(entry))
    if not frame.check_signature(report, entry, key):
        return
    check_place(report, entry, trust.bundle)
    _check_time(report, entry, now)
    if trust.package is not None and trust.package.station == entry.payload[2]:
        report.facts["utc_offset"] = trust.package.offset
    elif trust.package is not None:
        text = "The station package given is for station %013d: not used"
        report.warn("package", text, trust.package.station)
    figures_check.check(report, entry, trust.package)
    check_bundle(report, trust, now)
    _not_checked(report, entry)


def _facts(entry: record.Entry) -> dict:
    """What the record says, with names; signed or not is the report's matter."""
    facts: dict = {"kind": KINDS.get(entry.kind, str(entry.kind)), "rec_id": entry.rec_id.hex()}
    facts["kid"] = entry.kid.hex()
    if entry.kind <= record.EVENT:
        facts["election"], facts["station"] = entry.payload[1], f"{entry.payload[2]:013d}"
        facts["seq"], facts["time"] = entry.seq, entry.time
    if entry.kind == record.EVENT:
        facts["event"] = entry.payload[3]
    elif entry.kind < record.EVENT:
        facts["contest"], facts["form"], facts["figures"] = entry.payload[3:6]
        facts["manifest"] = entry.payload[6].hex()
    elif entry.kind == record.ACK:
        facts["quotes"] = entry.payload[1].hex()
        facts["received"], facts["log_index"] = entry.payload[2:4]
    return facts


def _kid(entry: record.Entry) -> str:
    return entry.kid.hex().upper()


def check_place(report: Report, entry: record.Entry, bundle: Bundle) -> None:
    """Election, revocation, station and mode of a signed entry whose key the bundle lists."""
    election, station = entry.payload[1:3]
    if election == bundle.election:
        report.ok("election", "Election %d, as the bundle", election)
    else:
        report.fail("election", "Election %d, but the bundle is for %d", election, bundle.election)
    if bundle.revoked(entry.kid):
        report.fail("revoked", "Key %s was revoked: do not rely on this kit", _kid(entry))
    else:
        report.ok("revoked", "The key is not revoked in this bundle")
    planned = bundle.station(entry.kid)
    inside = f"{station:013d}".startswith(str(bundle.region))
    if planned == station:
        report.ok("station", "The kit is the one of station %013d", station)
    elif planned == SPARE and inside:
        report.ok("station", "A spare kit of this region, at station %013d", station)
    elif planned == SPARE:
        report.warn("station", "A spare kit, but station %013d is in another region", station)
    else:
        report.warn(
            "station",
            "The kit belongs to station %013d, the record names %013d: ask who moved it",
            planned,
            station,
        )
    mode.check(report, election)


def _check_ack(report: Report, entry: record.Entry, trust: Trust) -> None:
    """A proof of sending: signed by the collector, whose key the station package names."""
    if trust.package is None:
        report.skip("key", "A proof of sending: give the station package, it names the collector")
        return
    report.facts["utc_offset"] = trust.package.offset
    key = bytes(trust.package.collector_key)
    if entry.kid != record.kid_of(key):
        report.fail("key", "Key %s is not the collector's", _kid(entry))
        return
    report.ok("key", "Key %s is the collector's", _kid(entry))
    if not frame.check_signature(report, entry, key):
        return
    # An acknowledgement names no election: its key does, through the package.
    report.ok("election", "Election %d, as the bundle", trust.bundle.election)
    report.ok("revoked", "The collector's key is the package's own")
    mode.check(report, trust.bundle.election)
    report.skip("log", "Whether the record is in the public log: compare its index when on line")


def _check_time(report: Report, entry: record.Entry, now: int) -> None:
    if entry.time > now + CLOCK_AHEAD:
        report.warn("time", "The kit's clock is ahead of this machine's by more than a day")
    else:
        report.ok("time", "The kit's clock is not ahead of this machine's")


def check_bundle(report: Report, trust: Trust, now: int) -> None:
    """Age of the bundle, and how the authority's key came here."""
    bundle = trust.bundle
    if bundle.stale(now):
        report.warn("bundle", "Bundle version %d is old: ask for a newer one", bundle.version)
    else:
        report.ok(
            "bundle", "Bundle version %d of region %s is current", bundle.version, bundle.region
        )
    if not trust.pinned:
        report.skip(
            "authority",
            "The authority's key was taken from beside the bundle; compare its fingerprint: %s",
            trust.fingerprint,
        )


def _not_checked(report: Report, entry: record.Entry) -> None:
    report.skip("log", "Whether the public log holds this record: needs the network")
    if entry.kind < record.EVENT:
        report.skip("photographs", "The photographs: saksi verify photo compares them")
        report.skip("superseded", "Whether a correction replaced this record: only the log knows")
