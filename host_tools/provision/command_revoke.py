"""`saksi provision authority revoke|crl|revocation`: keys that must not be believed any longer."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from host_tools.provision import moments, revoked
from host_tools.provision.authority import Authority
from host_tools.provision.ceremony import write_new
from host_tools.provision.console import (
    AsJson,
    Folder,
    Pinned,
    Region,
    Secret,
    faults,
    read_passphrase,
    report,
)
from host_tools.provision.keys import load_public
from host_tools.provision.revocation import (
    NAMES,
    REASONS,
    Revocation,
    RevocationError,
    load_revocation,
)

Reason = StrEnum("Reason", list(REASONS))
Days = Annotated[int, typer.Option(min=1, help="Days until the CRL has to be signed anew.")]
revocation_app = typer.Typer(no_args_is_help=True, help="Read a revocation.")


def add_to(app: typer.Typer) -> None:
    """Hang these commands into `saksi provision authority`."""
    app.command("revoke")(revoke)
    app.command("crl")(crl)
    app.add_typer(revocation_app, name="revocation")


def revoke(
    authority: Folder,
    region: Region,
    reason: Annotated[Reason, typer.Option(help="Why; unused: taken out of use.")],
    since: Annotated[str, typer.Option(help="From when on: 2024-11-20 or 2024-11-20T10:00+07:00")],
    key: Annotated[str | None, typer.Option(help="Key id, 16 hex digits.")] = None,
    kit: Annotated[str | None, typer.Option(help="Kit id: its live and training keys.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for a copy, to hand out.")] = None,
    days: Days = 30,
    passphrase_file: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a kit, or one key of a kit, technician or releaser; there is no way back.

    Signs the region's next list, which holds the earlier ones, and its CRL. A technician is off
    the next roster, a kit's key gets no certificate again. The same command again changes nothing.
    """
    with faults():
        moment = moments.parse(since)
        signer = Authority(authority, region, read_passphrase(passphrase_file))
        if (key is None) == (kit is None):
            raise RevocationError("give --key or --kit, one of them")
        gone = revoked.kids_of_kit(signer, kit) if kit is not None else [_kid(key or "")]
        made = revoked.revoke(signer, gone, REASONS[reason.value], moment)
        listed = revoked.write_crl(signer, days)
        path = authority / "revocations" / f"revocation-{region}-{made.version}.cbor"
        if out is not None:
            path = _copy(out / path.name, made.raw)
    facts = {"revocation": str(path), "crl": str(listed), **_facts(made)}
    report(as_json, facts, f"{path}\n{listed}\n{_lines(made)}")


def _copy(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write_new(path, data, 0o644)
    elif path.read_bytes() != data:
        raise RevocationError(f"{path}: is another revocation of this version; take another folder")
    return path


def _kid(text: str) -> bytes:
    try:
        kid = bytes.fromhex(text)
    except ValueError:
        kid = b""
    if len(kid) != 8:
        raise RevocationError(f"{text} is not a key id of 16 hex digits")
    return kid


def crl(
    authority: Folder,
    region: Region,
    days: Days = 30,
    passphrase_file: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Sign the regional CA's CRL anew: before it is due, or when nothing was revoked yet."""
    with faults():
        signer = Authority(authority, region, read_passphrase(passphrase_file))
        path = revoked.write_crl(signer, days)
    report(as_json, {"crl": str(path)}, str(path))


@revocation_app.command("show")
def revocation_show(
    path: Annotated[Path, typer.Argument(help="The revocation's file.")],
    signed_by: Pinned,
    as_json: AsJson = False,
) -> None:
    """Verify a revocation and list its keys."""
    with faults():
        made = load_revocation(path, load_public(signed_by))
    head = f"valid: region {made.region}, version {made.version}, of {moments.show(made.issued)}"
    report(as_json, _facts(made), f"{head}\n{_lines(made)}")


def _facts(made: Revocation) -> dict:
    return {
        "region": made.region,
        "version": made.version,
        "issued": made.issued,
        "keys": [
            {"kid": kid.hex(), "since": since, "reason": NAMES[why]}
            for kid, since, why in made.rows()
        ],
    }


def _lines(made: Revocation) -> str:
    rows = made.rows()
    return "\n".join(f"{kid.hex()}  {NAMES[why]} since {moments.show(at)}" for kid, at, why in rows)
