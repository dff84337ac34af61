"""After signing: see the sending, print proofs and copies, correct, close."""

from firmware import record
from firmware.compat import CodedError
from firmware.day_sign import papers, result
from firmware.findings_text import CORRECTION_REASONS
from firmware.receipt import CLOSING, SENT, Copy


class After:
    """The menu of a station whose results are signed, and its end."""

    STEPS = ("idle", "closing")

    def __init__(self, station):
        self.station = station
        self.kit = station.kit
        self.screens = station.screens
        self.t = station.screens.t
        self.journal = station.journal
        self.looked = False  # for a copy that a power cut left begun

    async def idle(self):
        """Step: one choice of the menu."""
        closed = self.station.state["closed"]
        if not self.looked:
            self.looked = True
            self.kit.desk.end_cut()
        choices = [
            ("State of sending", self.station.show_sending),
            ("Proof of sending", self.print_proof),
            ("Print a copy", self.print_copy),
            ("Correct a result", self.correct),
            ("Self-test", self.kit.self_test),
            ("Carry for another station", self.carry),
        ]
        if not closed:
            choices.append(("Close the station", self.close))
        title = "Station is closed" if closed else "Results are signed"
        choice = await self.screens.menu(title, [name for name, _ in choices])
        if choice is not None:
            await choices[choice][1]()

    def acknowledged(self):
        """[(contest number, ack Entry)…] of this station's results, from the journal."""
        contests = {}
        found = []
        for _, data, _ in self.journal.entries():
            entry = record.parse(data)
            if entry.kind != record.EVENT:
                contests[entry.rec_id] = entry.payload[3]
            elif entry.payload[3] == record.ACKNOWLEDGED:
                ack = record.parse(entry.payload[4][0])
                found.append((contests[ack.payload[1]], ack))
        return found

    async def print_proof(self):
        """BUKTI TERKIRIM: the collector's signed acknowledgements of this station's results."""
        acknowledged = self.acknowledged()
        if not acknowledged:
            lines = ["The collector has not acknowledged a result yet."]
            await self.screens.message("Proof of sending", lines)
            return
        quoted = acknowledged[-1][1].rec_id

        def make(copy):
            return self.station.receipts.sent(acknowledged, copy)

        await self.screens.progress("Proof of sending", 0, 1)
        again = self.kit.desk.history(quoted, 1)[0]
        await self.kit.desk.issue(quoted, make, Copy(SENT, again=again))

    async def which_result(self, title):
        """[contest index, seq] of a signed result, or None."""
        results = self.station.state["results"]
        contests = self.station.package.contests
        names = ["%s (%d)" % (contests[index].title, seq) for index, seq in results]
        choice = await self.screens.menu(title, names)
        return None if choice is None else results[choice]

    async def print_copy(self):
        """Print a receipt again, marked as a copy."""
        which = await self.which_result("Print a copy")
        if which is None:
            return
        entry, make = result(self.station, which[1])
        copies = papers(self.station, which[1])
        names = [("Receipt %d of %d", copy.number, copy.of) for copy in copies]
        choice = await self.screens.menu("Which receipt?", names)
        if choice is None:
            return
        copy = copies[choice]
        copy.again = self.kit.desk.history(entry.rec_id, copy.number)[0]
        await self.screens.progress("Receipts are being printed", 0, 1)
        await self.kit.desk.issue(entry.rec_id, make, copy)

    async def correct(self):
        """Begin a correction: the same steps, a new entry that names the one it replaces."""
        which = await self.which_result("Correct a result")
        if which is None or not await self.kit.login.ask(self.kit.login.KETUA, "Correct a result"):
            return
        numbers = sorted(CORRECTION_REASONS)
        reasons = [CORRECTION_REASONS[n] for n in numbers]
        choice = await self.screens.menu("Why is it corrected?", reasons)
        if choice is not None:
            replaces = record.parse(self.journal.entry(which[1])[0]).rec_id
            self.station.start_contest(which[0], replaces=replaces, reason=numbers[choice])

    async def carry(self):
        """Take over what a neighbour's kit cannot send, and hand back what was acknowledged."""
        title = "Carry for another station"
        lines = ["Put the cable into both kits. Keys are pressed on this one only."]
        if await self.screens.message(title, lines, ("OK", "HAPUS")) == "HAPUS":
            return

        async def tell(done, total):
            await self.screens.progress(title, done, total)

        await tell(0, 1)
        try:
            tps, taken, handed = await self.kit.carry(tell)
        except CodedError as error:
            await self.screens.fault(
                error.code, error.sentence, "What was taken over stays. Try again."
            )
            return
        waiting, _ = self.kit.carrier.count()
        lines = [
            "TPS %03d" % tps,
            ("Entries taken over: %d", taken),
            ("Acknowledgements handed back: %d", handed),
            ("Entries waiting: %d", waiting),
        ]
        if waiting:
            lines.append("When they are sent, connect the cable again.")
        await self.screens.message(title, lines)

    async def close(self):
        """Close: from then on only corrections, reprints and sending."""
        lines = ["From now on only corrections, reprints and sending."]
        login = self.kit.login
        sure = await self.station.confirm("Close the station?", [self.t(line) for line in lines])
        if sure and await login.ask(login.KETUA, "Close the station"):
            self.station.go("closing")

    async def closing(self):
        """Step: the end of the chain is signed and printed."""
        station, journal = self.station, self.journal
        entry = station.find_event(record.CLOSE)
        if entry is None:
            entry = station.event(record.CLOSE, [journal.last, journal.head])

        def make(copy):
            return station.receipts.closing(entry, copy)

        await self.screens.progress("Closing slip", 0, 1)
        await self.kit.desk.once(entry, make, Copy(CLOSING))
        station.go("idle", closed=True)
