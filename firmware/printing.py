"""Print operations (slip.py) to a Printer role, the QR code row by row."""

from firmware import qr
from firmware.qr_text import segments_of

QUIET = 4  # light modules around the code, as the standard wants
MOST_DOTS = 5  # a module; more makes a code wider than a phone focuses well on curled paper
RULE = (255, 255, 0, 0, 0, 0, 0)  # rows of a rule: its line and the air under it


async def print_job(printer, operations, job):
    """Print `operations` as job number `job`; True only when the printer says it is printed.

    Raises PartError when the printer says why it cannot go on; what is on paper then stays there.
    """
    await printer.begin(job)
    for operation in operations:
        name = operation[0]
        if name == "text":
            await printer.text(*operation[1:])
        elif name == "qr":
            await _print_qr(printer, operation[1])
        elif name == "rule":
            width = printer.dots // 8
            await printer.raster(width, len(RULE), (bytes([dots] * width) for dots in RULE))
        elif name == "raster":
            rows = operation[1]
            await printer.raster(printer.dots // 8, len(rows), rows)
        elif name == "feed":
            await printer.feed(operation[1])
        elif name == "cut":
            await printer.cut()
        else:
            raise ValueError("unknown print operation " + name)
    printed = await printer.finish(job)
    if not printed and printer.problem:
        raise printer.problem
    return printed


async def _print_qr(printer, text):
    matrix = qr.encode(segments_of(text), "M")
    modules = matrix.size + 2 * QUIET
    dots = min(MOST_DOTS, printer.dots // modules)
    left = (printer.dots - modules * dots) // 2
    width = printer.dots // 8
    await printer.raster(width, modules * dots, matrix.rows(dots, QUIET, width, left))
