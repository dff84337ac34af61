"""`saksi provision rehearse`: the whole chain for every station, before the day."""

import secrets
import time
from pathlib import Path
from typing import Annotated

import typer

from host_tools.provision.authority import Authority
from host_tools.provision.console import (
    CANNOT,
    WRONG,
    AsJson,
    ElectionFile,
    Folder,
    Region,
    Secret,
    Training,
    bar,
    faults,
    read_election,
    read_passphrase,
    report,
)


def rehearse(
    *,
    election_file: ElectionFile,
    authority: Folder,
    region: Region,
    sample: Annotated[int, typer.Option(min=1, help="Stations at least; see below.")] = 20,
    everything: Annotated[bool, typer.Option("--all", help="Every station.")] = False,
    packages: Annotated[
        Path | None, typer.Option(help="The folder of signed packages; signed anew if not given.")
    ] = None,
    collector: Annotated[
        str | None, typer.Option(help="Address of a collector started for it; needs --keys.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help="Folder of the rehearsal's own keys, for --collector.")
    ] = None,
    seed: Annotated[str | None, typer.Option(help="Draws the same sample and figures.")] = None,
    training: Training = False,
    passphrase_file: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Prove that a result of every contest is accepted, from package to acknowledgement.

    The kit's own code opens the package, signs a result and a correction with a broken rule, prints
    and sends them to a collector in this process. All keys are made for it and for training only.
    The sample holds every contest, form and subdistrict; the rest is drawn at random.

    With --collector URL --keys DIR: the first call makes DIR and says how to start the collector.
    """
    # Slow to load, and only here the collector's libraries are needed.
    from host_tools.collector.reasons import Refused, SetupError
    from host_tools.provision import rehearsal_run as rehearsal
    from host_tools.provision.rehearsal_trust import Trust

    if (collector is None) != (keys is None):
        typer.echo("--collector URL goes with --keys DIR", err=True)
        raise typer.Exit(CANNOT)
    seed = seed or secrets.token_hex(4)
    try:
        with faults():
            election = read_election(election_file, training)
            signer = Authority(authority, region, read_passphrase(passphrase_file))
            codes = sorted(election.stations)
            trust = None
            if keys is not None:
                number = election.as_training().number
                if not keys.exists():
                    Trust.make(keys, number, codes, int(time.time()))
                    typer.echo(_start(keys, authority), err=True)
                    raise typer.Exit(CANNOT)
                if (keys / "used").exists():
                    typer.echo(f"{keys}: was used; start a collector anew with new keys", err=True)
                    raise typer.Exit(CANNOT)
                trust = Trust(keys, number)
            if not everything:
                codes = rehearsal.draw(election, sample, seed)
            with bar("rehearsing", len(codes), not as_json, least=2) as done:
                outcome = rehearsal.run(
                    election, signer, codes, seed,
                    packages=packages, url=collector, trust=trust, done=done,
                )  # fmt: skip
    except (SetupError, Refused) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(CANNOT) from error
    _report(as_json, outcome, len(election.stations), seed)


def _start(keys: Path, authority: Path) -> str:
    """How to start the collector, after the keys were made."""
    bundles = " ".join(f"--bundle {path}" for path in sorted(keys.glob("bundle-*.cbor"))[:3])
    more = " …" if len(list(keys.glob("bundle-*.cbor"))) > 3 else ""
    return (
        f"{keys}: keys made for this rehearsal only. Start the collector with them and an empty"
        f" folder, then run this again:\nsaksi collect --data NEW {bundles}{more}"
        f" --authority {keys}/authority.pem --ca {keys}/ca.pem --key {authority}/collector.key.pem"
    )


def _report(as_json: bool, outcome, of: int, seed: str) -> None:
    failed: dict[int, list] = {}
    for failure in outcome.failures:
        failed.setdefault(failure.station, []).append(failure)
    lines = []
    for failures in failed.values():
        more = f"; and {len(failures) - 1} more" if len(failures) > 1 else ""
        lines.append(failures[0].line() + more)
    good = outcome.stations - len(failed)
    rate = outcome.stations / outcome.seconds
    lines.append(
        f"{good} of {outcome.stations} stations rehearsed well ({of} in all),"
        f" {outcome.contests} contests, {rate:.1f} stations a second, seed {seed}"
    )
    facts = {
        "stations": outcome.stations,
        "of": of,
        "contests": outcome.contests,
        "failed": len(failed),
        "failures": [
            {
                "station": f"{failure.station:013d}",
                "contest": failure.contest,
                "what": failure.what,
                "why": failure.why,
            }
            for failure in outcome.failures
        ],
        "seed": seed,
        "seconds": round(outcome.seconds, 3),
    }
    report(as_json, facts, "\n".join(lines))
    if failed:
        raise typer.Exit(WRONG)
