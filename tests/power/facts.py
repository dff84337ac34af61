"""What is true at the station, and how its day goes: a plan of everything that happens."""

from firmware.language import english
from tests.power.election import SHEETS, TITLES, form_of

# What a day is like. Lists hold the numbers of the occasions, from 1, on which it happens.
PLAN = {
    "training": False,
    "exchanges": 1,  # ballots exchanged in the first contest
    "incidents": 0,  # sheets of incidents; none: NIHIL
    "early_incidents": 0,  # of these, photographed while people vote
    "retake": [],  # photographs that are taken again
    "fog": [],  # captures that the kit calls not good
    "broken": [],  # [contest index, field, what is added]: sheets whose sums do not agree
    "empty": [],  # [contest index, field]: figures nobody can read
    "typos": [],  # [contest index, field]: the second officer differs
    "rekey": [],  # differences that are settled by keying in again
    "slips": [],  # numbers keyed in wrongly, and seen when they are read back
    "leave": [],  # viewfinders that are left with HAPUS
    "doubt": [],  # questions to confirm that are answered no
    "back": [],  # menus that are left with HAPUS
    "figures_back": [],  # pages of figures that are left with HAPUS
    "stands": {},  # "contest index-pair": stand of a witness that is not "Signed"
    "corrections": [0],  # contest indices, in order
    "copies": 1,
    "paper": [],  # lines of the rolls; the last one is long enough
    "silent": [],  # jobs that the printer does not confirm
    "lines": [],  # [connection, bytes after which it drops]
    "wrong_pins": [],  # PINs keyed in wrongly
    "card": [],  # [screen at which the card is pulled, screens until it is put back]
    "without": [],  # photographs that failed and that people go on without
    "card_photo": [],  # photographs in the middle of which the card is pulled
    "cuts": [],  # [operations after the start, seed]
}


class Status:
    """The status bar, which nobody reads here."""

    def __init__(self):
        self.tps = ""
        self.training = False
        self.waiting = self.sent = 0
        self.signal = None
        self.card = 0
        self.clock = ""


class DayOver(BaseException):
    """Everybody goes home."""


class Facts:
    """What is true at this station on this day, whatever the kit has of it."""

    def __init__(self, changes):
        self.plan = dict(PLAN)
        for name in changes:
            if name not in PLAN:
                raise ValueError("plan: " + name)
        self.plan.update(changes)
        self.titles = TITLES
        self.labels = []
        for index in range(len(TITLES)):
            form = form_of(index)
            self.labels.append({form.label(field, english): field for field in form.fields})

    def station(self, index):
        """{field: figure} of what happened at the station."""
        values = dict(SHEETS[index])
        if index == 0:  # the contest whose ballots are exchanged
            values["ballots_returned"] = self.plan["exchanges"]
            values["ballots_unused"] -= self.plan["exchanges"]
        return values

    def sheet(self, index, corrected):
        """{field: figure} of the sheet on the wall, whatever its writer did."""
        values = self.station(index)
        for contest, field, more in self.plan["broken"]:
            if contest == index:
                values[field] += more
        for contest, field in self.plan["empty"]:
            if contest == index:
                values[field] = None
        if corrected:  # what was keyed in wrongly the first time
            values["votes_1"], values["votes_2"] = values["votes_2"], values["votes_1"]
        return values

    def figures(self, index, corrected):
        """The sheet as a record has it."""
        return form_of(index).figures(self.sheet(index, corrected))

    def stand(self, index, pair):
        """What the witness of a pair did."""
        return self.plan["stands"].get("%d-%d" % (index, pair), "Signed")
