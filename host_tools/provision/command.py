"""`saksi provision ...`: what a KPU store does before election day, one command a step."""

from typing import Annotated

import typer

from host_tools.provision import (
    command_authority,
    command_bundle,
    command_fleet,
    command_mirror,
    command_package,
    command_release,
    command_rehearsal,
    command_sample,
)
from host_tools.provision import enrol as enrolment
from host_tools.provision.authority import Authority
from host_tools.provision.bundle import SPARE
from host_tools.provision.console import (
    AsJson,
    By,
    ElectionFile,
    Folder,
    KitRegister,
    Region,
    Secret,
    Training,
    faults,
    read_election,
    read_passphrase,
    read_station,
    report,
    who,
)
from host_tools.provision.election import ElectionError
from host_tools.provision.fleet import Fleet
from host_tools.provision.link import Link
from host_tools.provision.pins import NAMES, make_pins
from host_tools.provision.ports import open_port

app = typer.Typer(
    no_args_is_help=True,
    help="Ready kits for an election: keys, packages, enrolment over the cable, trust bundles.\n\n"
    "In this order: authority create (once), package (checks the election), enrol (each kit), "
    "bundle build (what PPS and the collector trust).",
)
app.command("package")(command_package.package)
app.command("rehearse")(command_rehearsal.rehearse)
app.add_typer(command_authority.app, name="authority")
app.add_typer(command_bundle.app, name="bundle")
app.command()(command_mirror.mirror)
app.add_typer(command_release.app, name="release")
app.add_typer(command_fleet.app, name="fleet")
app.add_typer(command_sample.app, name="sample")


@app.command()
def enrol(
    *,
    election_file: ElectionFile,
    port: Annotated[str, typer.Option(help="Serial port, or host:port of a kit on the network.")],
    authority: Folder,
    region: Region,
    kit: Annotated[str, typer.Option(help="The kit's id, as on its label.")],
    register: KitRegister,
    station: Annotated[str | None, typer.Option(help="The 13-digit code of the TPS.")] = None,
    spare: Annotated[bool, typer.Option("--spare", help="Ready it as a spare instead.")] = False,
    training: Training = False,
    keep_pins: Annotated[bool, typer.Option(help="Leave the officers' PINs as they are.")] = False,
    start: Annotated[bool, typer.Option(help="Let the kit begin when it is ready.")] = False,
    by: By = "",
    passphrase_file: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Ready one kit over its cable. Pulled out half way? Run the same command again.

    The chip is configured and LOCKED FOR GOOD; its keys are made inside and never leave it. The
    two officers' PINs are made anew and shown once: they belong on the slip in the kit's envelope.
    """
    with faults():
        if spare == (station is not None) or (spare and start):
            raise ElectionError("give either --station or --spare; a spare does not --start")
        code = SPARE if station is None else read_station(station)
        election = read_election(election_file, training)
        signer = Authority(authority, region, read_passphrase(passphrase_file))
        if not register.exists():
            typer.echo(f"note: {register} is a new register", err=True)
        with Fleet(register) as fleet:
            fleet.check(election.number, code, kit)
            link = Link(open_port(port))
            # The chip's own number too, before anything in it is locked.
            said = enrolment.Said(*link.hello())
            fleet.check(election.number, code, kit, said.serial.hex().upper())
            done = enrolment.enrol(
                link,
                signer,
                election,
                code,
                kit,
                pins=None if keep_pins or spare else make_pins(),
                progress=_step,
            )
            fleet.add(done, by=who(by))
        _report(as_json, done)
        if start:
            # Last, since a kit that has begun takes no other PINs: these must have been shown.
            enrolment.start_kit(link, _step)


def _step(step: str) -> None:
    typer.echo(f"  {step}", err=True)


def _report(as_json: bool, done: enrolment.Enrolled) -> None:
    pins = {NAMES[role]: pin for role, pin in done.pins.items()} if done.pins else None
    facts = {
        "kit": done.kit_id,
        "serial": done.serial,
        "board": done.board,
        "firmware": done.firmware,
        "election": done.election,
        "station": f"{done.station:013d}",
        "keys": {mode: key.hex() for mode, key in done.keys.items()},
        "pins": pins,
    }
    place = f"for station {done.station:013d}" if done.station else "as a spare"
    text = f"kit {done.kit_id} (chip {done.serial}) is ready {place}"
    for name, pin in (pins or {}).items():
        text += f"\nPIN of the {name}: {pin}"
    text += "\nwrite both on its slip: nobody keeps them" if pins else "\nits PINs are unchanged"
    report(as_json, facts, text)
