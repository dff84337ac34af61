"""A small HTTP/1.1 client (RFC 9112) over one stream of bytes.

A stream has `async write(buf)`, `async readinto(buf) -> n (0 = closed)`, `async close()` and, if it
can, `any()` (bytes waiting); `ahead`, if it has it, is how many replies of 370 bytes it can hold
while nobody reads. Through a modem the end of a connection may show late or as rubbish, so every
length must be known and every wait is limited. Memory is two buffers and the short reply; a
photograph is streamed from its file. A request does not wait for the reply to the one before, or a
line of 400 ms would stand still most of the time.
"""

import asyncio
import io

from firmware.compat import const, ticks_diff, ticks_ms
from firmware.drivers import PartError

NO_ANSWER = const(351)
BAD_REPLY = const(352)
CUT_OFF = const(353)

TEXTS = {
    NO_ANSWER: "The collector does not answer: the kit tries again by itself.",
    BAD_REPLY: "The collector's reply is unreadable: the kit tries again by itself.",
    CUT_OFF: "The collector ended the connection: the kit tries again by itself.",
}
_ROOM = const(1024)  # bytes of a reply that are looked at together; a line of it fits
_PIECE = const(1400)  # bytes written together: one TCP segment on a mobile line
_HEADERS = const(40)
_AHEAD = const(10)  # replies that a UART's receive buffer of 4 kB holds while the chip is asked


class HttpError(PartError):
    """No usable reply; `code` 351..353."""

    def __init__(self, code):
        super().__init__(code, TEXTS[code])


class Response:
    """`status`, `headers` {lower-case name: value}, `body` (of an error: at most the limit)."""

    def __init__(self, status, headers):
        self.status = status
        self.headers = headers
        self.body = b""

    def number(self, name):
        """The header `name` as a number >= 0, or None."""
        value = self.headers.get(name, "")
        return int(value) if value.isdigit() and len(value) < 12 else None


class _NoStream:
    """Stands where no connection is."""

    def any(self):
        return 0

    async def write(self, buf):
        raise HttpError(CUT_OFF)

    async def readinto(self, buf):
        return 0

    async def close(self):
        pass


_NONE = _NoStream()


