"""AT commands and their replies on a ready UART (ITU-T V.250, 3GPP TS 27.007).

Replies come cut at any byte, with echo, with unsolicited lines (URC) before and inside them. Every
failure is one PartError of 3xx with a sentence that says what to do.
"""

import asyncio

from firmware.drivers import PartError, const, ticks_diff, ticks_ms

NO_REPLY = const(301)
RUBBISH = const(302)
NO_SIM = const(303)
SIM_PIN = const(304)
SIM_PUK = const(305)
SIM_FAULT = const(306)
NO_NETWORK = const(307)
DENIED = const(308)
NO_DATA = const(309)
NO_HOST = const(310)
CONNECT_FAILED = const(311)
LINE_LOST = const(312)
REFUSED = const(313)
STUCK = const(314)
PIN_WRONG = const(315)
PIN_LAST = const(316)
STALLED = const(317)

TEXTS = {
    NO_REPLY: "The modem does not answer: check its power and the serial wires.",
    RUBBISH: "The modem's answers are unreadable: check the serial speed and the ground wire.",
    NO_SIM: "There is no SIM card in the modem: switch off and put it in.",
    SIM_PIN: "The SIM card asks for a PIN: remove the PIN in a telephone.",
    SIM_PUK: "The SIM card is blocked (PUK): use another SIM card.",
    SIM_FAULT: "The SIM card cannot be read: clean it or use another one.",
    NO_NETWORK: "No mobile network was found: move the kit or its antenna to open sky.",
    DENIED: "The network refuses this SIM card: use another SIM card.",
    NO_DATA: "The network gives no data connection: check the APN and the credit.",
    NO_HOST: "The collector's name was not found: the kit tries again by itself.",
    CONNECT_FAILED: "The collector does not take the connection: the kit tries again by itself.",
    LINE_LOST: "The connection was lost: the kit tries again by itself.",
    REFUSED: "The modem refused a command: switch the modem off and on.",
    STUCK: "The modem takes no more data: switch the modem off and on.",
    PIN_WRONG: "The SIM card's PIN in the kit is wrong: tell the technician.",
    PIN_LAST: "The SIM card has one try left for its PIN: enter it in a telephone.",
    STALLED: "The mobile network passes no data: the kit tries again by itself.",
}

_GUARD = 1.1  # s of silence around +++; SIM7600 manual 2.2.9 asks for 1.0
_ROOM = const(512)

# With CMEE=2 the words come, with CMEE=1 the numbers of TS 27.007 section 9.2.
_CME = (
    (("SIM not inserted", "10"), NO_SIM),
    (("SIM PIN required", "11"), SIM_PIN),
    (("incorrect password", "16"), PIN_WRONG),
    (("SIM PUK required", "12"), SIM_PUK),
    (("SIM failure", "13", "SIM wrong", "15"), SIM_FAULT),
    (("no network service", "30"), NO_NETWORK),
)


def fault(code):
    """The PartError of a 3xx code."""
    return PartError(code, TEXTS[code])


def cme_code(line):
    """The 3xx code of a `+CME ERROR: ...` line."""
    what = line.split(":", 1)[1].strip()
    for words, code in _CME:
        if what in words:
            return code
    return REFUSED


