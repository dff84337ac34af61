"""`saksi verify receipt|journal|photo|readiness`: what anyone can run, off line.

Exit codes: 0 valid, 1 found wanting, 2 cannot run or cannot tell.
"""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from host_tools.verify.report import CANNOT, Report, worst
from host_tools.verify.web.command import web

app = typer.Typer(
    no_args_is_help=True,
    help="Check a receipt, a journal, a photograph or a kit's carton without a network. "
    "Exit codes: 0 valid, 1 found wanting, 2 cannot run.",
)

Bundles = Annotated[
    list[Path],
    typer.Option(
        "--trust", "--bundle", envvar="SAKSI_TRUST", help="Trust bundles, or folders of them."
    ),
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
Ca = Annotated[
    list[Path] | None,
    typer.Option("--ca", help="CA certificates (PEM) that kits' certificates lead to."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Report in JSON.")]
Language = Annotated[str, typer.Option("--lang", help="Language of the sentences: id or en.")]


@app.command()
def receipt(
    sources: Annotated[
        list[str],
        typer.Argument(help="Pictures, text files, folders of them, QR texts, or - for a scanner."),
    ],
    trust: Bundles,
    authority: Authority = None,
    package: Package = None,
    certificate: Annotated[
        list[Path] | None, typer.Option(help="Kits' certificates (DER, PEM), or a folder of them.")
    ] = None,
    ca: Ca = None,
    journal: Annotated[
        Path | None, typer.Option(help="The kit's journal or card: shows what was replaced.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a row a receipt to this file.")] = None,
    as_json: AsJson = False,
    lang: Language = "id",
) -> None:
    """Check receipts: pictures of the paper, typed or scanned text; many at once by a folder."""
    from host_tools.verify.many import Check, check_many, check_scanner

    held = _trust(trust, authority, package, certificate, ca, as_json)
    check = Check(held, int(time.time()), _replaced(journal, held, as_json))
    if sources == ["-"] and sys.stdin.isatty() and not as_json:
        raise typer.Exit(check_scanner(check, lang))
    _finish(check_many(check, sources, csv, as_json, lang), as_json)


@app.command()
def journal(
    file: Annotated[
        Path,
        typer.Argument(help="The card's folder, a littlefs image of card or flash, a journal."),
    ],
    trust: Bundles,
    certificate: Annotated[
        Path | None, typer.Option(help="The kit's certificate (DER); else the one on its flash.")
    ] = None,
    authority: Authority = None,
    package: Package = None,
    ca: Ca = None,
    as_json: AsJson = False,
    lang: Language = "id",
) -> None:
    """Check a kit's journal: chain, counters, gaps, signatures, photographs."""
    from host_tools.verify.journal import JournalFileError, check_card
    from host_tools.verify.progress import bytes_read

    held = _trust(trust, authority, package, None, ca, as_json)
    try:
        der = certificate.read_bytes() if certificate else None
        with bytes_read(not as_json) as progress:
            reports = check_card(file, der, held, int(time.time()), progress)
    except OSError as error:
        _stop(CANNOT, f"{certificate}: cannot be read ({error.strerror})", as_json)
    except JournalFileError as error:
        _stop(CANNOT, str(error), as_json)
    _end(reports, as_json, lang)


@app.command()
def photo(
    file: Annotated[Path, typer.Argument(help="The photograph of a page (JPEG).")],
    trust: Bundles,
    receipt: Annotated[str, typer.Option(help="The receipt: picture, text file or QR text.")],
    manifest: Annotated[
        Path | None, typer.Option(help="The record's manifest (bytes or hex).")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="Or the kit's journal, card or image that holds it.")
    ] = None,
    authority: Authority = None,
    package: Package = None,
    as_json: AsJson = False,
    lang: Language = "id",
) -> None:
    """Is this the photograph that was signed? Bit for bit a page of the receipt's record."""
    from firmware.record import rec_id
    from host_tools.verify import photo as photos
    from host_tools.verify.journal import JournalFileError
    from host_tools.verify.read import ReadError, read

    if (manifest is None) == (journal is None):
        text = (
            "a receipt holds only the manifest's digest: give --manifest or --journal, one of them"
        )
        _stop(CANNOT, text, as_json)
    held = _trust(trust, authority, package, None, None, as_json)
    try:
        found = read(receipt)
        if len(found) > 1:
            _stop(CANNOT, f"{receipt}: holds {len(found)} receipts; give one", as_json)
        data, lacking = found[0].data, found[0].missing
        if lacking:
            _stop(CANNOT, f"{receipt}: scan also {lacking}", as_json)
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


@app.command()
def readiness(
    source: Annotated[
        str, typer.Argument(help="The carton's code: picture, text file, QR text, or - for it.")
    ],
    trust: Bundles,
    authority: Authority = None,
    package: Package = None,
    certificate: Annotated[
        list[Path] | None, typer.Option(help="The kit's certificate (DER, PEM), or a folder.")
    ] = None,
    ca: Ca = None,
    as_json: AsJson = False,
    lang: Language = "id",
) -> None:
    """Was this kit readied? Checks the code on its carton or on its slip."""
    from host_tools.verify.read import ReadError, read
    from host_tools.verify.readiness import check_readiness

    held = _trust(trust, authority, package, certificate, ca, as_json)
    try:
        found = read(source)
    except ReadError as error:
        _stop(CANNOT, str(error), as_json)
    now = int(time.time())
    for one in found:
        if one.missing:
            _stop(CANNOT, f"{source}: scan also {one.missing}", as_json)
    _end([(one.where, check_readiness(one.data, held, now)) for one in found], as_json, lang)


app.command()(web)


def _trust(
    bundles: list[Path],
    authority: Path | None,
    package: Path | None,
    certificates: list[Path] | None,
    ca: list[Path] | None,
    as_json: bool,
):
    from host_tools.verify.trust import TrustError, load

    held = None
    if certificates or ca:
        from host_tools.verify.certificate import CertificateError, Certificates

        try:
            held = Certificates.load(certificates or (), ca or ())
        except CertificateError as error:
            _stop(CANNOT, str(error), as_json)
    try:
        return load(bundles, authority, package, held)
    except TrustError as error:
        _stop(error.code, str(error), as_json)


def _replaced(journal: Path | None, held, as_json: bool):
    """What a kit's journal says was replaced, if the journal itself holds; None without one."""
    if journal is None:
        return None
    from host_tools.verify.compare import replacements
    from host_tools.verify.journal import JournalFileError, check_card, frames

    try:
        for where, report in check_card(journal, None, held, int(time.time())):
            if report.exit_code:
                text = f"{where}: does not verify; see saksi verify journal"
                _stop(report.exit_code, text, as_json)
        return replacements(frames(journal))
    except JournalFileError as error:
        _stop(CANNOT, str(error), as_json)


def _finish(outcome: int | tuple[int, str], as_json: bool = False) -> NoReturn:
    if isinstance(outcome, tuple):
        _stop(*outcome, as_json)
    raise typer.Exit(outcome)


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
        from host_tools.verify.show import show_all

        show_all(reports, t)
    raise typer.Exit(worst([report for _, report in reports]))
