"""The benchmark of damaged receipts: deterministic, harder at every level, JSON and table."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from firmware import record
from host_tools.bench import receipt, receipt_damage, receipt_paper
from host_tools.bench.command import app
from tests.papers import qr_codes

OURS, DCC = receipt_paper.ours(1), receipt_paper.dcc(1)


def dots(paper):
    return np.asarray(paper.picture.convert("L"))


def photograph(paper, level, draw=1):
    return receipt_damage.photograph(dots(paper), level, np.random.default_rng(draw))


@pytest.mark.parametrize("paper", [OURS, DCC], ids=lambda paper: paper.name)
def test_the_paper_is_what_the_kit_prints_and_holds_the_signed_entry(paper):
    texts = [code.text for code in qr_codes(paper.picture)]
    assert texts == [paper.text] and paper.picture.width == 456


def test_both_papers_hold_the_same_entry_as_wide_as_the_paper_lets_them():
    entry = receipt_paper.sample_entry(1)[0]
    assert len(entry.payload[5]) == 28 and entry.kind == record.RESULT
    assert DCC.text.startswith("HC1:") and (OURS.version, DCC.version) == (11, 14)
    assert 40 < DCC.millimetres <= 48 and 40 < OURS.millimetres <= 48


@pytest.mark.parametrize(
    ("data", "text"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581")]
)
def test_base45_is_that_of_rfc_9285(data, text):
    assert receipt_paper.base45(data) == text


def test_the_same_draw_gives_the_same_photograph_and_another_another():
    level = receipt_damage.LEVELS[3]
    assert photograph(OURS, level) == photograph(OURS, level)
    assert photograph(OURS, level) != photograph(OURS, level, 2)


def test_a_photograph_has_one_to_two_megapixels():
    for width, height in receipt_damage.FRAMES:
        assert 1_000_000 <= width * height <= 2_000_000


def test_every_level_is_at_least_as_hard_as_the_one_before():
    harder = ("gain", "dead", "fade", "creases", "curl", "turn", "tilt", "blur", "shake", "noise")
    for easy, hard in zip(receipt_damage.LEVELS, receipt_damage.LEVELS[1:], strict=False):
        assert all(getattr(easy, name) <= getattr(hard, name) for name in harder)
        assert easy.contrast >= hard.contrast and easy.jpeg >= hard.jpeg


def test_a_quick_run_counts_and_keeps_pictures(tmp_path):
    outcome = CliRunner().invoke(
        app, ["receipt", "--trials", "1", "--json", "--out", str(tmp_path / "out")]
    )
    assert outcome.exit_code == 0, outcome.output
    told = json.loads(outcome.output)
    assert [row["level"] for row in told["rows"]] == [one.name for one in receipt_damage.LEVELS]
    for reader in ("zxing-cpp", "saksi verify"):
        assert told["rows"][0]["decoded"][reader] == {"saksi": 1, "eu-dcc": 1}
    assert len(list((tmp_path / "out").glob("level-*.jpg"))) == 2 * len(receipt_damage.LEVELS)
    assert len(list((tmp_path / "out").glob("paper-*.png"))) == 2


def test_the_table_names_readers_and_papers(monkeypatch, capsys):
    row = receipt.Row("0 clean", 2, {"zxing-cpp": {"saksi": 2, "eu-dcc": 1}})
    facts = {"version": 11, "dots_a_module": 5, "millimetres": 43.1, "characters": 569}
    result = receipt.Result(1, {"saksi": facts, "eu-dcc": facts}, [row], ["zxing-wasm left out"])
    monkeypatch.setattr(receipt, "run", lambda *given: result)
    outcome = CliRunner().invoke(app, ["receipt", "--quick"])
    assert "100 %" in outcome.output and "50 %" in outcome.output
    assert "zxing-wasm left out" in outcome.output


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    outcome = CliRunner().invoke(
        app, ["receipt", "--trials", "1", "--out", str(tmp_path / "file" / "out")]
    )
    assert outcome.exit_code == 2 and len(outcome.stderr.splitlines()) == 1
