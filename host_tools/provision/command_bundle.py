"""`saksi provision bundle ...`"""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from host_tools.provision import bundle as bundles
from host_tools.provision.authority import Authority
from host_tools.provision.console import (
    AsJson,
    Folder,
    KitRegister,
    Pinned,
    Region,
    Secret,
    faults,
    read_passphrase,
    report,
)
from host_tools.provision.fleet import Fleet
from host_tools.provision.keys import load_public

app = typer.Typer(no_args_is_help=True, help="Trust bundles: which kits may sign.")


@app.command("build")
def bundle_build(
    *,
    election: Annotated[int, typer.Option(help="Election number (training: + 1000000).")],
    version: Annotated[int, typer.Option(help="Higher than every bundle before.")],
    authority: Folder,
    region: Region,
    register: KitRegister,
    out: Annotated[Path, typer.Option(help="Folder for the bundle.")],
    revoke: Annotated[list[str] | None, typer.Option(help="Key id (16 hex) to revoke.")] = None,
    days: Annotated[int, typer.Option(help="Days until the next issue is due.")] = 30,
    passphrase_file: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Sign the list of the keys that may sign in one region and election.

    Spares are listed for no station, a swapped kit where it serves now, the keys of lost kits as
    revoked. Any other key is revoked with --revoke KID in every later version.
    """
    with faults():
        signer = Authority(authority, region, read_passphrase(passphrase_file))
        with Fleet(register, create=False) as fleet:
            # In this order: a key that is revoked meanwhile is missed by neither.
            entries = fleet.entries(election)
            gone = fleet.revoked(election)
        if not entries:
            raise bundles.BundleError(f"{register}: has no kit for election {election}")
        now = int(time.time())
        data = bundles.build_bundle(
            version=version,
            election=election,
            region=region,
            issued=now,
            next_issue=now + days * 86400,
            entries=entries,
            revoked=[*gone, *signer.revoked_kids(), *(_kid(text) for text in revoke or [])],
            signer=signer.signing,
        )
        out.mkdir(parents=True, exist_ok=True)
        path = out / bundles.file_name(region, version)
        if path.exists():
            raise bundles.BundleError(f"{path}: exists; raise the version (a folder an election)")
        path.write_bytes(data)
        signer.log(f"bundle of region {region} v{version} signed, {len(entries)} keys")
    listed = len(bundles.verify_bundle(data, signer.signing.public_key()).revocations())
    facts = {"bundle": str(path), "keys": len(entries), "revoked": listed, "bytes": len(data)}
    report(as_json, facts, f"{path}: {len(entries)} keys, {listed} revoked, {len(data)} bytes")


def _kid(text: str) -> bytes:
    try:
        kid = bytes.fromhex(text)
    except ValueError:
        kid = b""
    if len(kid) != 8:
        raise bundles.BundleError(f"{text} is not a key id of 16 hex digits")
    return kid


@app.command("show")
def bundle_show(
    path: Annotated[Path, typer.Argument(help="The bundle's file.")],
    signed_by: Pinned,
    as_json: AsJson = False,
) -> None:
    """Verify a bundle and list its keys."""
    with faults():
        bundle = bundles.load_bundle(path, load_public(signed_by))
    stale = bundle.stale(int(time.time()))
    facts = {
        "election": bundle.election,
        "region": bundle.region,
        "version": bundle.version,
        "training": bundle.training,
        "stale": stale,
        "keys": [
            {
                "kid": kid.hex(),
                "station": f"{bundle.station(kid) or 0:013d}",
                "revoked": bundle.revoked(kid),
            }
            for kid in bundle.kids()
        ],
    }
    due = datetime.fromtimestamp(bundle.next, UTC)
    head = f"valid: election {bundle.election}, region {bundle.region}, version {bundle.version}"
    lines = [head + (f"; OLD: a newer one was due {due:%Y-%m-%d %H:%M} UTC" if stale else "")]
    for row in facts["keys"]:
        lines.append(f"{row['kid']}  {row['station']}{'  REVOKED' if row['revoked'] else ''}")
    report(as_json, facts, "\n".join(lines))
