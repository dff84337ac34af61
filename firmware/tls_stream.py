"""TLS 1.2 over any stream of ours, with the server's key pinned.

The station package carries the pin: SHA-256 of the collector's SubjectPublicKeyInfo. No authority
has to be trusted and no chain to be kept up to date; a new certificate for the same key goes on
working. The journal is signed end to end, so TLS keeps secrets from the network and tells at once
when somebody else answers; it is not what makes a record true.

A stream has `async write(buf)`, `async readinto(buf) -> n (0 = closed)`, `async close()` and maybe
`any()`; what open_tls() gives is one too.
"""

import asyncio

from firmware.compat import const
from firmware.drivers import PartError
from firmware.tls_engine import Engine
from firmware.x509 import Certificate

OTHER_KEY = const(381)
OTHER_NAME = const(382)
OUT_OF_DATE = const(383)
NO_TLS12 = const(384)
FAILED = const(385)
CUT = const(386)

TEXTS = {
    OTHER_KEY: "Somebody else answers in the collector's place: tell the technician.",
    OTHER_NAME: "The collector's certificate bears another name: tell the technician.",
    OUT_OF_DATE: "The collector's certificate is out of date, or the kit's clock is wrong.",
    NO_TLS12: "The collector refuses TLS 1.2: tell the technician.",
    FAILED: "The secure connection failed: the kit tries again by itself.",
    CUT: "The secure connection was cut at its beginning: the kit tries again by itself.",
}
_PROTOCOL_VERSION = const(70)  # alert, RFC 5246 7.2
_ROOM = const(512)  # bytes of the server's taken at once
_RECORD = const(2048)  # bytes of data in a record (29 more around them); ESP32's limit is 4096


class TlsError(PartError):
    """No secure connection; `code` 381..386."""

    def __init__(self, code):
        super().__init__(code, TEXTS[code])


def judge(der, host, pin, now):
    """The code of what is wrong with the certificate `der`, or None. `now` None: no clock."""
    try:
        certificate = Certificate(der)
    except (ValueError, IndexError):
        return OTHER_KEY
    if certificate.pin != pin:
        return OTHER_KEY
    if host.lower() not in certificate.names:
        return OTHER_NAME
    if now is not None and not certificate.start <= now <= certificate.end:
        return OUT_OF_DATE
    return None


async def open_tls(stream, host, pin, now=None, timeout=60):
    """A TlsStream to `host` on an open `stream`, or TlsError; `stream` is closed then.

    `pin`: 32 bytes. `now`: Unix seconds, None when the clock is not known to be right. `timeout`:
    seconds for the whole handshake.
    """
    secure = TlsStream(stream, host, pin, now)
    try:
        await asyncio.wait_for(secure.handshake(), timeout)
    except BaseException as error:
        await secure.abandon()
        if isinstance(error, asyncio.TimeoutError):
            raise TlsError(CUT) from None
        raise
    return secure


class TlsStream:
    """See open_tls."""

    def __init__(self, stream, host, pin, now):
        self._stream = stream
        self._engine = Engine(host, lambda der: judge(der, host, pin, now))
        self._view = memoryview(bytearray(_ROOM))

    async def handshake(self):
        """The handshake; yields between any two pieces of the server's answer."""
        engine = self._engine
        while True:
            try:
                over = engine.step()
            except (OSError, ValueError):
                await self._flush_alert()
                if engine.verdict:
                    raise TlsError(engine.verdict) from None
                old = engine.records.alert == _PROTOCOL_VERSION
                raise TlsError(NO_TLS12 if old else FAILED) from None
            await self._flush()
            if over:
                return
            n = await self._stream.readinto(self._view)
            if not n:
                raise TlsError(CUT)
            engine.feed(self._view[:n])
            await asyncio.sleep(0)

    async def _flush(self):
        data = self._engine.take()
        if data:
            await self._stream.write(data)

    async def _flush_alert(self):
        try:
            await self._flush()
        except (OSError, PartError):
            pass  # the server is gone: it needs no reason

    def any(self):
        """Bytes that have come: of data, or of what ends the connection."""
        waiting = self._stream.any() if hasattr(self._stream, "any") else 0
        return self._engine.unread + waiting

    async def write(self, buf):
        """Send all of `buf`."""
        view = memoryview(buf)
        while view:
            try:
                n = self._engine.write(view[:_RECORD])
            except (OSError, ValueError):
                raise TlsError(FAILED) from None
            view = view[n:]
            await self._flush()
            if not n:
                await asyncio.sleep(0.005)

    async def readinto(self, buf):
        """Wait for bytes and put up to len(buf) of them in `buf`; 0 = the server closed."""
        while True:
            try:
                n = self._engine.read(buf)
            except (OSError, ValueError):  # a byte was changed on the way, or the order
                await self._flush_alert()
                raise TlsError(FAILED) from None
            if n is not None:
                return n
            await self._flush()
            n = await self._stream.readinto(self._view)
            if n:
                self._engine.feed(self._view[:n])
            else:
                self._engine.end()

    async def close(self):
        """Say goodbye and close the stream below; never raises."""
        self._free()
        await self._flush_alert()
        await self.abandon()

    def _free(self):
        # The library's buffers lie outside MicroPython's heap: waiting for its collector is no way.
        try:
            self._engine.close()
        except (OSError, ValueError):
            pass

    async def abandon(self):
        """Close the stream below without a word; never raises."""
        self._free()
        try:
            await self._stream.close()
        except (OSError, PartError):
            pass