class Client:
    """Requests to `host` over one connection, sent ahead of their replies (RFC 9112 section 9.3.2).

    `open_stream()`: coroutine that gives a stream. `on_reply(what, Response)`: coroutine that takes
    each reply, in the order of sending; `what` is what `send` was given. `on_lost(what)` tells of a
    request that will get no reply: its connection ended. `on_wait(ms)`, if given, is a coroutine
    called after every piece that was written, with the time that the line made it wait. `timeout`:
    seconds without progress in sending, and for each reply. `limit`: longest body of a reply.
    """

    def __init__(self, open_stream, host, on_reply, on_lost, on_wait=None, timeout=30, limit=4096):
        self.open_stream = open_stream
        self.host = host
        self.on_reply = on_reply
        self.on_lost = on_lost
        self.on_wait = on_wait
        self.timeout = timeout
        self.limit = limit
        self.pending = []  # [what, method, whether all of it was written], oldest first
        self._stream = _NONE
        self._out = bytearray(_PIECE)
        self._out_view = memoryview(self._out)
        self._buf = bytearray(_ROOM)
        self._view = memoryview(self._buf)
        self._start = self._end = 0
        self._since = 0

    async def close(self):
        """Close the connection if there is one; never raises."""
        stream, self._stream = self._stream, _NONE
        lost, self.pending = self.pending, []
        self._start = self._end = 0
        for request in lost:
            self.on_lost(request[0])
        try:
            await stream.close()
        except (OSError, PartError):
            pass

    def waiting(self):
        """True when bytes of a reply are here."""
        if self._end > self._start:
            return True
        return bool(self._stream.any()) if hasattr(self._stream, "any") else False

    def ahead(self):
        """How many requests may go ahead of their replies."""
        return getattr(self._stream, "ahead", _AHEAD)

    async def send(self, what, method, path, headers=(), body=b"", size=None):
        """Write one request; its reply is left to take(). Raises HttpError or what the stream does.

        `headers`: (name, value) pairs. `body`: bytes, or a file (readinto) of which `size` bytes
        are sent. Replies to earlier requests that come meanwhile are taken. When this one is
        answered before its end the rest is not sent.
        """
        if not self.pending and self.waiting():
            await self.close()  # nothing was asked, so this is the end of the connection
        if size is None:
            size, body = len(body), io.BytesIO(body)
        head = ["%s %s HTTP/1.1" % (method, path), "Host: " + self.host]
        if method != "HEAD":
            head.append("Content-Length: %d" % size)
        head.extend("%s: %s" % pair for pair in headers)
        request = [what, method, False]
        self.pending.append(request)
        head = ("\r\n".join(head) + "\r\n\r\n").encode()
        request[2] = await self._or_close(self._out_with(head, body, size))
        if not request[2]:
            await self.take()

    async def _out_with(self, head, body, size):
        if self._stream is _NONE:
            self._stream = await self.open_stream()
        return await self._write(head, body, size)

    async def _or_close(self, work):
        """What `work` gives; whatever goes wrong in it ends the connection."""
        try:
            return await work
        except asyncio.TimeoutError:
            await self.close()
            raise HttpError(NO_ANSWER) from None
        except (OSError, PartError):
            await self.close()
            raise

    async def take(self):
        """Wait for the next reply and hand it to `on_reply`; raises as send() does."""
        self._since = ticks_ms()
        response, last = await self._or_close(self._reply(self.pending[0][1]))
        what, _, whole = self.pending.pop(0)
        try:
            await self.on_reply(what, response)
        finally:
            if last or not whole:
                await self.close()

    async def _write(self, head, file, size):
        """True when all was sent; False when the server answered before the end."""
        n = len(head)
        self._out[:n] = head
        while True:
            if size and n < _PIECE:
                got = file.readinto(self._out_view[n : min(_PIECE, n + size)])
                if not got:
                    raise OSError("file is shorter than it was")
                n += got
                size -= got
            start = ticks_ms()
            await asyncio.wait_for(self._stream.write(self._out_view[:n]), self.timeout)
            waited = ticks_diff(ticks_ms(), start)
            await asyncio.sleep(0)  # keys and screen have their turn after every piece
            if not size:
                return True
            if self.on_wait:
                await self.on_wait(waited)
            while self.waiting():
                if len(self.pending) == 1:
                    return False
                await self.take()
            n = 0

    async def _fill(self):
        if self._start:
            n = self._end - self._start
            self._buf[:n] = bytes(self._view[self._start : self._end])
            self._start, self._end = 0, n
        if self._end == _ROOM:
            raise HttpError(BAD_REPLY)
        left = self.timeout - ticks_diff(ticks_ms(), self._since) / 1000
        if left <= 0:
            raise HttpError(NO_ANSWER)
        n = await asyncio.wait_for(self._stream.readinto(self._view[self._end :]), left)
        if not n:
            raise HttpError(CUT_OFF)
        self._end += n

    async def _line(self):
        while True:
            at = self._buf.find(b"\n", self._start, self._end)
            if at >= 0:
                break
            await self._fill()
        raw = bytes(self._view[self._start : at])
        self._start = at + 1
        try:
            return raw.decode().rstrip("\r")
        except (UnicodeError, ValueError):
            raise HttpError(BAD_REPLY) from None

    async def _take(self, n):
        parts = []
        while n:
            if self._start == self._end:
                self._start = self._end = 0
                await self._fill()
            size = min(n, self._end - self._start)
            parts.append(bytes(self._view[self._start : self._start + size]))
            self._start += size
            n -= size
        return b"".join(parts)

    async def _headers(self):
        headers = {}
        for _ in range(_HEADERS):
            line = await self._line()
            if not line:
                return headers
            name, colon, value = line.partition(":")
            name = name.lower()
            if not colon or not name or name != name.strip():
                raise HttpError(BAD_REPLY)
            value = value.strip()
            if name == "content-length" and headers.get(name, value) != value:
                raise HttpError(BAD_REPLY)
            headers[name] = value
        raise HttpError(BAD_REPLY)

    async def _reply(self, method):
        """(Response, True when the connection cannot be used again)."""
        while True:
            line = await self._line()
            if not line.startswith("HTTP/1.") or line[8:9] != " " or not line[9:12].isdigit():
                raise HttpError(BAD_REPLY)
            status = int(line[9:12])
            response = Response(status, await self._headers())
            if status >= 200:  # 100 Continue and its like come before the answer
                break
        last = line[7] != "1" or response.headers.get("connection", "").lower() == "close"
        if method == "HEAD" or status in (204, 304):
            return response, last
        if response.headers.get("transfer-encoding", "").lower() == "chunked":
            size, left = await self._chunks(response)
        else:
            size = response.number("content-length")
            if size is None:  # a body that ends with the connection could be cut unnoticed
                raise HttpError(BAD_REPLY)
            take = min(size, self.limit)
            response.body = await self._take(take)
            left = size - take
        if size > self.limit and status < 300:
            raise HttpError(BAD_REPLY)
        return response, last or left > 0

    async def _chunks(self, response):
        """Read a chunked body into `response`; (bytes of it, bytes left unread)."""
        parts = []
        total = 0
        while True:
            text = (await self._line()).partition(";")[0].strip()
            try:
                size = int(text, 16)
            except ValueError:
                raise HttpError(BAD_REPLY) from None
            if size < 0:
                raise HttpError(BAD_REPLY)
            if size == 0:
                await self._headers()  # trailers
                response.body = b"".join(parts)
                return total, 0
            total += size
            if total > self.limit:
                response.body = b"".join(parts)
                return total, size
            parts.append(await self._take(size))
            if await self._line():
                raise HttpError(BAD_REPLY)
