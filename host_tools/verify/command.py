"""`saksi verify receipt|journal|photo`: what PPS, witnesses and anyone else can run, off line.

Exit codes: 0 valid, 1 found wanting, 2 cannot run or cannot tell.
"""

import json
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from host_tools.verify.report import CANNOT, Report, worst

app = typer.Typer(
    no_args_is_help=True,
    help="Check a receipt, a journal or a photograph without a network. "
    "Exit codes: 0 valid, 1 found wanting, 2 cannot run.",
)

Bundle = Annotated[
    Path,
    typer.Option("--trust", "--bundle", envvar="SAKSI_TRUST", help="The region's trust bundle."),
]
Authority = Annotated[
    Path | None,
    typer.Option(
        envvar="SAKSI_AUTHORITY",
        help="The authority's key or certificate (PEM); else authority.pem beside the bundle.",
    ),
]
Package = Annotated[
    Path | None,
    typer.Option(help="The station's signed package: gives names and the collector's key."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Report in JSON.")]
Language = Annotated[str, typer.Option("--lang", help="Language of the sentences: id or en.")]


@app.command()
def receipt(
    source: Annotated[str, typer.Argument(help="A picture, a text file, the QR text, or - .")],
    trust: Bundle,
    authority: Authority = None,
    package: Package = None,
    as_json: AsJson = False,
    lang: Language = "id",
) -> None:
    """Check every receipt in a picture, a text file or a scanner's line."""
    from host_tools.verify.read import ReadError, read
    from host_tools.verify.receipt import check_receipt

    held = _trust(trust, authority, package, as_json)
    try:
        found = read(source)
    except ReadError as error:
        _stop(CANNOT, str(error), as_json)
    now = int(time.time())
    reports = []
    for one in found:
        report = check_receipt(one.data, held, now)
        if one.problem is not None:
            report = Report("receipt", report.needed)
            report.fail("frame", "Not a Saksi record, or altered: %s", one.problem)
            report.finish()
        reports.append((one.where, report))
    _end(reports, as_json, lang)


@app.command()
def journal(
    file: Annotated[Path, typer.Argument(help="The journal from the kit's card.")],
    trust: Bundle,
    certificate: Annotated[Path, typer.Option(help="The kit's certificate (DER).")],
    authority: Authority = None,
    package: Package = None,
    as_json: AsJson = False,
    lang: Language = "id",
) -> None:
    """Check a kit's journal: chain, counters, signatures, and what it says of itself."""
    from host_tools.verify.journal import JournalFileError, check_journal

    held = _trust(trust, authority, package, as_json)
    try:
        der = certificate.read_bytes()
        report = check_journal(file, der, held, int(time.time()))
    except OSError as error:
        _stop(CANNOT, f"{certificate}: cannot be read ({error.strerror})", as_json)
    except JournalFileError as error:
        _stop(CANNOT, str(error), as_json)
    _end([(str(file), report)], as_json, lang)


@app.command()
def photo(
    file: Annotated[Path, typer.Argument(help="The photograph of a page (JPEG).")],
    trust: Bundle,
    receipt: Annotated[str, typer.Option(help="The receipt: picture, text file or QR text.")],
    manifest: Annotated[
        Path | None, typer.Option(help="The record's manifest (bytes or hex).")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="Or the kit's journal that holds it.")
    ] = None,
    authority: Authority = None,
    package: Package = None,
    as_json: AsJson = False,
    lang: Language = "id",
) -> None:
    """Check that a photograph is, bit for bit, a page that a receipt's record names."""
    from firmware.record import rec_id
    from host_tools.verify import photo as photos
    from host_tools.verify.journal import JournalFileError
    from host_tools.verify.read import ReadError, read

    if (manifest is None) == (journal is None):
        text = (
            "a receipt holds only the manifest's digest: give --manifest or --journal, one of them"
        )
        _stop(CANNOT, text, as_json)
    held = _trust(trust, authority, package, as_json)
    try:
        found = read(receipt)
        if len(found) > 1:
            _stop(CANNOT, f"{receipt}: holds {len(found)} receipts; give one", as_json)
        data = found[0].data
        digest, size = photos.digest_of(file)
        if manifest is not None:
            listed = photos.read_manifest(manifest)
        else:
            assert journal is not None
            listed = photos.manifest_in_journal(journal, rec_id(data))
    except (ReadError, photos.SourceError, JournalFileError) as error:
        _stop(CANNOT, str(error), as_json)
    report = photos.check_photo(digest, size, data, listed, held, int(time.time()))
    _end([(str(file), report)], as_json, lang)


def _trust(bundle: Path, authority: Path | None, package: Path | None, as_json: bool):
    from host_tools.verify.trust import TrustError, load

    try:
        return load(bundle, authority, package)
    except TrustError as error:
        _stop(error.code, str(error), as_json)


def _stop(code: int, text: str, as_json: bool) -> NoReturn:
    """One line, and out."""
    if as_json:
        typer.echo(json.dumps({"exit": code, "error": text}))
    else:
        typer.echo(text, err=True)
    raise typer.Exit(code)


def _end(reports: list[tuple[str, Report]], as_json: bool, lang: str) -> NoReturn:
    from host_tools.verify.words import words

    t = words(lang)
    if as_json:
        from host_tools.verify.show import dump

        typer.echo(dump(reports, t))
    else:
        from rich.console import Console

        from host_tools.verify.show import show

        console = Console(highlight=False, soft_wrap=False)
        for where, report in reports:
            show(report, where, t, console)
    raise typer.Exit(worst([report for _, report in reports]))
