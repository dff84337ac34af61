"""The day at the polling station: its steps, what each allows, what is saved before each one.

A step is a method of one of the day_* files; its name and what was done so far are saved before the
next one begins, so a power cut resumes on the step it was on. An entry that a step has already
signed is found in the journal and not signed again. An unknown saved step is refused with a code.

    open zero ballots          day_open      witnesses, opening slip, ballots delivered
    voting users unused        day_voting    exchanges and incidents, who voted, ballots left
    lists sheets               day_sheets    attendance, incidents, the sheets photographed
    first second settle rules  day_figures   keyed twice, differences, broken sums
    stands sign receipts       day_sign      witnesses' stand, the signature, the paper
    idle closing               day_after     sending, copies, corrections, closing
"""

from binascii import hexlify

from firmware import record
from firmware.compat import CodedError, const
from firmware.day_after import After
from firmware.day_figures import Figures
from firmware.day_open import Opening
from firmware.day_sheets import Sheets
from firmware.day_sign import Signing
from firmware.day_voting import Voting
from firmware.receipt import Receipts

UNKNOWN_STATE = const(901)
DIGITS_BALLOTS = const(4)
START = {
    "at": "open",
    "since": 1,
    "contest": 0,
    "page": 0,
    "pages": [],
    "results": [],
    "closed": False,
}


class StationError(CodedError):
    """The day cannot go on."""


class Station:
    """One station's day. `kit` has screens, recorder, package, camera, photos, desk, saved, relay,
    gauge, log, clock, printer, login and firmware_digest, by these names (firmware/main.py)."""

    def __init__(self, kit):
        self.kit = kit
        self.screens = kit.screens
        self.t = kit.screens.t
        self.recorder = kit.recorder
        self.journal = kit.recorder.journal
        self.package = kit.package
        self.receipts = Receipts(self.t, kit.package, kit.printer.columns)
        self.state = kit.saved.load(START)
        self.steps = {}
        self.sheets = Sheets(self)
        for part in (
            Opening(self),
            Voting(self),
            self.sheets,
            Figures(self),
            Signing(self),
            After(self),
        ):
            for name in part.STEPS:
                self.steps[name] = getattr(part, name)

    async def run(self):
        """Work through the day's steps; ends only by an exception."""
        while True:
            name = self.state["at"]
            step = self.steps.get(name)
            if step is None:
                text = "Saved step %s is unknown to this firmware: call the technician"
                raise StationError(UNKNOWN_STATE, text, name)
            self.kit.log("state %s" % name)
            await step()
            self.kit.log("heap %s %d" % (name, self.kit.gauge.lap()))

    def save(self, **changes):
        """Change the saved state without leaving the step."""
        state = dict(self.state)
        state.update(changes)
        self.kit.saved.store(state)
        self.state = state

    def go(self, name, **changes):
        """Save and enter the next step; entries signed from here on are that step's own."""
        self.save(at=name, since=self.journal.last + 1, **changes)

    def find(self, is_it):
        """The entry of this step that was signed before a power cut, or None."""
        for _, data, _ in self.journal.entries(self.state["since"]):
            entry = record.parse(data)
            if is_it(entry):
                return entry
        return None

    def find_event(self, number, *start):
        """This step's event of that number whose detail begins with `start`, or None."""

        def is_it(entry):
            if entry.kind != record.EVENT or entry.payload[3] != number:
                return False
            return entry.payload[4][: len(start)] == list(start)

        return self.find(is_it)

    def signed(self, entry):
        """Say on the console that `entry` is in the journal; returns it."""
        self.kit.log(
            "entry %d kind %d %s" % (entry.seq, entry.kind, hexlify(entry.rec_id).decode())
        )
        return entry

    def event(self, number, detail):
        """Sign a device event; returns its Entry."""
        return self.signed(self.recorder.event(number, detail))

    @property
    def contest(self):
        """The contest that the step is about."""
        return self.package.contests[self.state["contest"]]

    # Contests

    def next_contest(self, step, after):
        """Go on to the same step of the next contest, or to step `after` when all had it."""
        index = self.state["contest"] + 1
        if index < len(self.package.contests):
            self.go(step, contest=index)
        else:
            self.go(after, contest=0)

    def start_contest(self, index, **changes):
        """Begin the sheets of a contest with nothing kept from the one before."""
        clean = {"first": [], "second": [], "figures": [], "rounds": 0, "rules": [], "stands": []}
        clean.update({"replaces": None, "reason": None}, **changes)
        self.go("sheets", contest=index, page=0, pages=[], **clean)

    # Asking

    async def show_sending(self):
        """What has been sent and what waits."""
        status = self.kit.relay.status
        lines = [
            ("Entries acknowledged: %d", status.sent),
            ("Entries waiting: %d", status.waiting),
            ("Photographs waiting: %d", status.photos_waiting),
        ]
        if status.last_error:
            lines.append(status.last_error)
        lines += self.kit.sms.status.lines()
        waiting, delivered = self.kit.carrier.count()
        if waiting or delivered:
            lines.append(("For other stations: %d waiting, %d sent", waiting, delivered))
        if self.kit.card_problem:
            lines.append(self.kit.card_problem.text)
        keys = ("OK",)
        if status.refused:
            lines.append(("Refused by the collector: %d", status.refused))
            keys = ("OK", ("CETAK", "send again"))
        if await self.screens.message("State of sending", lines, keys) == "CETAK":
            self.kit.relay.retry_refused()

    async def ask(self, title, items, note):
        """Index of the chosen item; HAPUS asks again, since the step needs an answer."""
        choice = None
        while choice is None:
            choice = await self.screens.menu(title, items, note=note)
        return choice

    async def number(self, title, label, note, value=None):
        """A number that must be given; `value` stands in the boxes already."""
        answer = None
        while answer is None or answer == self.screens.BACK:
            answer = await self.screens.number(title, label, DIGITS_BALLOTS, note=note, value=value)
        return answer

    async def confirm(self, title, lines):
        """True for yes; no is the harmless choice and stands first."""
        return await self.ask(title, ["No, go back", "Yes"], ". ".join(lines)) == 1
