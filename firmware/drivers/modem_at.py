"""LTE modem SIM7600 / A7670 on a ready UART: register, time, signal, TCP, dial for PPP.

Commands: SIM7500_SIM7600 AT Command Manual V3.00, A76XX V1.09. The UART's receive buffer should
hold 4 KB. While a connection is open the line carries data: signal() gives the last value.
"""

import asyncio

from firmware.drivers import PartError, at_port
from firmware.drivers.at_port import AtPort, fault
from firmware.drivers.modem_stream import TcpStream


def unix_of(text):
    """Unix seconds (UTC) of CCLK's `yy/MM/dd,hh:mm:ss+zz`, zz quarters of an hour; None if unset.

    Day count after Howard Hinnant's days_from_civil. time.mktime is no help: epochs differ.
    """
    try:
        year, month, day = (int(part) for part in text[:8].split("/"))
        hour, minute, second = (int(part) for part in text[9:17].split(":"))
        quarters = int(text[17:])
    except ValueError:
        return None
    if not 24 <= year < 70:  # before the network has told it, the clock says 70 or 80
        return None
    year += 2000 - (month <= 2)
    days = year * 365 + year // 4 - year // 100 + year // 400 - 719468
    days += (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return days * 86400 + hour * 3600 + minute * 60 + second - quarters * 900


def _numbers(lines):
    """The numbers after the colon of the last line that has only numbers, or []."""
    for line in reversed(lines):
        try:
            return [int(part) for part in line[line.find(":") + 1 :].split(",")]
        except ValueError:
            pass
    return []


class Modem:
    """`uart`: machine.UART's shape; `dcd`: the modem's DCD pin (low = carrier) or None."""

    def __init__(self, uart, apn, dcd=None, pace=1.0):
        self.port = AtPort(uart, pace)
        self.apn = apn
        self.dcd = dcd
        self.dbm = None
        self.ready = False
        self._net = False  # the network was opened here, in transparent mode
        self._online = None  # in data mode: the command that ends what is open
        self._lock = asyncio.Lock()

    async def up(self):
        """Bring the modem to the network; PartError says what is in the way."""
        async with self._lock:
            if self.ready and (self._online or await self._answers()):
                return
            self.ready = self._net = False
            await self._wake()
            if self.dcd is not None:
                await self.port.command("AT&C1")  # DCD follows the carrier
            await self.port.command("AT+CMEE=2")
            await self._sim()
            await self.port.command('AT+CGDCONT=1,"IP","%s"' % self.apn)
            await self.port.command("AT+CTZU=1")
            await self._register()
            await self._signal()
            self.ready = True

    async def _answers(self):
        try:
            await self.port.command("AT", seconds=1.5)
        except PartError:
            return False
        return True

    async def _wake(self):
        # The kit may have restarted while the modem stayed in data mode: +++ first, so that no AT
        # goes to the peer as data. A modem just switched on needs up to 20 s.
        await self.port.escape(1)
        self._online = None
        for left in range(14, -1, -1):
            try:
                await self.port.command("AT", seconds=1.5)
                await self.port.command("ATE0", seconds=2)
                return
            except PartError:
                if not left:
                    raise

    async def _sim(self):
        for _ in range(10):
            try:
                lines = await self.port.command("AT+CPIN?", "+CPIN:")
            except PartError as error:
                if error.code != at_port.REFUSED:  # refused: "SIM busy" right after the start
                    raise
                lines = []
            state = lines[-1].split(":", 1)[1].strip() if lines else ""
            if state == "READY":
                return
            if state in ("SIM PIN", "SIM PUK"):
                raise fault(at_port.SIM_PIN if state == "SIM PIN" else at_port.SIM_PUK)
            await self.port.wait(1)
        raise fault(at_port.SIM_FAULT)

    async def _register(self):
        denied = 0
        for _ in range(60):
            stats = []
            for name in ("CEREG", "CGREG"):  # LTE, and 2G/3G where there is no LTE
                numbers = _numbers(await self.port.command("AT+%s?" % name, "+%s:" % name))
                stats.append(numbers[1] if len(numbers) > 1 else 0)
                if stats[-1] in (1, 5):
                    return
            denied = denied + 1 if 3 in stats else 0
            if denied == 3:
                raise fault(at_port.DENIED)
            await self.port.wait(1)
        raise fault(at_port.NO_NETWORK)

    async def _signal(self):
        numbers = _numbers(await self.port.command("AT+CSQ", "+CSQ:"))
        self.dbm = 2 * numbers[0] - 113 if numbers and numbers[0] <= 31 else None

    async def signal(self):
        """Strength in dBm, or None when it is not known; while data flows, the last value."""
        if self.ready and not self._online and not self._lock.locked():
            async with self._lock:
                try:
                    await self._signal()
                except PartError:
                    self.dbm = None
        return self.dbm

    async def time(self):
        """The network's time in Unix seconds, or None."""
        if not self.ready or self._online or self._lock.locked():
            return None
        async with self._lock:
            try:
                lines = await self.port.command("AT+CCLK?", "+CCLK:")
            except PartError:
                return None
        return unix_of(lines[-1].split('"')[1]) if lines and lines[-1].count('"') == 2 else None

    async def open_tcp(self, host, port):
        """Connect to `host`:`port` and return a TcpStream; brings the modem up if need be."""
        if not self.ready:
            await self.up()
        async with self._lock:
            try:
                await self._net_open()
                await self._connect(host, port)
            except PartError as error:
                self._net = False
                if error.code not in (at_port.CONNECT_FAILED, at_port.NO_HOST):
                    self.ready = False  # begin from the beginning next time
                raise
            self._online = "AT+CIPCLOSE=0"
        return TcpStream(self.port, self.dcd, self._close)

    async def _net_open(self):
        port = self.port
        lines = _numbers(await port.command("AT+NETOPEN?", "+NETOPEN:"))
        if lines == [1]:
            if self._net:
                return
            await self._net_close()  # transparent mode can only be chosen while the net is closed
        await port.command("AT+CIPMODE=1")
        try:
            lines = await port.command("AT+NETOPEN", "+NETOPEN:", 30)
        except PartError as error:
            if error.code == at_port.REFUSED:
                raise fault(at_port.NO_DATA) from None
            raise
        # On most firmware the result follows the OK.
        line = lines[-1] if lines else await port.expect(("+NETOPEN:",), 60)
        if line is None or _numbers([line]) != [0]:
            raise fault(at_port.NO_DATA)
        self._net = True

    async def _net_close(self):
        try:
            if not await self.port.command("AT+NETCLOSE", "+NETCLOSE:", 15):
                await self.port.expect(("+NETCLOSE:",), 15)
        except PartError as error:
            if error.code != at_port.REFUSED:  # refused: it was closed already
                raise

    async def _connect(self, host, port):
        text = 'AT+CIPOPEN=0,"TCP","%s",%d' % (host, port)
        fails = ("CONNECT FAIL", "NO CARRIER", "+CIPOPEN:")
        try:
            await self.port.command(text, seconds=75, end=("CONNECT",), fail=fails)
        except PartError as error:
            if error.code != at_port.REFUSED:
                raise
            no_host = _numbers(self.port.info) == [0, 11]
            raise fault(at_port.NO_HOST if no_host else at_port.CONNECT_FAILED) from None

    async def _leave(self, known_over=False):
        """Back from data mode to commands, and end what was open; never raises."""
        async with self._lock:
            if not self._online:
                return
            try:
                if not known_over:
                    await self.port.escape()
                lines = await self.port.command(self._online, "+CIPCLOSE:", 15)
                if not lines and self._online != "ATH":
                    await self.port.expect(("+CIPCLOSE:",), 10)
            except PartError as error:
                # Refused: the connection was gone already. Anything else: start afresh.
                self.ready = self.ready and error.code == at_port.REFUSED
            self._online = None

    async def _close(self, stream):
        over = stream.closed
        stream.closed = True
        await self._leave(over)

    async def dial(self):
        """Enter data mode for network.PPP, which takes the UART over; PartError if refused."""
        if not self.ready:
            await self.up()
        async with self._lock:
            fails = ("NO CARRIER", "CONNECT FAIL", "BUSY", "NO DIALTONE")
            try:
                await self.port.command("ATD*99***1#", seconds=30, end=("CONNECT",), fail=fails)
            except PartError as error:
                raise (fault(at_port.NO_DATA) if error.code == at_port.REFUSED else error) from None
            self._online = "ATH"

    async def hang_up(self):
        """Leave PPP's data mode and end the call; never raises."""
        await self._leave()

    async def down(self):
        """Close the network; the modem stays on. Never raises."""
        await self._leave()
        async with self._lock:
            try:
                await self._net_close()
            except PartError:
                pass
            self.ready = self._net = False
