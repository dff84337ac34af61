"""The printing desk: no paper without its entry, none doubled in silence.

A print has an entry before its first byte (begun) and one after the printer's answer (ended). What
did not end well is printed again only as a marked copy.
"""

from firmware import record
from firmware.compat import const
from firmware.drivers import PartError
from firmware.receipt import Copy, print_job

PRINTED = const(1)
NOT_KNOWN = const(2)
FAILED = const(3)
NOT_CONFIRMED = const(206)


class Desk:
    """Prints slips on a Printer role and journals them."""

    def __init__(self, printer, recorder, screens):
        self.printer = printer
        self.recorder = recorder
        self.screens = screens

    async def issue(self, quoted, make, copy):
        """Print `make(copy)` quoting rec-id `quoted` until the printer says that it is printed."""
        while True:
            job = self.recorder.journal.last + 1  # the seq of the entry that begins it
            detail = [quoted, job, copy.number, copy.of, copy.again, copy.purpose, copy.pair]
            self.recorder.event(record.RECEIPT_BEGUN, detail)
            problem = PartError(NOT_CONFIRMED, "The printer did not say that it printed.")
            try:
                printed = await print_job(self.printer, make(copy), job)
            except PartError as error:
                printed, problem = False, error
            self.recorder.event(record.RECEIPT_ENDED, [job, PRINTED if printed else FAILED])
            if printed:
                return
            await self.screens.fault(problem.code, problem.text, "Put it right, then press OK.")
            copy = Copy(copy.purpose, copy.number, copy.of, copy.pair, copy.again + 1)

    def history(self, quoted, number):
        """(times begun, unfinished job or None, printed) of slip `number` that quotes `quoted`."""
        begun, open_job, printed = 0, None, False
        for _, data, _ in self.recorder.journal.entries():
            entry = record.parse(data)
            if entry.kind != record.EVENT:
                continue
            event, detail = entry.payload[3], entry.payload[4]
            if event == record.RECEIPT_BEGUN and detail[0] == quoted and detail[2] == number:
                begun, open_job = begun + 1, detail[1]
            elif event == record.RECEIPT_ENDED and detail[0] == open_job:
                open_job, printed = None, printed or detail[1] == PRINTED
        return begun, open_job, printed

    async def once(self, quoted, make, copy):
        """Issue a slip unless it was printed already; resumes honestly after a power cut."""
        begun, open_job, printed = self.history(quoted, copy.number)
        if open_job is not None:
            # Cut in mid-print: nobody but the people at the table can know what came out.
            self.recorder.event(record.RECEIPT_ENDED, [open_job, NOT_KNOWN])
            answer = await self.screens.menu(
                "Was the last slip printed whole?", ["No, print a copy", "Yes, it is whole"]
            )
            printed = answer == 1
        if not printed:
            again = Copy(copy.purpose, copy.number, copy.of, copy.pair, begun)
            await self.issue(quoted, make, again)
