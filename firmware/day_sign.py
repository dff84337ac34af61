"""Signing: the witnesses' stand, the signature over everything, a receipt for each who is there."""

from firmware import VERSION, record
from firmware.receipt import PPS, SUPERVISOR, WITNESS, Copy

SIGNED, REFUSED, ABSENT = 1, 2, 3


class Signing:
    """The steps from the agreed figures to the paper in the witnesses' hands."""

    STEPS = ("stands", "sign", "receipts")

    def __init__(self, station):
        self.station = station
        self.screens = station.screens
        self.kit = station.kit
        self.t = station.t

    async def stands(self):
        """Step: whether each witness signed the sheet, refused or was not there."""
        station = self.station
        stands = []
        choices = ["Signed", "Refused to sign", "Absent"]
        for pair in range(1, len(station.contest.pairs) + 1):
            note = "%s: %s" % (station.contest.title, self.t("Witness of pair %d") % pair)
            choice = await station.ask("Did the witness sign the sheet?", choices, note)
            stands.append([pair, (SIGNED, REFUSED, ABSENT)[choice]])
        station.go("sign", stands=stands)

    async def sign(self):
        """Step: the result, or the correction, is signed."""
        station, number = self.station, self.station.contest.number
        entry = station.find(lambda e: e.kind != record.EVENT and e.payload[3] == number)
        if entry is None:
            await self.screens.message("Check before signing", self.summary())
            if not await station.confirm("Sign this result?", [station.contest.title]):
                station.go("first", first=[], second=[], figures=[], page=0)
                return
            entry = self.make_entry()
        self.kit.relay.wake()
        results = station.state["results"] + [[station.state["contest"], entry.seq]]
        station.go("receipts", results=results)

    def summary(self):
        """What is about to be signed, in lines."""
        station, t = self.station, self.t
        form = station.contest.form
        lines = [station.contest.title]
        values = form.values(station.state["figures"])
        for field in form.fields:
            if field.startswith("votes_") or "_" not in field:
                shown = "---" if values[field] is None else str(values[field])
                lines.append("%s: %s" % (form.label(field, t), shown))
        lines.append(t("Rules broken: %d") % len(station.state["rules"]))
        return lines

    def make_entry(self):
        """Sign what was keyed and photographed; returns the Entry."""
        station, state = self.station, self.station.state
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
        number, form = station.contest.number, station.contest.form.number
        pages, keyed = state["pages"], state["figures"]
        return station.signed(station.recorder.result(number, form, keyed, pages, extra))

    async def receipts(self):
        """Step: one receipt a witness who is there, one for the supervisor, one for PPS."""
        station = self.station
        seq = station.state["results"][-1][1]
        entry, make = result(station, seq)
        copies = papers(station, seq)
        for copy in copies:
            await self.screens.progress("Receipts are being printed", copy.number - 1, len(copies))
            await self.kit.desk.once(entry, make, copy)
            self.kit.log("receipt %d of %d printed" % (copy.number, len(copies)))
        index = station.state["contest"] + 1
        if station.state["replaces"] is None and index < len(station.package.contests):
            station.start_contest(index)
        else:
            station.go("idle")


def papers(station, seq):
    """The receipts of a result: a witness's each who was there, the supervisor's, PPS's."""
    _, extra = record.parse_manifest(station.journal.entry(seq)[1])
    there = [pair for pair, stand in extra[record.STANDS] if stand != ABSENT]
    kinds = [(WITNESS, pair) for pair in there] + [(SUPERVISOR, 0), (PPS, 0)]
    return [Copy(kind, i + 1, len(kinds), pair) for i, (kind, pair) in enumerate(kinds)]


def result(station, seq):
    """(Entry, function that makes its receipt for a Copy) of a signed result."""
    data, manifest = station.journal.entry(seq)
    entry = record.parse(data)
    return entry, lambda copy: station.receipts.result(entry, manifest, copy)
