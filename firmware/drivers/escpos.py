"""ESC/POS receipt printer on a UART.

Flow: the printer's buffer is small (256 bytes) and drops what does not fit, so every chunk ends
with a status request that the printer answers in its turn; what has not been answered is taken to
be still in the buffer. A raster is cut into bands that fit a chunk, whatever the picture's height.
No answer counts as no paper: the driver fails closed.

Printed or not: printers of profile "epson" confirm a job when it is on paper (GS ( H). Cheap ones
cannot; there every request must have been answered, the last one after everything before it, and
the sensor must still see paper. `FS q` (writes the printer's flash) is never sent.
"""

import asyncio

from firmware.drivers import PartError, const, ticks_diff, ticks_ms
from firmware.drivers.escpos_reply import Replies

NO_PAPER = const(201)
COVER = const(202)
SILENT = const(203)
FAULT = const(204)
WRONG_ORDER = const(205)

# Bits of status().
NEAR_END = const(1)
PAPER_OUT = const(2)
COVER_OPEN = const(4)
OFFLINE = const(8)
BROKEN = const(16)
NO_ANSWER = const(32)

_TEXTS = {
    NO_PAPER: "Paper is out: put in a new roll",
    COVER: "The printer's cover is open: close it",
    SILENT: "The printer does not answer: check its power, cable and paper",
    FAULT: "The printer reports a fault: switch it off and on",
    WRONG_ORDER: "Nothing prints outside a job: begin the job first",
}

GS_R = b"\x1d\x72\x01"
ESC_V = b"\x1b\x76\x00"
# name: (columns, dots, confirms jobs and answers DLE EOT, status request, ESC 7 heat or None)
PROFILES = {
    "epson": (32, 384, True, GS_R, None),
    "epson80": (48, 576, True, GS_R, None),
    "cheap": (32, 384, False, ESC_V, b"\x1b\x37\x0b\x78\x28"),
    "cheap80": (48, 576, False, ESC_V, b"\x1b\x37\x0b\x78\x28"),
}

BUFFER = const(256)
CHUNK = const(120)  # half a buffer: one half prints while the other comes in
LINE_SPACING = const(28)
POLL = 0.005
SHORT = const(500)  # ms for an answer at once
QUIET = const(150)  # ms after which no late answer comes any more
LONG = const(8000)  # ms for a chunk: slow heads need 30 ms a row


