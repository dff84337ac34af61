"""The election of these days: a Pilkada of two contests at one station, all invented (CONTOH)."""

from firmware import record
from firmware.forms import Form
from tests.power.parts import AUTHORITY, COLLECTOR, SIGNATURE

NUMBER = 202411
STATION = 1607011016001
TITLES = ("Gubernur dan Wakil Gubernur", "Bupati dan Wakil Bupati")
_PAIRS = (
    ["CONTOH A / CONTOH B", "CONTOH C / CONTOH D", "CONTOH E / CONTOH F"],
    ["CONTOH G / CONTOH H", "KOLOM KOSONG"],
)
_GROUPS = (["dpt", "users", "ballots", "disabled"], ["votes"], ["totals"])
_CODES = ("C.HASIL-KWK-GUBERNUR", "C.HASIL-KWK-BUPATI")
_DPT = (120, 130)
RESERVE = 25
PAGES = (1, 2, 3)


def _form(index):
    pages = [[no, 101 + 10 * index + no, groups] for no, groups in zip(PAGES, _GROUPS)]  # noqa: B905
    return [index + 2, _CODES[index], ["DPT", "DPPh", "DPTb"], pages]


def form_of(index):
    """The firmware.forms.Form of a contest."""
    return Form(_form(index), _PAIRS[index])


def pairs(index):
    """How many pairs stand in a contest."""
    return len(_PAIRS[index])


def package(training):
    """The signed station package."""
    contests = [
        [i + 1, TITLES[i], i + 2, ("marun", "biru muda")[i], _DPT[0], _DPT[1], _PAIRS[i]]
        for i in range(len(TITLES))
    ]
    content = {
        1: "Pilkada (CONTOH)",
        2: ["CONTOH PROVINSI", "CONTOH KABUPATEN", "CONTOH KECAMATAN", "CONTOH DESA"],
        3: 1,
        4: 420,
        5: contests,
        6: [_form(i) for i in range(len(TITLES))],
        7: ["collector.example.id", 443, COLLECTOR],
        8: "TPS.EXAMPLE.ID",
        9: "internet",
        11: RESERVE,
    }
    head = [record.PACKAGE, 1, election(training), STATION, 1732600000]
    return record.assemble(head + [content], record.kid_of(AUTHORITY), lambda digest: SIGNATURE)


def election(training):
    """The number of the election in its mode."""
    return NUMBER + (record.TRAINING if training else 0)


def _sheet(votes, invalid):
    """A sheet whose sums agree: every user's ballot is in the box."""
    users = ((100, 105), (2, 1), (1, 2))
    values = {"dpt_l": _DPT[0], "dpt_p": _DPT[1], "dpt_j": sum(_DPT)}
    for row, (men, women) in enumerate(users):
        name = "users_%d_" % (row + 1)
        values.update({name + "l": men, name + "p": women, name + "j": men + women})
    men, women = sum(u[0] for u in users), sum(u[1] for u in users)
    values.update({"users_total_l": men, "users_total_p": women, "users_total_j": men + women})
    received = sum(_DPT) + -(-sum(_DPT) * RESERVE // 1000)
    values["ballots_received"] = received
    values["ballots_used"] = men + women
    values["ballots_returned"] = 0
    values["ballots_unused"] = received - men - women
    values.update({"disabled_l": 1, "disabled_p": 0, "disabled_j": 1})
    for number, count in enumerate(votes):
        values["votes_%d" % (number + 1)] = count
    values.update({"valid": sum(votes), "invalid": invalid, "total": sum(votes) + invalid})
    return values


SHEETS = (_sheet((101, 79, 26), 5), _sheet((150, 56), 5))