class AtPort:
    """`uart` is ready and non-blocking; `pace` multiplies every wait (tests use less than 1).

    `ticks`: clock in ms; another than the system's only where time is simulated.
    """

    def __init__(self, uart, pace=1.0, ticks=ticks_ms):
        self.uart = uart
        self.pace = pace
        self.ticks = ticks
        self.info = []  # information lines of the last command
        self.rx = bytearray(_ROOM)
        self._view = memoryview(self.rx)
        self.head = 0
        self.tail = 0
        self._noise = False
        self._late = False  # a reply may still be on its way

    def fill(self):
        """Take what the UART holds into `rx[head:tail]`; True when bytes came."""
        if self.head == self.tail:
            self.head = self.tail = 0
        elif self.head and self.tail == _ROOM:
            n = self.tail - self.head
            self.rx[:n] = bytes(self._view[self.head : self.tail])
            self.head, self.tail = 0, n
        room = min(_ROOM - self.tail, self.uart.any())
        n = self.uart.readinto(self._view[self.tail : self.tail + room]) if room else 0
        self.tail += n or 0
        return bool(n)

    def _take_line(self):
        """The next whole line without its ends, '' if it is empty or unreadable, None if none."""
        end = self.rx.find(b"\n", self.head, self.tail)
        if end < 0:
            if self.tail - self.head == _ROOM:  # no reply of ours is so long
                self.head = self.tail = 0
                self._noise = True
            return None
        raw = bytes(self._view[self.head : end]).strip(b"\r")
        self.head = end + 1
        if any(not 32 <= byte < 127 for byte in raw):
            self._noise = True
            return ""
        return raw.decode().strip()

    async def line(self, seconds):
        """The next line that is not empty, or None after `seconds`."""
        start = self.ticks()
        while True:
            line = self._take_line()
            if line:
                return line
            if line is None:
                came = self.fill()
                if ticks_diff(self.ticks(), start) > seconds * 1000 * self.pace:
                    return None
                await asyncio.sleep(0 if came else 0.005)

    async def expect(self, starts, seconds):
        """The next line that starts with one of `starts` (a tuple), or None after `seconds`."""
        start = self.ticks()
        while True:
            line = await self.line(seconds - ticks_diff(self.ticks(), start) / (1000 * self.pace))
            if line is None or line.startswith(starts):
                return line

    async def wait(self, seconds):
        """Sleep for `seconds` at this port's pace."""
        await asyncio.sleep(seconds * self.pace)

    async def write(self, data):
        """Send all of `data`; PartError STUCK when the modem takes nothing for 20 s."""
        view = memoryview(data)
        start = self.ticks()
        while view:
            n = self.uart.write(view[:256]) or 0
            view = view[n:]
            if n:
                start = self.ticks()
            elif ticks_diff(self.ticks(), start) > 20000 * self.pace:
                raise fault(STUCK)
            await asyncio.sleep(0 if n else 0.005)

    async def _settle(self):
        """Drop what was not asked for; after a time-out also the reply that comes too late."""
        if self._late:
            await self.wait(0.5)
            self._late = False
        while self.fill():
            self.head = self.tail

    async def command(self, text, want=None, seconds=5.0, end=("OK",), fail=()):
        """Send `text`; return the lines that start with `want` before a final line in `end`.

        `fail`: further final lines that mean failure. Lines of neither sort are unsolicited and
        skipped. Raises PartError; `info` keeps the lines even then.
        """
        await self._settle()
        self._noise = False
        self.info = []
        await self.write((text + "\r").encode())
        start = self.ticks()
        while True:
            line = await self.line(seconds - ticks_diff(self.ticks(), start) / (1000 * self.pace))
            if line is None:
                self._late = True
                raise fault(RUBBISH if self._noise else NO_REPLY)
            if line.startswith("+CME ERROR:"):
                raise fault(cme_code(line))
            if line == "ERROR":
                raise fault(REFUSED)
            if fail and line.startswith(fail):
                self.info.append(line)
                self._late = line[0] == "+"  # its ERROR is still to come
                raise fault(REFUSED)
            if line.startswith(end):
                return self.info
            if want and line.startswith(want):
                self.info.append(line)

    async def escape(self, tries=3):
        """Leave data mode: silence, +++, silence, OK. False when the modem said nothing."""
        for _ in range(tries):
            await self.wait(_GUARD)
            await self.write(b"+++")
            # A modem already in command mode is silent: the caller's next AT tells.
            if await self.expect(("OK", "NO CARRIER"), _GUARD + 1):
                return True
        return False
