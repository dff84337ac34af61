"""`saksi bench NAME`: prints each figure beside its yardstick, measured in the same run."""

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from host_tools.bench.device import Row

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
    _print_rows("saksi bench device", rows, as_json)


@app.command()
def verify(
    quick: bool = typer.Option(False, "--quick", help="For tests: the figures mean nothing."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """The verifier: receipts a second on one core, and the cold start of `saksi verify receipt`."""
    from host_tools.bench import verify as bench

    try:
        rows = bench.run(quick)
    except (RuntimeError, OSError) as error:
        typer.echo(f"saksi bench: {error}", err=True)
        raise typer.Exit(2) from None
    _print_rows("saksi bench verify", rows, as_json)


@app.command()
def receipt(
    trials: int = typer.Option(30, min=1, help="Photographs of each paper at each level."),
    seed: int = typer.Option(1, help="Another seed, other damage; the same seed, the same."),
    out: Annotated[
        Path | None, typer.Option(help="Keep examples of the photographs in this folder.")
    ] = None,
    quick: bool = typer.Option(False, "--quick", help="For tests: 3 photographs a level."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Worn and badly photographed receipts: what share is read, beside an EU-DCC-style code."""
    from host_tools.bench import receipt as bench
    from host_tools.bench.receipt_show import run_and_show

    raise typer.Exit(run_and_show(bench.QUICK if quick else trials, seed, out, as_json))


@app.command()
def enrol(
    kits: int = typer.Option(1000, min=1, help="Virtual kits, each with a chip of its own."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """A thousand kits readied over their cables into one register, on all cores."""
    from host_tools.bench.enrol_show import run_and_show

    raise typer.Exit(run_and_show(kits, as_json, _print_rows))


def _print_rows(title: str, rows: list["Row"], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([row.as_dict() for row in rows], indent=2))
        return
    table = Table(title=title, box=SIMPLE)
    for column, side in (("what", "left"), ("figure", "right"), ("yardstick", "right")):
        table.add_column(column, justify=side, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("ratio", justify="right", no_wrap=True)
    table.add_column("yardstick is")
    for row in rows:
        figure, yardstick = f"{row.figure:,.2f} {row.unit}", f"{row.yardstick:,.2f} {row.unit}"
        table.add_row(row.name, figure, yardstick, f"{row.ratio:,.2f}", row.yardstick_is)
    Console(width=120).print(table)


@app.command()
def relay(
    quick: bool = typer.Option(False, help="Small photographs: ends sooner, shows less."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """The kit's relay over mobile lines, beside a plain POST and tus (tuspy)."""
    from host_tools.bench import relay as bench
    from host_tools.kit.process import NoRuntime

    def tell(line: str) -> None:
        typer.echo(f"measuring: {line}", err=True)

    try:
        rows = bench.run(quick, tell)
    except NoRuntime as error:
        typer.echo(f"saksi bench: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps([row.as_dict() for row in rows], indent=2))
        return
    table = Table(title="saksi bench relay", box=SIMPLE)
    for column in ("line", "sender"):
        table.add_column(column)
    columns = ("overhead", "of a plain stream", "of the line", "first result", "verified")
    for column in (*columns, "photographs", "everything", "lines", "goal"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*bench.shown(row))
    Console(width=165).print(table)


@app.command()
def package(
    stations: int = typer.Option(1389, min=1, help="435296 for the whole country."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Check an election and sign all its packages, beside as many bare ECDSA signatures."""
    from host_tools.bench import package as bench

    def tell(line: str) -> None:
        typer.echo(f"measuring: {line}", err=True)

    try:
        done = bench.run(stations, tell)
    except (RuntimeError, OSError) as error:
        typer.echo(f"saksi bench: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps(done.as_dict(), indent=2))
        return
    table = Table(title=f"saksi bench package, {done.processes} processes", box=SIMPLE)
    for column in ("stations", "sign", "packages a second", "memory", "check the folder"):
        table.add_column(column, justify="right")
    for column in ("bare signatures", "a second", "sign / bare"):
        table.add_column(column, justify="right")
    facts = done.as_dict()
    table.add_row(
        f"{stations:,}",
        f"{done.sign:.1f} s",
        f"{facts['packages_a_second']:,.0f}",
        f"{done.memory:,.0f} MiB",
        f"{done.check:.1f} s",
        f"{done.bare:.2f} s",
        f"{facts['bare_a_second']:,.0f}",
        f"{facts['ratio']:.1f}",
    )
    Console(width=120).print(table)
