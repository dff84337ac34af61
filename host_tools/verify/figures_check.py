"""The figures of a result under the rules of its form: broken ones are shown, never refused."""

from collections.abc import Callable
from functools import lru_cache, partial

from firmware import figures, record
from firmware.findings_text import sentence
from firmware.forms import LIMIT, Form
from firmware.package import Package
from host_tools.verify.report import OK, Check, Report, Words

_AGREE = Check("figures", OK, "All sums agree")


def check(report: Report, entry: record.Entry, package: Package | None) -> None:
    """Form, ranges and rules R1-R13 of `entry`, by its station's package or by the known forms."""
    if entry.kind == record.EVENT:
        report.skip(
            "figures", "A record of the kit's day (event %d) has no figures", entry.payload[3]
        )
        return
    _, _, station, contest, number, listed = entry.payload[:6]
    form, permille, names = _form(package, station, contest, number, len(listed))
    if form is None:
        report.skip("figures", "Form %d with %d figures is not known here", number, len(listed))
        return
    facts = report.facts
    facts["form_code"] = form.code
    if names:
        facts["contest_title"], facts["pairs"] = names, list(form.pairs)
    facts["fields"], facts["findings"] = form.fields, []
    if None not in listed and _all_hold(form, permille)(listed):
        report.checks.append(_AGREE)
        return
    values = form.values(listed)
    findings = figures.broken(form, values, permille)
    facts["findings"] = [
        {"rule": f.rule, "fields": list(f.fields), "left": f.left, "right": f.right}
        for f in findings
    ]
    lines = [partial(_finding, f, form) for f in findings]
    lines += [
        partial(_too_large, form, name, value)
        for name, value in values.items()
        if value is not None and value > LIMIT
    ]
    empty = figures.unchecked(form, values) if None in listed else []
    if lines:
        report.warn(
            "figures", "These do not agree; look at the sheet and its photograph:", lines=lines
        )
    elif not empty:
        report.checks.append(_AGREE)
    if empty:
        text = "A figure is empty: these rules could not be checked: %s"
        report.skip("figures", text, ", ".join(empty))


@lru_cache(256)
def _all_hold(form: Form, permille: int) -> Callable[[list], bool]:
    """A function of a record's figures, none of them empty: do all rules of the form hold?

    Only that; which one does not, figures.broken says. The rules are written out as one expression
    over the list, since they are the same for thousands of receipts.
    """
    at = {name: f"n{index}" for index, name in enumerate(form.fields)}
    terms = []
    for _, left, relation, right in figures.applicable(form):
        a, b = ("+".join(at[name] for name in names) for names in (left, right))
        terms.append(f"{a} {'==' if relation == '=' else '<='} {b}")
    most = figures.VOTERS_LIMIT + figures.reserve(figures.VOTERS_LIMIT, permille)
    terms.append(f"max(v) <= {min(most, LIMIT)}")
    if "ballots_received" in at and "dpt_j" in at:
        terms.append(f"{at['ballots_received']} == {at['dpt_j']} + reserve({at['dpt_j']})")
    reserve = partial(figures.reserve, permille=permille)
    source = f"def hold(v):\n    {','.join(at.values())}, = v\n    return {' and '.join(terms)}\n"
    scope: dict = {"reserve": reserve}
    exec(source, scope)
    return scope["hold"]


def _finding(finding: figures.Finding, form: Form, t: Words) -> str:
    return f"{finding.rule}: {sentence(finding, form, t)}"


def _too_large(form: Form, name: str, value: int, t: Words) -> str:
    return t("%s: %d does not fit three boxes") % (form.label(name, t), value)


def _form(package: Package | None, station: int, contest: int, number: int, count: int):
    """(Form, reserve per mille, contest's title or None), or (None, 0, None)."""
    if package is not None and package.station == station:
        for one in package.contests:
            if one.number == contest and one.form.number == number:
                fits = len(one.form.fields) == count
                return (one.form, package.reserve, one.title) if fits else (None, 0, None)
    return _known_form(number, count)


@lru_cache(256)
def _known_form(number: int, count: int) -> tuple[Form | None, int, None]:
    from host_tools.provision import form_files

    for code in form_files.codes():
        array = form_files.load_form(code)
        pairs = count - len(Form(array, ["-"]).fields) + 1
        if array[0] == number and pairs > 0:
            named = Form(array, [f"{i + 1}" for i in range(pairs)])
            return named, form_files.reserve_permille(code), None
    return None, 0, None
