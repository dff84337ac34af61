"""Bytes to an ESC/POS printer, never more than it has room for, and every answer counted.

A printer's buffer is small and drops what does not fit, and nothing in ESC/POS says how full it is.
So bytes go in chunks, each between two status requests that the printer answers in their turn, and
what has not been answered is taken to be in the buffer still. At most half the buffer is used: the
other half is for a chunk that one answer too many lets in early.

Two requests a chunk, because a printer that restarts is deaf for longer than a chunk takes: it
cannot lose the chunk's bytes and answer both. At the end the answers must be as many as the
requests: fewer is lost data, more is an answer that belongs to nothing. Either way nobody knows.
Where the printer confirms names (GS ( H), the second request has one, and no other answer will do;
elsewhere the profile's ms a row keep the pace when an answer comes that was not meant.

A printer that answers every request twice is found out before the job, by one request alone.
"""

import asyncio

from firmware.drivers import PartError, const, ticks_diff
from firmware.drivers.escpos_reply import Replies

NO_PAPER = const(201)
COVER = const(202)
SILENT = const(203)
FAULT = const(204)
WRONG_ORDER = const(205)
HOT = const(207)
UNSURE = const(208)

TEXTS = {
    NO_PAPER: "Paper is out: put in a new roll",
    COVER: "The printer's cover is open: close it",
    SILENT: "The printer does not answer: check its power, cable and paper",
    FAULT: "The printer reports a fault: switch it off and on",
    WRONG_ORDER: "Nothing prints outside a job: begin the job first",
    HOT: "The print head is too hot: wait a minute",
    UNSURE: "The printer's answers do not add up: check its cable",
}

CHUNK = const(120)  # bytes between two looks at the answers, requests and all
POLL = 0.005
SHORT = const(500)  # ms between two requests to a printer that does not answer
QUIET = const(150)  # ms after which no late answer comes any more
CONFIRM = b"\x1d\x28\x48\x06\x00\x30\x30"  # GS ( H: confirm the four bytes that follow
_ZEROS = bytes(CHUNK)


def error_of(code):
    """The PartError that tells a person about `code`."""
    return PartError(code, TEXTS[code])


