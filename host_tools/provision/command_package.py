"""`saksi provision package`: check an election's files and sign a package for every station."""

import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from host_tools.provision import package_folder as folders
from host_tools.provision.authority import Authority
from host_tools.provision.console import (
    CANNOT,
    WRONG,
    AsJson,
    Secret,
    Training,
    bar,
    faults,
    read_election,
    read_passphrase,
    report,
)
from host_tools.provision.keys import load_public
from host_tools.provision.package_run import sign_all


def package(
    *,
    election_file: Annotated[
        Path | None, typer.Argument(help="election.toml, its CSV files beside it.")
    ] = None,
    authority: Annotated[Path | None, typer.Option(help="The authority's folder.")] = None,
    region: Annotated[int | None, typer.Option(help="Region code, e.g. 1607.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the packages.")] = None,
    training: Training = False,
    issued: Annotated[
        int | None,
        typer.Option(help="Unix seconds; the same gives the same bytes, and ends a broken run."),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Signing processes; as many as cores if not given.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="Check a folder of packages instead; needs --signed-by.")
    ] = None,
    signed_by: Annotated[
        Path | None, typer.Option(help="signing.cert.pem of the authority.")
    ] = None,
    passphrase_file: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Check an election's files and sign one package for every station.

    A fault anywhere, and nothing is signed. packages.json is written last: a folder without it is
    unfinished, and the same command again goes on. --check DIR finds altered and missing packages.
    """
    if check is not None:
        if signed_by is None or election_file is not None:
            _wants("--check DIR goes with --signed-by signing.cert.pem, and with nothing else")
        _check(check, signed_by, as_json)
        return
    if election_file is None or authority is None or region is None or out is None:
        _wants("give election.toml, --authority, --region and --out, or --check DIR")
    with faults():
        election = read_election(election_file, training)
        signer = Authority(authority, region, read_passphrase(passphrase_file))
        moment = int(time.time()) if issued is None else issued
        with bar("signing", len(election.stations), not as_json) as done:
            index = sign_all(election, moment, signer, out, processes=processes, done=done)
        what = f"{index.packages} packages of election {index.election} v{index.version} signed"
        signer.log(f"{what}, digest {index.digest}")
    folder = out / str(index.election)
    text = f"{index.packages} packages of election {index.election} in {folder}"
    report(as_json, _facts(folder, index), f"{text}\nissued {index.issued}, digest {index.digest}")


def _wants(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(CANNOT)


def _facts(folder: Path, index: folders.Index) -> dict:
    return {
        "election": index.election,
        "version": index.version,
        "issued": index.issued,
        "packages": index.packages,
        "folder": str(folder),
        "digest": index.digest,
    }


def _check(folder: Path, signed_by: Path, as_json: bool) -> None:
    with faults():
        key = load_public(signed_by)
        inside = [] if (folder / folders.INDEX).exists() else folders.inside(folder)
        found = []
        for one in inside or [folder]:
            total = folders.read_index(one, key).packages
            with bar("checking", total, not as_json) as done:
                found.append((one, *folders.check(one, key, done)))
    wrong = sum(problems.count for _, _, problems in found)
    lines, facts = [], []
    for one, index, problems in found:
        lines += [*problems.all()]
        if not problems.count:
            lines.append(f"{one}: {index.packages} packages are all there, as they were signed")
        facts.append({**_facts(one, index), "faults": problems.count, "lines": problems.all()})
    report(as_json, {"checked": facts, "faults": wrong}, "\n".join(lines))
    if wrong:
        raise typer.Exit(WRONG)
