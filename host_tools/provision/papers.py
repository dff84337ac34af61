"""Papers as PDF: typst templates, QR codes, files that are written once and whole.

The same input gives the same bytes: the only date in a PDF is the one handed in, and only the fonts
that come with typst are used.
"""

import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

TEMPLATES = Path(__file__).parent / "templates"


class PaperError(Exception):
    """The paper cannot be made or kept; the text says why in one line."""


def pdf(template: str, data: dict[str, Any], moment: int) -> bytes:
    """The PDF of a template with `data`; `moment` (Unix seconds) is the date in it."""
    return _compile(template, data, moment, "pdf")[0]


def pages(template: str, data: dict[str, Any], moment: int, ppi: float = 150) -> list[bytes]:
    """The same as PNG pictures, one a page."""
    return _compile(template, data, moment, "png", ppi)


def _compile(
    template: str,
    data: dict[str, Any],
    moment: int,
    form: Literal["pdf", "png"],
    ppi: float | None = None,
) -> list[bytes]:
    import typst  # large, and most commands set no paper

    try:
        made: Any = typst.compile(
            str(TEMPLATES / f"{template}.typ"),
            root=str(TEMPLATES),
            format=form,
            ppi=ppi,
            ignore_system_fonts=True,
            font_paths=[],
            sys_inputs={"data": json.dumps(data)},
            timestamp=moment,
        )
    except typst.TypstError as error:
        raise PaperError(f"{template}: cannot be set ({error.message})") from error
    return made if isinstance(made, list) else [made]


def code(text: str) -> str:
    """A QR code (level M) as SVG without margin, in the segments that the kit prints."""
    import segno
    from segno import consts

    address, mark, digits = text.partition("#")
    modes = (consts.MODE_ALPHANUMERIC, consts.MODE_BYTE, consts.MODE_NUMERIC)
    parts: Any = list(zip((address, mark, digits), modes, strict=True))
    made = segno.make_qr(parts, error="m", boost_error=False)
    out = io.BytesIO()
    made.save(out, kind="svg", border=0, omitsize=True, xmldecl=False, nl=False)
    return out.getvalue().decode()


def local(moment: int, offset: int) -> datetime:
    """What a clock `offset` minutes east of UTC shows at `moment` (Unix seconds)."""
    return datetime.fromtimestamp(moment + 60 * offset, UTC)


def stem(kit: str, moment: int, offset: int) -> str:
    """The name of a kit's papers: its id and the local time of its statement."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in kit)
    return f"{plain.lstrip('.') or '_'}-{local(moment, offset):%Y%m%d-%H%M%S}"


def keep(path: Path, data: bytes) -> Path:
    """Write a file whole and durably; the same again is no error, other bytes are a PaperError."""
    path = Path(path)
    try:
        if path.exists():
            if path.read_bytes() == data:
                return path
            raise PaperError(f"{path}: is there already and says something else; move it away")
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".new")
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise PaperError(f"{path}: cannot be written ({error.strerror})") from error
    return path