class Flow:
    """The way to a printer of `profile` on `uart`.

    `patience` in ms without any progress; `clock()` in ms; `pace` multiplies the profile's ms a
    row; `look()` (async, or None) raises PartError for what the printer says is wrong just now.
    """

    def __init__(self, uart, profile, patience, clock, pace, look=None):
        self.uart = uart
        self.replies = Replies(uart)
        self.patience = patience
        self.clock = clock
        self.problem = None
        self._look = look
        self._query = profile.query
        self._named = profile.confirms
        self._end = len(self._query) if not self._named else len(CONFIRM) + 4
        self._limit = profile.buffer // 2
        self._row_ms = profile.row_ms * pace
        self._chunk = bytearray(CHUNK)
        self._padded = False
        self.clear()

    def clear(self):
        """Forget what was sent and answered; the next chunk starts empty."""
        self.replies.clear()
        self._start_chunk()
        self._in_flight = []  # (size, name) of the chunks that have not been answered
        self._asked = 0
        self._sent = 0
        self._done = 0
        self._each = 1  # answers a request
        self._delay = 0  # ms that an answer took when nothing was in its way
        self._free_at = None

    def _start_chunk(self):
        size = len(self._query)
        self._chunk[:size] = self._query
        self._used = size
        self._rows = 0

    @property
    def waiting(self):
        """Bytes of the chunk that has not been sent."""
        return self._used - len(self._query)

    @property
    def room(self):
        """Bytes that still fit into the chunk."""
        return CHUNK - self._end - self._used

    def rows_fit(self, width, head):
        """Rows of `width` bytes that fit a chunk behind a command of `head` bytes."""
        return (CHUNK - len(self._query) - self._end - head) // width

    async def put(self, data, more=0, rows=0):
        """Queue `data`, which stays in one chunk with the `more` bytes after it; prints `rows`."""
        if self.problem:
            raise self.problem
        size = len(data) + more
        if size > self.room:
            if size > CHUNK - len(self._query) - self._end:
                raise ValueError("the command is longer than a chunk")
            await self.send()
        self._chunk[self._used : self._used + len(data)] = data
        self._used += len(data)
        self._rows += rows

    async def send(self):
        """Send the chunk, when there is room for it and the head had time for the one before."""
        name = ("C%03d" % (self._sent % 1000)).encode() if self._named else None
        end = CONFIRM + name if name else self._query
        self._chunk[self._used : self._used + len(end)] = end
        self._used += len(end)
        await self.settle(max(0, self._limit - self._used))
        while self._free_at is not None and ticks_diff(self._free_at, self.clock()) > 0:
            await asyncio.sleep(POLL)
        self._free_at = self.clock() + int(self._rows * self._row_ms)
        self._asked += 1 if name else 2
        self._sent += 1
        self._in_flight.append((self._used, name))
        view = memoryview(self._chunk)[: self._used]
        self._start_chunk()
        await self.write(view)

    async def write(self, data):
        """`data` to the line as it is."""
        view = memoryview(data)
        while view:
            n = self.uart.write(view)
            if n:
                view = view[n:]
            else:
                await asyncio.sleep(POLL)

    async def settle(self, limit):
        """Wait until at most `limit` bytes are unanswered; PartError when that cannot be."""
        progress = asked = self.clock()
        while True:
            if self._count():
                progress = asked = self.clock()
            if sum(size for size, _ in self._in_flight) <= limit:
                return
            if self._look and ticks_diff(self.clock(), asked) > SHORT + 2 * self._delay:
                if await self.guarded(self._look()):
                    progress = self.clock()
                asked = self.clock()
                if self._count():  # looking takes its time when answers are late
                    continue
            if ticks_diff(self.clock(), progress) > self.patience:
                self.fail(SILENT)
            await asyncio.sleep(POLL)

    def _count(self):
        """Take answers in; True when a chunk has been answered."""
        self.replies.poll()
        if self.replies.in_turn:
            self._padded = False
        if self.replies.out:
            self.fail(NO_PAPER)
        if self.replies.in_turn > self._asked * self._each:
            self.fail(UNSURE)
        return self._take_names() if self._named else self._take_counts()

    def _take_counts(self):
        done = self.replies.in_turn // (2 * self._each)
        moved = min(done - self._done, len(self._in_flight))
        if moved <= 0:
            return False
        self._done += moved
        self._in_flight = self._in_flight[moved:]
        return True

    def _take_names(self):
        moved = False
        while self.replies.confirmed:
            name = self.replies.confirmed.pop(0)
            waiting = [other for _, other in self._in_flight]
            if name in waiting:  # any other is a second answer to what was answered before
                if name != waiting[0]:
                    self.fail(UNSURE)
                self._in_flight.pop(0)
                moved = True
        return moved

    async def audit(self):
        """After the last chunk: every request answered, and nothing more than that has come."""
        await self.settle(0)
        await self.quiet(self._delay)
        self._count()
        if self.replies.in_turn != self._asked * self._each:
            self.fail(UNSURE)

    async def align(self):
        """Bring printer and driver to one point; returns the paper bits of its answer.

        A band that was cut off still waits for its rows: zeros end it, and print nothing else.
        """
        self.clear()
        self.problem = None
        if not self._padded:  # zeros that a stalled printer still holds need no more of them
            await self.write(_ZEROS)
            self._padded = True
        start = self.clock()
        while not self.replies.in_turn:
            if ticks_diff(self.clock(), start) > self.patience:
                await self._no_answer()
            await self.write(self._query)
            await self.wait(lambda: self.replies.in_turn, SHORT)
        await self.quiet(ticks_diff(self.clock(), start))
        self.replies.clear()
        start = self.clock()
        await self.write(self._query)
        if not await self.wait(lambda: self.replies.in_turn, self.patience):
            await self._no_answer()
        delay = ticks_diff(self.clock(), start)
        await self.quiet(delay)
        each, paper = self.replies.in_turn, self.replies.paper
        if each > 2:
            raise error_of(UNSURE)
        self.clear()
        self._padded = False
        self._each = each
        self._delay = delay
        return paper

    async def _no_answer(self):
        """PartError: the printer's own reason, if it tells one at once."""
        if self._look and await self._look():
            raise error_of(HOT)
        raise error_of(SILENT)

    async def quiet(self, delay):
        """Wait until nothing more comes; `delay` ms is what an answer may take."""
        seen = -1
        while seen != self.replies.in_turn:
            seen = self.replies.in_turn
            await self.wait(lambda: False, QUIET + min(delay, self.patience // 2))

    async def wait(self, condition, limit):
        """True as soon as `condition()` holds, False after `limit` ms."""
        start = self.clock()
        while True:
            self.replies.poll()
            if condition():
                return True
            if ticks_diff(self.clock(), start) > limit:
                return False
            await asyncio.sleep(POLL)

    async def guarded(self, asking):
        """The result of awaiting `asking`; its PartError ends the job."""
        try:
            return await asking
        except PartError as error:
            self.fail(error.code)

    def fail(self, code):
        """End the job: `code` is its problem from now on."""
        self.problem = error_of(code)
        raise self.problem
