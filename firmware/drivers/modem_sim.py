"""The SIM card: whether it is there, its PIN, its numbers.

The PIN is entered at most once for a card, and never when only one try is left: a blocked card on
election day helps nobody, and the kit's journal waits.
"""

from firmware.drivers import PartError, at_port, ticks_diff
from firmware.drivers.at_port import fault
from firmware.drivers.modem_states import SIM, UNLOCK, deadline

_DIGITS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


def first_number(line):
    """The first of the comma-separated fields behind the colon that is a number, or None."""
    for field in line[line.find(":") + 1 :].split(","):
        if field.strip().isdigit():
            return int(field)
    return None


class Sim:
    """The card behind AtPort `port`; `pin` is the one that was provisioned, or ""."""

    def __init__(self, port, pin=""):
        self.port = port
        self.pin = pin
        self.imsi = ""
        self.iccid = ""
        self._refused = None  # (iccid, pin) that did not fit

    async def ready(self, part):
        """Wait for the card and unlock it; PartError says what is in the way."""
        self.imsi = ""
        state = await self._state(SIM, ("READY", "SIM PIN", "SIM PUK"))
        self.iccid = await self._ask("AT+CICCID", "+ICCID:")
        if state == "SIM PIN":
            await self._unlock(part)
            state = await self._state(UNLOCK, ("READY", "SIM PUK"))
        if state == "SIM PUK":
            raise fault(at_port.SIM_PUK)
        self.imsi = await self._ask("AT+CIMI", _DIGITS)

    async def _state(self, state, wanted):
        port = self.port
        start = port.ticks()
        while ticks_diff(port.ticks(), start) <= deadline(state) * 1000 * port.pace:
            try:
                lines = await port.command("AT+CPIN?", "+CPIN:")
            except PartError as error:
                if error.code != at_port.REFUSED:  # refused: "SIM busy" right after the start
                    raise
                lines = []
            found = lines[-1].split(":", 1)[1].strip() if lines else ""
            if found in wanted:
                return found
            await port.wait(1)
        raise fault(at_port.SIM_FAULT)

    async def _ask(self, command, want):
        """The digits of the reply, or "" when the modem does not tell."""
        try:
            lines = await self.port.command(command, want)
        except PartError as error:
            if error.code in (at_port.NO_REPLY, at_port.RUBBISH):
                raise
            return ""
        return lines[-1].split(":")[-1].strip() if lines else ""

    async def _tries(self, part):
        """Tries left for the PIN, or None when the modem does not tell."""
        for command in part.tries:
            try:
                lines = await self.port.command(command, ("+SPIC:", "+CPINR:"))
            except PartError as error:
                if error.code != at_port.REFUSED:
                    raise
                continue
            if lines:
                return first_number(lines[0])
        return None

    async def _unlock(self, part):
        if not self.pin:
            raise fault(at_port.SIM_PIN)
        if self._refused == (self.iccid, self.pin):
            raise fault(at_port.PIN_WRONG)
        tries = await self._tries(part)
        if tries is None:
            raise fault(at_port.SIM_PIN)
        if tries <= 1:
            raise fault(at_port.PIN_LAST)
        self._refused = (self.iccid, self.pin)  # until the card has taken it
        try:
            await self.port.command('AT+CPIN="%s"' % self.pin, seconds=10)
        except PartError as error:
            if error.code in (at_port.REFUSED, at_port.SIM_PIN):
                raise fault(at_port.PIN_WRONG) from None
            raise
        self._refused = None
