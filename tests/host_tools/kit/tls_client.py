"""A TLS client of the firmware's, on either runtime: `RUNTIME tls_client.py PORT HOST PIN NOW VIA`

VIA is `socket`, or `modem`: then PORT is the server of the virtual kit's buses. Sends data, reads
as much back, and prints JSON: what came, or the error's code; and the heap.
"""

import asyncio
import gc
import json
import socket
import sys

from firmware.drivers import PartError
from firmware.tls_stream import open_tls

MICROPYTHON = sys.implementation.name == "micropython"
# recv would block again: EAGAIN
_AGAIN = 11


class SocketStream:
    """A stream of ours on a socket that never blocks."""

    def __init__(self, port):
        self.sock = socket.socket()
        self.sock.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
        self.sock.setblocking(False)

    async def write(self, buf):
        view = memoryview(buf)
        while view:
            n = self.sock.send(view)
            view = view[n:]

    async def readinto(self, buf):
        while True:
            look()
            try:
                data = self.sock.recv(min(len(buf), 300))
                buf[: len(data)] = data
                return len(data)
            except OSError as error:
                if error.errno != _AGAIN:
                    return 0
            await asyncio.sleep(0.002)

    async def close(self):
        self.sock.close()


peak = [0]


def look():
    """What is in use and no garbage."""
    if MICROPYTHON:
        gc.collect()
        peak[0] = max(peak[0], gc.mem_alloc())


def resident():
    """Kilobytes of the process: what Mbed TLS takes lies outside the heap of MicroPython."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4


async def dial(port, host):
    """The virtual kit's own way to its modem."""
    from firmware.board_virtual import LinkUART
    from firmware.drivers.modem_at import Modem

    return await Modem(LinkUART(port, "uart-modem"), "internet", pace=0.1).open_tcp(host, 443)


async def main(port, host, pin, now, via):
    stream = SocketStream(int(port)) if via == "socket" else await dial(int(port), host)
    said = {"runtime": sys.implementation.name}
    gc.collect()
    before, outside = gc.mem_alloc() if MICROPYTHON else 0, resident()
    try:
        secure = await open_tls(
            stream, host, bytes.fromhex(pin), int(now) if now != "-" else None, timeout=20
        )
        data = bytes(range(256)) * 20
        sent = got = 0
        buf = bytearray(200)
        right = True
        while got < len(data):
            if sent < len(data):
                await secure.write(data[sent : sent + 1000])
                sent += len(data[sent : sent + 1000])
            while got < sent:
                n = await secure.readinto(buf)
                if not n:
                    raise PartError(900, "ended early")
                right = right and buf[:n] == data[got : got + n]
                got += n
                look()
        said["same"] = right
        said["resident_kb"] = resident() - outside
        await secure.close()
    except PartError as error:
        said["code"] = error.code
        said["text"] = error.text
    said["peak"] = peak[0] - before if MICROPYTHON else None
    print(json.dumps(said))


asyncio.run(main(*sys.argv[1:]))
