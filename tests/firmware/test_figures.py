from firmware import figures
from firmware.forms import Form, FormError
from tests.firmware.support import raises

PPWP = [
    1,
    "C.HASIL-PPWP",
    ["DPT", "DPTb", "DPK"],
    [
        [1, 101, ["dpt", "users", "ballots", "disabled"]],
        [2, 102, ["votes"]],
        [3, 103, ["totals"]],
    ],
]
FORM = Form(PPWP, ["CONTOH A", "CONTOH B", "CONTOH C"])
# A station whose sums all hold: 300 voters in the list, 2 % reserve.
GOOD = FORM.values(
    [148, 152, 300]
    + [120, 130, 250, 2, 1, 3, 4, 3, 7, 126, 134, 260]
    + [306, 260, 1, 45]
    + [2, 3, 5]
    + [123, 100, 32]
    + [255, 5, 260]
)


def rules(values, permille=20):
    return [finding.rule for finding in figures.broken(FORM, values, permille)]


def changed(**fields):
    values = dict(GOOD)
    values.update(fields)
    return values


def test_the_ppwp_form_has_28_figures_in_page_order():
    assert len(FORM.fields) == 28
    assert FORM.fields[0] == "dpt_l" and FORM.fields[-1] == "total"
    assert [len(page[2]) for page in FORM.pages] == [22, 3, 3]


def test_a_good_sheet_breaks_no_rule():
    assert rules(GOOD) == []
    assert figures.unchecked(FORM, GOOD) == []


def test_each_rule_breaks_by_itself():
    cases = (
        ("R1", changed(dpt_l=147)),
        ("R1", changed(users_2_p=2, users_total_p=135, users_total_j=260)),
        ("R2", changed(users_3_j=8, users_3_l=5)),
        ("R3", changed(users_1_l=149, users_2_l=0, users_3_l=0)),
        ("R4", changed(ballots_unused=44)),
        ("R5", changed(ballots_used=259, ballots_unused=46)),
        ("R6", changed(ballots_returned=307)),
        ("R6", changed(ballots_unused=307)),
        ("R7", changed(votes_2=99)),
        ("R8", changed(invalid=4)),
        ("R9", changed(total=261, invalid=6)),
        ("R11", changed(disabled_j=6)),
        ("R11", changed(disabled_l=200, disabled_p=61, disabled_j=261)),
        ("R12", changed(ballots_received=305, ballots_unused=44)),
        ("R13", changed(dpt_j=700)),
    )
    for rule, values in cases:
        assert rule in rules(values), rule


def test_the_real_sheet_breaks_r7_and_keeps_r8():
    values = FORM.values([None] * 22 + [123, 274, 32] + [427, 3, 430])
    found = figures.broken(FORM, values, 20)
    assert [(f.rule, f.left, f.right) for f in found] == [("R7", 427, 429)]
    assert "R9" in figures.unchecked(FORM, values) and "R8" not in figures.unchecked(FORM, values)


def test_two_real_stations_of_2024_break_what_was_found():
    # 1101012001001: 166 votes, 239 users. 1101012001002: L and P sums break, J holds.
    assert rules(changed(total=166, invalid=3, valid=163, votes_1=31)).count("R9") == 2
    assert rules(changed(users_total_l=127, users_total_p=133)) == ["R2", "R2"]


def test_the_reserve_is_rounded_up():
    assert figures.reserve(300, 20) == 6
    assert figures.reserve(301, 20) == 7
    assert figures.reserve(600, 25) == 15
    assert figures.reserve(0, 25) == 0


def test_readings_beside_the_boxes_must_agree():
    found = figures.readings("votes_1", 117, words=117, tally=None, bubbles=617)
    assert [(f.rule, f.fields, f.right) for f in found] == [("R10", ("votes_1", "bubbles"), 617)]


def test_recap_cells_are_sums_and_contests_share_their_voters():
    assert figures.recap(10, [3, 7]) is None
    assert figures.recap(10, [3, None]).right == 3
    assert figures.between_contests([GOOD, GOOD]) == []
    found = figures.between_contests([GOOD, changed(dpt_l=147)])
    assert [(f.rule, f.fields) for f in found] == [("R14", ("dpt_l",))]


def test_forms_without_a_use_are_refused():
    raises(FormError, Form, PPWP, [])
    raises(FormError, Form, [1, "X", [], [[1, 1, ["rubbish"]]]], ["A"])
    raises(FormError, Form, [1, "X", [], [[1, 1, ["votes"]], [2, 2, ["votes"]]]], ["A"])
    raises(FormError, FORM.values, [1, 2, 3])


def test_labels_name_row_category_and_sex():
    def t(english):
        return english

    assert FORM.label("users_2_p", t) == "Users DPTb P"
    assert FORM.label("votes_3", t) == "Votes for pair 3"
    assert FORM.label("ballots_unused", t) == "Ballots unused"
    for field in FORM.fields:
        assert FORM.label(field, t)
