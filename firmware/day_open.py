"""Opening: who is present, the opening slip, the ballots that were delivered."""

from firmware import figures, record
from firmware.receipt import ZERO, Copy

ROLE_WITNESS, ROLE_SUPERVISOR = 1, 2


class Opening:
    """The morning's steps."""

    STEPS = ("open", "zero", "ballots")

    def __init__(self, station):
        self.station = station
        self.screens = station.screens
        self.package = station.package
        self.t = station.t

    async def open(self):
        """Step: the opening is signed with those who are present."""
        entry = self.station.find_event(record.OPEN) or await self.present()
        self.station.go("zero", opened=entry.seq)

    async def present(self):
        """Ask who is present and sign the opening; returns its Entry."""
        t, package, station = self.t, self.package, self.station
        lines = [package.title, "TPS %03d" % package.tps, "%013d" % package.station]
        lines += [package.regions[3], package.regions[2], t("Journal is empty: no result yet")]
        await self.screens.message("Open the station", lines)
        present = []
        choices = ["Present", "Not present"]
        for contest in package.contests:
            for pair in range(1, len(contest.pairs) + 1):
                note = "%s: %s" % (contest.title, t("Witness of pair %d") % pair)
                if await station.ask("Who is present?", choices, note) == 0:
                    present.append([ROLE_WITNESS, contest.number, pair])
        if await station.ask("Who is present?", choices, t("Supervisor")) == 0:
            present.append([ROLE_SUPERVISOR, 0, 0])
        return station.event(record.OPEN, [present])

    async def zero(self):
        """Step: the opening slip."""
        station = self.station
        entry = record.parse(station.journal.entry(station.state["opened"])[0])
        present = entry.payload[4][0]

        def make(copy):
            return station.receipts.opening(entry, present, copy)

        await self.screens.progress("Opening slip", 0, 1)
        await station.kit.desk.once(entry, make, Copy(ZERO))
        station.go("ballots", contest=0)

    async def ballots(self):
        """Step: the ballots of one contest that were delivered."""
        station, contest = self.station, self.station.contest
        if station.find_event(record.BALLOTS, contest.number) is None:
            numbers = await self.count(contest)
            if numbers is None:
                return
            station.event(record.BALLOTS, [contest.number] + numbers)
        station.next_contest("ballots", "voting")

    async def count(self, contest):
        """[received, expected, damaged] as counted, or None to count again."""
        t, station = self.t, self.station
        expected = contest.dpt + figures.reserve(contest.dpt, self.package.reserve)
        note = "%s (%s). %s" % (contest.title, contest.colour, t("Expected: %d") % expected)
        received = await station.number("Ballots", "Ballots received", note)
        damaged = await station.number("Ballots", "Damaged on delivery", note)
        lines = [contest.title, "%s: %d" % (t("Ballots received"), received)]
        lines += ["%s: %d" % (t("Damaged on delivery"), damaged), t("Expected: %d") % expected]
        if await station.confirm("Are these numbers right?", lines):
            return [received, expected, damaged]
        return None
