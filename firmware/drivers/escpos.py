"""ESC/POS receipt printer on a UART.

What a kind of printer can do is a row of data (escpos_profiles.py); how bytes reach it without
overflowing its buffer is escpos_flow.py. A raster is cut into bands that fit a chunk, whatever the
picture's height.

Printed or not: printers of profile "epson" confirm a job by its own name when it is on paper
(GS ( H). Others cannot; there every request must have been answered, the last one after everything
before it, and the sensor must still see paper. No answer counts as no paper: the driver fails
closed. Nothing that writes a printer's non-volatile memory (FS q, FS g, FS p, GS *, GS ( E…) is
ever sent.
"""

import asyncio

from firmware.drivers import PartError, const, ticks_diff, ticks_ms
from firmware.drivers.escpos_flow import (
    CHUNK,
    CONFIRM,
    COVER,
    FAULT,
    HOT,
    NO_PAPER,
    QUIET,
    SHORT,
    SILENT,
    UNSURE,
    WRONG_ORDER,
    Flow,
    error_of,
)
from firmware.drivers.escpos_profiles import PROFILES, Profile

__all__ = (
    "CHUNK",
    "COVER",
    "FAULT",
    "HOT",
    "NO_PAPER",
    "PROFILES",
    "SILENT",
    "UNSURE",
    "WRONG_ORDER",
    "EscPos",
)

# Bits of status().
NEAR_END = const(1)
PAPER_OUT = const(2)
COVER_OPEN = const(4)
OFFLINE = const(8)
BROKEN = const(16)
NO_ANSWER = const(32)
TOO_HOT = const(64)  # the printer goes on by itself when it has cooled

LINE_SPACING = const(28)
TEAR_LINES = const(4)  # from the head to the edge that paper is torn off at
AT_ONCE = const(3000)  # ms for an answer to DLE EOT: some are late
LONG = const(8000)  # ms for a chunk: slow heads need 30 ms a row
COOLING = const(120000)  # ms that a head may take to cool in mid-job


