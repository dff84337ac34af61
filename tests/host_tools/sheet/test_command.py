"""`saksi sheet draw`: files, report, one-line errors, exit codes."""

import json

import cv2
from typer.testing import CliRunner

from host_tools.sheet.command import app

QUICK = ["--width", "400"]


def run(*arguments):
    return CliRunner().invoke(app, ["draw", *arguments])


def test_a_blank_form_becomes_one_picture_a_page(tmp_path):
    done = run("ppwp-2024", "--blank", "--out", str(tmp_path), *QUICK)
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["ppwp-2024-1.png", "ppwp-2024-2.png", "ppwp-2024-3.png"]
    picture = cv2.imread(str(tmp_path / names[0]))
    assert picture is not None and picture.shape[1] == 400


def test_json_reports_each_page_its_tag_and_file(tmp_path):
    done = run(
        "kwk-gubernur", "--values", '{"votes_1": 12, "votes_2": null}', "--values", "votes_3=7",
        "--pairs", "3", "--page", "2", "--out", str(tmp_path), "--json", *QUICK,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (page,) = json.loads(done.stdout)["pages"]
    assert (page["page"], page["tag"]) == (2, 112)
    assert (tmp_path / "kwk-gubernur-2.png").stat().st_size == page["bytes"]


def test_values_come_from_a_file_too(tmp_path):
    figures = tmp_path / "figures.json"
    figures.write_text('{"valid": 10}')
    done = run(
        "ppwp-2024", "--values", f"@{figures}", "--page", "3", "--out", str(tmp_path), *QUICK
    )
    assert done.exit_code == 0, done.output


def test_photographs_are_the_same_for_the_same_seed(tmp_path):
    for folder in ("a", "b"):
        done = run(
            "ppwp-2024", "--blank", "--page", "3", "--photograph", "--seed", "5",
            "--out", str(tmp_path / folder), *QUICK,
        )  # fmt: skip
        assert done.exit_code == 0, done.output
    first, second = (tmp_path / folder / "ppwp-2024-3.jpg" for folder in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_what_cannot_be_drawn_is_said_in_one_line_with_exit_code_two(tmp_path):
    out = ["--out", str(tmp_path)]
    for arguments, sentence in (
        (["ppwp-2024"], "Give --values or --blank"),
        (["nothing", "--blank"], "No form nothing"),
        (["ppwp-2024", "--values", "votes_9=1"], "no figure votes_9"),
        (["ppwp-2024", "--values", "votes_1=many"], "whole number"),
        (["ppwp-2024", "--values", "{"], "not JSON"),
        (["ppwp-2024", "--values", "@/nowhere"], "/nowhere"),
        (["ppwp-2024", "--values", "votes_1=999"], "tally grid"),
        (["ppwp-2024", "--blank", "--page", "9"], "no page 9"),
        (["ppwp-2024", "--blank", "--pairs", "9"], "room for 1 to 3 pairs"),
    ):
        done = run(*arguments, *out, *QUICK)
        assert done.exit_code == 2, (arguments, done.output)
        assert sentence in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
