"""The figures of a result under the rules of its form: broken ones are shown, never refused."""

from functools import partial

from firmware import figures, record
from firmware.findings_text import sentence
from firmware.forms import LIMIT, Form
from firmware.package import Package
from host_tools.verify.report import Report, Words


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
    values = form.values(listed)
    report.facts["form_code"] = form.code
    if names:
        report.facts["contest_title"], report.facts["pairs"] = names, list(form.pairs)
    report.facts["values"] = values
    findings = figures.broken(form, values, permille)
    report.facts["findings"] = [
        {"rule": f.rule, "fields": list(f.fields), "left": f.left, "right": f.right}
        for f in findings
    ]
    lines = [partial(_finding, f, form) for f in findings]
    lines += [
        partial(_too_large, form, name, value)
        for name, value in values.items()
        if value is not None and value > LIMIT
    ]
    empty = figures.unchecked(form, values)
    if lines:
        report.warn(
            "figures", "These do not agree; look at the sheet and its photograph:", lines=lines
        )
    elif not empty:
        report.ok("figures", "All sums agree")
    if empty:
        text = "A figure is empty: these rules could not be checked: %s"
        report.skip("figures", text, ", ".join(empty))


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
    from host_tools.provision import form_files

    for code in form_files.codes():
        array = form_files.load_form(code)
        pairs = count - len(Form(array, ["-"]).fields) + 1
        if array[0] == number and pairs > 0:
            named = Form(array, [f"{i + 1}" for i in range(pairs)])
            return named, form_files.reserve_permille(code), None
    return None, 0, None
