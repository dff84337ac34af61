"""Figures: keyed by one officer, then by another unseen; differences and broken sums settled."""

from firmware import figures, record
from firmware.findings_text import RULE_REASONS, sentence
from firmware.keying import Keying
from firmware.tally import Tally


class Figures:
    """The steps between the last photograph and the witnesses' stand."""

    STEPS = ("first", "second", "settle", "rules")

    def __init__(self, station):
        self.station = station
        self.screens = station.screens
        self.t = station.t

    async def first(self):
        """Step: the first officer; what the day already knows stands in the boxes to be checked."""
        station, contest = self.station, self.station.contest
        await self.screens.message("First officer", ["Key in what the sheet says."])
        known = Tally(station.journal, contest, contest.form).defaults()
        await self.key_in("First officer, page %d", "first", known)
        station.go("second", page=0)

    async def second(self):
        """Step: the second officer, who sees nothing of it."""
        lines = ["Another officer keys in the same sheet, without the first one's help."]
        await self.screens.message("Second officer", lines)
        if await self.station.kit.login.ask(self.station.kit.login.SECOND, "Second officer"):
            await self.key_in("Second officer, page %d", "second", {})
            self.station.go("settle", rounds=self.station.state["rounds"] + 2)

    async def key_in(self, title, name, known):
        """Key the sheet into state[name], saved after every figure."""
        station = self.station

        def keep(values, page):
            station.save(**{name: values, "page": page})

        keying = Keying(self.screens, station.contest.form, known)
        await keying.all(title, station.state[name], station.state["page"], keep)

    async def settle(self):
        """Step: the two officers' differences, one by one."""
        station = self.station

        def keep(first, second):
            station.save(first=first, second=second)

        keying = Keying(self.screens, station.contest.form)
        agreed = await keying.settle(station.state["first"], station.state["second"], keep)
        station.go("rules", figures=agreed)

    async def rules(self):
        """Step: a broken rule is explained or said to be as on the paper; none stops anybody."""
        station, form, t = self.station, self.station.contest.form, self.t
        values = form.values(station.state["figures"])
        reasons = [RULE_REASONS[n] for n in range(len(RULE_REASONS))]
        rules = []
        findings = figures.broken(form, values, station.package.reserve)
        for finding in findings + self.between_contests(values):
            text = "%s. %s" % (finding.rule, sentence(finding, form, t))
            reason = await station.ask("The sums do not agree", reasons, text)
            rules.append([finding.number, reason])
        station.go("stands", rules=rules)

    def between_contests(self, values):
        """R14: findings against the first signed result of another contest of the station."""
        station = self.station
        for index, seq in station.state["results"]:
            if index != station.state["contest"]:
                entry = record.parse(station.journal.entry(seq)[0])
                other = station.package.contests[index].form.values(entry.payload[5])
                return figures.between_contests([other, values])
        return []
