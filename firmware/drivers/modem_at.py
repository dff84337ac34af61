"""LTE modem SIM7600 / A7670 on a ready UART: register, time, signal, TCP, dial for PPP.

Commands: SIM7500_SIM7600 AT Command Manual V3.00, A76XX V1.09; what they differ in is in
modem_parts. Each try goes through the states of modem_states, and begins with the step that the
failure before it asks for. The UART's receive buffer should hold 4 KB. While a connection is open
the line carries data: signal() gives the last value.
"""

import asyncio

from firmware.drivers import PartError, at_port, modem_apn, ticks_diff, ticks_ms
from firmware.drivers import modem_states as states
from firmware.drivers.at_port import AtPort, fault
from firmware.drivers.modem_net import Net, numbers
from firmware.drivers.modem_parts import Part
from firmware.drivers.modem_recover import Lines
from firmware.drivers.modem_sim import Sim
from firmware.drivers.modem_states import deadline
from firmware.drivers.modem_stream import TcpStream
from firmware.drivers.modem_time import unix_of

_DEAF = (at_port.NO_REPLY, at_port.RUBBISH, at_port.STUCK)
_REMOTE = (at_port.CONNECT_FAILED, at_port.NO_HOST, at_port.LINE_LOST, at_port.STALLED)
_KEY_AFTER = 3  # unanswered ATs after which the power key is pressed


