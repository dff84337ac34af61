"""The data connection: access point, network, one TCP connection in transparent mode.

AT+CGDCONT holds the access point over power cycles; a change counts from the next attach on.
"""

from firmware.drivers import PartError, at_port
from firmware.drivers.at_port import fault
from firmware.drivers.modem_states import ATTACH, CONNECT, deadline

_ATTACH = 20  # s that AT+CGATT may take


def numbers(lines):
    """The numbers after the colon of the last line that has only numbers, or []."""
    for line in reversed(lines):
        try:
            return [int(part) for part in line[line.find(":") + 1 :].split(",")]
        except ValueError:
            pass
    return []


class Net:
    """Data through AtPort `port`; `rows` of modem_apn, the one in use first."""

    def __init__(self, port):
        self.port = port
        self.rows = []
        self.is_open = False  # opened here, in transparent mode

    async def choose(self, rows):
        """Use `rows` in turn from now on; the one that has worked before stays the first."""
        if self.rows and self.rows[0] in rows:
            at = rows.index(self.rows[0])
            rows = rows[at:] + rows[:at]
        self.rows = rows
        if rows:
            await self._set_apn(rows[0])

    async def _set_apn(self, row):
        port = self.port
        _, apn, user, password = row
        text = '+CGDCONT: 1,"IP","%s"' % apn
        lines = await port.command("AT+CGDCONT?", "+CGDCONT: 1,")
        if not (lines and lines[-1].startswith(text)):
            await port.command('AT+CGDCONT=1,"IP","%s"' % apn)
            if user:
                await port.command('AT+CGAUTH=1,3,"%s","%s"' % (password, user))
            for command in ("AT+CGATT=0", "AT+CGATT=1"):
                try:
                    await port.command(command, seconds=_ATTACH)
                except PartError as error:
                    if error.code != at_port.REFUSED:  # refused: there is no network yet
                        raise

    async def open(self):
        """Open the network with the first APN that gives data; PartError NO_DATA when none does."""
        if numbers(await self.port.command("AT+NETOPEN?", "+NETOPEN:")) == [1]:
            if self.is_open:
                return
            await self.close()  # transparent mode can only be chosen while the net is closed
        if not self.rows:
            raise fault(at_port.NO_DATA)
        for left in range(len(self.rows) - 1, -1, -1):
            try:
                await self._open()
                return
            except PartError as error:
                if error.code != at_port.NO_DATA or not left:
                    raise
            self.rows = self.rows[1:] + self.rows[:1]
            await self._set_apn(self.rows[0])

    async def _open(self):
        port = self.port
        await port.command("AT+CIPMODE=1")
        try:
            lines = await port.command("AT+NETOPEN", "+NETOPEN:", 30)
        except PartError as error:
            if error.code == at_port.REFUSED:
                raise fault(at_port.NO_DATA) from None
            raise
        # On most firmware the result follows the OK.
        line = lines[-1] if lines else await port.expect(("+NETOPEN:",), deadline(ATTACH))
        if line is None or numbers([line]) != [0]:
            raise fault(at_port.NO_DATA)
        self.is_open = True

    async def close(self):
        """Close the network, if it is open; PartError when the modem does not answer."""
        self.is_open = False
        try:
            if not await self.port.command("AT+NETCLOSE", "+NETCLOSE:", 15):
                await self.port.expect(("+NETCLOSE:",), 15)
        except PartError as error:
            if error.code != at_port.REFUSED:  # refused: it was closed already
                raise

    async def connect(self, host, port):
        """Connect to `host`:`port`; the line carries data from then on."""
        text = 'AT+CIPOPEN=0,"TCP","%s",%d' % (host, port)
        fails = ("CONNECT FAIL", "NO CARRIER", "+CIPOPEN:")
        try:
            await self.port.command(text, None, deadline(CONNECT), ("CONNECT",), fails)
        except PartError as error:
            if error.code != at_port.REFUSED:
                raise
            no_host = numbers(self.port.info) == [0, 11]
            raise fault(at_port.NO_HOST if no_host else at_port.CONNECT_FAILED) from None
