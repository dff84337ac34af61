"""TLS with a pinned key: the firmware's client, both runtimes, against CPython's ssl server."""

import asyncio
import datetime
import hashlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from firmware import tls_stream
from firmware.drivers.modem_at import Modem
from host_tools.kit.bus import LinkServer, LocalUART
from host_tools.kit.modem import ModemEmulator
from tests.conftest import ROOT, micropython

HOST = "collector.example.id"
CLIENT = Path(__file__).parent / "tls_client.py"
RUNTIMES = [sys.executable, micropython()]
DAY = 86400
DATA = bytes(range(256)) * 20


class Server:
    """Echo over TLS on loopback. `cut`: bytes to the client after which the line is cut."""

    def __init__(self, folder, name=HOST, days=(-1, 30), least=None, most=None, cut=None, cn=HOST):
        self.key = ec.generate_private_key(ec.SECP256R1())
        spki = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.pin = hashlib.sha256(spki).digest()
        self.context = self.make_context(folder, name, days, cn)
        if least:
            self.context.minimum_version = least
        if most:
            self.context.maximum_version = most
        self.cut = cut
        self.received = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def make_context(self, folder, name, days, cn):
        now = datetime.datetime.now(datetime.UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days[0]))
            .not_valid_after(now + datetime.timedelta(days[1]))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
            .sign(self.key, hashes.SHA256())
        )
        file = folder / f"{time.monotonic_ns()}.pem"
        file.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _accept(self):
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        """The server's TLS on a box of bytes, so that the line can be cut at any byte."""
        inbox, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(inbox, out, server_side=True)
        sent = 0
        shaken = False
        with sock:
            while True:
                try:
                    if not shaken:
                        tls.do_handshake()
                        shaken = True
                    data = tls.read(4096)
                    self.received += data
                    tls.write(data)
                    continue
                except ssl.SSLWantReadError:
                    ended = False
                except ssl.SSLError:
                    ended = True
                data = out.read()
                if self.cut is not None and sent + len(data) >= self.cut:
                    sock.sendall(data[: self.cut - sent])
                    return
                sent += len(data)
                try:
                    sock.sendall(data)
                    more = b"" if ended else sock.recv(4096)
                except ConnectionError:
                    return
                if not more:
                    return
                inbox.write(more)


