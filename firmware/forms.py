"""A wall sheet (C.Hasil) as data: its pages, the figures on them and their fixed order.

A form comes in the signed station package as
`[no, code, [category…], [[page no, tag id, [group…]]…]]`; nothing about a form is code, so next
year's sheet is another file. Groups of figures (KPU, MODEL C.HASIL 2024):

    dpt       I.A   voters in DPT, L P J
    users     I.B   users of the right to vote, a row a category and a total, L P J each
    ballots   II    received, used, returned (damaged or mis-punched), unused
    disabled  III   disabled users, L P J
    votes     IV    a row a pair (KOLOM KOSONG is a pair)
    totals    V     valid, invalid, valid and invalid
"""

from firmware.compat import const

SEXES = ("l", "p", "j")
LIMIT = const(999)  # three digit boxes a figure


class FormError(ValueError):
    """The form's definition is not usable."""


def _users(categories):
    rows = ["users_%d" % (i + 1) for i in range(len(categories))] + ["users_total"]
    return ["%s_%s" % (row, sex) for row in rows for sex in SEXES]


class Form:
    """One contest's sheet: `form` is the package's array, `pairs` the names on it."""

    def __init__(self, form, pairs):
        self.number, self.code, self.categories, pages = form
        self.pairs = tuple(pairs)
        groups = {
            "dpt": ["dpt_" + sex for sex in SEXES],
            "users": _users(self.categories),
            "ballots": ["ballots_" + row for row in ("received", "used", "returned", "unused")],
            "disabled": ["disabled_" + sex for sex in SEXES],
            "votes": ["votes_%d" % (i + 1) for i in range(len(self.pairs))],
            "totals": ["valid", "invalid", "total"],
        }
        self.pages = []
        for number, tag, names in pages:
            fields = []
            for name in names:
                if name not in groups:
                    raise FormError("Form %s: unknown or repeated group %s" % (self.code, name))
                fields += groups.pop(name)
            self.pages.append((number, tag, tuple(fields)))
        self.fields = tuple(field for page in self.pages for field in page[2])
        self.rules = []  # figures.applicable makes them once
        if "votes" in groups or not self.pairs:
            raise FormError("Form %s has no pairs to vote for" % self.code)

    def values(self, figures):
        """{field: figure} of a record's figures list; FormError if the count differs."""
        if len(figures) != len(self.fields):
            raise FormError(
                "Form %s has %d figures, not %d" % (self.code, len(self.fields), len(figures))
            )
        return dict(zip(self.fields, figures))  # noqa: B905 - MicroPython's zip has no strict

    def figures(self, values):
        """The record's figures list of {field: figure}; a missing field is null."""
        return [values.get(field) for field in self.fields]

    def label(self, field, t):
        """The field's name as a person reads it; `t(english)` translates each part."""
        row, _, last = field.rpartition("_")
        if row == "votes":
            return t("Votes for pair %s") % last
        if row == "ballots":
            return t("Ballots " + last)
        if row == "":
            return t(
                {"valid": "Valid votes", "invalid": "Invalid votes", "total": "All votes"}[last]
            )
        if row == "dpt":
            name = t("Voters in DPT")
        elif row == "disabled":
            name = t("Disabled users")
        elif row == "users_total":
            name = t("All users")
        else:
            name = t("Users %s") % self.categories[int(row[6:]) - 1]
        return "%s %s" % (name, last.upper())