class EscPos:
    """Printer role on `uart` (machine.UART's shape); `profile` is a name in PROFILES.

    `columns` of text and `dots` across the paper; `patience` in ms without any progress; `problem`
    is the PartError that ended the last job, or None.
    """

    def __init__(self, uart, profile="epson", patience=LONG):
        self.columns, self.dots, self._confirms, self._query, self._heat = PROFILES[profile]
        self._patience = patience
        self._uart = uart
        self._replies = Replies(uart)
        self._chunk = bytearray(CHUNK)
        self._used = 0
        self._in_flight = []  # sizes of the chunks that have not been answered
        self._answered = 0
        self._late = False
        self._job = None
        self.problem = None
        self._style = None

    async def status(self):
        """Bits NEAR_END, PAPER_OUT, COVER_OPEN, OFFLINE, BROKEN, NO_ANSWER; 0 is ready."""
        if self._confirms:
            return await self._status_at_once()
        try:
            if self._job is None:
                await self._align()
            return await self._paper()
        except PartError:
            return NO_ANSWER | PAPER_OUT

    async def begin(self, job):
        """Start job number `job`; PartError when the printer cannot print now."""
        self._job = None
        _refuse(await self.status())
        await self._align()
        self._job = job
        self.problem = None
        self._used = 0
        self._style = None
        await self._put(b"\x1b\x40")
        if self._heat:
            await self._put(self._heat)
        await self._put(b"\x1b\x33" + bytes((LINE_SPACING,)))

    async def text(self, line, bold=False, size=1, align=0):
        """One line of at most columns // size characters; what is not ASCII prints as '?'."""
        if len(line) * size > self.columns:
            raise ValueError("the line is wider than the paper")
        style = b"\x1b\x61" + bytes((align,)) + b"\x1b\x45" + bytes((1 if bold else 0,))
        style += b"\x1d\x21" + bytes(((size - 1) * 0x11,))
        # Control characters never reach the printer: a name cannot smuggle a command in.
        clean = bytes([ord(c) if 32 <= ord(c) < 127 else 63 for c in line]) + b"\n"
        await self._put(clean if style == self._style else style + clean)
        self._style = style

    async def raster(self, width_bytes, height, rows):
        """`rows`: `height` bytes-like rows of `width_bytes`, MSB left, 1 = black (GS v 0)."""
        most = (CHUNK - 8 - len(self._query)) // width_bytes
        done = 0
        for row in rows:
            if done % most == 0:
                lines = min(most, height - done)
                head = b"\x1d\x76\x30\x00" + width_bytes.to_bytes(2, "little")
                await self._put(head + lines.to_bytes(2, "little"), lines * width_bytes)
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
        await self._send()
        await self._settle(0)
        # No request fits into the middle of this: pieces go at the pace of an idle printer.
        command += bytes(data) + head + b"\x03\x00\x31\x51\x30"
        for start in range(0, len(command), 64):
            await self._write(command[start : start + 64])
            await asyncio.sleep(0.07)  # 64 bytes at 9600 baud
        await self._send()

    async def feed(self, lines):
        """Feed `lines` lines."""
        await self._put(b"\x1b\x64" + bytes((lines,)))

    async def cut(self):
        """Feed and cut where there is a cutter; printers without one only feed."""
        await self._put(b"\x1d\x56\x42\x00")

    async def finish(self, job):
        """True only when the printer has confirmed that job `job` is on paper."""
        if self._job is None or job != self._job:
            raise PartError(WRONG_ORDER, _TEXTS[WRONG_ORDER])
        try:
            if self.problem:
                return False
            if self._used:
                await self._send()
            await self._settle(0)
            if self._confirms:
                return await self._confirmed(("%04d" % (job % 10000)).encode())
            return await self._paper() & PAPER_OUT == 0
        except PartError:
            return False
        finally:
            self._job = None

    # The way to the printer: chunks, each with a request at its end.

    async def _put(self, data, more=0):
        """Queue `data`, which stays in one chunk with the `more` bytes after it."""
        if self._job is None:
            raise PartError(WRONG_ORDER, _TEXTS[WRONG_ORDER])
        if self.problem:
            raise self.problem
        if len(data) + more > CHUNK - len(self._query):
            raise ValueError("the command is longer than a chunk")
        if self._used + len(data) + more > CHUNK - len(self._query):
            await self._send()
        self._chunk[self._used : self._used + len(data)] = data
        self._used += len(data)

    async def _send(self):
        size = self._used + len(self._query)
        await self._settle(BUFFER - 8 - size)
        await self._write(memoryview(self._chunk)[: self._used])
        await self._write(self._query)
        self._in_flight.append(size)
        self._used = 0

    async def _write(self, data):
        view = memoryview(data)
        while view:
            n = self._uart.write(view)
            if n:
                view = view[n:]
            else:
                await asyncio.sleep(POLL)

    async def _settle(self, limit):
        """Wait until at most `limit` bytes are unanswered; PartError when the printer cannot."""
        progress = asked = ticks_ms()
        while True:
            self._replies.poll()
            while self._answered < self._replies.in_turn and self._in_flight:
                self._answered += 1
                self._in_flight.pop(0)
                progress = asked = ticks_ms()
            if self._replies.paper & 0x0C:
                self._fail(NO_PAPER)
            if sum(self._in_flight) <= limit:
                return
            if self._confirms and ticks_diff(ticks_ms(), asked) > SHORT:
                await self._check()
                asked = ticks_ms()
            if ticks_diff(ticks_ms(), progress) > self._patience:
                self._fail(SILENT)
            await asyncio.sleep(POLL)

    async def _align(self):
        """Bring printer and driver to one point, whatever a cut-off job left behind.

        A band that was cut off still waits for its rows: zeros end it, and print nothing else.
        """
        self._in_flight = []
        await self._write(bytes(CHUNK))
        self._clear()
        start = ticks_ms()
        while not self._replies.in_turn:
            if ticks_diff(ticks_ms(), start) > self._patience:
                raise PartError(SILENT, _TEXTS[SILENT])
            await self._write(self._query)
            await self._wait(lambda: self._replies.in_turn, SHORT)
        paper = self._replies.paper
        seen = -1
        while seen != self._replies.in_turn:
            seen = self._replies.in_turn
            await self._wait(lambda: False, QUIET)
        self._clear()
        self._replies.paper = paper

    def _clear(self):
        self._replies.clear()
        self._answered = 0

    async def _wait(self, condition, limit):
        start = ticks_ms()
        while True:
            self._replies.poll()
            if condition():
                return True
            if ticks_diff(ticks_ms(), start) > limit:
                return False
            await asyncio.sleep(POLL)

    # What the printer says.

    async def _ask(self, n):
        """The answer to DLE EOT n, or None."""
        self._replies.poll()
        self._replies.at_once = None
        await self._write(bytes((0x10, 0x04, n)))
        if not await self._wait(lambda: self._replies.at_once is not None, SHORT):
            self._late = True
        return self._replies.at_once

    async def _status_at_once(self):
        if self._late:  # an answer to an older question must not pass for this one's
            await self._wait(lambda: False, QUIET)
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
            elif n == 3 and answer & 0x68:
                bits |= BROKEN
            elif n == 4:
                bits |= (PAPER_OUT if answer & 0x60 else 0) | (NEAR_END if answer & 0x0C else 0)
        return bits

    async def _check(self):
        try:
            _refuse(await self._status_at_once())
        except PartError as error:
            self._fail(error.code)

    async def _paper(self):
        """Paper bits by a request in its turn, after everything sent before."""
        try:
            await self._send()
            await self._settle(0)
        except PartError as error:
            if error.code == NO_PAPER:
                return PAPER_OUT
            raise
        return NEAR_END if self._replies.paper & 0x03 else 0

    async def _confirmed(self, name):
        await self._write(b"\x1d\x28\x48\x06\x00\x30\x30" + name)
        start = ticks_ms()
        while not await self._wait(lambda: self._replies.confirmed is not None, SHORT):
            await self._check()
            if ticks_diff(ticks_ms(), start) > self._patience:
                return False
        return self._replies.confirmed == b"\x22" + name

    def _fail(self, code):
        self.problem = PartError(code, _TEXTS[code])
        raise self.problem


def _refuse(status):
    """PartError for the first thing in `status` that keeps the printer from printing."""
    for bit, code in (
        (NO_ANSWER, SILENT),
        (COVER_OPEN, COVER),
        (PAPER_OUT, NO_PAPER),
        (BROKEN | OFFLINE, FAULT),
    ):
        if status & bit:
            raise PartError(code, _TEXTS[code])
