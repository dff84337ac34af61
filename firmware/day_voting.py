"""Voting: ballots exchanged, incidents as they happen, then who voted and what is left over."""

from firmware import record
from firmware.forms import SEXES
from firmware.tally import Tally


class Voting:
    """The steps from the first voter to the last ballot struck off."""

    STEPS = ("voting", "users", "unused")

    def __init__(self, station):
        self.station = station
        self.screens = station.screens
        self.t = station.t

    async def voting(self):
        """Step: what can happen while people vote, until voting is closed."""
        station = self.station
        choices = [
            ("State of sending", station.show_sending),
            ("Exchange a ballot", self.exchange),
            ("Incident or objection", station.sheets.incident),
            ("Voting is closed", self.close),
        ]
        choice = await self.screens.menu("Voting", [name for name, _ in choices])
        if choice is not None:
            await choices[choice][1]()

    async def close(self):
        """End the voting; nobody can open it again."""
        lines = ["All who came in time have voted."]
        if await self.station.confirm("Close the voting?", [self.t(line) for line in lines]):
            self.station.go("users", contest=0)

    async def exchange(self):
        """A voter hands back a damaged or mis-punched ballot for another, once."""
        station = self.station
        contests = station.package.contests
        which = 0
        if len(contests) > 1:
            which = await self.screens.menu("Which ballot?", [c.title for c in contests])
        if which is None:
            return
        contest = contests[which]
        done = Tally(station.journal, contest, contest.form).exchanged
        lines = [contest.title, self.t("This voter has not exchanged a ballot before.")]
        lines.append(self.t("Exchanged so far: %d") % done)
        if await station.confirm("Exchange the ballot?", lines):
            station.event(record.EXCHANGE, [contest.number, done + 1])

    async def users(self):
        """Step: users of one contest by category, men and women."""
        station, contest = self.station, self.station.contest
        if station.find_event(record.VOTERS, contest.number) is None:
            numbers = await self.ask_users(contest)
            if numbers is None:
                return
            station.event(record.VOTERS, [contest.number, numbers])
        station.next_contest("users", "unused")

    async def ask_users(self, contest):
        """[figure...] in the order of the form's group users, or None to ask again."""
        station, t = self.station, self.t
        first = station.package.contests[0]
        same = first.form.categories == contest.form.categories
        if contest is not first and same:
            known = Tally(station.journal, first, first.form).users or [0]
            note = "%s. %s" % (contest.title, t("Users: %d") % known[-1])
            choices = ["The same as in the first contest", "Other numbers"]
            if await station.ask("Who voted?", choices, note) == 0:
                return known
        rows = []
        for category in contest.form.categories:
            row = []
            for sex in SEXES[:2]:
                label = "%s %s" % (t("Users %s") % category, sex.upper())
                row.append(await station.number("Who voted?", label, contest.title))
            rows.append(row + [sum(row)])
        total = [sum(row[i] for row in rows) for i in range(3)]
        lines = [contest.title]
        for category, row in zip(contest.form.categories, rows):  # noqa: B905 - no strict there
            lines.append("%s: %d + %d = %d" % (category, row[0], row[1], row[2]))
        lines.append(t("Users: %d") % total[2])
        if not await station.confirm("Are these numbers right?", lines):
            return None
        return [figure for row in rows + [total] for figure in row]

    async def unused(self):
        """Step: the ballots of one contest that are left are counted and struck off."""
        station, contest, t = self.station, self.station.contest, self.t
        if station.find_event(record.UNUSED, contest.number) is None:
            left = Tally(station.journal, contest, contest.form).left
            note = "%s (%s). %s" % (contest.title, contest.colour, t("Expected: %d") % left)
            unused = await station.number("Ballots left over", "Ballots unused", note, left)
            lines = [contest.title, "%s: %d" % (t("Ballots unused"), unused)]
            lines += [t("Expected: %d") % left, t("Every one is struck off.")]
            if not await station.confirm("Are these numbers right?", lines):
                return
            station.event(record.UNUSED, [contest.number, unused, left])
        station.next_contest("unused", "lists")
