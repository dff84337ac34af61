import asyncio
import os

from firmware.drivers import PartError, at_port
from firmware.drivers.at_port import fault
from firmware.drivers.socket_stream import connect
from firmware.drivers.uplink import PppUplink, SystemUplink
from tests.firmware.support import raises

HOST = "127.0.0.1"
NEVER = 1_000_000


async def echo(reader, writer):
    """Sends back what comes until "." did, then closes."""
    while True:
        data = await reader.read(64)
        writer.write(data)
        await writer.drain()
        if not data or b"." in data:
            break
    writer.close()
    await writer.wait_closed()


async def listening():
    """(server, port) on a port that nobody has: both runtimes may be at it at once."""
    for _ in range(50):
        port = 20_000 + int.from_bytes(os.urandom(2), "big") % 12_000
        try:
            return await asyncio.start_server(echo, HOST, port), port
        except OSError:
            continue
    raise AssertionError("no free port")


async def served(work):
    server, port = await listening()
    try:
        return await asyncio.wait_for(work(port), 20)
    finally:
        server.close()
        await server.wait_closed()


async def soon_any(stream):
    for _ in range(400):
        if stream.any():
            return True
        await asyncio.sleep(0.005)
    return False


def test_a_system_socket_carries_bytes_tells_of_them_and_of_the_end():
    async def work(port):
        uplink = SystemUplink()
        await uplink.up()
        stream = await uplink.open_tcp(HOST, port)
        assert stream.any() == 0
        await stream.write(memoryview(b"satu"))
        assert await soon_any(stream)
        buf = bytearray(16)
        got = await stream.readinto(memoryview(buf)[4:])
        assert (got, bytes(buf[4 : 4 + got])) == (4, b"satu")
        await stream.write(b".")
        assert await stream.readinto(buf) == 1
        assert await soon_any(stream)  # the end is news too
        assert await stream.readinto(buf) == 0
        await stream.close()

    asyncio.run(served(work))


def test_a_large_write_arrives_whole():
    async def work(port):
        stream = await connect(HOST, port)
        sent = bytes(range(64, 250)) * 300 + b"."
        task = asyncio.create_task(stream.write(sent))
        got = bytearray()
        buf = bytearray(1000)
        while len(got) < len(sent):
            n = await stream.readinto(buf)
            assert n
            got += buf[:n]
        assert got == sent
        await task
        await stream.close()

    asyncio.run(served(work))


def test_nobody_listening_is_an_oserror():
    raises(OSError, lambda: asyncio.run(connect(HOST, 1, 5)))


def test_a_system_without_modem_knows_neither_time_nor_signal():
    uplink = SystemUplink()
    assert (asyncio.run(uplink.time()), asyncio.run(uplink.signal()), uplink.dbm) == (None,) * 3


class Line:
    """Modem and PPP in one, stricter than they are: commands in data mode, or PPP out of it, fail.

    `after`: polls until PPP has an address.
    """

    def __init__(self, after=2, refuses=False):
        self.after = after
        self.refuses = refuses
        self.data = self.ppp_on = False
        self.polls = 0
        self.said = []
        self.dbm = -73

    def _command(self, what):
        assert not self.data, what
        self.said.append(what)

    async def up(self):
        self._command("up")

    async def time(self):
        self._command("time")
        return 1795766640

    async def dial(self):
        self._command("dial")
        if self.refuses:
            raise fault(at_port.NO_DATA)
        self.data = True

    async def hang_up(self):
        assert not self.ppp_on
        self.said.append("hang up")
        self.data = False

    async def down(self):
        self._command("down")

    def connect(self):
        assert self.data
        self.ppp_on = True
        self.polls = 0

    def isconnected(self):
        self.polls += 1
        return self.ppp_on and self.polls > self.after

    def disconnect(self):
        self.ppp_on = False


def test_ppp_reads_the_time_before_it_dials_and_dials_once():
    async def work():
        line = Line()
        uplink = PppUplink(line, line)
        await uplink.up()
        await uplink.up()
        assert line.said == ["hang up", "up", "time", "dial"]
        told = await uplink.time()
        assert told and 0 <= told - 1795766640 < 10
        assert await uplink.time() is None  # once: an old reading would set the clock back
        assert uplink.dbm == -73
        await uplink.down()
        assert line.said[4:] == ["hang up", "down"]
        assert not line.data

    asyncio.run(work())


def test_ppp_without_an_address_hangs_up_and_says_that_there_is_no_data():
    async def work():
        line = Line(after=NEVER)
        try:
            await PppUplink(line, line, 1).up()
        except PartError as error:
            assert error.code == at_port.NO_DATA
        else:
            raise AssertionError("up without an address")
        assert not line.data and not line.ppp_on
        line.after = 1
        await PppUplink(line, line).up()  # and the next try dials anew
        assert line.said.count("dial") == 2

    asyncio.run(work())


def test_ppp_passes_on_what_the_modem_refuses():
    line = Line(refuses=True)
    raises(PartError, lambda: asyncio.run(PppUplink(line, line).up()))
    assert not line.ppp_on
