"""The day at the polling station: states, what each allows, what is saved before each step.

A state is a method named at_<state>; its name and what was done so far are saved before the next
one begins, so a power cut resumes on the step it was on. An entry that a step has already signed is
found in the journal and not signed again. An unknown saved state is refused with a code.
"""

from binascii import hexlify

from firmware import VERSION, figures, record
from firmware.afterwards import Afterwards
from firmware.capture import Capture
from firmware.compat import CodedError, const
from firmware.findings_text import RULE_REASONS, sentence
from firmware.keying import Keying
from firmware.photos import PhotoError
from firmware.quality import assess, verdict
from firmware.receipt import CLOSING, PPS, SUPERVISOR, WITNESS, ZERO, Copy, Receipts

UNKNOWN_STATE = const(901)
DIGITS_BALLOTS = const(4)
SIGNED, REFUSED, ABSENT = 1, 2, 3
ROLE_WITNESS, ROLE_SUPERVISOR = 1, 2
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
    gauge, log, identity (firmware digest, clock quality) and settings, by these names."""

    def __init__(self, kit):
        self.kit = kit
        self.screens = kit.screens
        self.t = kit.screens.t
        self.recorder = kit.recorder
        self.journal = kit.recorder.journal
        self.package = kit.package
        self.capture = Capture(kit.camera, kit.photos, kit.gauge.look)
        self.receipts = Receipts(self.t, kit.package, kit.printer.columns)
        self.afterwards = Afterwards(self)
        self.state = kit.saved.load(START)

    async def run(self):
        """Work through the day's states; ends only by an exception."""
        while True:
            name = self.state["at"]
            step = getattr(self, "at_" + name, None)
            if step is None:
                text = "Saved step %r is unknown to this firmware: call the technician" % name
                raise StationError(UNKNOWN_STATE, text)
            self.kit.log("state %s" % name)
            await step()
            self.kit.gauge.look()

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

    # Opening

    async def at_open(self):
        entry = self.find_event(record.OPEN) or await self.open()
        self.go("zero", opened=entry.seq)

    async def open(self):
        """Ask who is present and sign the opening; returns its Entry."""
        t, package = self.t, self.package
        lines = [package.title, "TPS %03d" % package.tps, "%013d" % package.station]
        lines += [package.regions[3], package.regions[2], t("Journal is empty: no result yet")]
        await self.screens.message("Open the station", lines)
        present = []
        choices = ["Present", "Not present"]
        for contest in package.contests:
            for pair in range(1, len(contest.pairs) + 1):
                note = "%s: %s" % (contest.title, t("Witness of pair %d") % pair)
                if await self.ask("Who is present?", choices, note) == 0:
                    present.append([ROLE_WITNESS, contest.number, pair])
        if await self.ask("Who is present?", choices, t("Supervisor")) == 0:
            present.append([ROLE_SUPERVISOR, 0, 0])
        return self.event(record.OPEN, [present])

    async def at_zero(self):
        entry = record.parse(self.journal.entry(self.state["opened"])[0])
        present = entry.payload[4][0]
        await self.screens.progress("Opening slip", 0, 1)
        await self.kit.desk.once(
            entry.rec_id, lambda copy: self.receipts.opening(entry, present, copy), Copy(ZERO)
        )
        self.go("ballots", contest=0)

    async def at_ballots(self):
        contest = self.contest
        if self.find_event(record.BALLOTS, contest.number) is None:
            numbers = await self.count_ballots(contest)
            if numbers is None:
                return
            self.event(record.BALLOTS, [contest.number] + numbers)
        if self.state["contest"] + 1 < len(self.package.contests):
            self.go("ballots", contest=self.state["contest"] + 1)
        else:
            self.go("voting")

    async def count_ballots(self, contest):
        """[received, expected, damaged] as counted, or None to count again."""
        t = self.t
        expected = contest.dpt + figures.reserve(contest.dpt, self.package.reserve)
        note = "%s. %s" % (contest.title, t("Expected: %d") % expected)
        received = await self.number("Ballots", "Ballots received", note)
        damaged = await self.number("Ballots", "Damaged on delivery", note)
        lines = [contest.title, "%s: %d" % (t("Ballots received"), received)]
        lines += ["%s: %d" % (t("Damaged on delivery"), damaged), t("Expected: %d") % expected]
        if await self.confirm("Are these numbers right?", lines):
            return [received, expected, damaged]
        return None

    async def at_voting(self):
        lines = ["Press OK when the votes are counted and the sheets are filled in."]
        await self.screens.message("Voting and counting", lines)
        self.start_contest(0)

    def start_contest(self, index, **changes):
        """Begin the sheets of a contest with nothing kept from the one before."""
        clean = {"first": [], "second": [], "figures": [], "rounds": 0, "rules": [], "stands": []}
        clean.update({"replaces": None, "reason": None}, **changes)
        self.go("sheets", contest=index, page=0, pages=[], **clean)

    # Sheets

    async def at_sheets(self):
        form, contest = self.contest.form, self.contest.number
        number = form.pages[self.state["page"]][0]
        entry = self.find_event(record.PAGE, contest, number)
        if entry is None:
            photo = await self.photograph(number)
            if photo is None:
                return
            entry = self.event(record.PAGE, [contest, number] + photo + [form.number])
        pages = self.state["pages"] + [entry.payload[4][1:4]]
        if len(pages) < len(form.pages):
            self.go("sheets", page=self.state["page"] + 1, pages=pages)
        else:
            self.go("first", pages=pages, page=0)

    async def photograph(self, number):
        """[sha256, size] of a photograph of page `number` that the officers keep, or None."""
        contest, t = self.contest, self.t
        note = "%s. %s" % (contest.title, t("Page %d of %d") % (number, len(contest.form.pages)))
        await self.viewfinder(note)
        complaints = verdict(*assess(*await self.kit.camera.focus()))
        try:
            digest, size, width, height = await self.capture.take()
        except PhotoError as error:
            await self.screens.fault(error.code, error.text, "Photograph the page again.")
            return None
        lines = [note, "%d x %d, %d kB" % (width, height, size // 1000)]
        lines += [t(text) for text in complaints]
        keep, again = "Keep the photograph", "Photograph again"
        # The harmless choice first: to look again when something is wrong with the picture.
        items = [again, keep] if complaints else [keep, again]
        title = "The photograph is not good" if complaints else "Is the whole page readable?"
        choice = await self.ask(title, items, ". ".join(lines))
        return None if items[choice] == again else [digest, size]

    async def viewfinder(self, note):
        """Show what the camera sees until FOTO is pressed."""
        key = None
        while key != "FOTO":
            w, h, gray = await self.kit.camera.preview()
            key = await self.screens.preview("Photograph the sheet", w, h, gray, note, 0.3)

    # Figures

    async def at_first(self):
        await self.screens.message("First officer", ["Key in what the sheet says."])
        await self.key_in("First officer, page %d", "first")
        self.go("second", page=0)

    async def at_second(self):
        lines = ["Another officer keys in the same sheet, without the first one's help."]
        await self.screens.message("Second officer", lines)
        await self.key_in("Second officer, page %d", "second")
        self.go("settle", rounds=self.state["rounds"] + 2)

    async def key_in(self, title, name):
        """Key the sheet into state[name], saved after every figure."""

        def keep(values, page):
            self.save(**{name: values, "page": page})

        keying = Keying(self.screens, self.contest.form)
        await keying.all(title, self.state[name], self.state["page"], keep)

    async def at_settle(self):
        keying = Keying(self.screens, self.contest.form)

        def keep(first, second):
            self.save(first=first, second=second)

        agreed = await keying.settle(self.state["first"], self.state["second"], keep)
        self.go("rules", figures=agreed)

    async def at_rules(self):
        form, t = self.contest.form, self.t
        values = form.values(self.state["figures"])
        rules = []
        reasons = [RULE_REASONS[n] for n in range(len(RULE_REASONS))]
        for finding in figures.broken(form, values, self.package.reserve):
            text = "%s. %s" % (finding.rule, sentence(finding, form, t))
            reason = await self.ask("The sums do not agree", reasons, text)
            rules.append([finding.number, reason])
        self.go("stands", rules=rules)

    async def at_stands(self):
        t = self.t
        stands = []
        choices = ["Signed", "Refused to sign", "Absent"]
        for pair in range(1, len(self.contest.pairs) + 1):
            note = "%s: %s" % (self.contest.title, t("Witness of pair %d") % pair)
            choice = await self.ask("Did the witness sign the sheet?", choices, note)
            stands.append([pair, (SIGNED, REFUSED, ABSENT)[choice]])
        self.go("sign", stands=stands)

    # Signing and paper

    async def at_sign(self):
        number = self.contest.number
        entry = self.find(lambda e: e.kind != record.EVENT and e.payload[3] == number)
        if entry is None:
            await self.screens.message("Check before signing", self.summary())
            if not await self.confirm("Sign this result?", [self.contest.title]):
                self.go("first", first=[], second=[], figures=[], page=0)
                return
            entry = self.sign()
        self.kit.relay.wake()
        self.go("receipts", results=self.state["results"] + [[self.state["contest"], entry.seq]])

    def summary(self):
        """What is about to be signed, in lines."""
        form, t = self.contest.form, self.t
        lines = [self.contest.title]
        values = form.values(self.state["figures"])
        for field in form.fields:
            if field.startswith("votes_") or "_" not in field:
                shown = "---" if values[field] is None else str(values[field])
                lines.append("%s: %s" % (form.label(field, t), shown))
        lines.append(t("Rules broken: %d") % len(self.state["rules"]))
        return lines

    def sign(self):
        """Sign the result (or correction) of what was keyed and photographed; returns its Entry."""
        state = self.state
        extra = {
            record.FIRMWARE: VERSION,
            record.FIRMWARE_DIGEST: self.kit.firmware_digest,
            record.CLOCK_QUALITY: self.kit.clock.quality,
            record.KEYED_ROUNDS: state["rounds"],
            record.RULES: state["rules"],
            record.STANDS: state["stands"],
        }
        if state["replaces"] is not None:
            extra[record.REPLACES] = state["replaces"]
            extra[record.REASON] = state["reason"]
        number, form = self.contest.number, self.contest.form.number
        pages, keyed = state["pages"], state["figures"]
        return self.signed(self.recorder.result(number, form, keyed, pages, extra))

    def papers(self, seq):
        """The receipts of a result: a witness's each who was there, the supervisor's, PPS's."""
        _, extra = record.parse_manifest(self.journal.entry(seq)[1])
        there = [pair for pair, stand in extra[record.STANDS] if stand != ABSENT]
        kinds = [(WITNESS, pair) for pair in there] + [(SUPERVISOR, 0), (PPS, 0)]
        return [Copy(kind, i + 1, len(kinds), pair) for i, (kind, pair) in enumerate(kinds)]

    def result(self, seq):
        """(Entry, function that makes its receipt for a Copy) of a signed result."""
        data, manifest = self.journal.entry(seq)
        entry = record.parse(data)
        return entry, lambda copy: self.receipts.result(entry, manifest, copy)

    async def at_receipts(self):
        seq = self.state["results"][-1][1]
        entry, make = self.result(seq)
        papers = self.papers(seq)
        for copy in papers:
            await self.screens.progress("Receipts are being printed", copy.number - 1, len(papers))
            await self.kit.desk.once(entry.rec_id, make, copy)
            self.kit.log("receipt %d of %d printed" % (copy.number, len(papers)))
        index = self.state["contest"] + 1
        if self.state["replaces"] is None and index < len(self.package.contests):
            self.start_contest(index)
        else:
            self.go("idle")

    # After signing

    async def at_idle(self):
        await self.afterwards.choose()

    async def at_closing(self):
        journal = self.journal
        entry = self.find_event(record.CLOSE)
        if entry is None:
            entry = self.event(record.CLOSE, [journal.last, journal.head])

        def make(copy):
            return self.receipts.closing(entry, copy)

        await self.screens.progress("Closing slip", 0, 1)
        await self.kit.desk.once(entry.rec_id, make, Copy(CLOSING))
        self.go("idle", closed=True)

    # Asking

    async def ask(self, title, items, note):
        """Index of the chosen item; HAPUS asks again, since the step needs an answer."""
        choice = None
        while choice is None:
            choice = await self.screens.menu(title, items, note=note)
        return choice

    async def number(self, title, label, note):
        """A number that must be given."""
        answer = None
        while answer is None or answer == self.screens.BACK:
            answer = await self.screens.number(title, label, DIGITS_BALLOTS, note=note)
        return answer

    async def confirm(self, title, lines):
        """True for yes; no is the harmless choice and stands first."""
        return await self.ask(title, ["No, go back", "Yes"], ". ".join(lines)) == 1
