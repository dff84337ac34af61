"""The label on a kit's carton, 100 x 60 mm, alone or eight on a sheet of A4.

It says whose kit it is, and its code holds the kit's signed statement that it is ready: whoever
scans it checks it off line (`saksi verify readiness`). No PIN and no secret is on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware import slip
from host_tools.provision import papers, readiness
from host_tools.provision.readiness import Readiness
from host_tools.provision.report import Report

TEMPLATE = "label"
COLUMNS, ROWS = 2, 4


@dataclass(frozen=True)
class Label:
    """`regions` province to village, `host` of the QR text, `offset` minutes east of UTC."""

    statement: Readiness
    kit: str
    title: str
    regions: tuple[str, str, str, str]
    tps: int
    offset: int
    host: str

    @classmethod
    def of(cls, report: Report) -> "Label":
        """The label of a report's kit."""
        return cls(
            report.statement,
            report.kit,
            report.title,
            report.regions,
            report.tps,
            report.offset,
            report.host,
        )


def _data(label: Label) -> dict[str, Any]:
    said = label.statement
    return {
        "kit": label.kit,
        "title": label.title,
        "regions": list(label.regions),
        "tps": f"{label.tps:03d}",
        "station": f"{said.station:013d}",
        "training": said.training,
        "ready": said.ready,
        "when": slip.clock(said.time, label.offset).rpartition(" ")[0],
        "firmware": said.firmware,
        "kid": slip.groups(said.kid),
        "qr": papers.code(readiness.code_text(label.host, said.data)),
    }


def data(labels: Sequence[Label], sheet: bool) -> dict[str, Any]:
    """What the template sets."""
    if not labels:
        raise papers.PaperError("no label to print: enrol a kit first")
    return {"sheet": sheet, "columns": COLUMNS, "rows": ROWS, "labels": [_data(x) for x in labels]}


def write(folder: Path, label: Label) -> Path:
    """Write one label's PDF into `folder` and return its path; PaperError, ReadinessError."""
    said = label.statement
    name = papers.stem(label.kit, said.time, label.offset) + "-label.pdf"
    return papers.keep(Path(folder) / name, papers.pdf(TEMPLATE, data([label], False), said.time))


def sheet(labels: Sequence[Label], path: Path) -> Path:
    """Write A4 sheets of two by four labels to `path`; PaperError, ReadinessError."""
    made = data(labels, True)
    newest = max(label.statement.time for label in labels)
    return papers.keep(path, papers.pdf(TEMPLATE, made, newest))
