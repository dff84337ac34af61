"""A stream of firmware.http over a TCP socket of the system: lwIP under PPP, or Linux on a Pi.

What is on its way is kept small where the system lets us: what the kernel has swallowed is neither
sent nor lost, and nobody could tell how far a photograph came.
"""

import asyncio
import select
import socket

from firmware.drivers import const

_MICROPYTHON = hasattr(asyncio, "core")  # its streams differ
_SOL_SOCKET, _SO_SNDBUF = const(1), const(7)  # Linux; MicroPython has no names for them
_BUFFER = const(4096)  # bytes asked for; Linux takes twice that, about what a modem holds


class SocketStream:
    """`stream`: of asyncio.open_connection on MicroPython, a socket that does not block on CPython.

    `ahead`: as in firmware.http.
    """

    def __init__(self, stream, ahead=10):
        self.stream = stream
        self.ahead = ahead
        self._poll = select.poll()
        self.socket = stream.s if _MICROPYTHON else stream
        self._poll.register(self.socket, select.POLLIN)

    def any(self):
        """1 when bytes, or the end, can be read at once."""
        return 1 if self._poll.poll(0) else 0

    def broken(self):
        """True when the connection failed."""
        return any(event[1] & select.POLLERR for event in self._poll.poll(0))

    async def write(self, buf):
        """Send all of `buf`; OSError when the connection broke."""
        if not _MICROPYTHON:
            return await asyncio.get_running_loop().sock_sendall(self.socket, buf)
        self.stream.write(buf)
        await self.stream.drain()

    async def readinto(self, buf):
        """Wait for bytes; 0: closed."""
        if not _MICROPYTHON:
            return await asyncio.get_running_loop().sock_recv_into(self.socket, buf)
        return await self.stream.readinto(buf)

    async def close(self):
        """Close the connection."""
        self.stream.close()
        if _MICROPYTHON:
            await self.stream.wait_closed()


async def _connected(host, port):
    if _MICROPYTHON:
        return (await asyncio.open_connection(host, port))[0]
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    sock = socket.socket(found[0][0], socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        await loop.sock_connect(sock, found[0][4])
    except BaseException:
        sock.close()
        raise
    return sock


async def connect(host, port, seconds=75, ahead=10):
    """A SocketStream to `host`:`port`; OSError when there is none within `seconds`."""
    try:
        stream = SocketStream(await asyncio.wait_for(_connected(host, port), seconds), ahead)
    except asyncio.TimeoutError:
        raise OSError("no connection in time") from None
    if stream.broken():  # MicroPython does not tell a refused connection from one that stands
        await stream.close()
        raise OSError("connection refused")
    try:
        stream.socket.setsockopt(_SOL_SOCKET, _SO_SNDBUF, _BUFFER)
    except OSError:
        pass  # lwIP has none, and holds little anyway
    return stream
