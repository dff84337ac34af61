"""`saksi kit`: an enrolled virtual kit on this machine, played by a day script or line by line."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()
GOOD, CANNOT = 0, 2


@app.command()
def kit(
    script: Annotated[
        Path | None, typer.Option(help="Day script to play; without it, steps come from stdin.")
    ] = None,
    photos: Annotated[
        list[Path] | None, typer.Option(help="What `photo 1`, `photo 2`… lay before the camera.")
    ] = None,
    out: Annotated[Path, typer.Option(help="New folder for the kit, its papers and screens.")] = (
        Path("out/kit")
    ),
    election: Annotated[str, typer.Option(help="Sample election: pilpres or pilkada.")] = "pilpres",
    training: Annotated[bool, typer.Option(help="The election's training copy (LATIHAN).")] = False,
    speed: Annotated[float, typer.Option(help="How much faster than real the parts are.")] = 20.0,
    runtime: Annotated[str, typer.Option(help="micropython or cpython.")] = "micropython",
    network: Annotated[
        str, typer.Option(help="The way to the collector: modem, or system as on a Raspberry Pi.")
    ] = "modem",
) -> None:
    """Run the real firmware on MicroPython against emulated parts.

    The kit is enrolled for a sample station, with a collector on loopback. Its console is shown;
    papers and screenshots go to the folder. Steps are those of day scripts, for example
    `press OK`, `figures 248 0`, `photo 1`, `screenshot NAME`, `cut power` (host_tools/kit/README).
    """
    from host_tools.demo.run import DemoError, prepare
    from host_tools.demo.stage import Stage
    from host_tools.kit.machine import NETWORKS
    from host_tools.kit.process import NoRuntime
    from host_tools.kit.script import Player, ScriptError, parse
    from host_tools.provision import sample

    try:
        if election not in sample.NAMES:
            raise DemoError(f"{election}: the sample elections are {', '.join(sample.NAMES)}")
        if network not in NETWORKS:
            raise DemoError(f"{network}: the networks are {', '.join(NETWORKS)}")
        steps = parse(script.read_text(), script.name) if script else None
        prepare(out)
        with Stage(
            out,
            sample.load(election, training),
            speed=speed,
            runtime=runtime,
            network=network,
        ) as stage:
            stage.start_collector()
            stage.kit.echo = typer.echo
            assert stage.kit.process is not None
            stage.kit.process.echo = typer.echo
            stage.start_kit()
            player = Player(stage.kit, photos or [], out / "screens")
            if steps is not None:
                player.play(steps, script.name if script else "")
            else:
                _talk(player)
            for number in range(len(stage.kit.printer.papers)):
                stage.kit.printer.save_png(out / f"paper-{number + 1}.png", number)
    except (DemoError, NoRuntime, ScriptError, TimeoutError, OSError) as error:
        typer.echo(f"saksi kit: {error}", err=True)
        raise typer.Exit(CANNOT) from None


def _talk(player) -> None:
    """Play each line of standard input; a line that is not understood ends nothing."""
    from host_tools.kit.script import ScriptError, parse

    for number, line in enumerate(sys.stdin, 1):
        try:
            player.play(parse(line, f"line {number}"), f"line {number}")
        except ScriptError as error:
            typer.echo(str(error), err=True)
