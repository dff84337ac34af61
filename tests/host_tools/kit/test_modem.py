"""The modem driver against the emulated modem: start, faults, data mode."""

import asyncio
import socket
import threading

import pytest

from firmware.drivers import PartError, at_port
from firmware.drivers.modem_at import Modem
from host_tools.kit.bus import LocalUART
from host_tools.kit.modem import ModemEmulator

PACE = 0.1
SPEED = 100.0
WALL = 1739509200  # 2025-02-14 05:00:00 UTC


class Peer:
    """A TCP server on loopback that echoes; `close_after` bytes it closes, having sent `last`."""

    def __init__(self, close_after=None, last=b""):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.close_after = close_after
        self.last = last
        self.got = b""
        self.connections = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            sock, _ = self.listener.accept()
            self.connections += 1
            with sock:
                self._serve(sock)

    def _serve(self, sock):
        while self.close_after is None or len(self.got) < self.close_after:
            data = sock.recv(4096)
            if not data:
                return
            self.got += data
            if self.close_after is None:
                sock.sendall(data)
        sock.sendall(self.last)


def pair(dcd=False, apn="internet", **options):
    options.setdefault("booted", True)
    part = ModemEmulator(speed=SPEED, wall=lambda: WALL, **options)
    return part, Modem(LocalUART(part), apn, part.dcd if dcd else None, PACE)


def code_of(coroutine):
    with pytest.raises(PartError) as caught:
        asyncio.run(coroutine)
    assert caught.value.text == at_port.TEXTS[caught.value.code]
    return caught.value.code


async def read_all(stream, count):
    data = b""
    buf = bytearray(300)
    while len(data) < count:
        n = await asyncio.wait_for(stream.readinto(buf), 10)
        if not n:
            break
        data += buf[:n]
    return data


@pytest.mark.parametrize("seed", range(6))
def test_it_comes_up_whatever_the_pieces_and_the_chatter(seed):
    part, modem = pair(seed=seed, chatter=0.5)

    async def run():
        await modem.up()
        return await modem.signal(), await modem.time()

    assert asyncio.run(run()) == (-73, WALL)
    assert not part.echo and part.cmee == 2 and part.used_apn == "internet"


def test_it_waits_for_a_modem_that_is_just_switched_on():
    part, modem = pair(booted=False)
    asyncio.run(modem.up())
    assert part.polls == 3


def test_roaming_is_service_too():
    _, modem = pair(stat=5)
    asyncio.run(modem.up())
    assert modem.ready


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"sim": "absent"}, at_port.NO_SIM),
        ({"sim": "SIM PIN"}, at_port.SIM_PIN),
        ({"sim": "SIM PUK"}, at_port.SIM_PUK),
        ({"sim": "NOT READY"}, at_port.SIM_FAULT),
        ({"stat": 3}, at_port.DENIED),
        ({"register_after": 10**6}, at_port.NO_NETWORK),
    ],
)
def test_each_cause_that_keeps_it_down_has_its_own_code(options, code):
    _, modem = pair(**options)
    modem.port.pace = 0.02
    assert code_of(modem.up()) == code
    assert not modem.ready


def test_a_modem_without_power_does_not_answer():
    part, modem = pair()
    part.power_off()
    modem.port.pace = 0.02
    assert code_of(modem.up()) == at_port.NO_REPLY
    part.power_on()
    modem.port.pace = PACE
    asyncio.run(modem.up())
    assert modem.ready


def test_noise_instead_of_answers_is_named():
    part, modem = pair()

    async def run():
        task = asyncio.create_task(modem.port.command("AT", seconds=2))
        part.silence()
        await asyncio.sleep(0.02)
        part.line.clear()
        part.silence(False)
        part.rubbish(40)
        part.line.put(b"\r\n")
        await task

    assert code_of(run()) == at_port.RUBBISH


def test_noise_before_an_answer_does_no_harm():
    part, modem = pair()

    async def run():
        await modem.up()
        part.rubbish(700)
        return await modem.signal(), await modem.signal()

    assert asyncio.run(run())[1] == -73


