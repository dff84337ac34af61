"""`saksi bench receipt`: how bad may the photograph of a receipt be? Beside an EU-DCC-style code.

Both codes hold the same signed entry and are printed as wide as the same paper lets them, by the
kit's own code; each trial damages and photographs both with the same draws.
"""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from host_tools.bench import receipt_damage, receipt_paper, receipt_readers

KEPT = 3  # pictures a level that --out keeps
TRIALS, QUICK = 30, 3
PAPERS = ("saksi", "eu-dcc")


@dataclass
class Row:
    """One level: how many of `trials` photographs each reader decoded, {reader: {paper: n}}."""

    level: str
    trials: int
    decoded: dict[str, dict[str, int]]

    def share(self, reader: str, paper: str) -> float:
        """Share that was decoded, 0 to 1."""
        return self.decoded[reader][paper] / self.trials


@dataclass
class Result:
    """All levels; `papers` {name: version, dots a module, millimetres, characters}."""

    seed: int
    papers: dict[str, dict]
    rows: list[Row] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def as_dict(self) -> dict:
        """Ready for JSON."""
        return asdict(self)


def run(
    trials: int = TRIALS,
    seed: int = 1,
    out: Path | None = None,
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> Result:
    """Photograph and read `trials` papers of each kind at every level; OSError for `out`."""
    variants = max(1, min(5, trials))  # other records, so that no lucky pattern decides
    papers = {
        "saksi": [receipt_paper.ours(seed * 1000 + i) for i in range(variants)],
        "eu-dcc": [receipt_paper.dcc(seed * 1000 + i) for i in range(variants)],
    }
    result = Result(seed, {name: _facts(listed[0]) for name, listed in papers.items()})
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name, listed in papers.items():
            listed[0].picture.save(out / f"paper-{name}.png")
    with receipt_readers.all_readers() as (readers, missing), tempfile.TemporaryDirectory() as tmp:
        result.missing = missing
        for number, level in enumerate(receipt_damage.LEVELS):
            row = Row(level.name, trials, {r: dict.fromkeys(PAPERS, 0) for r in readers})
            for trial in range(trials):
                on_step(number * trials + trial, len(receipt_damage.LEVELS) * trials)
                for name, listed in papers.items():
                    paper = listed[trial % variants]
                    path = _photograph(paper, level, (seed, number, trial), Path(tmp))
                    for reader, read in readers.items():
                        row.decoded[reader][name] += paper.text in read(path)
                    if out is not None and trial < KEPT:
                        kept = f"level-{level.name[0]}-{name}-{trial + 1}.jpg"
                        (out / kept).write_bytes(path.read_bytes())
            result.rows.append(row)
    return result


def _photograph(
    paper: receipt_paper.Paper, level: receipt_damage.Level, draw: tuple, folder: Path
) -> Path:
    dice = np.random.default_rng(draw)
    path = folder / "photograph.jpg"
    dots = np.asarray(paper.picture.convert("L"))
    path.write_bytes(receipt_damage.photograph(dots, level, dice))
    return path


def _facts(paper: receipt_paper.Paper) -> dict:
    return {
        "version": paper.version,
        "dots_a_module": paper.dots,
        "millimetres": round(paper.millimetres, 1),
        "characters": len(paper.text),
    }
