"""The relay's bench runs, and its figures are put against their goals as they should be."""

import json

import pytest
from typer.testing import CliRunner

from host_tools.bench import relay
from host_tools.bench.command import app


def row(sender, **changed):
    values = {
        "line": relay.PROFILES[0].name,
        "sender": sender,
        "overhead": 0.01,
        "line_share": 0.85,
        "share": None,
        "first": 1.0,
        "round_trips": 2.5,
        "verified": 1.1,
        "photographs": 9.0,
        "seconds": 10.0,
        "lines": 1,
    }
    return relay.Row(**{**values, **changed})


@pytest.mark.parametrize(
    ("changed", "goal"),
    [
        ({}, True),
        ({"line_share": 0.81}, False),
        ({"overhead": 0.031}, False),
        ({"round_trips": 3.0}, False),
    ],
)
def test_a_goal_is_met_only_by_all_three_figures(changed, goal):
    rows = [row("saksi", **changed), row(relay.PLAIN, line_share=0.9)]
    judged = relay._judged(rows)
    assert judged[0].goal is goal and judged[1].goal is None
    assert judged[1].share == 1.0


def test_a_cut_line_is_judged_by_its_waste():
    name = next(profile.name for profile in relay.PROFILES if profile.line.cut)
    for overhead, goal in ((0.049, True), (0.05, False)):
        judged = relay._judged([row("saksi", line=name, overhead=overhead)])
        assert judged[0].goal is goal


@pytest.mark.slow
def test_the_bench_runs_and_a_plain_post_never_ends_on_a_cut_line():
    done = CliRunner().invoke(app, ["relay", "--quick", "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    plain = [one for one in rows if one["sender"] == relay.PLAIN]
    assert [one["seconds"] is None for one in plain] == [False, False, False, True]
    assert all(one["seconds"] for one in rows if one["sender"] == "saksi")
