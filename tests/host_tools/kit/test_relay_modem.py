"""The relay over the modem driver, the emulated modem and real sockets, with the line failing."""

import asyncio
import socket
import threading
import time

import pytest

from firmware.drivers.modem_at import Modem
from firmware.relay import Relay
from host_tools.kit.bus import LocalUART
from host_tools.kit.modem import ModemEmulator
from tests.firmware.peer import CERTIFICATE, Collector, Kit, Session, verify_ack

HOST = "collector.example.id"
PHOTO = bytes(range(256)) * 120


class Server:
    """Collector on a loopback socket, one thread a connection; `rubbish` replaces its answers."""

    def __init__(self, collector):
        self.collector = collector
        self.lock = threading.Lock()
        self.rubbish = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        session = Session(self.collector)
        with sock:
            while True:
                try:
                    data = sock.recv(4096)
                except ConnectionError:
                    return
                if not data:
                    return
                with self.lock:
                    out = self.rubbish or session.feed(data)
                try:
                    sock.sendall(out)
                except ConnectionError:
                    return


class Bench:
    """Kit, relay, driver, modem, collector."""

    def __init__(self, folder, dcd=False, **options):
        self.kit = Kit(str(folder))
        self.collector = Collector()
        self.server = Server(self.collector)
        options.setdefault("booted", True)
        self.part = ModemEmulator({HOST: self.server.address}, speed=200.0, **options)
        self.modem = Modem(LocalUART(self.part), "internet", self.part.dcd if dcd else None, 0.05)
        self.relay = Relay(
            self.open,
            self.kit.journal,
            self.kit.photos,
            verify_ack,
            self.kit.store,
            HOST,
            CERTIFICATE,
            self.kit.on_ack,
            self.kit.on_refused,
            first_wait=0.02,
            timeout=2,
        )
        self.errors = set()

    async def open(self):
        return await self.modem.open_tcp(HOST, 8080)

    def fill(self):
        self.kit.result([self.kit.page(1, PHOTO)])

    def run(self, done=None, meanwhile=None, limit=60):
        """Run the relay until `done()`; `limit` seconds are for a hang only."""
        done = done or self.is_done

        async def main():
            task = asyncio.create_task(self.relay.run())
            side = asyncio.create_task(meanwhile()) if meanwhile else None
            end = time.monotonic() + limit
            while not done():
                assert time.monotonic() < end, self.relay.status.last_error
                if self.relay.status.last_error:
                    self.errors.add(self.relay.status.last_error)
                await asyncio.sleep(0.01)
            for started in (task, side):
                if started:
                    started.cancel()

        asyncio.run(main())

    def is_done(self):
        status = self.relay.status
        return self.kit.acks == [2] and status.sent == 3 and not status.photos_waiting

    def check(self):
        assert self.collector.complaints == []
        assert self.collector.order.count(("photo", PHOTO)) == 1
        assert [seq for what, seq in self.collector.order if what == "entry"] == [2, 1, 3]


@pytest.mark.parametrize("dcd", [False, True])
def test_everything_arrives(tmp_path, dcd):
    bench = Bench(tmp_path, dcd, booted=False)
    bench.fill()
    bench.run()
    bench.check()
    assert bench.errors == set()


@pytest.mark.parametrize(("every", "dcd"), [(3000, False), (5000, True), (9000, False)])
def test_a_line_cut_every_so_many_bytes_gets_it_all_across(tmp_path, every, dcd):
    bench = Bench(tmp_path, dcd)
    bench.fill()
    bench.part.cut_after(every, repeat=True)
    bench.run()
    bench.check()
    assert bench.part.commands.count("+NETOPEN") > 3
    # Nothing went twice but the entry that asks for the offset, once a connection.
    assert bench.part.to_net < len(PHOTO) + 1200 * (bench.part.commands.count("+NETOPEN") + 2)


def faults(bench):
    part, server = bench.part, bench.server

    def rubbish(on):
        server.rubbish = b"<html>portal</html>" if on else b""

    return {
        "no service": (lambda: part.set_network(2, 99), lambda: part.set_network(1, 20)),
        "silence": (lambda: part.silence(True), lambda: part.silence(False)),
        "no power": (part.power_off, part.power_on),
        "rubbish from the server": (lambda: rubbish(True), lambda: rubbish(False)),
        "name not found": (part.hosts.clear, lambda: part.hosts.update({HOST: server.address})),
        "wrong apn": (lambda: setattr(part, "apn", "x"), lambda: setattr(part, "apn", None)),
        "refused": (
            lambda: part.hosts.update({HOST: ("127.0.0.1", closed_port())}),
            lambda: part.hosts.update({HOST: server.address}),
        ),
    }


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.mark.parametrize(
    "name",
    [
        "no service",
        "silence",
        "no power",
        "rubbish from the server",
        "name not found",
        "wrong apn",
        "refused",
    ],
)
@pytest.mark.parametrize("when", ["from the start", "in the middle"])
def test_each_fault_is_told_and_when_it_ends_the_relay_goes_on(tmp_path, name, when):
    bench = Bench(tmp_path)
    bench.fill()
    begin, end = faults(bench)[name]

    async def trouble():
        if when == "in the middle":
            while bench.part.to_net < 9000:
                await asyncio.sleep(0.001)
            begin()
            if bench.part.link is not None:
                bench.part.drop_carrier()
        while not bench.relay.status.last_error:
            await asyncio.sleep(0.005)
        end()

    if when == "from the start":
        begin()
    bench.run(meanwhile=trouble)
    bench.check()
    assert bench.errors, name


def test_noise_on_the_line_while_data_flows_loses_nothing(tmp_path):
    bench = Bench(tmp_path)
    bench.fill()

    async def noise():
        for _ in range(5):
            await asyncio.sleep(0.05)
            bench.part.rubbish(30)

    bench.run(meanwhile=noise)
    bench.check()


def test_the_signal_can_be_asked_when_all_is_sent(tmp_path):
    bench = Bench(tmp_path)
    bench.fill()
    heard = []

    async def ask():
        while not bench.is_done():
            await asyncio.sleep(0.01)
        bench.part.rssi = 11
        while heard[-1:] != [-91]:
            heard.append(await bench.modem.signal())
            await asyncio.sleep(0.01)

    bench.run(done=lambda: heard[-1:] == [-91], meanwhile=ask)
    assert not bench.part.data_mode
    bench.check()
