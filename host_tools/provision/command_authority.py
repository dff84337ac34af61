"""`saksi provision authority ...`"""

from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from host_tools.provision.authority import Authority, AuthorityError
from host_tools.provision.console import AsJson, Region, Secret, faults, read_passphrase, report

app = typer.Typer(no_args_is_help=True, help="The keys that everything else rests on.")


@app.command("create")
def authority_create(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    region: Region,
    name: Annotated[str, typer.Option(help="The region's name.")],
    passphrase_file: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Hold the key ceremony: root, regional CA, signing key, collector's key.

    Move offline/ to a medium that goes into a safe. Without --passphrase-file the keys are NOT
    encrypted, which is for trying out only.
    """
    with faults():
        Authority.create(folder, region, name, read_passphrase(passphrase_file))
    if passphrase_file is None:
        typer.echo(
            "note: the keys are not encrypted; for a real election give a passphrase", err=True
        )
    authority_show(folder, as_json)


@app.command("show")
def authority_show(
    folder: Annotated[Path, typer.Argument(help="The authority's folder.")], as_json: AsJson = False
) -> None:
    """List the authority's certificates with their fingerprints, to compare aloud."""
    with faults():
        paths = sorted(folder.glob("*.cert.pem"))
        if not paths:
            raise AuthorityError(f"{folder}: holds no authority")
        facts = {}
        for path in paths:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            facts[path.name] = certificate.fingerprint(hashes.SHA256()).hex()
    report(as_json, facts, "\n".join(f"{value}  {name}" for name, value in facts.items()))
