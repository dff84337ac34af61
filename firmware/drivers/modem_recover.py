"""The steps that bring a modem back: radio off and on, reset line, power cycle.

The board gives the lines as callables: 1 pulls the modem's pin (or cuts its supply), 0 lets go.
"""

from firmware.drivers import PartError
from firmware.drivers.modem_states import POWER, RADIO, RESET, RETRY

_OFF = 2.0  # s without power, so that the capacitors are empty
_SETTLE = 3.0  # s that a modem takes to go off after the power key


class Lines:
    """`key`: power key, `reset`: reset pin, `cut`: supply switch; each may be None."""

    def __init__(self, port, key=None, reset=None, cut=None):
        self.port = port
        self.key = key
        self.reset = reset
        self.cut = cut

    async def pulse(self, line, seconds):
        """Pull `line` for `seconds`; let go whatever happens."""
        line(1)
        try:
            await self.port.wait(seconds)
        finally:
            line(0)

    async def switch_on(self, part):
        """Press the power key; a modem that is on takes no notice of so short a press."""
        if self.key:
            await self.pulse(self.key, part.key_on)

    async def do(self, step, part, answers):
        """Do `step`, or the next weaker or stronger one for which there is a line.

        `answers`: the modem took commands just before. Never raises PartError. Returns what was
        done.
        """
        if step == RADIO and answers and await self._radio():
            return RADIO
        if step == RETRY:
            return RETRY
        if step in (RADIO, RESET):
            if self.reset:
                await self.pulse(self.reset, part.reset)
                return RESET
            if answers and await self._try("AT+CRESET"):
                await self.port.wait(1)
                return RESET
        if self.cut:
            await self.pulse(self.cut, _OFF)
            await self.switch_on(part)
            return POWER
        if self.key:
            await self.pulse(self.key, part.key_off)
            await self.port.wait(_SETTLE)
            await self.switch_on(part)
            return POWER
        return RETRY

    async def _radio(self):
        return await self._try("AT+CFUN=0", 10) and await self._try("AT+CFUN=1", 10)

    async def _try(self, command, seconds=5):
        try:
            await self.port.command(command, seconds=seconds)
        except PartError:
            return False
        return True
