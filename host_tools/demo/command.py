"""`saksi demo`: runs the whole chain, then prints a short table and where everything lies."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def demo(
    photos: Annotated[
        list[Path] | None,
        typer.Option(help="Photographs of the sheet, page 1 first. More may follow as arguments."),
    ] = None,
    more: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", hidden=True)] = None,
    out: Annotated[Path, typer.Option(help="Folder for everything that is made.")] = Path(
        "out/demo"
    ),
    script: Annotated[
        Path | None, typer.Option(help="Day script to play instead of the demo's own.")
    ] = None,
    speed: Annotated[float, typer.Option(help="How much faster than real the parts are.")] = 20.0,
    runtime: Annotated[str, typer.Option(help="micropython or cpython.")] = "micropython",
    as_json: Annotated[bool, typer.Option("--json", help="Report in JSON.")] = False,
) -> None:
    """Show the whole chain once on this machine: from a blank chip to a verified receipt.

    A virtual kit is enrolled, plays a day at the polling station from a script of key presses,
    photographs the sheet, signs, prints, relays over an emulated modem to a collector on loopback;
    the receipts are verified from their pictures and forgeries of them are tried.

    With --photos A.jpg B.jpg C.jpg it uses those; without, it draws a sheet of its own.
    """
    from host_tools.demo import show

    code = show.run(
        out, (photos or []) + (more or []) or None, script, speed, runtime, as_json=as_json
    )
    raise typer.Exit(code)
