"""TCP through a modem in transparent mode: raw bytes both ways on the UART.

The bytes are binary, so no byte says "closed". When the peer closes or the line drops, the modem
writes a text (`\\r\\nCLOSED\\r\\n`) behind the last byte and is in command mode. The answer to it:

1. Bytes that could be the beginning of such a text are held back 50 ms; if more data follows, they
   were data. A whole text followed by 1 s of silence is the end; nothing of it is handed out. A
   peer that sends just that text and then pauses costs a reconnect, never a wrong byte.
2. A board that has the modem's DCD pin gives it (low = carrier): the end is then known at once, and
   write() stops instead of feeding data to the command interpreter.
3. Without DCD a write may run into a modem that has just left data mode: it answers ERROR, which is
   no HTTP. Whoever reads must therefore know lengths and time limits (firmware/http.py does), and
   what is sent is signed or hashed end to end, so a wrong byte is found.
4. A network that passes nothing any more leaves the line open: whoever waits for an answer for as
   long as state ONLINE allows is told so. The modem takes note even when its user gave up earlier.
"""

import asyncio

from firmware.drivers import at_port, const, ticks_diff
from firmware.drivers.modem_states import ONLINE, deadline

_OWED = const(20000)  # ms without an answer at the close after which the line counts as stalled

_ENDS = (
    b"\r\nCLOSED\r\n",
    b"\r\nNO CARRIER\r\n",
    b"\r\n+IPCLOSE: 0,1\r\n",
    b"\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n",
    b"\r\nRDY\r\n",  # it has restarted
)
# What follows an end: more of them, or the command interpreter's view of what was still being sent.
_AFTER = _ENDS + (b"\r\nERROR\r\n",)


def _is_after(piece):
    while piece:
        for text in _AFTER:
            if piece.startswith(text):
                piece = piece[len(text) :]
                break
        else:
            return any(text.startswith(piece) for text in _AFTER)
    return True


def held(data):
    """(n, whole): the last n bytes of `data` begin an end text, or are a whole one and its wake."""
    at = data.find(b"\r")
    while at >= 0:
        piece = data[at:]
        for text in _ENDS:
            if text.startswith(piece):
                return len(piece), piece == text
            if piece.startswith(text) and _is_after(piece[len(text) :]):
                return len(piece), True
        at = data.find(b"\r", at + 1)
    return 0, False


class TcpStream:
    """An open connection on an AtPort that is in data mode; made by Modem.open_tcp."""

    def __init__(self, port, dcd, on_close):
        self.port = port
        self.dcd = dcd
        self.closed = False
        self.got = 0  # bytes handed out
        self._owed = None  # since when an answer has been waited for
        self._on_close = on_close

    def _silence(self):
        """ms since a byte was sent that nothing has answered. The peer's time knows no pace."""
        return 0 if self._owed is None else ticks_diff(self.port.ticks(), self._owed)

    @property
    def stalled(self):
        """True when what was sent has stayed unanswered for long."""
        return self._silence() > _OWED

    def _lost(self):
        return self.dcd is not None and bool(self.dcd())

    def _held(self):
        port = self.port
        return held(bytes(port.rx[port.head : port.tail]))

    def any(self):
        """Bytes that readinto() would hand out now, without waiting."""
        self.port.fill()
        return self.port.tail - self.port.head - self._held()[0]

    async def write(self, buf):
        """Send all of `buf`; PartError when the line is lost or the modem takes no more."""
        self.port.fill()
        if self.closed or self._lost() or self._held()[1]:
            self.closed = True
            raise at_port.fault(at_port.LINE_LOST)
        if self._owed is None:
            self._owed = self.port.ticks()
        await self.port.write(buf)

    def _copy(self, buf, n):
        port = self.port
        n = min(n, len(buf))
        buf[:n] = port.rx[port.head : port.head + n]
        port.head += n
        self.got += n
        self._owed = None
        return n

    async def readinto(self, buf):
        """Wait for bytes and put up to len(buf) of them in `buf`; 0 = the peer closed."""
        port = self.port
        since = port.ticks()
        while not self.closed:
            if port.fill():
                since = port.ticks()
            waiting = port.tail - port.head
            n, whole = self._held()
            if waiting > n:
                return self._copy(buf, waiting - n)
            quiet = ticks_diff(port.ticks(), since)
            # DCD may fall before the last bytes are through the UART.
            if quiet > (1000 * port.pace if whole and not self._lost() else 50):
                if whole or (self._lost() and not n):
                    self.closed = True
                elif n:
                    return self._copy(buf, n)
            if self._silence() > deadline(ONLINE) * 1000:
                raise at_port.fault(at_port.STALLED)
            await asyncio.sleep(0.005)
        return 0

    async def close(self):
        """Give the line back to the modem's commands; never raises."""
        await self._on_close(self)
