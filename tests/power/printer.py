"""A printer whose paper outlives the power, cut in the middle of a slip as well."""

import asyncio

from tests.power.cutdev import Defect
from tests.power.world import Slip

HEAD = 16  # lines of a slip that say which it is
LINES_AN_OPERATION = 12  # printed lines between two places where the power can go


class Printer:
    """Printer role whose paper stays. Wrong order and lines too long are defects."""

    columns = 32
    dots = 384

    def __init__(self, world, power, silent, no_paper, draw):
        self.world = world
        self.power = power
        self.silent = silent  # jobs, counted from 1, that it will not confirm
        self.no_paper = no_paper  # () -> PartError
        self.draw = draw  # look at every row of a raster
        self.problem = None
        self.job = None
        self.steps = 0

    async def status(self):
        """0 ready, 2 paper out."""
        return 2 if self.world.paper_left == 0 else 0

    async def begin(self, job):
        """A new slip; refused without paper."""
        if await self.status():
            raise self.no_paper()
        self.power.act("print")
        self.job = job
        self.problem = None
        self.world.paper.append(Slip(job))

    def _line(self):
        if self.job is None:
            raise Defect("printing outside a job")
        if self.problem:
            raise self.problem
        world = self.world
        self.steps += 1
        if self.steps % LINES_AN_OPERATION == 0:
            self.power.act("print")
        if world.paper_left is not None:
            world.paper_left = max(0, world.paper_left - 1)
            if world.paper_left == 0:
                self.problem = self.no_paper()
                raise self.problem
        return world.paper[-1]

    async def text(self, line, bold=False, size=1, align=0):
        """One line."""
        if len(line) * size > self.columns:
            raise Defect("line of %d does not fit: %s" % (len(line) * size, line))
        slip = self._line()
        if len(slip.lines) < HEAD:
            slip.lines.append(line)
        if line.startswith("Entry ") and line.split(" ")[-1].isdigit():
            slip.entry = int(line.split(" ")[-1])

    async def code(self, text):
        """A QR code, as text: how it is drawn is tested elsewhere."""
        self._line().codes.append(text)
        await asyncio.sleep(0)

    async def raster(self, width_bytes, height, rows):
        """Rows of dots."""
        self._line()
        if self.draw:
            for row in rows:
                if len(row) != width_bytes:
                    raise Defect("row of %d bytes" % len(row))
                self.draw()

    async def feed(self, lines):
        """Empty lines."""
        self._line()

    async def cut(self):
        """The end of a slip: now it is whole."""
        self._line().done = True

    async def finish(self, job):
        """True when printed; the power can go before the printer says so."""
        if job != self.job:
            raise Defect("finish of job %s in job %s" % (job, self.job))
        self.power.act("print")
        self.job = None
        self.world.finished += 1
        return self.world.finished not in self.silent
