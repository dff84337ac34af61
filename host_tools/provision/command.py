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


@app.command()
def package(
    *,
    election_file: ElectionFile,
    authority: Folder,
    region: Region,
    out: Annotated[Path, typer.Option(help="Folder for the packages.")],
    training: Training = False,
    passphrase_file: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Check an election's files and sign one package for every station."""
    with faults():
        election = read_election(election_file, training)
        signer = Authority(authority, region, read_passphrase(passphrase_file))
        out.mkdir(parents=True, exist_ok=True)
        made = packages.build_packages(election, int(time.time()), signer)
        count = len(election.stations)
        for station, data in track(made, "signing", count, disable=as_json or count < 1000):
            (out / packages.file_name(election.number, station)).write_bytes(data)
        signer.log(f"{count} packages of election {election.number} v{election.version} signed")
    facts = {"election": election.number, "version": election.version, "packages": count}
    report(as_json, facts, f"{count} packages of election {election.number} in {out}")


@app.command()
def enrol(
    *,
    election_file: ElectionFile,
    port: Annotated[
        str, typer.Option(help="Serial port, ssh://user@host[:port] of a Pi, or host:port.")
    ],
    authority: Folder,
    region: Region,
    station: Annotated[str, typer.Option(help="The 13-digit code of the TPS.")],
    kit: Annotated[str, typer.Option(help="The kit's id, as on its label.")],
    register: KitRegister,
    training: Training = False,
    keep_pins: Annotated[bool, typer.Option(help="Leave the officers' PINs as they are.")] = False,
    start: Annotated[bool, typer.Option(help="Let the kit begin when it is ready.")] = False,
    passphrase_file: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Ready one kit over its cable. Pulled out half way? Run the same command again.

    The chip is configured and LOCKED FOR GOOD; its keys are made inside and never leave it. The
    two officers' PINs are made anew and shown once: they belong on the slip in the kit's envelope.
    """
    with faults():
        if not (len(station) == 13 and station.isascii() and station.isdigit()):
            raise ElectionError(f"station {station} is not a 13-digit code")
        election = read_election(election_file, training)
        signer = Authority(authority, region, read_passphrase(passphrase_file))
        kits = Register(register)
        kits.check(election.number, int(station), kit)
        link = Link(open_port(port))
        done = enrolment.enrol(
            link,
            signer,
            election,
            int(station),
            kit,
            pins=None if keep_pins else make_pins(),
            progress=_step,
        )
        kits.add(done)
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
    text = f"kit {done.kit_id} (chip {done.serial}) is ready for station {done.station:013d}"
    for name, pin in (pins or {}).items():
        text += f"\nPIN of the {name}: {pin}"
    text += "\nwrite both on its slip: nobody keeps them" if pins else "\nits PINs are unchanged"
    report(as_json, facts, text)