class EscPos:
    """Printer role on `uart` (machine.UART's shape); `profile` is a name in PROFILES.

    `columns` of text and `dots` across the paper; `patience` in ms without any progress; `problem`
    is the PartError that ended the last job, or None. `clock()` gives ms; `pace` is 1 for real
    printers, less for emulated ones that are quicker.
    """

    def __init__(self, uart, profile="epson", patience=LONG, clock=ticks_ms, pace=1.0):
        self._profile = Profile(profile)
        self.columns, self.dots = self._profile.columns, self._profile.dots
        self._clock = clock
        look = self._look if self._profile.at_once else None
        self._flow = Flow(uart, self._profile, patience, clock, pace, look)
        self._replies = self._flow.replies
        self._late = False
        self._hot_since = None
        self._job = None
        self._torn = False  # a slip that is not whole may hang out of the printer
        self._style = None

    @property
    def problem(self):
        """The PartError that ended the last job, or None."""
        return self._flow.problem

    async def status(self):
        """Bits NEAR_END, PAPER_OUT, COVER_OPEN, OFFLINE, BROKEN, NO_ANSWER, TOO_HOT; 0 is ready."""
        if self._profile.at_once:
            return await self._status_at_once()
        if self._job is not None:  # a request now would be counted among the job's
            return NEAR_END if self._replies.paper & 0x03 else 0
        try:
            paper = await self._flow.align()
        except PartError:
            return NO_ANSWER | PAPER_OUT
        return (PAPER_OUT if paper & 0x0C else 0) | (NEAR_END if paper & 0x03 else 0)

    async def begin(self, job):
        """Start job number `job`; PartError when the printer cannot print now."""
        self._job = None
        if self._profile.at_once:
            _refuse(await self._status_at_once())
        if await self._flow.align() & 0x0C:
            raise error_of(NO_PAPER)
        self._job = job
        self._style = None
        await self._flow.put(b"\x1b\x40\x1b\x74" + bytes((self._profile.page,)))
        if self._profile.heat:
            await self._flow.put(self._profile.heat)
        if self._torn:  # what the printer still held has come out now: it is no part of this slip
            await self.cut()
        self._torn = True

    async def text(self, line, bold=False, size=1, align=0):
        """One line of at most columns // size characters; what is not ASCII prints as '?'."""
        if len(line) * size > self.columns:
            raise ValueError("the line is wider than the paper")
        style = b"\x1b\x33" + bytes((LINE_SPACING,)) + b"\x1b\x61" + bytes((align,))
        style += b"\x1b\x45" + bytes((1 if bold else 0,)) + b"\x1d\x21" + bytes(((size - 1) * 17,))
        # Control characters never reach the printer: a name cannot smuggle a command in.
        clean = bytes([ord(c) if 32 <= ord(c) < 127 else 63 for c in line]) + b"\n"
        flow = self._flow
        # Each chunk tells the style anew: a printer that restarted between two has lost it.
        plain = style == self._style and flow.waiting and len(clean) <= flow.room
        await self._put(clean if plain else style + clean, rows=LINE_SPACING * size)
        self._style = style

    async def raster(self, width_bytes, height, rows):
        """`rows`: `height` bytes-like rows of `width_bytes`, MSB left, 1 = black (GS v 0)."""
        most = self._flow.rows_fit(width_bytes, 8)
        done = 0
        for row in rows:
            if done % most == 0:
                lines = min(most, height - done)
                head = b"\x1d\x76\x30\x00" + width_bytes.to_bytes(2, "little")
                await self._put(head + lines.to_bytes(2, "little"), lines * width_bytes, lines)
            await self._put(row)
            done += 1
        if done != height:
            raise ValueError("the raster has %d rows, not %d" % (done, height))

    async def qr(self, data, size=4, level="M"):
        """A code that the printer makes (GS ( k, model 2): one segment, `size` 1-16 dots."""
        head = b"\x1d\x28\x6b"
        command = head + b"\x04\x00\x31\x41\x32\x00"
        command += head + b"\x03\x00\x31\x43" + bytes((size,))
        command += head + b"\x03\x00\x31\x45" + bytes((0x30 + "LMQH".index(level),))
        command += head + (len(data) + 3).to_bytes(2, "little") + b"\x31\x50\x30"
        await self._put(b"")
        await self._flow.send()
        await self._flow.settle(0)
        # No request fits into the middle of this: pieces go at the pace of an idle printer.
        command += bytes(data) + head + b"\x03\x00\x31\x51\x30"
        for start in range(0, len(command), 64):
            await self._flow.write(command[start : start + 64])
            await asyncio.sleep(0.07)  # 64 bytes at 9600 baud
        await self._flow.send()

    async def feed(self, lines):
        """Feed `lines` lines."""
        await self._put(b"\x1b\x64" + bytes((lines,)), rows=LINE_SPACING * lines)

    async def cut(self):
        """Feed and cut; a printer without a cutter feeds to where paper is torn off."""
        if self._profile.cutter:
            await self._put(b"\x1d\x56\x42\x00")
        else:
            await self.feed(TEAR_LINES)

    async def finish(self, job):
        """True only when the printer has confirmed that job `job` is on paper."""
        if self._job is None or job != self._job:
            raise error_of(WRONG_ORDER)
        try:
            if self.problem:
                return False
            if self._flow.waiting or not self._profile.confirms:
                await self._flow.send()
            await self._flow.audit()
            printed = True
            if self._profile.confirms:
                printed = await self._confirmed(("%04d" % (job % 10000)).encode())
            self._torn = not printed
            return printed
        except PartError:
            return False
        finally:
            self._job = None

    async def _put(self, data, more=0, rows=0):
        if self._job is None:
            raise error_of(WRONG_ORDER)
        await self._flow.put(data, more, rows)

    # What the printer says.

    async def _ask(self, n):
        """The answer to DLE EOT n, or None."""
        self._replies.poll()
        self._replies.at_once = None
        await self._flow.write(bytes((0x10, 0x04, n)))
        limit = min(AT_ONCE, self._flow.patience)
        if not await self._flow.wait(lambda: self._replies.at_once is not None, limit):
            self._late = True
        return self._replies.at_once

    async def _status_at_once(self):
        if self._late:  # an answer to an older question must not pass for this one's
            await self._flow.wait(lambda: False, QUIET)
            self._late = False
        bits = 0
        for n in (1, 2, 3, 4):
            answer = await self._ask(n)
            if answer is None:
                return NO_ANSWER | PAPER_OUT
            if n == 1 and answer & 0x08:
                bits |= OFFLINE
            elif n == 2:
                bits |= (COVER_OPEN if answer & 0x04 else 0) | (PAPER_OUT if answer & 0x20 else 0)
            elif n == 3:
                bits |= (BROKEN if answer & 0x28 else 0) | (TOO_HOT if answer & 0x40 else 0)
            elif n == 4:
                bits |= (PAPER_OUT if answer & 0x60 else 0) | (NEAR_END if answer & 0x0C else 0)
        return bits

    async def _look(self):
        """True while the head cools, which the printer does by itself; PartError for the rest."""
        bits = await self._status_at_once()
        if not bits & TOO_HOT or bits & (NO_ANSWER | COVER_OPEN | PAPER_OUT | BROKEN):
            self._hot_since = None
            _refuse(bits)
            return False
        now = self._clock()
        if self._hot_since is None:
            self._hot_since = now
        if ticks_diff(now, self._hot_since) > COOLING:
            raise error_of(HOT)
        return True

    async def _confirmed(self, name):
        await self._flow.write(CONFIRM + name)
        start = self._clock()
        while not await self._flow.wait(lambda: name in self._replies.confirmed, SHORT):
            if await self._flow.guarded(self._look()):
                start = self._clock()
            late = ticks_diff(self._clock(), start) > self._flow.patience
            if late and name not in self._replies.confirmed:
                return False
        return True


def _refuse(status):
    """PartError for the first thing in `status` that keeps the printer from printing."""
    for bit, code in (
        (NO_ANSWER, SILENT),
        (COVER_OPEN, COVER),
        (PAPER_OUT, NO_PAPER),
        (TOO_HOT, HOT),
        (BROKEN | OFFLINE, FAULT),
    ):
        if status & bit:
            raise error_of(code)
