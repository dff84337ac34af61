"""`saksi provision authority technician|releaser|roster`: who has a key, and the list of them."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from firmware import record
from host_tools.provision import moments, roster_next
from host_tools.provision.authority import Authority
from host_tools.provision.ceremony import write_new
from host_tools.provision.console import (
    AsJson,
    Folder,
    NoPassphrase,
    Pinned,
    Secret,
    faults,
    new_passphrase,
    read_passphrase,
    report,
)
from host_tools.provision.keys import KeyFileError, load_public
from host_tools.provision.people import ROLES, add_person, check_new
from host_tools.provision.roster import Roster, load_roster

Name = Annotated[str, typer.Argument(help="The person's name, as it will be on the roster.")]
Public = Annotated[
    Path | None, typer.Option(help="The public key or certificate that the person made, in PEM.")
]
roster_app = typer.Typer(help="The roster: sign the next one, or show one.")


def add_to(app: typer.Typer) -> None:
    """Hang these commands into `saksi provision authority`."""
    app.command("technician")(technician)
    app.command("releaser")(releaser)
    app.add_typer(roster_app, name="roster")


def technician(
    name: Name,
    authority: Folder,
    public: Public = None,
    passphrase_file: Secret = None,
    no_passphrase: NoPassphrase = False,
    as_json: AsJson = False,
) -> None:
    """Give a technician a key: he opens sealed kits with it, once the roster names him."""
    _add("technician", name, authority, public, passphrase_file, no_passphrase, as_json)


def releaser(
    name: Name,
    authority: Folder,
    public: Public = None,
    passphrase_file: Secret = None,
    no_passphrase: NoPassphrase = False,
    as_json: AsJson = False,
) -> None:
    """Give a releaser a key: two of them sign each version of the kits' software."""
    _add("releaser", name, authority, public, passphrase_file, no_passphrase, as_json)


def _add(role, name, authority, public, passphrase_file, no_passphrase, as_json) -> None:
    with faults():
        check_new(authority, role, name)  # before anybody types a passphrase
        if public is None:
            secret = new_passphrase(passphrase_file, no_passphrase, f"{name}'s key")
        elif passphrase_file or no_passphrase:
            raise KeyFileError("a public key has no passphrase")
        else:
            secret = None
        person = add_person(
            authority, role, name, lambda: datetime.now(UTC), public=public, passphrase=secret
        )
    file = authority / ROLES[role] / f"{name}.key.pem"
    facts = {
        "name": name,
        "role": role,
        "kid": person.kid.hex(),
        "private_key": None if public else str(file),
    }
    text = f"{role} {name}: key id {person.kid.hex()}"
    if not public:
        text += f"\nhand over {file} and keep no copy"
        text += "; its passphrase goes another way" if secret else "; it is NOT encrypted"
    report(as_json, facts, text)


@roster_app.callback(invoke_without_command=True)
def roster_sign(
    context: typer.Context,
    authority: Annotated[Path | None, typer.Option(help="The authority's folder.")] = None,
    region: Annotated[int | None, typer.Option(help="Region code.")] = None,
    until: Annotated[str | None, typer.Option(help="When the next is due: 2024-12-31")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the roster.")] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option(help="Name that is no longer on it, now or later.")
    ] = None,
    take_back: Annotated[
        list[str] | None, typer.Option(help="Name that was left out and is on it again.")
    ] = None,
    passphrase_file: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Sign the region's next roster: everybody with a key in the folder.

    Who is left out once stays out, until --take-back; who is revoked stays out for good.
    """
    if context.invoked_subcommand is not None:
        return
    if authority is None or region is None or until is None or out is None:
        raise typer.BadParameter("--authority, --region, --until and --out are needed")
    with faults():
        due = moments.parse(until)
        signer = Authority(authority, region, read_passphrase(passphrase_file))
        out.mkdir(parents=True, exist_ok=True)
        made, kept, missing = roster_next.next_roster(signer, due, leave_out or [], take_back or [])
        path = out / kept.name
        if path.resolve() != kept.resolve():
            write_new(path, made.data, 0o644)
    facts = {"roster": str(path), **_facts(made), "left_out": missing}
    text = f"{path}: {len(made.data)} bytes\n{_lines(made)}"
    text += "".join(f"\nnot on it: {name}" for name in missing)
    if len(made.releasers) < 2:
        text += "\nnote: a release takes two releasers; kits will take none under this roster"
    report(as_json, facts, text)


@roster_app.command("show")
def roster_show(
    path: Annotated[Path, typer.Argument(help="The roster's file.")],
    signed_by: Pinned,
    as_json: AsJson = False,
) -> None:
    """Verify a roster and list who is on it."""
    with faults():
        roster = load_roster(path, load_public(signed_by))
    stale = roster.stale(int(time.time()))
    due = moments.show(roster.until)
    head = f"valid: region {roster.region}, version {roster.version}"
    head += f"; OLD: a newer one was due {due}" if stale else f", until {due}"
    report(as_json, {**_facts(roster), "stale": stale}, f"{head}\n{_lines(roster)}")


def _facts(roster: Roster) -> dict:
    return {
        "region": roster.region,
        "version": roster.version,
        "issued": roster.issued,
        "until": roster.until,
        "technicians": [
            {"name": name, "kid": record.kid_of(key).hex()} for name, key in roster.technicians
        ],
        "releasers": [record.kid_of(key).hex() for key in roster.releasers],
    }


def _lines(roster: Roster) -> str:
    lines = [f"{record.kid_of(key).hex()}  {name}" for name, key in roster.technicians]
    lines += [f"{record.kid_of(key).hex()}  a releaser" for key in roster.releasers]
    return "\n".join(lines)
