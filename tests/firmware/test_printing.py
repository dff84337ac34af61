import asyncio

from firmware import qr, receipt
from firmware.drivers import PartError
from firmware.printing import QUIET, RULE, print_job
from tests.firmware.support import raises


class Printer:
    """Printer role that keeps calls and raster rows, and refuses them outside a job."""

    dots = 384

    def __init__(self, printed=True, problem=None):
        self.printed = printed
        self.problem = problem
        self.job = None
        self.calls = []
        self.rows = []

    async def begin(self, job):
        assert self.job is None
        self.job = job

    async def text(self, line, bold=False, size=1, align=0):
        self.keep("text", line, bold, size, align)

    async def raster(self, width_bytes, height, rows):
        self.keep("raster", width_bytes, height)
        rows = [bytes(row) for row in rows]
        assert len(rows) == height
        assert all(len(row) == width_bytes for row in rows)
        self.rows.append(rows)

    async def feed(self, lines):
        self.keep("feed", lines)

    async def cut(self):
        self.keep("cut")

    async def finish(self, job):
        assert job == self.job
        return self.printed

    def keep(self, *call):
        assert self.job is not None
        self.calls.append(call)


def test_operations_reach_the_printer_in_order():
    printer = Printer()
    operations = [("text", "a", True, 2, 1), ("rule",), ("feed", 3), ("cut",)]
    assert asyncio.run(print_job(printer, operations, 9)) is True
    rule = ("raster", 48, len(RULE))
    assert printer.calls == [("text", "a", True, 2, 1), rule, ("feed", 3), ("cut",)]
    assert [row[0] for row in printer.rows[0]] == list(RULE)


def test_code_is_centred_with_its_quiet_zone_in_whole_dots():
    text = receipt.qr_text("TPS.EXAMPLE.ID", receipt.RECORD, bytes(range(230)))
    printer = Printer()
    asyncio.run(print_job(printer, [("qr", text)], 1))
    matrix = qr.encode(receipt.segments_of(text), "M")
    rows = printer.rows[0]
    dots = len(rows) // (matrix.size + 2 * QUIET)
    assert dots == 5
    black = [x for x in range(384) if any(row[x >> 3] >> (7 - (x & 7)) & 1 for row in rows)]
    assert len(black) >= matrix.size * dots - 5
    assert abs(black[0] - (383 - black[-1])) <= 1
    assert black[0] >= QUIET * dots
    assert not any(any(row) for row in rows[: QUIET * dots] + rows[-QUIET * dots :])


def test_job_that_is_not_printed_is_false_or_the_printers_reason():
    assert asyncio.run(print_job(Printer(printed=False), [], 1)) is False
    broken = Printer(printed=False, problem=PartError(201, "Paper is out"))
    assert raises(PartError, asyncio.run, print_job(broken, [], 1)).code == 201


def test_unknown_operation_is_refused():
    error = raises(ValueError, asyncio.run, print_job(Printer(), [("beep",)], 1))
    assert "beep" in str(error)
