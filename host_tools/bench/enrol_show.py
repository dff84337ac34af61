"""Runs `saksi bench enrol` with a progress bar and prints what came out, or JSON."""

import json
from collections.abc import Callable

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from host_tools.bench import enrol


def run_and_show(kits: int, as_json: bool, print_rows: Callable) -> int:
    """The exit code: 0, 1 when the register is not exact, 2 when it cannot run."""
    errors = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    quiet = as_json or not errors.is_terminal
    try:
        with Progress(*columns, console=errors, transient=True, disable=quiet) as bar:
            task = bar.add_task("", total=kits)
            result = enrol.run(kits, lambda some: bar.advance(task, some))
    except (OSError, ValueError) as error:
        typer.echo(f"saksi bench: {error}", err=True)
        return 2
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=2))
        return 1 if result.faults else 0
    print_rows("saksi bench enrol", result.rows, as_json)
    exact = "NOT exact" if result.faults else "exact, as every chip and flash says"
    typer.echo(f"{result.kits} kits, {result.keys} different keys; the register is {exact}")
    for fault in result.faults:
        typer.echo(fault, err=True)
    return 1 if result.faults else 0