def test_an_unknown_command_and_a_wrong_order_are_errors():
    _, modem = pair()

    async def run():
        await modem.up()
        for text in (
            "AT+QIOPEN",
            'AT+CIPOPEN=0,"TCP","collector.example.id",443',
            "AT+CIPCLOSE=0",
            "AT+NETCLOSE",
            "at",
        ):
            with pytest.raises(PartError) as caught:
                await modem.port.command(text)
            assert caught.value.code == at_port.REFUSED, text
        await modem.port.command("AT+CIPMODE=1")
        await modem.port.command("AT+NETOPEN")
        with pytest.raises(PartError):
            await modem.port.command("AT+CIPMODE=1")
        with pytest.raises(PartError):
            await modem.port.command("AT+NETOPEN")

    asyncio.run(run())
    _, modem = pair(register_after=10)

    async def unregistered():
        await modem.port.command("AT+NETOPEN")

    assert code_of(unregistered()) == at_port.REFUSED


def test_a_wrong_apn_gives_no_data():
    part = ModemEmulator(speed=SPEED, apn="internet", booted=True)
    modem = Modem(LocalUART(part), "wrong", None, PACE)
    assert code_of(modem.open_tcp("collector.example.id", 80)) == at_port.NO_DATA


def test_an_unknown_name_and_a_closed_port_are_told_apart_and_it_recovers():
    free = socket.create_server(("127.0.0.1", 0))
    closed = free.getsockname()
    free.close()
    peer = Peer()
    part, modem = pair(hosts={"dead.example.id": closed, "good.example.id": peer.address})

    async def run():
        for name, code in (
            ("none.example.id", at_port.NO_HOST),
            ("dead.example.id", at_port.CONNECT_FAILED),
        ):
            with pytest.raises(PartError) as caught:
                await modem.open_tcp(name, 80)
            assert caught.value.code == code
        stream = await modem.open_tcp("good.example.id", 80)
        await stream.write(b"hello")
        assert await read_all(stream, 5) == b"hello"
        await stream.close()

    asyncio.run(run())
    assert part.commands.count("E0") == 1  # a collector that is down is no reason to start afresh


@pytest.mark.parametrize("dcd", [False, True])
def test_binary_data_goes_both_ways_and_the_connection_can_be_opened_again(dcd):
    peer = Peer()
    part, modem = pair(dcd=dcd, hosts={"good.example.id": peer.address})
    # Everything that could be mistaken: escapes, end texts, final lines, every byte.
    data = (
        b"+++\r\nCLOSED\r\nmore\r\nNO CARRIER\r\nOK\r\nERROR\r\n" + bytes(range(256)) * 20 + b"+++"
    )

    async def run():
        for _ in range(2):
            stream = await modem.open_tcp("good.example.id", 80)
            got = asyncio.create_task(read_all(stream, len(data)))
            await stream.write(data)
            assert await got == data
            assert await modem.signal() == -73 and await modem.time() is None
            await stream.close()
            assert await modem.signal() == -73 and await modem.time() == WALL

    asyncio.run(run())
    assert part.to_net == part.to_kit == 2 * len(data)
    assert peer.connections == 2 and part.commands.count("+NETOPEN") == 1


@pytest.mark.parametrize("dcd", [False, True])
def test_the_peers_close_ends_the_data_and_nothing_of_it_is_data(dcd):
    peer = Peer(close_after=4, last=b"bye\r\n\r\n")
    _, modem = pair(dcd=dcd, hosts={"good.example.id": peer.address})

    async def run():
        stream = await modem.open_tcp("good.example.id", 80)
        await stream.write(b"stop")
        assert await read_all(stream, 100) == b"bye\r\n\r\n"
        with pytest.raises(PartError) as caught:
            await stream.write(b"more")
        assert caught.value.code == at_port.LINE_LOST
        await stream.close()
        assert await modem.signal() == -73

    asyncio.run(run())


@pytest.mark.parametrize("dcd", [False, True])
def test_a_dropped_carrier_ends_the_data_and_a_new_connection_works(dcd):
    peer = Peer()
    part, modem = pair(dcd=dcd, hosts={"good.example.id": peer.address})

    async def run():
        stream = await modem.open_tcp("good.example.id", 80)
        await stream.write(b"abc")
        assert await read_all(stream, 3) == b"abc"
        part.drop_carrier()
        assert await read_all(stream, 1) == b""
        await stream.close()
        stream = await modem.open_tcp("good.example.id", 80)
        await stream.write(b"def")
        assert await read_all(stream, 3) == b"def"
        await stream.close()

    asyncio.run(run())
    assert part.commands.count("+NETOPEN") == 2


