"""What the day's entries add up to, so that officers check figures instead of remembering them."""

from firmware import record
from firmware.forms import SEXES


class Tally:
    """Ballots and users of one contest, read from the journal."""

    def __init__(self, journal, contest, form):
        self.received = self.damaged = self.unused = None
        self.exchanged = 0
        self.users = None
        self.contest = contest
        self.form = form
        for _, data, _ in journal.entries():
            entry = record.parse(data)
            if entry.kind == record.EVENT and entry.payload[4][:1] == [contest.number]:
                self._add(entry.payload[3], entry.payload[4])

    def _add(self, event, detail):
        if event == record.BALLOTS:
            self.received, self.damaged = detail[1], detail[3]
        elif event == record.EXCHANGE:
            self.exchanged += 1
        elif event == record.VOTERS:
            self.users = detail[1]
        elif event == record.UNUSED:
            self.unused = detail[1]

    @property
    def used(self):
        """Ballots used: one a user; None before voting is closed or when nobody could tell."""
        return None if self.users is None else self.users[-1]

    @property
    def left(self):
        """Ballots that should be left over (those damaged on delivery are among them), or None."""
        if self.received is None or self.used is None:
            return None
        return max(self.received - self.used - self.exchanged, 0)

    def defaults(self):
        """{field: figure} of what the day already knows of the sheet."""
        contest = self.contest
        known = {"dpt_l": contest.dpt_l, "dpt_p": contest.dpt_p, "dpt_j": contest.dpt}
        if self.users is not None:
            rows = ["users_%d" % (i + 1) for i in range(len(self.form.categories))]
            fields = ["%s_%s" % (row, sex) for row in rows + ["users_total"] for sex in SEXES]
            known.update(zip(fields, self.users))  # noqa: B905 - MicroPython's zip has no strict
        known["ballots_received"] = self.received
        known["ballots_used"] = self.used
        known["ballots_returned"] = self.exchanged  # voters hand them back for others
        known["ballots_unused"] = self.unused
        return known
