"""Sheets filled in for a dress rehearsal: plausible figures, and the same with a broken rule."""

import random

from firmware import figures
from firmware.forms import LIMIT, Form
from firmware.package import Contest
from host_tools.provision import form_files

Values = dict[str, int]
_TURNOUT = (0.55, 0.95)
_OTHERS = 0.01  # of the DPT, a category of users that are not in it
_MISPUNCHED, _INVALID = 3, 0.04
_SPOIL = ("total", "valid", "votes_1", "users_total_j", "dpt_j")


class SheetError(Exception):
    """This contest's sheet cannot be filled in; the text says why."""


def _sexes(values: Values, row: str, men: int, women: int) -> int:
    values.update({f"{row}_l": men, f"{row}_p": women, f"{row}_j": men + women})
    return men + women


def filled(contest: Contest, permille: int, draw: random.Random) -> Values:
    """{field: figure} that agrees with every rule; SheetError when the form has no room for it.

    `permille`: ballots delivered above the DPT. Voters are drawn within DPT and reserve.
    """
    form, values = contest.form, {}
    dpt = _sexes(values, "dpt", contest.dpt_l, contest.dpt_p)
    received = dpt + figures.reserve(dpt, permille)
    turnout = draw.uniform(*_TURNOUT)
    came = (round(contest.dpt_l * turnout), round(contest.dpt_p * turnout))
    _sexes(values, "users_1", *came)
    for row in range(2, len(form.categories) + 1):
        room = min(int(dpt * _OTHERS), received - sum(came)) // 2
        more = (draw.randint(0, room), draw.randint(0, room))
        _sexes(values, f"users_{row}", *more)
        came = (came[0] + more[0], came[1] + more[1])
    used = _sexes(values, "users_total", *came)
    _sexes(values, "disabled", *(draw.randint(0, min(3, n)) for n in came))
    returned = draw.randint(0, min(_MISPUNCHED, received - used))
    values.update({"ballots_received": received, "ballots_used": used})
    values.update({"ballots_returned": returned, "ballots_unused": received - used - returned})
    invalid = round(used * draw.uniform(0, _INVALID))
    values.update({"valid": used - invalid, "invalid": invalid, "total": used})
    cuts = sorted(draw.randint(0, used - invalid) for _ in form.pairs[1:])
    for i, (low, high) in enumerate(zip([0, *cuts], [*cuts, used - invalid], strict=True)):
        values[f"votes_{i + 1}"] = high - low
    values = {field: values[field] for field in form.fields}
    for field, figure in values.items():
        if figure > LIMIT:
            raise SheetError(f"{field} is {figure}: it does not fit the three boxes of the form")
    for finding in figures.broken(form, values, permille):
        if finding.rule != "R13":  # a station with more voters than the law wants is real
            raise SheetError(f"no figures agree with its rules: {finding!r}")
    return values


def spoiled(form: Form, values: Values, permille: int) -> tuple[Values, list[figures.Finding]]:
    """(the same with one figure wrong, the rules that this breaks); SheetError if none is."""
    before = len(figures.broken(form, values, permille))
    for field in _SPOIL:
        if field in values:
            wrong = {**values, field: values[field] + (1 if values[field] < LIMIT else -1)}
            findings = figures.broken(form, wrong, permille)
            if len(findings) > before:
                return wrong, findings
    raise SheetError("the form has no rule between its figures")


def check_form(form: Form) -> None:
    """SheetError unless the sheet that is drawn has a place for each of the form's figures."""
    try:
        sheet = form_files.sheet(form.code)
        if sheet.number != form.number or list(sheet.categories) != list(form.categories):
            raise SheetError(f"{form.code} is not the form that its file describes")
        pages = [(page.number, page.tag) for page in sheet.pages]
        if pages != [(number, tag) for number, tag, _ in form.pages]:
            raise SheetError(f"{form.code} has not the pages of its file")
        for number, _, fields in form.pages:
            drawn = [field.name for field in sheet.fields(number, len(form.pairs))]
            if drawn != list(fields):
                raise SheetError(f"{form.code}, page {number}, has not the figures of its file")
    except (form_files.FormFileError, ValueError) as error:
        raise SheetError(str(error)) from error
