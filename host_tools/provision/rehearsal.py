"""The dress rehearsal of one station: from its signed package to the collector's acknowledgement.

What the kit does is done by the kit's own code in firmware/. A live package is checked as it is and
then rehearsed as its twin for training, signed by the rehearsal's authority: no live entry is ever
made. Every contest has a result whose figures agree and a correction whose figures break a rule.
"""

import os
import random
import tempfile
import time
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from firmware import VERSION, enrol, record
from firmware.compat import CodedError
from firmware.journal import Journal
from firmware.language import Words
from firmware.package import Contest, Package
from firmware.receipt import Receipts
from firmware.recorder import Recorder
from firmware.relay_acks import CollectorKey
from host_tools.collector.reasons import Refused
from host_tools.provision import keys, rehearsal_sheet
from host_tools.provision.rehearsal_line import Line
from host_tools.provision.rehearsal_paper import PaperError, messages, printed
from host_tools.provision.rehearsal_trust import Trust
from host_tools.verify import read
from host_tools.verify import trust as verifying
from host_tools.verify.certificate import Certificates
from host_tools.verify.receipt import check_receipts
from host_tools.verify.report import FAILED, OK, WARNING, Report

LATIHAN = "LATIHAN: "
_TITLE, _COLLECTOR = 1, 7
_AS_ON_PAPER, _PAPER_CORRECTED = 0, 2  # reasons of a broken rule and of a correction
_WORDS = Words("id")
_SIGNED = 1  # a witness's stand
# The same from all kits of one process, so that it is sent once: what is rehearsed is the sheet.
_PHOTOGRAPH = b"\xff\xd8 saksi rehearsal %d, page %d of form %d \xff\xd9"


class Failed(Exception):
    """It would not have worked on the day: `what` failed, and why."""

    def __init__(self, what: str, why: str):
        super().__init__(f"{what}: {why}")
        self.what, self.why = what, why


@dataclass(frozen=True)
class Failure:
    """One contest of one station (None: all of it) that would not have worked."""

    station: int
    contest: int | None
    what: str
    why: str

    def line(self) -> str:
        contest = "" if self.contest is None else f", contest {self.contest}"
        return f"{self.station:013d}{contest}, {self.what}: {self.why}"


class Signer:
    """A rehearsal's key in the Signer role, with the chip's counter beside it."""

    def __init__(self, key: keys.SoftwareKey):
        self._key, self._counted = key, 0
        self.public_key, self.sign, self.verify = key.public_key, key.sign, keys.verify

    def count(self) -> int:
        return self._counted

    def count_up(self) -> int:
        self._counted += 1
        return self._counted


def open_package(
    raw: bytes, authority: bytes, election: int, station: int, wanted: list | None
) -> Package:
    """The Package as its kit opens it; Failed when it is not what `wanted` says.

    `authority`: 64 B key. `wanted`: [version, content] of election.toml, None: not compared.
    """
    try:
        package = enrol.check_package(raw, authority, keys.verify)
    except (record.RecordError, CodedError) as error:
        raise Failed("package", str(error)) from error
    if (package.election, package.station) != (election, station):
        text = f"for election {package.election}, station {package.station:013d}"
        raise Failed("package", f"{text}, not for election {election}, station {station:013d}")
    said = record.parse(raw).payload
    if wanted is not None and [said[1], said[5]] != wanted:
        numbers = [n for n in wanted[1] | said[5] if wanted[1].get(n) != said[5].get(n)]
        where = f"content {', '.join(map(str, numbers))}" if numbers else f"version {said[1]}"
        raise Failed("package", f"not what election.toml says ({where}): sign the packages again")
    return package


def training_twin(package: Package, trust: Trust) -> Package:
    """The package itself if it is for training, else the same with number and title of one."""
    if package.training:
        return package
    kind, version, election, station, issued, content = record.parse(package.data).payload
    content = {**content, _TITLE: LATIHAN + content[_TITLE]}
    payload = [kind, version, election + record.TRAINING, station, issued, content]
    signer = trust.authority
    twin = record.assemble(payload, signer.kid(), signer.sign)
    return enrol.check_package(twin, signer.public_key(), keys.verify)


