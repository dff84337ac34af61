"""`saksi provision enrol`: a kit from the carton, or any later step of it, to the seal."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from host_tools.provision import enrol as enrolment
from host_tools.provision import label, mirror, software
from host_tools.provision import ready as readying
from host_tools.provision import release as releases
from host_tools.provision import report as reports
from host_tools.provision.authority import Authority
from host_tools.provision.bundle import SPARE
from host_tools.provision.console import (
    WRONG,
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
from host_tools.provision.desk import Desk
from host_tools.provision.election import Election, ElectionError
from host_tools.provision.enrol import EnrolError, Enrolled, Said
from host_tools.provision.fleet import Fleet
from host_tools.provision.keys import load_private
from host_tools.provision.package import content_of
from host_tools.provision.pins import NAMES, make_pins
from host_tools.provision.reach import reach

_TESTED = "Test its parts, print its slip, and write its report and label into this folder."


def enrol(
    *,
    election_file: ElectionFile,
    port: Annotated[str, typer.Option(help="Serial port, ssh://user@host, or host:port.")],
    authority: Folder,
    region: Region,
    kit: Annotated[str, typer.Option(help="The kit's id, as on its label.")],
    register: KitRegister,
    station: Annotated[str | None, typer.Option(help="The 13-digit code of the TPS.")] = None,
    spare: Annotated[bool, typer.Option("--spare", help="Ready it as a spare instead.")] = False,
    training: Training = False,
    keep_pins: Annotated[bool, typer.Option(help="Leave the officers' PINs as they are.")] = False,
    release: Annotated[
        Path | None, typer.Option(help="Folder of the release that a bare board is to run.")
    ] = None,
    mirror_folder: Annotated[
        Path | None, typer.Option("--mirror", help="Folder filled by `provision mirror`.")
    ] = None,
    roster: Annotated[Path | None, typer.Option(help="The region's roster; for a seal.")] = None,
    out: Annotated[Path | None, typer.Option("--reports", help=_TESTED)] = None,
    seal: Annotated[bool, typer.Option("--seal", help="Seal it and let it begin.")] = False,
    unattended: Annotated[
        bool, typer.Option("--unattended", help="Ask nobody: screen, paper, keys stay unseen.")
    ] = False,
    key: Annotated[
        Path | None, typer.Option(help="Your technician's key, to open a kit that is sealed.")
    ] = None,
    key_passphrase_file: Annotated[
        Path | None, typer.Option(help="File whose first line is that key's passphrase.")
    ] = None,
    start: Annotated[bool, typer.Option(help="Let the kit begin when it is ready.")] = False,
    by: By = "",
    passphrase_file: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Ready one kit over its cable. Pulled out half way? Run the same command again.

    The chip is configured and LOCKED FOR GOOD; its keys are made inside and never leave it. The
    two officers' PINs are made anew and shown once: they belong on the slip in the kit's envelope.

    From the carton to the seal: --release for a bare board, --reports to test every part, --roster
    and --seal in the end. After the seal there is no way in but a technician's key (--key).
    """
    with faults(), ExitStack() as stack:
        if spare == (station is not None) or (spare and (start or seal or out)):
            raise ElectionError("give either --station or --spare; a spare is enrolled, no more")
        if seal and not (out and roster):
            raise EnrolError("a kit is sealed after its tests: give --reports and --roster too")
        code = SPARE if station is None else read_station(station)
        election = read_election(election_file, training)
        signer = Authority(authority, region, read_passphrase(passphrase_file))
        if not register.exists():
            typer.echo(f"note: {register} is a new register", err=True)
        fleet = stack.enter_context(Fleet(register))
        fleet.check(election.number, code, kit)
        desk = Desk(assume=unattended)
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="saksi-")))
        job = readying.Job(
            port,
            election,
            code,
            kit,
            software=_software(
                release, roster, mirror_folder, scratch, signer.signing.public_key()
            ),
            roster=roster.read_bytes() if roster else None,
            pins=None if keep_pins or spare else make_pins(),
            key=load_private(key, read_passphrase(key_passphrase_file)) if key else None,
        )

        def check(said: Said) -> None:
            fleet.check(election.number, code, kit, said.serial.hex().upper())

        if out is None:
            _simple(job, signer, fleet, desk, check, start, by, as_json)
            return
        done = readying.ready(job, signer, desk, check)
        papers = _papers(out, done, election, signer, who(by))
        facts = {**_facts(done.enrolled), **papers, "faults": done.examination.faults}
        facts["statement"] = done.statement.as_json()
        outcome = "passed" if done.statement.ready else "failed"
        fleet.add(done.enrolled, {"outcome": outcome, **facts["statement"]}, who(by))
        report(as_json, facts, _text(done.enrolled, done.examination.faults))
        if not done.statement.ready:
            typer.echo("not all checks have passed: mend it, then run the same again", err=True)
            raise typer.Exit(WRONG)
        if seal:
            # Last, since a kit that has begun takes no other PINs: these must have been shown.
            readying.seal(done.link, desk, done.statement)
            fleet.seal(kit, who(by))
        elif start:
            enrolment.start_kit(done.link, desk.step)


