import socket

import httpx
import pytest

from host_tools.collector import tls
from host_tools.collector.serve import Background, Service
from tests.host_tools.collector import tls_files
from tests.host_tools.collector.world import World


class Client:
    """A kit's half of the relay protocol over a real socket, one call a step."""

    def __init__(self, url: str, verify=True):
        self.http = httpx.Client(base_url=url, timeout=20, verify=verify)

    def submit(self, made, **kwargs) -> httpx.Response:
        body = made if isinstance(made, bytes) else made.submission()
        headers = {"Content-Type": "application/cbor", **kwargs}
        return self.http.post("/v1/records", content=body, headers=headers)

    def patch(self, digest: bytes, offset, body, **headers) -> httpx.Response:
        usual = {
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": offset if isinstance(offset, bytes) else str(offset),
        }
        url = f"/v1/u/{digest.hex()}"
        return self.http.patch(url, content=body, headers={**usual, **headers})

    def head(self, digest: bytes) -> httpx.Response:
        return self.http.head(f"/v1/u/{digest.hex()}", headers={"Tus-Resumable": "1.0.0"})

    def state(self, rec_id: bytes) -> str:
        return self.http.get(f"/v1/records/{rec_id.hex()}").text


class Running(Client):
    """A collector in the background with a client on it; `files`: speaks TLS with them."""

    def __init__(self, world: World, folder, files: tls_files.Files | None = None):
        service = Service(folder, world.trust(), world.acknowledger(), reserve=0)
        self.background = Background(service, tls.load(*files) if files else None)
        self.store = self.background.store
        self.context = files.client() if files else None
        super().__init__(self.background.url, self.context or True)

    def connect(self) -> socket.socket:
        """A bare line to it, after the handshake if there is one; close() says no goodbye."""
        line = socket.create_connection((self.background.host, self.background.port))
        line.settimeout(10)
        # Nagle would hold bytes back behind those of the handshake; they are to be on the line.
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.context:
            line = self.context.wrap_socket(line, server_hostname=tls_files.HOST)
        return line

    def stop(self):
        self.http.close()
        self.background.stop()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def options(world, tmp_path) -> list[str]:
    """What `saksi collect` is called with; a kit is listed."""
    world.kit()
    return ["--data", str(tmp_path / "data"), "--port", "0", *world.files(tmp_path)]


@pytest.fixture
def start(world, tmp_path):
    """Starts a collector on what `world` lists by now; stopped after the test."""
    started = []

    def begin(files=None) -> Running:
        running = Running(world, tmp_path / "data", files)
        started.append(running)
        return running

    yield begin
    for running in started:
        running.stop()
