"""The demo's steps, in order: authority, kit, enrolment, collector, the day, checks, forgeries."""

import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware import record
from host_tools.collector.serve import Background
from host_tools.demo import sheets
from host_tools.demo.forgeries import Attempt, Forger, receipts_in, same_file
from host_tools.demo.stage import Stage
from host_tools.kit.machine import VirtualKit
from host_tools.kit.script import Player, parse
from host_tools.provision import sample
from host_tools.verify import trust as trusts
from host_tools.verify.receipt import check_receipt

SCRIPTS = Path(__file__).parent / "scripts"
MARK = ".saksi-demo"  # a folder with this file was made by the demo and may be made anew


class DemoError(Exception):
    """The demo cannot run; the text says in one line what to do."""


@dataclass
class Outcome:
    """What the demo found: facts for --json, paths, checks by name, forgeries tried."""

    facts: dict[str, Any] = field(default_factory=dict)
    paths: dict[str, Any] = field(default_factory=dict)
    checks: dict[str, bool] = field(default_factory=dict)
    forgeries: list[Attempt] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """True when every check held and every forgery was refused."""
        return all(self.checks.values()) and all(f.refused for f in self.forgeries)

    def as_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "good": self.good,
            **self.facts,
            "checks": self.checks,
            "forgeries": {f.name: {"refused": f.refused, "said": f.said} for f in self.forgeries},
            "paths": self.paths,
        }


def prepare(out: Path) -> None:
    """Make `out` an empty folder; refuses to clear one that the demo did not make."""
    if out.exists() and any(out.iterdir()):
        if not (out / MARK).exists():
            raise DemoError(f"{out} is not empty: give another folder with --out")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).write_text("made by saksi demo\n")


def run(
    out: Path,
    photographs: list[Path] | None,
    script: Path | None,
    speed: float,
    runtime: str,
    tell: Callable[[str], None],
    on_step: Callable[[int, int], None],
) -> Outcome:
    """Run the whole chain into folder `out`; `tell` gets a line a stage, `on_step` the progress.

    Raises DemoError, or what the stages raise, each with one line.
    """
    started = time.monotonic()
    for path in photographs or ():
        if not path.is_file():
            raise DemoError(f"{path}: there is no such photograph")
    prepare(out)
    election = sample.load("pilpres")
    form = next(iter(election.contests.values())).form
    if photographs and len(photographs) != len(form[3]):
        raise DemoError(
            f"{form[1]} has {len(form[3])} pages: give {len(form[3])} photographs with --photos"
        )
    path = script or SCRIPTS / ("photographs.day" if photographs else "sample.day")
    steps = parse(path.read_text(), path.name)
    if not photographs:
        tell("drawing a filled sheet and photographing it")
        photographs = sheets.draw(election, sample.STATION, out / "sheets")

    with Stage(out, election, speed=speed, runtime=runtime, tell=tell) as stage:
        collector = stage.start_collector()
        tell(f"collector listens on {collector.url}")
        stage.start_kit()
        tell(f"the day at the TPS, played from {path.name}")
        kit, log = stage.kit, stage.kit.process
        assert log is not None
        player = Player(kit, photographs, out / "screens")
        player.play(steps, path.name, on_step)
        kit.power_off()
        outcome = Outcome()
        _collect_facts(outcome, log.log)
        _check_papers(outcome, kit, out)
        _check_collector(outcome, collector, photographs)
        tell("verifying the receipts from their pictures, then trying to forge them")
        held = trusts.load(stage.bundle, stage.authority_pem, stage.package)
        _verify(outcome, held, collector, photographs, out)
        outcome.paths.update(
            bundle=str(stage.bundle),
            authority=str(stage.authority_pem),
            package=str(stage.package),
            certificate=str(stage.certificate),
            journal=str(stage.journal),
            screens=[str(shot) for shot in player.shots],
            photographs=[str(photo) for photo in photographs],
            collector=str(out / "collector"),
        )
    outcome.facts["seconds"] = round(time.monotonic() - started, 1)
    return outcome


