"""Random days: faults, cuts, corrections, wrong keys in any number hold the same invariants.

A plan (facts.PLAN) is drawn by hypothesis and played by one MicroPython process that stays. What
fails is shrunk to the shortest plan; `day.py plan JSON -v` plays it again with the kit's console.
"""

import json
import os
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.power import host

EXAMPLES = int(os.environ.get("RANDOM_DAYS", "20"))  # a test; there are three
FIELDS = ["dpt_l", "users_1_p", "users_total_j", "ballots_used", "votes_1", "valid", "total"]

contests = st.integers(0, 1)
occasions = st.lists(st.integers(1, 12), max_size=3, unique=True)
rare = st.lists(st.integers(1, 40), max_size=3, unique=True)
fields = st.tuples(contests, st.sampled_from(FIELDS)).map(list)
additions = st.tuples(contests, st.sampled_from(FIELDS), st.integers(1, 9)).map(list)
# A day has over 4000 operations, a start some twenty: cuts while it starts are as likely.
moments = st.one_of(st.integers(1, 4600), st.integers(1, 60))
cuts = st.lists(st.tuples(moments, st.integers(0, 99)).map(list), min_size=1, max_size=4)
stands = st.dictionaries(
    st.sampled_from(["0-1", "0-2", "0-3", "1-1", "1-2"]),
    st.sampled_from(["Refused to sign", "Absent"]),
    max_size=3,
)
happenings = {
    "training": st.booleans(),
    "exchanges": st.integers(0, 3),
    "broken": st.lists(additions, max_size=2),
    "empty": st.lists(fields, max_size=2),
    "stands": stands,
    "corrections": st.lists(contests, max_size=2),
    "copies": st.integers(0, 2),
}
incidents = st.integers(0, 2).flatmap(
    lambda n: st.fixed_dictionaries({"incidents": st.just(n), "early_incidents": st.integers(0, n)})
)
habits = {
    "retake": occasions,
    "fog": occasions,
    "typos": st.lists(fields, max_size=3),
    "rekey": occasions,
    "slips": occasions,
    "leave": occasions,
    "doubt": occasions,
    "back": rare,
    "figures_back": occasions,
}
trouble = {
    "paper": st.lists(st.integers(1, 400), max_size=3),
    "silent": occasions,
    "card": st.lists(
        st.tuples(st.integers(1, 150), st.integers(1, 60)).map(list), max_size=2
    ),  # a day has about 140 screens
    "card_photo": occasions,
    "without": occasions,
    "lines": st.lists(st.tuples(st.integers(1, 20), st.integers(1, 5000)).map(list), max_size=3),
    "wrong_pins": st.lists(st.integers(1, 10), max_size=6, unique=True),
}


class Table:
    """The process that plays plans."""

    def __init__(self):
        self.process = subprocess.Popen(
            host.command("serve"),
            cwd=host.ROOT,
            env=host.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.days = self.cuts = 0

    def play(self, plan: dict) -> dict:
        """The outcome of a day."""
        to, back = self.process.stdin, self.process.stdout
        assert to and back
        to.write(json.dumps(plan) + "\n")
        to.flush()
        line = back.readline()
        while line and not line.startswith("{"):  # a finaliser's complaint about a dark device
            line = back.readline()
        assert line, "MicroPython ended"
        outcome = json.loads(line)
        self.days += 1
        self.cuts += outcome["starts"] - 1
        return outcome


@pytest.fixture(scope="module")
def table():
    table = Table()
    yield table
    table.process.kill()
    table.process.wait()
    print(f"\n{table.days} random days, {table.cuts} cuts")


def days(always=None, **parts):
    """Settings and strategy of a test: any of `parts` happens or does not."""
    plans = st.tuples(st.fixed_dictionaries(always or {}, optional=parts), incidents).map(
        lambda both: {**both[0], **both[1]}
    )

    def decorate(test):
        limits = settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        )
        return limits(given(plan=plans)(test))

    return decorate


@days(**happenings, **habits)
def test_whatever_people_do_the_day_is_in_order(table, plan):
    assert table.play(plan)["problems"] == [], plan


@days({"cuts": cuts}, **happenings)
def test_whenever_the_power_goes_the_day_is_in_order(table, plan):
    assert table.play(plan)["problems"] == [], plan


@days({"cuts": cuts}, **habits, **trouble)
def test_faults_and_cuts_together_leave_the_day_in_order(table, plan):
    assert table.play(plan)["problems"] == [], plan
