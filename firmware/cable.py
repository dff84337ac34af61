"""The asking side of serial_link: one kit speaks to another over the serial cable."""

import asyncio
import binascii

from firmware import cbor
from firmware.compat import CodedError, const, ticks_diff, ticks_ms
from firmware.serial_link import MAX_LINE, write

NO_ANSWER = const(835)
ODD_ANSWER = const(836)
REFUSED = const(837)

_STALE = const(256)  # reads


class CableError(CodedError):
    """The kit at the other end does not answer as it should."""


class Cable:
    """Asks over `uart`; an answer may take `seconds`, as a kit has other work too.

    `rest`: s in which a kit has told what it thinks of half a line.
    """

    def __init__(self, uart, seconds=15, rest=0.5):
        self.uart = uart
        self.rest = rest
        self.seconds = seconds
        self._chunk = bytearray(64)

    async def begin(self):
        """End what an earlier talk left half written."""
        await write(self.uart, b"\n")
        await asyncio.sleep(self.rest)  # request() drops the answer

    async def request(self, verb, value=None):
        """What the kit answers to `verb` with CBOR `value`, or None; CableError when it is none."""
        for _ in range(_STALE):  # what was left of an earlier talk
            if not self.uart.readinto(self._chunk):
                break
        hexed = b"-" if value is None else binascii.hexlify(cbor.encode(value))
        await write(self.uart, b"SAKSI " + verb.encode() + b" " + hexed + b"\n")
        line = await self._line()
        if line.startswith(b"OK "):
            return self._value(line[3:])
        if line.startswith(b"ERR ") and line[4:7].isdigit():
            # Its sentence is English, for technicians: the screen names the code of the table.
            raise CableError(REFUSED, "The other kit answers E%d.", int(line[4:7]))
        raise CableError(ODD_ANSWER, "What comes over the cable is no kit's answer.")

    def _value(self, hexed):
        if hexed == b"-":
            return None
        try:
            return cbor.decode(binascii.unhexlify(hexed))
        except ValueError:  # CborError is one
            raise CableError(ODD_ANSWER, "What comes over the cable is no kit's answer.") from None

    async def _line(self):
        line = bytearray()
        since = ticks_ms()
        while True:
            count = self.uart.readinto(self._chunk)
            if count:
                end = self._chunk.find(b"\n", 0, count)
                line += self._chunk[: count if end < 0 else end]
                if end >= 0:
                    return bytes(line).rstrip(b"\r")
                if len(line) > MAX_LINE:
                    raise CableError(ODD_ANSWER, "What comes over the cable is no kit's answer.")
            elif ticks_diff(ticks_ms(), since) > self.seconds * 1000:
                raise CableError(NO_ANSWER, "No kit answers: is the cable in both kits?")
            await asyncio.sleep(0 if count else 0.005)