def _collect_facts(outcome: Outcome, log: list[str]) -> None:
    """Runtime, heap and acknowledgements from the kit's console."""
    text = "\n".join(log)
    runtime = re.search(r"^runtime (\w+)", text, re.M)
    peaks = re.findall(r"^memory peak (\d+) of (\d+)", text, re.M)
    outcome.facts["runtime"] = runtime.group(1) if runtime else "unknown"
    outcome.facts["heap_peak"], outcome.facts["heap_total"] = map(int, peaks[-1])
    steps: dict[str, int] = {}
    for step, peak in re.findall(r"^heap (\w+) (\d+)", text, re.M):
        steps[step] = max(steps.get(step, 0), int(peak))
    outcome.facts["heap_by_step"] = steps
    outcome.facts["acknowledged"] = len(re.findall(r"^acknowledged \d+", text, re.M))
    outcome.checks["result acknowledged by the collector"] = outcome.facts["acknowledged"] > 0
    outcome.checks["nothing refused by the collector"] = not re.search(r"^refused ", text, re.M)


def _check_papers(outcome: Outcome, kit: VirtualKit, out: Path) -> None:
    """Every paper that was cut off, as a PNG."""
    folder = out / "papers"
    folder.mkdir()
    papers = []
    for number in range(len(kit.printer.papers)):
        path = folder / f"paper-{number + 1}.png"
        kit.printer.save_png(path, number)
        papers.append(str(path))
    outcome.paths["papers"] = papers
    clean = not kit.printer.errors and not kit.printer.dropped
    outcome.checks["printer got every byte and knew every command"] = clean
    outcome.checks["no part was driven wrongly"] = not kit.bus.faults


def _check_collector(outcome: Outcome, collector: Background, photographs: list[Path]) -> None:
    """The collector holds each photograph byte for byte."""
    stored = []
    for photo in photographs:
        digest = record.sha256(photo.read_bytes())
        held = collector.store.photo_path(digest)
        stored.append(str(held) if held else None)
        name = f"{photo.name} stored byte for byte"
        outcome.checks[name] = held is not None and same_file(photo, held)
    outcome.paths["stored"] = stored


def _verify(
    outcome: Outcome, held: trusts.Trust, collector: Background, photographs: list[Path], out: Path
) -> None:
    """Read each receipt's picture and check it; then try forgeries of the first."""
    results = []
    for paper in outcome.paths["papers"]:
        for data in receipts_in(Path(paper)):
            report = check_receipt(data, held, int(time.time()))
            entry = record.parse(data)
            outcome.checks[f"{Path(paper).name} verifies"] = report.exit_code == 0
            if entry.kind in (record.RESULT, record.CORRECTION):
                results.append((paper, entry))
    outcome.paths["receipts"] = [paper for paper, _ in results]
    entry = results[0][1]
    outcome.checks["all receipts quote the same entry"] = (
        len({entry.data for _, entry in results}) == 1
    )
    stored = collector.store.entry(entry.rec_id)
    outcome.checks["entry at the collector is the one on paper"] = (
        stored is not None and stored.entry == entry.data
    )
    assert stored is not None and stored.manifest is not None
    extra = record.parse_manifest(stored.manifest)[1]
    outcome.facts.update(
        rec_id=entry.rec_id.hex(),
        entry=entry.data.hex(),
        manifest=stored.manifest.hex(),
        figures=entry.payload[5],
        rules_broken=[f"R{rule}" for rule, _ in extra[record.RULES]],
        entries=sum(1 for _ in collector.store.entries()),
        receipts=len(results),
    )
    forger = Forger(entry, stored.manifest, held, collector.url, out / "forgeries")
    outcome.forgeries = forger.attempts("TPS.EXAMPLE.ID", photographs[-1])