class Kit:
    """A station's kit for one rehearsal, its journal in `folder`, its line to a collector."""

    def __init__(self, package: Package, trust: Trust, line: Line, folder: Path):
        if not package.training:
            raise ValueError("a rehearsal makes no live entry")
        self.package, self.line = package, line
        key = trust.kit(package.station)
        certificate = trust.certificate(package.station, key)
        self.certificate = certificate.public_bytes(Encoding.DER)
        self.signer = Signer(key)
        self.journal = Journal(str(folder / "journal"), record.sha256(self.certificate))
        place = (package.election, package.station)
        self.recorder = Recorder(self.journal, self.signer, *place, self._now)
        self.receipts = Receipts(_WORDS, package)
        self.acknowledged = CollectorKey(self.signer, package.collector_key)
        self.verifier = verifying.Trust(
            trust.bundle(package.station),
            trust.authority.public_key(),
            package=package,
            certificates=Certificates([certificate], [trust.ca]),
        )

    def _now(self) -> int:
        return int(time.time())

    def contest(self, contest: Contest, draw: random.Random) -> None:
        """A result and a correction of one contest, all the way; Failed at what does not work."""
        form, permille = contest.form, self.package.reserve
        try:
            rehearsal_sheet.check_form(form)
        except rehearsal_sheet.SheetError as error:
            raise Failed("form", str(error)) from error
        try:
            good = rehearsal_sheet.filled(contest, permille, draw)
            bad, findings = rehearsal_sheet.spoiled(form, good, permille)
        except rehearsal_sheet.SheetError as error:
            raise Failed("figures", str(error)) from error
        rules = sorted({finding.number for finding in findings})
        seq = self._send(contest, good, {record.RULES: []})
        broken = {
            record.RULES: [[rule, _AS_ON_PAPER] for rule in rules],
            record.REPLACES: record.rec_id(self.journal.entry(seq)[0]),
            record.REASON: _PAPER_CORRECTED,
        }
        self._send(contest, bad, broken, {finding.rule for finding in findings})

    def _send(
        self, contest: Contest, values: dict, extra: dict, rules: Set[str] = frozenset()
    ) -> int:
        """Sign, print, read, send one entry and read its state; its place in the journal."""
        form = contest.form
        photographs = {
            number: _PHOTOGRAPH % (os.getpid(), number, form.number) for number, _, _ in form.pages
        }
        pages = [[n, record.sha256(data), len(data)] for n, data in photographs.items()]
        extra = {
            record.FIRMWARE: VERSION,
            record.CLOCK_QUALITY: 2,
            record.KEYED_ROUNDS: 2,
            record.STANDS: [[pair, _SIGNED] for pair in range(1, len(form.pairs) + 1)],
            **extra,
        }
        listed = form.figures(values)
        try:
            entry = self.recorder.result(contest.number, form.number, listed, pages, extra)
        except (record.RecordError, CodedError) as error:
            raise Failed("entry", str(error)) from error
        data, manifest = self.journal.entry(entry.seq)
        assert manifest is not None
        self._paper(entry, data, manifest, rules)
        taken = self._submit(entry, data, manifest)
        for number, digest, size in pages:
            if taken.offsets.get(digest) != size:
                self._asked(self.line.photo, digest, 0, iter([photographs[number]]))
        state = self._asked(self.line.state, entry.rec_id)
        if state != "complete":
            raise Failed("collector", f"says of the entry that it is {state!r}, not complete")
        return entry.seq

    def _paper(self, entry: record.Entry, data: bytes, manifest: bytes, rules: Set[str]) -> None:
        """Receipt and messages carry the entry; the verifier says of it what it must."""
        try:
            texts = printed(self.receipts, entry, manifest)
            found = read.from_texts(texts, "receipt")
        except (PaperError, read.ReadError) as error:
            raise Failed("receipt", str(error)) from error
        if [one.data for one in found] != [data] or found[0].problem or found[0].missing:
            raise Failed("receipt", "its QR code does not hold the entry that was signed")
        (report,) = check_receipts([data], self.verifier, self._now())
        _judge(report, rules)
        try:
            messages(data, self.package.collector_sms)
        except PaperError as error:
            raise Failed("SMS", str(error)) from error

    def _submit(self, entry: record.Entry, data: bytes, manifest: bytes):
        certificate = self.certificate if entry.seq == 1 else None
        taken = self._asked(self.line.submit, data, manifest, certificate)
        if not taken.new:
            raise Failed("collector", "knew the entry already: it was rehearsed with these keys")
        if not self.acknowledged(taken.ack, entry.rec_id):
            kid = record.kid_of(self.package.collector_key).hex()
            text = f"is not signed by the collector of the package (key {kid})"
            raise Failed("acknowledgement", text)
        return taken

    @staticmethod
    def _asked(ask, *arguments):
        try:
            return ask(*arguments)
        except Refused as error:
            raise Failed("collector", f"refuses: {error}") from error


def _judge(report: Report, rules: Set[str]) -> None:
    """Failed unless the verifier holds the receipt valid and names exactly these broken rules."""
    if not report.valid or report.status("certificate") != OK:
        first = next((c for c in report.checks if c.status == FAILED), None)
        first = first or next(c for c in report.checks if c.name == "certificate")
        raise Failed("verifier", f"{first.name}: {first.sentence(str)}")
    found = {finding["rule"] for finding in report.facts["findings"]}
    usual = {"R13"}  # of a station with many voters, broken rightly
    if found - usual != rules - usual or report.status("figures") != (WARNING if found else OK):
        raise Failed("verifier", f"finds {sorted(found)} broken, the kit {sorted(rules)}")


def rehearse(package: Package, trust: Trust, line: Line, seed: str) -> list[Failure]:
    """Every contest of a station, from its opened package on. SetupError: no collector there."""
    station = package.station
    with tempfile.TemporaryDirectory(prefix="saksi-kit-", dir=memory()) as folder:
        kit = Kit(training_twin(package, trust), trust, line, Path(folder))
        failures = []
        for contest in kit.package.contests:
            draw = random.Random(f"{seed} {station} {contest.number}")
            try:
                kit.contest(contest, draw)
            except Failed as error:
                failures.append(Failure(station, contest.number, error.what, error.why))
    return failures


def memory() -> str | None:
    """A folder in memory where there is one: journals of a rehearsal are thrown away."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
