"""Rules between the figures of a sheet, R1 to R14.

A broken rule is shown, explained and recorded; it never stops anybody. A rule with an empty figure
(null) cannot be checked and is said to be so. Rules R1-R13 look at one contest's sheet; R10 needs
what else the paper says (words, tally, bubbles), R14 needs other sheets: both are functions of
their own, so that the kit, the collector and the recap use the same lines.
"""

from firmware.forms import SEXES

# Rules that warn (the paper can rightly differ) instead of pointing at a mistake.
WARNINGS = ("R12", "R13", "R14")
VOTERS_LIMIT = 600


class Finding:
    """One broken rule: `rule` "R7", `fields` concerned, and the two sides that should agree."""

    def __init__(self, rule, fields, left, right):
        self.rule = rule
        self.number = int(rule[1:])
        self.fields = tuple(fields)
        self.left = left
        self.right = right

    @property
    def warning(self):
        """True for rules that real stations may break rightly."""
        return self.rule in WARNINGS

    def __repr__(self):
        return "%s: %s / %s (%s)" % (self.rule, self.left, self.right, ", ".join(self.fields))


def reserve(dpt, permille):
    """Reserve ballots for `dpt` voters: the given share, rounded up (25 per mille in Pilkada)."""
    return -(-dpt * permille // 1000)


def _equations(form):
    """(rule, [left fields], relation, [right fields]): sums that must be =, or at most <=."""
    rows = ["users_%d" % (i + 1) for i in range(len(form.categories))]
    for row in ["dpt"] + rows + ["users_total", "disabled"]:
        rule = "R11" if row == "disabled" else "R1"
        yield rule, [row + "_l", row + "_p"], "=", [row + "_j"]
    for sex in SEXES:
        yield "R2", ["users_total_" + sex], "=", ["%s_%s" % (row, sex) for row in rows]
    for sex in SEXES:
        yield "R3", ["users_1_" + sex], "<=", ["dpt_" + sex]
    parts = ["ballots_used", "ballots_returned", "ballots_unused"]
    yield "R4", ["ballots_received"], "=", parts
    yield "R5", ["ballots_used"], "=", ["users_total_j"]
    yield "R6", ["ballots_returned"], "<=", ["ballots_received"]
    yield "R6", ["ballots_unused"], "<=", ["ballots_received"]
    yield "R7", ["valid"], "=", ["votes_%d" % (i + 1) for i in range(len(form.pairs))]
    yield "R8", ["total"], "=", ["valid", "invalid"]
    yield "R9", ["total"], "=", ["users_total_j"]
    yield "R9", ["total"], "=", ["ballots_used"]
    yield "R11", ["disabled_j"], "<=", ["users_total_j"]


def applicable(form):
    """(rule, left fields, "=" or "<=", right fields) of the rules whose fields the form has."""
    if not form.rules:
        known = set(form.fields)
        form.rules = [rule for rule in _equations(form) if known.issuperset(rule[1] + rule[3])]
    return form.rules


def broken(form, values, permille):
    """Findings of R1-R9 and R11-R13 on {field: figure or None}; `permille` is the reserve share."""
    findings = []
    for rule, left, relation, right in applicable(form):
        lefts, rights = [values.get(f) for f in left], [values.get(f) for f in right]
        if None in lefts or None in rights:
            continue
        a, b = sum(lefts), sum(rights)
        if a > b or (relation == "=" and a != b):
            findings.append(Finding(rule, left + right, a, b))
    received, dpt = values.get("ballots_received"), values.get("dpt_j")
    if received is not None and dpt is not None:
        expected = dpt + reserve(dpt, permille)
        if received != expected:
            findings.append(Finding("R12", ("ballots_received", "dpt_j"), received, expected))
    most = VOTERS_LIMIT + reserve(VOTERS_LIMIT, permille)
    for field in ("dpt_j", "users_total_j", "ballots_received", "total"):
        if (values.get(field) or 0) > most:
            findings.append(Finding("R13", (field,), values[field], most))
    return findings


def unchecked(form, values):
    """Names of the rules that an empty figure keeps from being checked, in order, each once."""
    names = []
    for rule, left, _, right in applicable(form):
        if rule not in names and any(values.get(field) is None for field in left + right):
            names.append(rule)
    if "ballots_received" in form.fields and "dpt_j" in form.fields:
        empty = values.get("ballots_received") is None or values.get("dpt_j") is None
        if empty:
            names.append("R12")
    return names


def readings(field, boxes, **others):
    """R10: what the paper says beside the digit boxes (words, tally, bubbles: figure or None).

    A Finding for each that says something else than the boxes.
    """
    return [
        Finding("R10", (field, how), boxes, others[how])
        for how in sorted(others)
        if others[how] is not None and others[how] != boxes
    ]


def recap(cell, children):
    """R14 for a recap cell: it is the sum of its children (figures; null counts as missing).

    A Finding or None.
    """
    total = sum(child for child in children if child is not None)
    return None if cell == total else Finding("R14", ("recap",), cell, total)


def between_contests(sheets):
    """R14 for one station: `sheets` [{field: figure}…]; DPT and users agree in all its contests."""
    findings = []
    for field in ["dpt_" + sex for sex in SEXES] + ["users_total_j"]:
        seen = [s[field] for s in sheets if s.get(field) is not None]
        for other in seen[1:]:
            if other != seen[0]:
                findings.append(Finding("R14", (field,), other, seen[0]))
    return findings
