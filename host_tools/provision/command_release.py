"""`saksi provision release ...`"""

from pathlib import Path
from typing import Annotated

import typer

from host_tools.provision import release as releases
from host_tools.provision import release_build
from host_tools.provision.console import (
    AsJson,
    Pinned,
    Secret,
    faults,
    read_passphrase,
    report,
)
from host_tools.provision.keys import load_private, load_public

app = typer.Typer(
    no_args_is_help=True,
    help="Software for the kits: build, have two releasers sign, verify before it is sent.",
)
Folder = Annotated[Path, typer.Argument(help="The release's folder.")]


@app.command()
def build(
    *,
    board: Annotated[str, typer.Option(help="The board, as in firmware/board_NAME.py.")],
    version: Annotated[str, typer.Option(help="1.2.3, as firmware/__init__.py says.")],
    out: Annotated[Path, typer.Option(help="A new folder for the release.")],
    source: Annotated[
        Path, typer.Option(help="Folder that firmware/ is in.")
    ] = release_build.SOURCE,
    as_json: AsJson = False,
) -> None:
    """Compile the files that one board needs; the same bytes wherever it is done."""
    with faults():
        made = release_build.build(board, version, out, source)
    facts = {
        "release": str(out),
        "board": board,
        "version": version,
        "files": len(made.files),
        "bytes": made.size,
        "files_sha256": made.digest.hex(),
        "sizes": {name: size for name, size, _ in made.files},
    }
    lines = [f"{size:>7,}  {name}" for name, size, _ in made.files]
    lines.append(f"{made.size:>7,}  bytes in {len(made.files)} files for board {board}: {out}")
    lines.append(f"compare with the other releaser: {made.digest.hex()}")
    report(as_json, facts, "\n".join(lines))


@app.command()
def sign(
    folder: Folder,
    *,
    key: Annotated[Path, typer.Option(help="The releaser's key, PKCS#8 in PEM.")],
    passphrase_file: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Add one releaser's statement; two different ones make a release that kits take."""
    with faults():
        path = releases.sign(folder, load_private(key, read_passphrase(passphrase_file)))
        count = len(releases.statements(folder))
    report(as_json, {"statement": str(path), "statements": count}, f"{path}: {count} of 2 signed")


@app.command()
def verify(
    folder: Folder,
    *,
    roster: Annotated[Path, typer.Option(help="The region's roster.")],
    signed_by: Pinned,
    as_json: AsJson = False,
) -> None:
    """Check every file, the list and both statements as a kit does."""
    with faults():
        release = releases.verify(folder, releases.releasers(roster, load_public(signed_by)))
    version = ".".join(map(str, release.version))
    facts = {"board": release.board, "version": version, "files_sha256": release.digest.hex()}
    report(as_json, facts, f"valid: {version} for board {release.board}, {release.size:,} bytes")
