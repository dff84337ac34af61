"""`saksi verify web OUT`: writes the verification page for PPS and witnesses as a folder."""

from pathlib import Path
from typing import Annotated

import typer

from host_tools.verify.report import CANNOT


def web(
    out: Annotated[Path, typer.Argument(help="Folder to write: a web server's, or a stick's.")],
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", "--trust", envvar="SAKSI_TRUST", help="The trust bundle."),
    ] = None,
    authority: Annotated[
        Path | None,
        typer.Option(
            envvar="SAKSI_AUTHORITY",
            help="The authority's key or certificate (PEM); else authority.pem beside the bundle.",
        ),
    ] = None,
    package: Annotated[
        list[Path] | None,
        typer.Option(help="A station's signed package, for names; may be given again."),
    ] = None,
    collector: Annotated[
        str | None, typer.Option(help="https://HOST of a collector that receipts are handed on to.")
    ] = None,
    reader: Annotated[
        Path | None, typer.Option(help="The QR reader's npm file, to build without a network.")
    ] = None,
) -> None:
    """Write the offline verification page: for a web server, a stick, a phone's browser."""
    from host_tools.verify.web.build import BuildError, Settings, build

    try:
        files = build(out, Settings(bundle, authority, tuple(package or ()), collector, reader))
    except BuildError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(CANNOT) from error
    total = sum(file.stat().st_size for file in files if file.parent == out)
    typer.echo(f"{out}: {len(files)} files, the page weighs {total / 1e6:.2f} MB")
    if bundle is None:
        typer.echo("No bundle is in it: it has to be loaded in the page before anything is valid.")
    if bundle is None and authority is None:
        typer.echo("No authority is in it: give --authority, or no bundle will be believed.")
