"""The command `saksi`: one name, thin subcommands, each imported only when it is asked for."""

import importlib
import sys

import click
import typer
from typer.core import TyperGroup

# name -> (module with a typer `app`, one line of help)
SUBCOMMANDS = {
    "demo": ("host_tools.demo.command", "Show the whole chain once on this machine."),
    "kit": ("host_tools.kit.command", "Run the virtual kit by hand or by a day script."),
    "provision": ("host_tools.provision.command", "Authority, package, enrolment, trust bundle."),
    "collect": ("host_tools.collector.command", "Take in entries and photographs from kits."),
    "verify": ("host_tools.verify.command", "Check a receipt, a journal or a photograph."),
    "sheet": ("host_tools.sheet.command", "Draw wall sheets."),
    "bench": ("host_tools.bench.command", "Benchmarks, each beside its yardstick."),
}


class Lazy(TyperGroup):
    """Imports a subcommand's module when it is used: `saksi verify` must not load a web server."""

    def list_commands(self, ctx):
        return list(SUBCOMMANDS)

    def get_command(self, ctx, cmd_name):
        if cmd_name not in SUBCOMMANDS:
            return None
        module, summary = SUBCOMMANDS[cmd_name]
        if "--help" in sys.argv[1:2] or len(sys.argv) == 1:
            return click.Command(cmd_name, help=summary)
        app = importlib.import_module(module).app
        command = typer.main.get_command(app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=Lazy,
    no_args_is_help=True,
    add_completion=False,
    help="Saksi: the wall sheet of a polling station, photographed, signed, printed and checked. "
    "Exit codes: 0 all is well, 1 something was found wanting, 2 it could not be run.",
)


@app.callback()
def root() -> None:
    """Holds the subcommands."""


def main() -> None:
    """Entry point of the `saksi` command."""
    app()
