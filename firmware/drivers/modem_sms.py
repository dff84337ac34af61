"""Short messages through a modem in PDU mode: 3GPP TS 27.005.

Commands as in the SIM7500_SIM7600 AT Command Manual V3.00, chapter 9. New messages are asked for
and not waited for: +CMTI is lost while a connection has the line, a list never is. While one has
it, every method raises LINE_TAKEN.
"""

import asyncio

from firmware.drivers import PartError, at_port, const, ticks_diff

NOT_SENT = const(370)
NO_MESSAGES = const(371)
STORE_FULL = const(372)
LINE_TAKEN = const(373)

TEXTS = {
    NOT_SENT: "The network refuses text messages: check the SIM card's credit.",
    NO_MESSAGES: "This SIM card or modem has no text messages: use another SIM card.",
    STORE_FULL: "The SIM card's store of messages is full: switch the modem off and on.",
    LINE_TAKEN: "A data connection has the modem: the message waits.",
}

# TS 27.005 section 3.2.5, the codes that have a sentence of their own elsewhere.
_CMS = {
    310: at_port.NO_SIM,
    311: at_port.SIM_PIN,
    313: at_port.SIM_FAULT,
    314: at_port.SIM_FAULT,
    315: at_port.SIM_FAULT,
    316: at_port.SIM_PUK,
    331: at_port.NO_NETWORK,
    332: at_port.NO_NETWORK,
}
_FULL = const(322)
_SENDING = const(60)  # s that the network may take for one message
_HEX = "0123456789ABCDEFabcdef"


def _fault(code):
    return PartError(code, TEXTS[code])


def cms_fault(line):
    """The PartError of a `+CMS ERROR: n` line."""
    try:
        number = int(line.split(":", 1)[1])
    except ValueError:  # some firmware says it in words
        number = 0
    if number in _CMS:
        return at_port.fault(_CMS[number])
    return _fault(STORE_FULL if number == _FULL else NOT_SENT)


def _numbers(text):
    """The whole numbers of a reply's fields; other fields are left out."""
    fields = text[text.find(":") + 1 :].split(",")
    return [int(field) for field in fields if field.strip().isdigit()]


def of(modem):
    """The messages of a modem_at.Modem."""
    return Sms(modem.port, modem.up, modem._lock, lambda: modem._online is not None)


class Sms:
    """Messages over `port` (at_port.AtPort). `up()` brings the modem to the network.

    `lock` is held for each message only, so that a connection need not wait for long; `busy()` is
    true while one has the line.
    """

    def __init__(self, port, up, lock, busy):
        self.port = port
        self.up = up
        self.lock = lock
        self.busy = busy

    async def start(self):
        """Bring the modem to the network and choose how messages are kept; PartError if it can't.

        A network that has no data for us may still have messages: circuit-switched is enough.
        """
        try:
            await self.up()
        except PartError as error:
            if error.code != at_port.NO_NETWORK or not await self._locked(self._circuit):
                raise
        await self._locked(self._choose)

    async def _locked(self, work, *values):
        async with self.lock:
            if self.busy():
                raise _fault(LINE_TAKEN)
            return await work(*values)

    async def _circuit(self):
        lines = await self.port.command("AT+CREG?", "+CREG:")
        return bool(lines) and _numbers(lines[-1])[1:2] in ([1], [5])

    async def _choose(self):
        lines = await self._command("AT+CSMS=0", "+CSMS:")
        if not lines:
            self._silent()
        services = _numbers(lines[-1])[-3:]
        if services[:2] != [1, 1]:  # to the modem, from the modem
            raise _fault(NO_MESSAGES)
        await self._command("AT+CNMI=2,1,0,0,0")  # kept, not handed over: a cut loses none

    async def _command(self, text, want=None):
        port = self.port
        try:
            return await port.command(text, want, 20, fail=("+CMS ERROR:",))
        except PartError as error:
            if error.code == at_port.REFUSED and port.info[-1:] and "CMS" in port.info[-1]:
                raise cms_fault(port.info[-1]) from None
            raise

    async def send(self, length, text):
        """Send one SMS-SUBMIT (see sms.submit); returns the network's reference for it.

        PartError NO_REPLY: it may have gone out all the same.
        """
        return await self._locked(self._send, length, text)

    async def _send(self, length, text):
        await self._command("AT+CMGF=0")  # each time: the modem may have restarted
        await self.port.write(("AT+CMGS=%d\r" % length).encode())
        await self._prompt()
        await self.port.write(text.encode() + b"\x1a")
        reference = None
        while True:
            line = await self.port.expect(
                ("+CMGS:", "+CMS ERROR:", "+CME ERROR:", "ERROR", "OK"), _SENDING
            )
            if line is None:
                self._silent()
            if line.startswith("+CMGS:"):
                reference = _numbers(line)[0]
            elif line == "OK" and reference is not None:
                return reference
            else:
                self._refused(line)

    def _silent(self):
        self.port._late = True  # what comes yet is no reply to the next command
        raise at_port.fault(at_port.NO_REPLY)

    @staticmethod
    def _refused(line):
        if line.startswith("+CMS"):
            raise cms_fault(line)
        raise at_port.fault(at_port.cme_code(line)) if line[0] == "+" else _fault(NOT_SENT)

    async def _prompt(self):
        """Wait for "> ", which ends with no line end."""
        port = self.port
        start = port.ticks()
        while True:
            line = await port.line(0)
            if line and (line == "ERROR" or line.startswith(("+CMS ERROR:", "+CME ERROR:"))):
                self._refused(line)
            if bytes(port.rx[port.head : port.tail]).strip() == b">":
                port.head = port.tail
                return
            if ticks_diff(port.ticks(), start) > 10000 * port.pace:
                await port.write(b"\x1b")  # if it still comes: no text
                self._silent()
            await asyncio.sleep(0.005)

    async def read(self, most=8):
        """Up to `most` of the messages kept: [(index, hex of the SMS-DELIVER)], oldest first."""
        return await self._locked(self._read, most)

    async def _read(self, most):
        await self._command("AT+CMGF=0")
        await self.port.write(b"AT+CMGL=4\r")
        found = []
        index = None
        while True:
            line = await self.port.line(20)
            if line is None:
                self._silent()
            if line == "OK":
                return found
            if line == "ERROR" or line.startswith(("+CMS ERROR:", "+CME ERROR:")):
                self._refused(line)
            if line.startswith("+CMGL:"):
                index = (_numbers(line) or [None])[0]
            elif index is not None and all(c in _HEX for c in line):
                if len(found) < most:
                    found.append((index, line))
                index = None

    async def delete(self, index):
        """Delete the message kept under `index`: the store of a SIM card is small."""
        await self._locked(self._command, "AT+CMGD=%d" % index)

    async def store(self):
        """(messages kept, room for how many)."""
        lines = await self._locked(self._command, "AT+CPMS?", "+CPMS:")
        return tuple(_numbers(lines[-1])[:2]) if lines else (0, 0)