def test_an_end_text_and_then_silence_costs_a_reconnect_and_no_wrong_byte():
    peer = Peer()
    _, modem = pair(hosts={"good.example.id": peer.address})

    async def run():
        stream = await modem.open_tcp("good.example.id", 80)
        await stream.write(b"x\r\nCLOSED\r\n")
        assert await read_all(stream, 12) == b"x"
        await stream.close()
        stream = await modem.open_tcp("good.example.id", 80)
        await stream.write(b"again")
        assert await read_all(stream, 5) == b"again"

    asyncio.run(run())


def test_a_kit_that_restarts_finds_the_modem_in_data_mode_and_sends_the_peer_nothing():
    peer = Peer()
    part, modem = pair(hosts={"good.example.id": peer.address})

    async def before():
        await modem.open_tcp("good.example.id", 80)

    asyncio.run(before())
    assert part.data_mode
    fresh = Modem(LocalUART(part), "internet", None, PACE)
    asyncio.run(fresh.up())
    assert fresh.ready and part.to_net == 0


def test_pluses_without_their_silence_are_data():
    peer = Peer()
    part, modem = pair(hosts={"good.example.id": peer.address})

    async def run():
        stream = await modem.open_tcp("good.example.id", 80)
        for piece in (b"a", b"+++", b"b"):
            await stream.write(piece)
        assert await read_all(stream, 5) == b"a+++b"
        assert part.data_mode

    asyncio.run(run())


def test_closing_keeps_the_silence_around_the_pluses():
    peer = Peer()
    part, modem = pair(hosts={"good.example.id": peer.address})

    async def run():
        stream = await modem.open_tcp("good.example.id", 80)
        await stream.write(b"x")
        await stream.close()

    asyncio.run(run())
    assert part.to_net == 1 and not part.data_mode


def test_silence_in_the_middle_is_survived():
    peer = Peer()
    part, modem = pair(hosts={"good.example.id": peer.address})

    async def run():
        stream = await modem.open_tcp("good.example.id", 80)
        part.silence()
        await stream.write(b"lost")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(stream.readinto(bytearray(4)), 0.1)
        modem.port.pace = 0.02
        await stream.close()
        modem.port.pace = PACE
        part.silence(False)
        stream = await modem.open_tcp("good.example.id", 80)
        await stream.write(b"back")
        assert await read_all(stream, 4) == b"back"

    asyncio.run(run())


def test_a_modem_that_restarts_by_itself_is_brought_up_again():
    peer = Peer()
    part, modem = pair(hosts={"good.example.id": peer.address})

    async def run():
        stream = await modem.open_tcp("good.example.id", 80)
        part.power_off()
        part.power_on()
        await stream.close()
        for _ in range(2):
            try:
                stream = await modem.open_tcp("good.example.id", 80)
                break
            except PartError:
                continue
        await stream.write(b"back")
        assert await read_all(stream, 4) == b"back"

    asyncio.run(run())


def test_the_cut_comes_after_exactly_so_many_bytes():
    peer = Peer(close_after=10**6)
    part, modem = pair(hosts={"good.example.id": peer.address})

    async def run():
        stream = await modem.open_tcp("good.example.id", 80)
        part.cut_after(10)
        await stream.write(b"0123456789abcdef")
        assert await read_all(stream, 1) == b""
        await stream.close()

    asyncio.run(run())
    assert peer.got == b"0123456789" and part.to_net == 10


def test_dialling_gives_the_line_to_ppp_and_takes_it_back():
    sent = []

    def bearer(data):
        if data:
            sent.append(data)
        return data[::-1]

    part, modem = pair(bearer=bearer)

    async def run():
        await modem.dial()
        modem.port.uart.write(b"~ppp~")
        while not modem.port.uart.any():
            await asyncio.sleep(0.002)
        buf = bytearray(20)
        assert buf[: modem.port.uart.readinto(buf)] == b"~ppp~"
        await modem.hang_up()
        assert await modem.signal() == -73

    asyncio.run(run())
    assert b"".join(sent) == b"~ppp~" and part.link is None


def test_dialling_without_a_bearer_is_refused():
    _, modem = pair()
    assert code_of(modem.dial()) == at_port.NO_DATA


def test_down_closes_the_network():
    peer = Peer()
    part, modem = pair(hosts={"good.example.id": peer.address})

    async def run():
        await modem.open_tcp("good.example.id", 80)
        await modem.down()

    asyncio.run(run())
    assert not part.net_open and not part.data_mode and part.link is None


def test_the_emulator_reaches_loopback_only():
    with pytest.raises(ValueError, match="loopback"):
        ModemEmulator({"x": ("192.0.2.1", 80)}, booted=True)