def _software(
    release: Path | None,
    roster: Path | None,
    mirror_folder: Path | None,
    scratch: Path,
    authority_key: bytes,
) -> software.Software | None:
    if release is None:
        return None
    if roster is None:
        raise EnrolError("give --roster too: it says who may sign a release")

    def install(port: str) -> None:
        if mirror_folder is None:
            raise EnrolError("this board lacks libraries: fill a mirror and give it (--mirror)")
        mirror.install(port, mirror_folder)

    return software.prepare(release, releases.releasers(roster, authority_key), scratch, install)


def _simple(job, signer, fleet, desk, check, start, by, as_json) -> None:
    """Enrolment alone: keys, certificates, station and PINs."""
    link, first = reach(job.port, job.software, desk.step, desk.copied)
    check(Said(*first))
    done = enrolment.enrol(
        link, signer, job.election, job.station, job.kit, pins=job.pins, progress=desk.step
    )
    fleet.add(done, by=who(by))
    report(as_json, _facts(done), _text(done, {}))
    if start:
        # Last, since a kit that has begun takes no other PINs: these must have been shown.
        enrolment.start_kit(link, desk.step)


def _papers(
    out: Path, done: readying.Readied, election: Election, signer: Authority, by: str
) -> dict[str, str]:
    """Write report and label; {"report": path, "report_json": path, "label": path}."""
    kit, said = done.enrolled, done.statement
    content: Any = content_of(election, kit.station, signer.collector.public_key())
    whole = reports.Report(
        statement=said,
        kit=kit.kit_id,
        board=kit.board,
        keys=kit.keys,
        certificates=kit.certificates,
        title=content[1],
        regions=tuple(content[2]),
        tps=content[3],
        offset=content[4],
        package_version=election.version,
        host=content[8],
        technician=by,
        details=done.examination.found,
        notes=tuple(f"{part}: {why}" for part, why in done.examination.faults.items()),
    )
    out.mkdir(parents=True, exist_ok=True)
    pdf, facts = reports.write(out, whole)
    carton = label.write(out, label.Label.of(whole))
    return {"report": str(pdf), "report_json": str(facts), "label": str(carton)}


def _facts(done: Enrolled) -> dict[str, Any]:
    return {
        "kit": done.kit_id,
        "serial": done.serial,
        "board": done.board,
        "firmware": done.firmware,
        "election": done.election,
        "station": f"{done.station:013d}",
        "keys": {mode: key.hex() for mode, key in done.keys.items()},
        "pins": {NAMES[role]: pin for role, pin in done.pins.items()} if done.pins else None,
    }


def _text(done: Enrolled, faults: dict[str, str]) -> str:
    place = f"for station {done.station:013d}" if done.station else "as a spare"
    state = "is ready" if not faults else "is enrolled, but not ready,"
    text = f"kit {done.kit_id} (chip {done.serial}) {state} {place}"
    text += "".join(f"\n{part}: {why}" for part, why in faults.items())
    for role, pin in (done.pins or {}).items():
        text += f"\nPIN of the {NAMES[role]}: {pin}"
    if done.pins:
        return text + "\nwrite both on its slip: nobody keeps them"
    return text + "\nits PINs are unchanged"
