"""`saksi provision rehearse` as an office types it, and the sheets that it fills in."""

import json
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import figures
from firmware.package import Contest
from host_tools.provision import form_files, package_folder, sample
from host_tools.provision.rehearsal_paper import Paper, PaperError, messages
from host_tools.provision.rehearsal_sheet import SheetError, filled, spoiled
from tests.host_tools.provision.test_command import common, office, run  # noqa: F401


def words(office, *more):  # noqa: F811
    election = office / "sample" / "pilkada" / "election.toml"
    return ["rehearse", election, *common(office), "--sample", 1, "--seed", "s", *more]


def test_a_sample_is_drawn_and_its_seed_is_told(office):  # noqa: F811
    said = json.loads(run(*words(office, "--json")).stdout)
    assert (said["failed"], said["failures"], said["of"], said["seed"]) == (0, [], 13, "s")
    assert said["contests"] == 2 * said["stations"] and 0 < said["stations"] < 13
    (line,) = run(*words(office)).stdout.splitlines()
    assert line.startswith(f"{said['stations']} of {said['stations']} stations rehearsed well")
    assert line.endswith("seed s")


def test_all_stations_are_rehearsed_and_each_that_fails_is_one_line(office):  # noqa: F811
    election = office / "sample" / "pilkada" / "election.toml"
    packages = ["--out", office / "packages"]
    run("package", election, *common(office), *packages)
    altered = package_folder.path_of(office / "packages", 202411, sample.STATION)
    altered.write_bytes(altered.read_bytes().replace(b"CONTOH A", b"CONTOH Z"))
    pairs = election.parent / "pairs.csv"
    for n in range(3, 8):
        pairs.write_text(pairs.read_text() + f"2,{n},CONTOH {n}\n")
    result = run(*words(office, "--all", "--packages", office / "packages"), code=1)
    lines = result.stdout.splitlines()
    assert len(lines) == 14 and lines[-1].startswith("0 of 13 stations rehearsed well")
    (line,) = (line for line in lines if line.startswith(f"{sample.STATION}, package: "))
    assert "did not sign" in line
    assert sum("not what election.toml says (content 5)" in line for line in lines) == 12
    again = run(*words(office, "--all", "--json"), code=1)
    failures = json.loads(again.stdout)["failures"]
    assert {(f["contest"], f["what"]) for f in failures} == {(2, "form")}
    assert len(failures) == 13


def test_a_collector_outside_is_started_with_the_rehearsals_own_keys(office, tmp_path):  # noqa: F811
    keys = tmp_path / "rehearsal"
    assert "--keys" in run(*words(office, "--collector", "http://127.0.0.1:1"), code=2).stderr
    there = ["--keys", keys, "--collector"]
    result = run(*words(office, *there, "http://127.0.0.1:1"), code=2)
    assert (keys / "secret").stat().st_mode & 0o077 == 0
    command = result.stderr.splitlines()[-1].replace("NEW", str(tmp_path / "data")).split()
    assert command[:2] == ["saksi", "collect"]
    start = "from host_tools.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", start, *command[1:], "--port", "0", "--json"],
        stdout=subprocess.PIPE,
    ) as collector:
        try:
            url = json.loads(collector.stdout.readline())["url"]
            said = json.loads(run(*words(office, *there, url, "--json")).stdout)
            assert said["failed"] == 0 and said["stations"] > 0
            assert "was used" in run(*words(office, *there, url), code=2).stderr
        finally:
            collector.terminate()


CODES = st.sampled_from(form_files.codes())


@settings(deadline=None)
@given(CODES, st.integers(0, 480), st.integers(0, 480), st.integers(1, 6), st.integers())
def test_a_filled_sheet_satisfies_its_rules_and_a_spoiled_one_does_not(code, men, women, n, seed):
    form = form_files.load_form(code)
    pairs = [f"CONTOH {i}" for i in range(n)]
    contest = Contest([1, "CONTOH", form[0], "biru", men, women, pairs], {form[0]: form})
    values = filled(contest, 25, random.Random(seed))
    assert list(values) == list(contest.form.fields)
    assert all(0 <= figure <= 999 for figure in values.values())
    assert {f.rule for f in figures.broken(contest.form, values, 25)} <= {"R13"}
    assert values["users_total_j"] <= values["ballots_received"]
    wrong, findings = spoiled(contest.form, values, 25)
    assert sum(wrong[field] != values[field] for field in values) == 1
    assert {f.rule for f in findings} - {"R13"}


def test_a_form_without_rules_cannot_be_spoiled():
    form = [9, "C.CONTOH", ["DPT"], [[1, 900, ["votes"]]]]
    contest = Contest([1, "CONTOH", 9, "biru", 10, 10, ["A", "B"]], {9: form})
    values = filled(contest, 25, random.Random(1))
    with pytest.raises(SheetError, match="no rule"):
        spoiled(contest.form, values, 25)


def test_messages_carry_an_entry_or_say_why_not():
    entry = bytes(range(256))
    assert messages(entry, "+62811000000") == messages(entry, "") == 3
    with pytest.raises(PaperError, match="too long"):
        messages(entry * 8, "")
    with pytest.raises(PaperError, match="not a telephone number"):
        messages(entry, "CONTOH")


def test_the_paper_is_as_strict_as_the_printer():
    import asyncio

    for line, size in (("x" * 33, 1), ("x" * 17, 2), ("Désa", 1), ("\x1b@", 1)):
        with pytest.raises(PaperError):
            asyncio.run(Paper().text(line, False, size))
    with pytest.raises(PaperError, match="paper's width"):
        asyncio.run(Paper().raster(49, 1, [bytes(49)]))
