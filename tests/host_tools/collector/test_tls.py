"""TLS: kits that pin the key take this server and no other; others trust its certificate."""

import asyncio
import logging
import socket
import ssl
import subprocess

import httpx
import pytest

from firmware import cbor, http
from firmware.drivers.socket_stream import SocketStream
from firmware.tls_stream import OTHER_KEY, OTHER_NAME, TlsError, open_tls
from host_tools.collector import limits
from host_tools.collector.door import Remote
from host_tools.collector.reasons import SetupError
from tests.host_tools.collector.tls_files import HOST, make
from tests.host_tools.collector.world import photo, sha256

PHOTO = photo(50_000)


@pytest.fixture
def files(tmp_path):
    return make(tmp_path)


@pytest.fixture
def collector(start, world, files):
    world.made = world.kit().result([PHOTO])
    return start(files)


async def kit_sends(collector, pin: bytes, host: str, requests) -> list[tuple[int, bytes]]:
    """Status and body of each answer, through the firmware's own HTTP and TLS."""
    answers = []

    async def open_stream():
        line = socket.create_connection((collector.background.host, collector.background.port))
        line.setblocking(False)
        return await open_tls(SocketStream(line), host, pin)

    async def take(_what, reply):
        answers.append((reply.status, bytes(reply.body)))

    client = http.Client(open_stream, host, take, lambda what: None)
    try:
        for number, request in enumerate(requests):
            await client.send(number, *request)
        while len(answers) < len(requests):
            await client.take()
    finally:
        await client.close()
    return answers


def test_a_kit_with_the_pin_delivers_entry_and_photograph(collector, world, files):
    head = (("Tus-Resumable", "1.0.0"), ("Content-Type", "application/offset+octet-stream"))
    requests = [
        ("POST", "/v1/records", (("Content-Type", "application/cbor"),), world.made.submission()),
        ("PATCH", f"/v1/u/{sha256(PHOTO).hex()}", (*head, ("Upload-Offset", "0")), PHOTO),
    ]
    (entry, body), (photograph, _) = asyncio.run(kit_sends(collector, files.pin, HOST, requests))
    assert (entry, photograph) == (201, 204)
    assert cbor.decode(body)[0] == world.made.rec_id
    assert collector.state(world.made.rec_id) == "complete"


def test_a_kit_with_another_pin_or_another_name_sends_nothing(collector, world, files):
    body = world.made.submission()
    requests = [("POST", "/v1/records", (("Content-Type", "application/cbor"),), body)]
    for pin, host, code in ((bytes(32), HOST, OTHER_KEY), (files.pin, "b.example.id", OTHER_NAME)):
        with pytest.raises(TlsError) as caught:
            asyncio.run(kit_sends(collector, pin, host, requests))
        assert caught.value.code == code
    assert list(collector.store.entries()) == []


def test_a_client_without_tls_gets_nothing(collector):
    with socket.create_connection((collector.background.host, collector.background.port)) as line:
        line.settimeout(10)
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: c\r\n\r\n")
        assert b"HTTP" not in line.recv(4096)
    with pytest.raises(httpx.TransportError):
        httpx.get(collector.background.url.replace("https", "http") + "/healthz")


def test_clients_that_trust_the_certificate_are_served_and_others_turn_away(
    collector, world, files, monkeypatch
):
    url = collector.background.url + "/healthz"
    assert httpx.get(url, verify=files.client()).text == "ok\n"
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        httpx.get(url)
    with pytest.raises(SetupError, match="cannot be reached"):
        Remote(collector.background.url).submit(world.made.data, None, None)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.certificate))
    assert Remote(collector.background.url).submit(world.made.data, None, None).new


def test_curl_is_served_with_the_certificate_and_not_without(collector, files):
    ask = ["curl", "-sS", "--max-time", "10", collector.background.url + "/healthz"]
    told = subprocess.check_output([*ask, "--cacert", files.certificate], text=True)
    assert told == "ok\n"
    assert subprocess.run(ask, check=False, capture_output=True).returncode == 60


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_tls_1_2_and_1_3_are_spoken_and_nothing_older(collector, files):
    spoken = []
    for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = files.client()
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        place = (collector.background.host, collector.background.port)
        try:
            with socket.create_connection(place) as line:
                spoken.append(context.wrap_socket(line, server_hostname=HOST).version())
        except (ssl.SSLError, ConnectionError):
            spoken.append("refused")
    assert spoken == ["refused", "TLSv1.2", "TLSv1.3"]


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\nHo"], ids=["nothing", "half"])
def test_a_line_that_asks_nothing_is_closed(start, files, monkeypatch, secure, said):
    monkeypatch.setattr(limits, "KEEP_ALIVE_SECONDS", 0.2)
    line = start(files if secure else None).connect()
    line.sendall(said)
    assert line.recv(4096) == b""
    line.close()


def test_a_line_that_is_slow_with_its_body_is_not_taken_for_an_idle_one(
    start, world, files, monkeypatch
):
    monkeypatch.setattr(limits, "KEEP_ALIVE_SECONDS", 0.05)
    body = world.kit().result().submission()
    line = start(files).connect()
    head = "POST /v1/records HTTP/1.1\r\nHost: c\r\nContent-Type: application/cbor\r\n"
    line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
    for at in range(0, len(body), 100):
        asyncio.run(asyncio.sleep(0.1))
        line.sendall(body[at : at + 100])
    assert b" 201 " in line.recv(4096)
    line.close()


def test_a_handshake_that_never_ends_is_ended(start, files, monkeypatch):
    monkeypatch.setattr(asyncio.constants, "SSL_HANDSHAKE_TIMEOUT", 0.2)
    collector = start(files)
    with socket.create_connection((collector.background.host, collector.background.port)) as line:
        line.settimeout(10)
        line.sendall(b"\x16\x03\x01")
        assert line.recv(4096) == b""


def test_a_stop_does_not_wait_for_the_goodbye_of_an_idle_line(start, files, monkeypatch, caplog):
    monkeypatch.setattr(limits, "GOODBYE_SECONDS", 0.1)
    collector = start(files)
    idle = collector.connect()
    idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: c\r\n\r\n")
    assert b" 200 " in idle.recv(4096)
    logging.getLogger("uvicorn.error").addHandler(caplog.handler)
    collector.background.stop()
    logging.getLogger("uvicorn.error").removeHandler(caplog.handler)
    # uvicorn says so when it has waited its five seconds in vain.
    assert "graceful shutdown exceeded" not in caplog.text
    idle.close()
