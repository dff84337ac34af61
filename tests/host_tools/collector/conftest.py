import httpx
import pytest

from host_tools.collector.serve import Background, Service
from tests.host_tools.collector.world import World


class Client:
    """A kit's half of the relay protocol over a real socket, one call a step."""

    def __init__(self, url: str):
        self.http = httpx.Client(base_url=url, timeout=20)

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
    """A collector in the background with a client on it."""

    def __init__(self, world: World, folder):
        service = Service(folder, world.trust(), world.acknowledger(), reserve=0)
        self.background = Background(service)
        self.store = self.background.store
        super().__init__(self.background.url)

    def stop(self):
        self.http.close()
        self.background.stop()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def start(world, tmp_path):
    """Starts a collector on what `world` lists by now; stopped after the test."""
    started = []

    def begin() -> Running:
        running = Running(world, tmp_path / "data")
        started.append(running)
        return running

    yield begin
    for running in started:
        running.stop()