def ask(runtime, server, pin=None, host=HOST, now=None, links=None):
    if runtime is None:
        pytest.skip("no MicroPython: pip has it for x86-64, elsewhere apt install micropython")
    done = subprocess.run(
        [
            runtime,
            str(CLIENT),
            str(links.port if links else server.address[1]),
            host,
            (pin or server.pin).hex(),
            str(now or int(time.time())),
            "modem" if links else "socket",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MICROPYPATH": f".frozen:{ROOT}"},
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    if "code" in said:
        assert said["text"] == tls_stream.TEXTS[said["code"]]
    return said


runtimes = pytest.mark.parametrize("runtime", RUNTIMES, ids=["cpython", "micropython"])


@runtimes
def test_the_pinned_server_is_spoken_to(tmp_path, runtime):
    server = Server(tmp_path)
    said = ask(runtime, server)
    assert said["same"] and server.received == DATA
    print(said)
    if said["peak"] is not None:
        assert said["peak"] < 20_000


@runtimes
def test_another_key_is_refused_before_a_byte_is_sent(tmp_path, runtime):
    server = Server(tmp_path)
    assert ask(runtime, server, pin=bytes(32))["code"] == tls_stream.OTHER_KEY
    assert server.received == b""


@runtimes
def test_a_new_certificate_of_the_same_key_is_taken(tmp_path, runtime):
    server = Server(tmp_path)
    server.context = server.make_context(tmp_path, HOST, (-1, 90), "another subject")
    assert ask(runtime, server)["same"]


@runtimes
def test_a_certificate_out_of_date_is_refused_when_the_clock_is_known(tmp_path, runtime):
    server = Server(tmp_path, days=(-30, -1))
    assert ask(runtime, server)["code"] == tls_stream.OUT_OF_DATE
    assert ask(runtime, server, now="-")["same"]
    young = Server(tmp_path, days=(1, 30))
    assert ask(runtime, young)["code"] == tls_stream.OUT_OF_DATE
    assert ask(runtime, young, now=int(time.time()) + 2 * DAY)["same"]


@runtimes
def test_a_certificate_for_another_name_is_refused(tmp_path, runtime):
    server = Server(tmp_path, name="other.example.id")
    assert ask(runtime, server)["code"] == tls_stream.OTHER_NAME
    assert server.received == b""


@runtimes
def test_a_server_that_knows_only_a_newer_version_is_named(tmp_path, runtime):
    server = Server(tmp_path, least=ssl.TLSVersion.TLSv1_3)
    assert ask(runtime, server)["code"] == tls_stream.NO_TLS12


@runtimes
@pytest.mark.parametrize("cut", [0, 3, 200, 600, 630])
def test_a_line_cut_in_the_handshake_is_told(tmp_path, runtime, cut):
    server = Server(tmp_path, cut=cut)
    assert ask(runtime, server)["code"] == tls_stream.CUT


def test_a_byte_changed_on_the_way_is_told(tmp_path):
    server = Server(tmp_path)

    class Line:
        """Changes byte `at` of what the server sends."""

        def __init__(self, at):
            self.at, self.seen = at, 0

        async def open(self):
            self.reader, self.writer = await asyncio.open_connection(*server.address)

        async def write(self, buf):
            self.writer.write(bytes(buf))

        async def readinto(self, buf):
            data = bytearray(await self.reader.read(300))
            if self.seen <= self.at < self.seen + len(data):
                data[self.at - self.seen] ^= 1
            self.seen += len(data)
            buf[: len(data)] = data
            return len(data)

        async def close(self):
            self.writer.close()

    async def run(at):
        line = Line(at)
        await line.open()
        secure = await tls_stream.open_tls(line, HOST, server.pin)
        await secure.write(b"data")
        buf = bytearray(4)
        assert await secure.readinto(buf) == 4
        await secure.close()
        return line.seen

    size = asyncio.run(run(10**6))
    # Every part of it: hello, certificate, key exchange, Finished, data.
    for at in range(60, size, size // 12):
        with pytest.raises(tls_stream.TlsError) as caught:
            asyncio.run(run(at))
        assert caught.value.code in (tls_stream.FAILED, tls_stream.OTHER_KEY, tls_stream.CUT), at


@runtimes
def test_it_runs_over_the_modem_driver(tmp_path, runtime):
    server = Server(tmp_path)
    links = LinkServer()
    part = ModemEmulator({HOST: server.address}, speed=100.0, booted=True)
    links.add_uart("uart-modem", part)
    try:
        assert ask(runtime, server, links=links)["same"] and server.received == DATA
        assert ask(runtime, server, pin=bytes(32), links=links)["code"] == tls_stream.OTHER_KEY
        assert server.received == DATA
    finally:
        links.close()
    assert part.commands.count('+CIPOPEN=0,"TCP","collector.example.id",443') == 2


def test_it_shares_the_modem_with_its_commands(tmp_path):
    server = Server(tmp_path)
    part = ModemEmulator({HOST: server.address}, speed=100.0, booted=True)
    modem = Modem(LocalUART(part), "internet", part.dcd, 0.1)

    async def run():
        stream = await modem.open_tcp(HOST, 443)
        secure = await tls_stream.open_tls(stream, HOST, server.pin, int(time.time()))
        data = bytes(range(256)) * 20
        got = b""
        buf = bytearray(300)
        for at in range(0, len(data), 1024):
            await secure.write(data[at : at + 1024])
            while len(got) < at + 1024:
                n = await secure.readinto(buf)
                assert n
                got += buf[:n]
        assert got == data
        assert secure.any() == 0
        await secure.close()
        assert await modem.signal() == -73

    asyncio.run(run())
