"""`saksi bench NAME`: prints each figure beside its yardstick, measured in the same run."""

import json
import subprocess

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

app = typer.Typer(no_args_is_help=True, help="Benchmarks, each beside its yardstick.")


@app.callback()
def root() -> None:
    """Holds the benchmarks."""


@app.command()
def device(
    speed: float = typer.Option(1.0, help="Multiplies the emulated chip's own speed."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """The kit's own work on MicroPython: hashing, building entries, signing over the bus."""
    from host_tools.bench import device as bench
    from host_tools.kit.process import NoRuntime

    try:
        rows = bench.run(speed)
    except NoRuntime as error:
        typer.echo(f"saksi bench: {error}", err=True)
        raise typer.Exit(2) from None
    except subprocess.CalledProcessError as error:
        typer.echo(f"saksi bench: the kit's process failed: {error.stdout}{error.stderr}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps([row.as_dict() for row in rows], indent=2))
        return
    table = Table(title="saksi bench device", box=SIMPLE)
    for column, side in (("what", "left"), ("figure", "right"), ("yardstick", "right")):
        table.add_column(column, justify=side, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("ratio", justify="right", no_wrap=True)
    table.add_column("yardstick is")
    for row in rows:
        figure, yardstick = f"{row.figure:,.2f} {row.unit}", f"{row.yardstick:,.2f} {row.unit}"
        table.add_row(row.name, figure, yardstick, f"{row.ratio:,.2f}", row.yardstick_is)
    Console(width=120).print(table)
