"""What the demo tells: a progress bar, a short table, the paths; or JSON."""

import json
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from host_tools.collector.reasons import SetupError
from host_tools.demo.run import DemoError, Outcome
from host_tools.demo.run import run as run_demo
from host_tools.kit.process import NoRuntime
from host_tools.kit.script import ScriptError
from host_tools.provision.authority import AuthorityError
from host_tools.provision.enrol import EnrolError
from host_tools.provision.link import KitError, LinkError

EXPECTED = (
    DemoError, NoRuntime, ScriptError, SetupError, AuthorityError, EnrolError, KitError, LinkError,
    TimeoutError, OSError,
)  # fmt: skip
GOOD, WANTING, CANNOT = 0, 1, 2


def run(out: Path, photographs, script, speed: float, runtime: str, *, as_json: bool) -> int:
    """Run the demo, print what it found, and return the exit code."""
    errors = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=as_json or not errors.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=None)

        def tell(line: str) -> None:
            bar.update(task, description=line)
            if not as_json:
                bar.console.print(f"  {line}")

        def on_step(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        try:
            outcome = run_demo(out, photographs, script, speed, runtime, tell, on_step)
        except EXPECTED as error:
            errors.print(
                f"saksi demo: {_said(error)}", markup=False, highlight=False, soft_wrap=True
            )
            return CANNOT
    if as_json:
        print(json.dumps(outcome.as_dict(), indent=2))
    else:
        _table(outcome)
    return GOOD if outcome.good else WANTING


def _said(error: Exception) -> str:
    """The error in one line; Python's own words for a file's fault start with a number."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _table(outcome: Outcome) -> None:
    console = Console()
    facts = outcome.facts
    table = Table(title="Saksi demo", show_header=False)
    table.add_column()
    table.add_column()
    kilobytes = f"{facts['heap_peak'] / 1024:.0f} of {facts['heap_total'] / 1024:.0f} KiB"
    table.add_row("kit ran on", f"{facts['runtime']}, peak heap {kilobytes}")
    table.add_row("entries at the collector", str(facts["entries"]))
    table.add_row("receipts printed", f"{facts['receipts']}, all of record {facts['rec_id'][:8]}")
    table.add_row("rules broken on the sheet", ", ".join(facts["rules_broken"]) or "none")
    for name, good in outcome.checks.items():
        table.add_row(name, "yes" if good else "[bold red]NO[/]")
    for forgery in outcome.forgeries:
        verdict = "refused" if forgery.refused else "[bold red]ACCEPTED[/]"
        table.add_row(f"forged: {forgery.name}", f"{verdict}: {forgery.said}")
    table.add_row("took", f"{facts['seconds']} s")
    console.print(table)
    for name in ("receipts", "screens", "bundle", "journal", "collector"):
        value = outcome.paths[name]
        for path in value if isinstance(value, list) else [value]:
            console.print(f"{name}: {path}", markup=False, highlight=False, soft_wrap=True)
