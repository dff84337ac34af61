"""Runs `saksi bench receipt` with a progress bar and prints its table, or JSON."""

import json
from pathlib import Path

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, TimeRemainingColumn
from rich.table import Table

from host_tools.bench import receipt

NAMES = {"saksi": "ours", "eu-dcc": "EU DCC"}


def run_and_show(trials: int, seed: int, out: Path | None, as_json: bool) -> int:
    """The exit code: 0, or 2 when pictures cannot be kept."""
    errors = Console(stderr=True)
    columns = (BarColumn(), TimeRemainingColumn())
    try:
        with Progress(
            *columns, console=errors, transient=True, disable=as_json or not errors.is_terminal
        ) as bar:
            task = bar.add_task("", total=None)
            result = receipt.run(
                trials, seed, out, lambda done, total: bar.update(task, completed=done, total=total)
            )
    except OSError as error:
        typer.echo(f"saksi bench: {error.filename}: {error.strerror}", err=True)
        return 2
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=2))
    else:
        _show(result)
    return 0


def _show(result: receipt.Result) -> None:
    console = Console(width=120, highlight=False)
    table = Table(title="saksi bench receipt: share of photographs read", box=SIMPLE)
    table.add_column("level", no_wrap=True)
    readers = list(result.rows[0].decoded)
    for reader in readers:
        for paper in receipt.PAPERS:
            table.add_column(f"{reader}\n{NAMES[paper]}", justify="right", no_wrap=True)
    for row in result.rows:
        shares = [
            f"{100 * row.share(reader, paper):.0f} %"
            for reader in readers
            for paper in receipt.PAPERS
        ]
        table.add_row(row.level, *shares)
    console.print(table)
    for name, facts in result.papers.items():
        console.print(
            f"{NAMES[name]}: version {facts['version']}, {facts['dots_a_module']} dots a module,"
            f" {facts['millimetres']} mm, {facts['characters']} characters"
        )
    console.print(f"{result.rows[0].trials} photographs a cell, seed {result.seed}")
    for line in result.missing:
        console.print(line, style="yellow", markup=False)
