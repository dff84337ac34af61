"""`saksi provision ...`: what a KPU store does before election day, one command a step."""

import typer

from host_tools.provision import (
    command_authority,
    command_bundle,
    command_enrol,
    command_fleet,
    command_mirror,
    command_package,
    command_rehearsal,
    command_release,
    command_sample,
)

app = typer.Typer(
    no_args_is_help=True,
    help="Ready kits for an election: keys, packages, enrolment over the cable, trust bundles.\n\n"
    "In this order: authority create (once), package (checks the election), enrol (each kit), "
    "bundle build (what PPS and the collector trust).",
)
app.command("package")(command_package.package)
app.command("rehearse")(command_rehearsal.rehearse)
app.command("enrol")(command_enrol.enrol)
app.add_typer(command_authority.app, name="authority")
app.add_typer(command_bundle.app, name="bundle")
app.command()(command_mirror.mirror)
app.add_typer(command_release.app, name="release")
app.add_typer(command_fleet.app, name="fleet")
app.add_typer(command_sample.app, name="sample")
