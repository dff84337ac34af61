"""The ways to the collector beside the modem's own TCP: the system's network, and PPP.

Each has the shape that firmware.main uses of drivers.modem_at.Modem: `up`, `open_tcp`, `time`,
`signal`, `down`, and `dbm`.
"""

import asyncio

from firmware.drivers import at_port, const, ticks_diff, ticks_ms
from firmware.drivers.at_port import fault
from firmware.drivers.socket_stream import connect

_LINUX_AHEAD = const(24)  # replies of 370 bytes that Linux holds while the chip is asked


class SystemUplink:
    """On a Raspberry Pi: cable, Wi-Fi or the modem as the system's own interface.

    The system dials, sets the clock and says how strong the signal is, so this one does not.
    """

    dbm = None

    async def up(self):
        """Nothing to do: the system has its own idea of when to dial."""

    async def open_tcp(self, host, port):
        """A stream to `host`:`port`; OSError while there is no way."""
        return await connect(host, port, ahead=_LINUX_AHEAD)

    async def time(self):
        """None: the system sets its clock."""
        return None

    async def signal(self):
        """None: not known here."""
        return None

    async def down(self):
        """Nothing to do."""


class PppUplink:
    """PPP over the modem: `modem` as modem_at.Modem dials, `ppp` as MicroPython's network.PPP.

    Time and signal are read before dialling: afterwards the line carries data only. `seconds`: how
    long an address may take; it is a matter of a few round trips.
    """

    def __init__(self, modem, ppp, seconds=20):
        self.modem = modem
        self.ppp = ppp
        self.seconds = seconds
        self._time = None  # (Unix seconds, ticks) of the call

    @property
    def dbm(self):
        """Signal in dBm, or None."""
        return self.modem.dbm

    async def up(self):
        """Register, dial and wait for an address; PartError with the code of what did not come."""
        if self.ppp.isconnected():
            return
        await self.hang_up()
        await self.modem.up()
        seconds = await self.modem.time()
        self._time = None if seconds is None else (seconds, ticks_ms())
        await self.modem.dial()
        self.ppp.connect()
        since = ticks_ms()
        while not self.ppp.isconnected():
            if ticks_diff(ticks_ms(), since) > self.seconds * 1000:
                await self.hang_up()
                raise fault(at_port.NO_DATA)
            await asyncio.sleep(0.05)

    async def hang_up(self):
        """End PPP and the call; the modem takes commands again."""
        self.ppp.disconnect()
        await asyncio.sleep(0.5)  # the end of PPP has to leave before the modem is spoken to
        await self.modem.hang_up()

    async def open_tcp(self, host, port):
        """A stream to `host`:`port`; OSError or PartError when there is none."""
        await self.up()
        return await connect(host, port)

    async def time(self):
        """The network's time in Unix seconds, once for each call; else None."""
        read, self._time = self._time, None
        return read and read[0] + ticks_diff(ticks_ms(), read[1]) // 1000

    async def signal(self):
        """dBm before the call; afterwards the line is taken."""
        return await self.modem.signal()

    async def down(self):
        """Hang up; the modem stays on."""
        await self.hang_up()
        await self.modem.down()
