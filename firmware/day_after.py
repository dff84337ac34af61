"""What the officers may do once results are signed: see the sending, print, correct, close."""

from firmware import record
from firmware.findings_text import CORRECTION_REASONS
from firmware.receipt import SENT, Copy


class Afterwards:
    """The menu of a station whose results are signed."""

    def __init__(self, station):
        self.station = station
        self.kit = station.kit
        self.screens = station.screens
        self.t = station.screens.t
        self.journal = station.journal

    async def choose(self):
        """One choice of the menu."""
        closed = self.station.state["closed"]
        choices = [
            ("State of sending", self.show_sending),
            ("Proof of sending", self.print_proof),
            ("Print a copy", self.print_copy),
            ("Correct a result", self.correct),
        ]
        if not closed:
            choices.append(("Close the station", self.close))
        title = "Station is closed" if closed else "Results are signed"
        choice = await self.screens.menu(title, [name for name, _ in choices])
        if choice is not None:
            await choices[choice][1]()

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
        await self.screens.message("State of sending", lines)

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
        entry, make = self.station.result(which[1])
        papers = self.station.papers(which[1])
        names = [("Receipt %d of %d", copy.number, copy.of) for copy in papers]
        choice = await self.screens.menu("Which receipt?", names)
        if choice is None:
            return
        copy = papers[choice]
        copy.again = self.kit.desk.history(entry.rec_id, copy.number)[0]
        await self.screens.progress("Receipts are being printed", 0, 1)
        await self.kit.desk.issue(entry.rec_id, make, copy)

    async def correct(self):
        """Begin a correction: the same steps, a new entry that names the one it replaces."""
        which = await self.which_result("Correct a result")
        if which is None:
            return
        numbers = sorted(CORRECTION_REASONS)
        reasons = [CORRECTION_REASONS[n] for n in numbers]
        choice = await self.screens.menu("Why is it corrected?", reasons)
        if choice is not None:
            replaces = record.parse(self.journal.entry(which[1])[0]).rec_id
            self.station.start_contest(which[0], replaces=replaces, reason=numbers[choice])

    async def close(self):
        """Close: from then on only corrections, reprints and sending."""
        lines = ["From now on only corrections, reprints and sending."]
        if await self.station.confirm("Close the station?", lines):
            self.station.go("closing")