class Modem:
    """`uart`: machine.UART's shape; `apn`: see modem_apn; `dcd`: DCD pin (low = carrier) or None.

    `pin`: of the SIM card, or "". `key`, `reset`, `cut`: see modem_recover.Lines. `log(text)` is
    told of every failure and step. `ticks`: as in AtPort.
    """

    def __init__(
        self,
        uart,
        apn,
        dcd=None,
        pace=1.0,
        pin="",
        key=None,
        reset=None,
        cut=None,
        log=None,
        ticks=ticks_ms,
    ):
        self.port = AtPort(uart, pace, ticks)
        self.apn = apn
        self.dcd = dcd
        self.sim = Sim(self.port, pin)
        self.net = Net(self.port)
        self.lines = Lines(self.port, key, reset, cut)
        self.part = Part()
        self.escalation = states.Escalation(self.port)
        self.log = log or (lambda text: None)
        self.state = states.START
        self.problem = 0  # code of the last failure; 0 since data came
        self.dbm = None
        self.roaming = False
        self.network = ""  # "4G" or "2G/3G"
        self.ready = False
        self._heard = False  # it answered to the last command
        self._online = None  # in data mode: the command that ends what is open
        self._lock = asyncio.Lock()

    async def up(self):
        """Bring the modem to the network; PartError says what is in the way."""
        async with self._lock:
            if self.ready and (self._online or await self._answers()):
                return
            try:
                await self._bring_up()
            except PartError as error:
                self._failed(error.code)
                raise
            self.ready = True

    def _failed(self, code):
        self.problem = code
        self._heard = code not in _DEAF
        self.escalation.failed(code)
        step = self.escalation.step
        if code not in _REMOTE or step != states.RETRY:
            self.ready = False  # begin from the beginning next time
        self.log("modem E%d, next: %s" % (code, step))

    async def _bring_up(self):
        self.ready = self.net.is_open = False
        step = self.escalation.step
        if step != states.RETRY:
            done = await self.lines.do(step, self.part, self._heard)
            self.log("modem %s" % done)
        self.escalation.done()
        self.state = states.START
        await self._wake()
        if self.dcd is not None:
            await self.port.command("AT&C1")  # DCD follows the carrier
        await self.port.command("AT+CMEE=2")
        await self._identify()
        await self._radio_on()
        self.state = states.SIM
        await self.sim.ready(self.part)
        await self.net.choose(
            modem_apn.choose(modem_apn.rows(self.apn), self.sim.imsi, self.sim.iccid)
        )
        await self.port.command("AT+CTZU=1")
        self.state = states.REGISTER
        await self._register()
        await self._signal()

    async def _answers(self):
        try:
            await self.port.command("AT", seconds=1.5)
        except PartError:
            return False
        return True

    async def _wake(self):
        # The kit may have restarted while the modem stayed in data mode: +++ first, so that no AT
        # goes to the peer as data.
        port = self.port
        await port.escape(1)
        self._online = None
        start = port.ticks()
        tries = 0
        while True:
            try:
                await port.command("AT", seconds=1.5)
                await port.command("ATE0", seconds=2)
                return
            except PartError:
                if ticks_diff(port.ticks(), start) > deadline(states.START) * 1000 * port.pace:
                    raise
            tries += 1
            if tries == _KEY_AFTER:
                await self.lines.switch_on(self.part)

    async def _identify(self):
        if self.part.name:
            return
        try:
            self.part = Part(" ".join(await self.port.command("AT+CGMM", ("SIM", "A7", "+CGMM"))))
        except PartError as error:
            if error.code != at_port.REFUSED:
                raise

    async def _radio_on(self):
        # A power cut between the two halves of a step leaves the radio off; another program may
        # have left the modem on one kind of network.
        port = self.port
        if numbers(await port.command("AT+CFUN?", "+CFUN:")) != [1]:
            await port.command("AT+CFUN=1", seconds=10)
        if numbers(await port.command("AT+CNMP?", "+CNMP:")) != [2]:
            await port.command("AT+CNMP=2", seconds=10)

    async def _register(self):
        port = self.port
        denied = 0
        start = port.ticks()
        while ticks_diff(port.ticks(), start) <= deadline(states.REGISTER) * 1000 * port.pace:
            stats = []
            for name, network in (("CEREG", "4G"), ("CGREG", "2G/3G")):
                found = numbers(await port.command("AT+%s?" % name, "+%s:" % name))
                stats.append(found[1] if len(found) > 1 else 0)
                if stats[-1] in (1, 5):
                    self.network, self.roaming = network, stats[-1] == 5
                    return
            denied = denied + 1 if 3 in stats else 0
            if denied == 3:
                raise fault(at_port.DENIED)
            await port.wait(1)
        raise fault(at_port.NO_NETWORK)

    async def _signal(self):
        found = numbers(await self.port.command("AT+CSQ", "+CSQ:"))
        self.dbm = 2 * found[0] - 113 if found and found[0] <= 31 else None

    async def signal(self):
        """Strength in dBm, or None when it is not known; while data flows, the last value."""
        if self.ready and not self._online and not self._lock.locked():
            async with self._lock:
                try:
                    await self._signal()
                except PartError:
                    self.dbm = None
        return self.dbm

    async def examine(self, tries=20):
        """(model, operator or "", dBm or None) of the modem and its SIM card, without data.

        Asks for the operator (AT+COPS?, 3GPP TS 27.007 7.3) up to `tries` times, a second apart.
        PartError says what is wrong with modem or card.
        """
        async with self._lock:
            self.ready = False
            await self._wake()
            await self.port.command("AT+CMEE=2")
            await self._identify()
            await self._radio_on()
            await self.sim.ready(self.part)
            operator = ""
            while tries and not operator:
                lines = await self.port.command("AT+COPS?", "+COPS:")
                if lines and lines[-1].count('"') == 2:
                    operator = lines[-1].split('"')[1]
                else:
                    tries -= 1
                    await self.port.wait(1)
            await self._signal()
            return self.part.name, operator, self.dbm

    async def time(self):
        """The network's time in Unix seconds, or None; see modem_time.NetworkTime."""
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
                self.state = states.ATTACH
                await self.net.open()
                self.state = states.CONNECT
                await self.net.connect(host, port)
            except PartError as error:
                self.net.is_open = False
                self._failed(error.code)
                raise
            self.state = states.ONLINE
            self._online = "AT+CIPCLOSE=0"
        return TcpStream(self.port, self.dcd, self._close)

    async def _leave(self, known_over=False):
        """Back from data mode to commands, and end what was open; never raises."""
        async with self._lock:
            if not self._online:
                return
            try:
                if not known_over and not await self.port.escape():
                    await self.port.command("AT", seconds=1.5)  # silent: in command mode, or hung
                lines = await self.port.command(self._online, "+CIPCLOSE:", 15)
                if not lines and self._online != "ATH":
                    await self.port.expect(("+CIPCLOSE:",), 10)
            except PartError as error:
                if error.code != at_port.REFUSED:  # refused: the connection was gone already
                    self._failed(error.code)
            self._online = None

    async def _close(self, stream):
        if stream.got:
            self.problem = 0
            self.escalation.worked()
        if stream.stalled:
            self.net.is_open = False
            self._failed(at_port.STALLED)
        elif stream.closed and not stream.got:
            self._failed(at_port.LINE_LOST)
        over = stream.closed
        stream.closed = True
        await self._leave(over)

    async def dial(self):
        """Enter data mode for network.PPP, which takes the UART over; PartError if refused."""
        if not self.ready:
            await self.up()
        async with self._lock:
            self.state = states.DIAL
            fails = ("NO CARRIER", "CONNECT FAIL", "BUSY", "NO DIALTONE")
            try:
                await self.port.command(
                    "ATD*99***1#", None, deadline(states.DIAL), ("CONNECT",), fails
                )
            except PartError as error:
                code = at_port.NO_DATA if error.code == at_port.REFUSED else error.code
                self._failed(code)
                raise fault(code) from None
            self._online = "ATH"

    async def hang_up(self):
        """Leave PPP's data mode and end the call; never raises."""
        await self._leave()

    async def down(self):
        """Close the network; the modem stays on. Never raises."""
        await self._leave()
        async with self._lock:
            try:
                await self.net.close()
            except PartError:
                pass
            self.ready = False
