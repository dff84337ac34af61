"""The printing desk: no paper without its entry, none doubled in silence.

A print has an entry before its first byte (begun) and one after the printer's answer (ended). What
did not end well is printed again only as a marked copy. A print that a power cut left begun is
asked about by its own name: the paper on top may be the slip before it.
"""

from firmware import record
from firmware.compat import const
from firmware.drivers import PartError
from firmware.receipt import Copy, name, print_job

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
            started = [False]
            try:
                printed = await print_job(self.printer, _noted(make(copy), started), job)
            except PartError as error:
                printed, problem = False, error
            outcome = PRINTED if printed else NOT_KNOWN if started[0] else FAILED
            self.recorder.event(record.RECEIPT_ENDED, [job, outcome])
            if printed:
                return
            await self.screens.fault(problem.code, problem.sentence, "Put it right, then press OK.")
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

    def end_cut(self):
        """End the copies and proofs that a power cut left begun: nobody is owed these."""
        left = set()
        for _, data, _ in self.recorder.journal.entries():
            entry = record.parse(data)
            if entry.kind == record.EVENT and entry.payload[3] == record.RECEIPT_BEGUN:
                left.add(entry.payload[4][1])
            elif entry.kind == record.EVENT and entry.payload[3] == record.RECEIPT_ENDED:
                left.discard(entry.payload[4][0])
        for job in sorted(left):
            self.recorder.event(record.RECEIPT_ENDED, [job, NOT_KNOWN])

    async def once(self, entry, make, copy):
        """Issue the slip `copy` of `entry` unless it was printed; asks after a cut in mid-print."""
        begun, open_job, printed = self.history(entry.rec_id, copy.number)
        copy = Copy(copy.purpose, copy.number, copy.of, copy.pair, begun)
        if open_job is not None:
            # Nobody but the people at the table can know what came out. Their answer is journaled
            # once it is given: cut before that, they are asked again.
            copy.again = begun - 1
            note = name(entry, copy, self.screens.t)
            choices = ["No, print a copy", "Yes, it is whole"]
            answer = await self.screens.menu("Was this slip printed whole?", choices, note=note)
            printed = answer == 1
            outcome = PRINTED if printed else NOT_KNOWN
            self.recorder.event(record.RECEIPT_ENDED, [open_job, outcome])
            copy.again = begun
        if not printed:
            await self.issue(entry.rec_id, make, copy)


def _noted(operations, started):
    """`operations`; notes that the printer took the job: what came out then, nobody knows."""
    for operation in operations:
        started[0] = True
        yield operation
