"""A slip through every state of the printer and every power cut: what is on paper is what is known.

The cases and their rules are those of `python -m host_tools.kit.printer_faults`.
"""

import pytest

from firmware.desk import PRINTED, Desk
from firmware.drivers.escpos import PROFILES
from firmware.drivers.escpos_flow import Flow
from firmware.receipt import Copy, print_job
from host_tools.kit import printer_case, printer_faults
from host_tools.kit.printer_faults import CUTS, PHASES, STATES, Row

NARROW = tuple(name for name in PROFILES if not name.endswith("80"))


def broken(found: list[Row]) -> list[str]:
    return [f"{r.profile}, {r.state}, {r.phase}: {wrong}" for r in found for wrong in r.wrongs]


def one(profile: str, state: str, phase: str) -> Row:
    where = printer_faults.place(profile, phase)
    return Row(profile, state, phase, printer_faults.case(profile, STATES[state], *where))


@pytest.mark.parametrize("profile", NARROW)
def test_no_state_of_the_printer_doubles_or_loses_a_slip(profile):
    found = list(printer_faults.states((profile,)))
    assert len(found) == len(STATES) * len(PHASES) == 84
    assert broken(found) == []
    ready = [row for row in found if row.state in ("ready", "paper near its end")]
    assert all(row.result.prints == [(0, PRINTED)] for row in ready)
    assert sum(len(row.result.prints) > 1 for row in found) >= 40  # the faults are felt


@pytest.mark.parametrize("profile", PROFILES)
def test_no_power_cut_doubles_or_loses_a_slip(profile):
    found = list(printer_faults.cuts((profile,), every=60))
    assert {row.state for row in found} == set(CUTS)
    assert len(found) >= 3 * 5
    assert broken(found) == []


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_no_power_cut_at_any_chunk_doubles_or_loses_a_slip(profile):
    found = list(printer_faults.cuts((profile,)))
    assert len(found) == 3 * len(printer_case.phases_of(profile)) > 500
    assert broken(found) == []


@pytest.mark.slow
@pytest.mark.parametrize("profile", [name for name in PROFILES if name not in NARROW])
def test_no_state_of_a_wide_printer_doubles_or_loses_a_slip(profile):
    assert broken(list(printer_faults.states((profile,)))) == []


def test_each_state_is_told_by_its_own_code_where_the_printer_tells_it():
    for state, code in (
        ("paper out", 201),
        ("cover open", 202),
        ("cable silent", 203),
        ("cutter error", 204),
        ("off line", 204),
        ("head too hot", 207),
    ):
        assert one("clone", state, "before begin").result.codes == [code], state
    assert one("clone", "answers twice", "text").result.codes == [208]


def test_head_that_is_too_hot_in_mid_slip_is_waited_for():
    for profile in NARROW:
        found = one(profile, "head too hot", "middle of code").result
        assert (found.prints, found.codes) == ([(0, PRINTED)], [])


def test_slip_that_nobody_could_confirm_is_followed_by_a_marked_copy_and_told_so():
    found = one("cheap", "cable silent", "awaiting the answer")
    assert found.result.whole[:2] == [1, 1]
    assert found.outcome.startswith("paper: original, copy 1; journal: ")


@pytest.mark.parametrize("profile", NARROW)
def test_printer_with_less_buffer_than_the_table_says_is_never_taken_to_have_printed(
    profile, tmp_path
):
    for buffer in (64, 100):
        folder = tmp_path / str(buffer)
        folder.mkdir()
        case = printer_case.Case(profile, folder, buffer)
        found = Row(profile, "", "", case.run())
        assert case.part.dropped > 0
        assert PRINTED not in [outcome for _, outcome in found.result.prints]
        assert not any("silence" in wrong for wrong in found.wrongs)


# The rules themselves can fail: each of these breaks the kit in one way and is found out.


def test_rules_find_a_driver_that_believes_the_last_answer_without_counting(monkeypatch):
    async def believe(self):
        await self.settle(0)

    monkeypatch.setattr(Flow, "audit", believe)
    monkeypatch.setattr(Flow, "_count", _take_all)
    found = [
        Row("clone", "printer restarts", "", printer_faults.case("clone", do, at, 0.5))
        for do in (CUTS["printer restarts"],)
        for at in (60, 61, 62)
    ]
    assert any("lost in silence" in wrong for row in found for wrong in row.wrongs)


def _take_all(self):
    self.replies.poll()
    self._in_flight = []
    return True


def test_rules_find_a_desk_that_does_not_mark_its_copies(monkeypatch):
    made = printer_case.Case.make

    def unmarked(self, copy):
        return made(self, Copy(copy.purpose, copy.number, copy.of, copy.pair, 0))

    monkeypatch.setattr(printer_case.Case, "make", unmarked)
    found = one("cheap", "cable silent", "awaiting the answer")
    assert any("doubled in silence" in wrong for wrong in found.wrongs)


def test_rules_find_a_desk_that_prints_before_its_entry(monkeypatch):
    async def hasty(self, quoted, make, copy):
        await print_job(self.printer, make(copy), 1)

    monkeypatch.setattr(Desk, "issue", hasty)
    found = one("epson", "ready", "text")
    assert any("without its entry" in wrong for wrong in found.wrongs)
    assert any("not issued" in wrong for wrong in found.wrongs)
