"""`saksi provision authority ...`: the keys, and what is in the sister files command_people and
command_revoke.
"""

from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from host_tools.provision import command_people, command_revoke
from host_tools.provision.authority import Authority, AuthorityError
from host_tools.provision.ceremony import fingerprint
from host_tools.provision.console import (
    AsJson,
    NoPassphrase,
    Region,
    Secret,
    faults,
    new_passphrase,
    read_passphrase,
    report,
)
from host_tools.provision.keys import KeyFileError

app = typer.Typer(no_args_is_help=True, help="The keys that everything else rests on.")
command_people.add_to(app)
command_revoke.add_to(app)

KeyUri = Annotated[
    str | None, typer.Option(help="This key is in a token: pkcs11:token=...;object=... (RFC 7512)")
]


def _tokens(**uris: str | None) -> dict[str, str]:
    """{name of the key: URI} of those that were given; the names have - where Python has _."""
    given = {name.replace("_", "-"): uri for name, uri in uris.items() if uri is not None}
    for name, uri in given.items():
        if not uri.startswith("pkcs11:"):
            raise KeyFileError(f"{name} key: {uri} is no pkcs11: URI")
    return given


@app.command("create")
def authority_create(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    region: Region,
    name: Annotated[str, typer.Option(help="The region's name.")],
    passphrase_file: Secret = None,
    no_passphrase: NoPassphrase = False,
    root_key: KeyUri = None,
    region_key: KeyUri = None,
    signing_key: KeyUri = None,
    as_json: AsJson = False,
) -> None:
    """Hold the key ceremony: root, regional CA, signing key, collector's key.

    Move offline/ to a medium that goes into a safe. The keys are encrypted with the passphrase of
    --passphrase-file, else with one that is typed twice.
    """
    with faults():
        tokens = _tokens(**{
            "root": root_key, f"region_{region}": region_key, "signing": signing_key
        })  # fmt: skip
        secret = new_passphrase(passphrase_file, no_passphrase, "the authority's keys")
        Authority.create(folder, region, name, secret, tokens=tokens)
    _note(secret)
    authority_show(folder, as_json)


@app.command("region")
def authority_region(
    folder: Annotated[Path, typer.Argument(help="The authority's folder.")],
    region: Region,
    name: Annotated[str, typer.Option(help="The region's name.")],
    root: Annotated[str, typer.Option(help="File of the offline root key, or its pkcs11: URI.")],
    root_passphrase_file: Annotated[
        Path | None, typer.Option(help="File whose first line is the root key's passphrase.")
    ] = None,
    passphrase_file: Secret = None,
    no_passphrase: NoPassphrase = False,
    region_key: KeyUri = None,
    as_json: AsJson = False,
) -> None:
    """Make a further regional CA, with the root key from its safe.

    The new key gets the passphrase of the folder's other keys. Put the root key back afterwards.
    """
    with faults():
        secret = new_passphrase(
            passphrase_file, no_passphrase, f"region {region} as for the others"
        )
        Authority.add_region(
            folder,
            region,
            name,
            root,
            root_passphrase=read_passphrase(root_passphrase_file),
            passphrase=secret,
            tokens=_tokens(**{f"region_{region}": region_key}),
        )
    _note(secret)
    authority_show(folder, as_json)


def _note(secret: bytes | None) -> None:
    if secret is None:
        note = "note: the keys are not encrypted; for a real election give a passphrase"
        typer.echo(note, err=True)


@app.command("token-key")
def authority_token_key(
    uri: Annotated[str, typer.Argument(help="pkcs11:token=...;object=... of the new key.")],
    as_json: AsJson = False,
) -> None:
    """Make a P-256 key inside a token, which never gives it out; for create and region."""
    with faults():
        from host_tools.provision import token

        point = token.make_key(uri)
    report(as_json, {"key": point.hex()}, f"made; public key {point.hex()}")


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
            facts[path.name] = fingerprint(certificate).removeprefix("sha256:")
    report(as_json, facts, "\n".join(f"{value}  {name}" for name, value in facts.items()))
