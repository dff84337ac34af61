"""A small HTTP/1.1 client (RFC 9112) over one stream of bytes.

A stream has `async write(buf)`, `async readinto(buf) -> n (0 = closed)`, `async close()` and, if it
can, `any()` (bytes waiting). Through a modem the end of a connection may show late or as rubbish,
so every length must be known and every wait is limited. Memory is one buffer and the short reply;
a photograph is streamed from its file.
"""

import asyncio

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
_ROOM = const(1024)
_HEADERS = const(40)


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
    """Requests to `host`; keeps its connection while the server does.

    `open_stream()`: coroutine that gives a stream. `timeout`: seconds without progress in sending,
    and for a whole reply. `limit`: longest body of a reply.
    """

    def __init__(self, open_stream, host, timeout=30, limit=4096):
        self.open_stream = open_stream
        self.host = host
        self.timeout = timeout
        self.limit = limit
        self._stream = _NONE
        self._buf = bytearray(_ROOM)
        self._view = memoryview(self._buf)
        self._start = self._end = 0
        self._since = 0

    async def close(self):
        """Close the connection if there is one; never raises."""
        stream, self._stream = self._stream, _NONE
        self._start = self._end = 0
        try:
            await stream.close()
        except (OSError, PartError):
            pass

    async def request(self, method, path, headers=(), body=b"", size=None):
        """Send one request and return its Response.

        `headers`: (name, value) pairs. `body`: bytes, or a file (readinto) of which `size` bytes
        are sent. Raises HttpError, or what the stream raises. A kept connection that proves dead is
        renewed once, since servers close idle ones; a file is not sent twice.
        """
        if self._end > self._start or self._waiting():
            await self.close()  # nothing was asked, so this is the end of the connection
        kept = self._stream is not _NONE
        while True:
            try:
                return await self._exchange(method, path, headers, body, size)
            except (OSError, PartError, asyncio.TimeoutError) as error:
                await self.close()
                if kept and size is None:
                    kept = False
                elif isinstance(error, asyncio.TimeoutError):
                    raise HttpError(NO_ANSWER) from None
                else:
                    raise

    def _waiting(self):
        return self._stream.any() if hasattr(self._stream, "any") else 0

    async def _exchange(self, method, path, headers, body, size):
        if self._stream is _NONE:
            self._stream = await self.open_stream()
        length = len(body) if size is None else size
        head = ["%s %s HTTP/1.1" % (method, path), "Host: " + self.host]
        head.append("Content-Length: %d" % length)
        head.extend("%s: %s" % pair for pair in headers)
        await self._send(("\r\n".join(head) + "\r\n\r\n").encode())
        if size is None:
            whole = True
            await self._send(body)
        else:
            whole = await self._send_file(body, size)
        self._since = ticks_ms()
        response, last = await self._reply(method)
        if last or not whole:
            await self.close()
        return response

    async def _send(self, data):
        view = memoryview(data)
        while view:
            await asyncio.wait_for(self._stream.write(view[:_ROOM]), self.timeout)
            view = view[_ROOM:]

    async def _send_file(self, file, size):
        """True when all was sent; False when the server answered before the end."""
        while size:
            if self._waiting():
                return False
            # The buffer is free: nothing of the reply has been read.
            n = file.readinto(self._view[: min(size, _ROOM)])
            if not n:
                raise OSError("file is shorter than it was")
            await asyncio.wait_for(self._stream.write(self._view[:n]), self.timeout)
            size -= n
        return True

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
