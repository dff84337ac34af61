"""`saksi sheet ...`: draws wall sheets for training, the demo and tests."""

import json
from pathlib import Path
from typing import Annotated

import cv2
import typer
from rich.console import Console
from rich.progress import track

from host_tools.sheet import layout
from host_tools.sheet.draw import draw_page
from host_tools.sheet.photograph import BLURRED, GOOD, photograph

CANNOT_RUN = 2
PAGE_WIDTH = 2400  # pixels; about what a page measures on a 12 MP photograph

app = typer.Typer(help="Wall sheets (C.HASIL): draw them.", no_args_is_help=True)


@app.callback()
def sheet() -> None:
    """Wall sheets (C.HASIL)."""


@app.command()
def draw(
    form: Annotated[str, typer.Argument(help="ppwp-2024, kwk-gubernur, kwk-bupati or a TOML file")],
    out: Annotated[Path, typer.Option(help="folder for the pictures")] = Path(),
    values: Annotated[
        list[str] | None, typer.Option(help='figures: JSON, @FILE or name=n[,name=n]; "" is blank')
    ] = None,
    station: Annotated[
        list[str] | None, typer.Option(help="province= regency= district= village= tps= date=")
    ] = None,
    pair: Annotated[list[str] | None, typer.Option(help='a pair\'s name: "A / B"; repeat')] = None,
    pairs: Annotated[int | None, typer.Option(help="how many pairs, when unnamed")] = None,
    page: Annotated[int | None, typer.Option(help="this page only")] = None,
    blank: Annotated[bool, typer.Option("--blank", help="nothing filled in")] = False,
    photo: Annotated[
        bool, typer.Option("--photograph", help="JPEG as a phone takes it, not PNG")
    ] = False,
    blurred: Annotated[bool, typer.Option("--blurred", help="with --photograph: spoiled")] = False,
    width: Annotated[
        int, typer.Option(help="page width in pixels", min=200, max=8000)
    ] = PAGE_WIDTH,
    seed: Annotated[int, typer.Option(help="whose hand, which camera")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="report as JSON")] = False,
) -> None:
    """Draw a form's pages, blank or filled in, as PNG or as photographs."""
    try:
        made = _draw(
            layout.load(form),
            out,
            None if blank else _values(values),
            dict(_assignments(station or [])),
            pair or pairs,
            page,
            (BLURRED if blurred else GOOD) if photo else None,
            width,
            seed,
            quiet=as_json,
        )
    except (ValueError, OSError) as error:
        typer.echo(f"saksi sheet draw: {error}", err=True)
        raise typer.Exit(CANNOT_RUN) from None
    if as_json:
        typer.echo(json.dumps({"form": form, "pages": made}))
    else:
        for row in made:
            typer.echo(f"{row['file']}  page {row['page']}, tag {row['tag']}")


def _draw(form, out, values, station, pairs, only, look, width, seed, quiet) -> list[dict]:
    pages = [form.page(only)] if only is not None else list(form.pages)
    if values is not None:
        known = {
            field.name
            for page in form.pages
            for field in form.fields(page.number, len(pairs) if isinstance(pairs, list) else pairs)
        }
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"{form.code} has no figure {unknown[0]}")
    out.mkdir(parents=True, exist_ok=True)
    made = []
    console = Console(stderr=True)
    hidden = quiet or not console.is_terminal
    steps = track(pages, "Drawing", transient=True, console=console, disable=hidden)
    for page in steps:
        picture = draw_page(
            form, page.number, values, station, width, pairs=pairs, seed=seed * 31 + page.number
        )
        path = out / f"{form.name}-{page.number}.{'jpg' if look else 'png'}"
        if look:
            data = photograph(picture, seed * 31 + page.number, look)
        else:
            data = cv2.imencode(".png", picture)[1].tobytes()
        path.write_bytes(data)
        made.append({"page": page.number, "tag": page.tag, "file": str(path), "bytes": len(data)})
    return made


def _values(given: list[str] | None) -> dict[str, int | None]:
    """Figures from JSON, @FILE or name=n pairs."""
    if not given:
        raise ValueError("Give --values or --blank")
    out: dict[str, int | None] = {}
    for text in given:
        source = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
        if source.lstrip().startswith("{"):
            try:
                pairs = json.loads(source).items()
            except json.JSONDecodeError as error:
                raise ValueError(f"--values is not JSON: {error}") from None
        else:
            pairs = _assignments(source.split(","))
        for name, value in pairs:
            if value is None or value == "":
                out[name] = None
            elif str(value).strip().isdecimal():
                out[name] = int(value)
            else:
                raise ValueError(f"{name}={value}: a whole number is needed")
    return out


def _assignments(items: list[str]) -> list[tuple[str, str]]:
    pairs = []
    for item in items:
        name, sign, value = item.strip().partition("=")
        if not sign or not name:
            raise ValueError(f"{item}: name=value is needed")
        pairs.append((name, value))
    return pairs
