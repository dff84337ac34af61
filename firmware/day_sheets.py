"""Photographs: attendance and incidents, then every page of every contest's sheet."""

from firmware import record
from firmware.capture import Capture
from firmware.compat import CodedError
from firmware.quality import assess, verdict

NO_PHOTOGRAPH = [None, 0]  # what stands for SHA-256 and size when it cannot be had

# What an incident or objection is about; the sentence stands in the signed entry.
INCIDENT_REASONS = (
    "See the photographed sheet",
    "Objection of a witness",
    "Voting was interrupted",
    "Ballots were missing or damaged",
    "A voter was turned away",
    "Count was repeated",
)


class Sheets:
    """The steps with the camera."""

    STEPS = ("lists", "sheets")

    def __init__(self, station):
        self.station = station
        self.screens = station.screens
        self.kit = station.kit
        self.t = station.t
        self.capture = Capture(station.kit.camera, station.kit.photos, station.kit.gauge.look)

    async def lists(self):
        """Step: the attendance list, then incidents or NIHIL; once for the station."""
        station = self.station
        if station.find_event(record.INCIDENT, record.ATTENDANCE) is None:
            photo = await self.photograph("Attendance list", self.t("C.DAFTAR HADIR"), True)
            if photo is None:
                return
            station.event(record.INCIDENT, [record.ATTENDANCE] + photo + ["Attendance list"])
        # NIHIL that was signed before a power cut is not asked for again.
        if station.find_event(record.INCIDENT, record.NIHIL) is None:
            known = self.incidents()
            choices = ["Nothing happened (NIHIL)", "Photograph a sheet"]
            # NIHIL and an incident exclude each other: what is left depends on what was said.
            items = [choices[1], "All sheets are photographed"] if known else choices
            choice = items[await station.ask("Incidents and objections", items, self.note(known))]
            if choice == choices[1]:
                await self.incident()
                return
            if choice == choices[0]:
                station.event(record.INCIDENT, [record.NIHIL, None, 0, "NIHIL"])
        await self.screens.message("Counting", ["Press OK when the sheets are filled in."])
        station.start_contest(0)

    def note(self, known):
        """How many incidents are in the journal."""
        return self.t("Photographed so far: %d") % known

    def incidents(self):
        """Incidents and objections in the journal."""
        count = 0
        for _, data, _ in self.station.journal.entries():
            entry = record.parse(data)
            if entry.kind == record.EVENT and entry.payload[3] == record.INCIDENT:
                count += entry.payload[4][0] in (record.INCIDENT_SHEET, record.OBJECTION)
        return count

    async def incident(self):
        """Photograph C.KEJADIAN KHUSUS and say in a word what it is about."""
        station = self.station
        reason = await self.screens.menu("What is it about?", list(INCIDENT_REASONS))
        if reason is None:
            return
        photo = await self.photograph("Incident or objection", self.t("C.KEJADIAN KHUSUS"), True)
        if photo is not None:
            kind = record.OBJECTION if reason == 1 else record.INCIDENT_SHEET
            station.event(record.INCIDENT, [kind] + photo + [INCIDENT_REASONS[reason]])

    async def sheets(self):
        """Step: one page of the contest's sheet."""
        station = self.station
        form, contest = station.contest.form, station.contest
        number = form.pages[station.state["page"]][0]
        entry = station.find_event(record.PAGE, contest.number, number)
        if entry is None:
            page = self.t("Page %d of %d") % (number, len(form.pages))
            note = "%s. %s" % (contest.title, page)
            photo = await self.photograph("Photograph the sheet", note)
            if photo is None:
                return
            if photo == NO_PHOTOGRAPH:
                self.after_page(form, [])
                return
            entry = station.event(record.PAGE, [contest.number, number] + photo + [form.number])
        self.after_page(form, [entry.payload[4][1:4]])

    def after_page(self, form, kept):
        """Go on to the next page, or to the figures; `kept`: [[page, sha256, size]] or []."""
        state = self.station.state
        pages, page = state["pages"] + kept, state["page"] + 1
        if page < len(form.pages):
            self.station.go("sheets", page=page, pages=pages)
        else:
            self.station.go("first", pages=pages, page=0)

    async def photograph(self, title, note, may_leave=False):
        """[sha256, size] of a photograph that the officers keep, NO_PHOTOGRAPH, or None (again).

        A camera or a memory that fails does not keep the officers from sending what the paper says.
        """
        try:
            if not await self.viewfinder(title, note, may_leave):
                return None
            complaints = verdict(*assess(*await self.kit.camera.focus()))
            digest, size, width, height = await self.capture.take()
        except CodedError as error:
            await self.screens.fault(error.code, error.sentence, "Photograph the page again.")
            items = ["Photograph again", "Go on without a photograph"]
            choice = await self.station.ask("The photograph failed", items, note)
            return NO_PHOTOGRAPH if choice == 1 else None
        lines = [note, "%d x %d, %d kB" % (width, height, size // 1000)]
        lines += [self.t(text) for text in complaints]
        keep, again = "Keep the photograph", "Photograph again"
        # The harmless choice first: to look again when something is wrong with the picture.
        items = [again, keep] if complaints else [keep, again]
        question = "The photograph is not good" if complaints else "Is the whole page readable?"
        choice = await self.station.ask(question, items, ". ".join(lines))
        return None if items[choice] == again else [digest, size]

    async def viewfinder(self, title, note, may_leave):
        """Show what the camera sees until FOTO (True), or HAPUS where one may leave (False)."""
        while True:
            w, h, gray = await self.kit.camera.preview()
            key = await self.screens.preview(title, w, h, gray, note, 0.3)
            if key == "FOTO":
                return True
            if key == "HAPUS" and may_leave:
                return False
