"""Checks the code on a kit's carton against a trust bundle, without a network: was it readied?

It says what the kit measured and what its technician saw; it is no result and counts nowhere.
"""

from collections.abc import Callable
from functools import partial

from firmware import record
from host_tools.provision.readiness import Readiness, ReadinessError, name, parse
from host_tools.verify import frame
from host_tools.verify.receipt import (
    CLOCK_AHEAD,
    check_bundle,
    check_place,
    kid_shown,
)
from host_tools.verify.report import FAILED, SKIPPED, Report, Words
from host_tools.verify.trust import Trust

NEEDED = (*frame.SIGNED, "election", "revoked", "station", "parts")


def check_readiness(data: bytes, trust: Trust, now: int) -> Report:
    """Every check of a readiness statement; never raises. `now`: Unix seconds."""
    report = Report("readiness", NEEDED)
    try:
        _check(report, bytes(data), trust, now)
    except Exception as error:  # whatever it was, it is not a valid statement
        report.fail("unexpected", "Something unforeseen: %s", type(error).__name__)
    return report.finish()


def _check(report: Report, data: bytes, trust: Trust, now: int) -> None:
    entry = frame.take_apart(report, data)
    if entry is None:
        return
    if entry.kind != record.READINESS:
        text = "Kind %d is no statement of readiness: saksi verify receipt"
        report.fail("role", text, entry.kind)
        return
    report.ok("role", "A kit's statement that it is ready")
    try:
        said = parse(data)
    except ReadinessError:
        report.fail("parts", "One check has two outcomes")
        return
    report.facts = {**said.as_json(), "kind": "readiness", "rec_id": entry.rec_id.hex()}
    known = trust.known(entry.kid, said.election)
    if known is None:
        text = "Key %s is not in this bundle: foreign, or of another region"
        report.fail("key", text, kid_shown(entry))
        return
    report.ok("key", "Key %s is in the bundle", kid_shown(entry))
    if not frame.say_signed(report, frame.signed_by(entry, known.key)):
        return
    check_place(report, entry, known, (said.election, said.station))
    if said.time > now + CLOCK_AHEAD:
        report.warn("time", "The kit's clock is ahead of this machine's by more than a day")
    if trust.certificates is not None:
        trust.certificates.check(report, entry.kid, said.election, said.time)
    if trust.package is not None:
        report.facts["utc_offset"] = trust.package.offset
        if record.sha256(trust.package.data) == said.package:
            report.ok("package", "The kit holds this very package")
        else:
            report.fail("package", "The kit holds another package than the one given")
    _check_parts(report, said)
    check_bundle(report, trust, known.bundle, now)


def _check_parts(report: Report, said: Readiness) -> None:
    if said.failed:
        report.add("parts", FAILED, "These checks have failed:", lines=_lines(said.failed))
    elif said.unseen:
        text = "Nobody looked at these parts:"
        report.add("parts", SKIPPED, text, lines=_lines(said.unseen))
    else:
        report.ok("parts", "All %d checks of the parts have passed", len(said.results))


def _lines(checks: list[int]) -> list[Callable[[Words], str]]:
    return [partial(_line, name(check)) for check in checks]


def _line(sentence: str, t: Words) -> str:
    return t(sentence)
