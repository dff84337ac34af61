"""The collector and the kit's relay against tus software that is not ours.

tuspy is in tests/host_tools/collector/test_tuspy.py; here are the tus project's own client and
server (npm), in tests/relay/node.
"""

import base64
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from host_tools.bench.relay_day import Collector, Region, Station, drawn
from host_tools.bench.relay_link import Line, Link
from host_tools.bench.relay_rivals import announce

NODE = Path(__file__).parents[1] / "relay" / "node"
SIZES = (60_000, 130_000)


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    if not found or not (NODE / "node_modules").is_dir():
        pytest.skip("needs node and `npm ci --prefix tests/relay/node`")
    return found


@pytest.fixture
def day(tmp_path):
    """(station, collector) with two photographs, running."""
    region = Region(tmp_path / "region")
    pages = [drawn(size, size) for size in SIZES]
    station = Station(region, tmp_path / "kit", 0, pages)
    collector = Collector(tmp_path / "data", region.options())
    yield station, collector
    collector.stop()
    station.close()


def name_of(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(("chunk", "stop"), [(20_000, 40_000), (10**9, 0)])
def test_the_tus_projects_client_uploads_to_the_collector(node, day, tmp_path, chunk, stop):
    station, collector = day
    announce(collector.url, station.journal(), (station.folder / "kit.der").read_bytes())
    for data in station.pages:
        file = tmp_path / "page.jpg"
        file.write_bytes(data)
        done = subprocess.run(
            [node, "client.mjs", str(file), name_of(data), f"{collector.url}/v1/u"]
            + [str(chunk), str(stop)],
            cwd=NODE,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip().endswith(f"/v1/u/{name_of(data)}")
        assert httpx.get(f"{collector.url}/v1/photos/{name_of(data)}").content == data


@pytest.mark.parametrize("cut", [None, 20_480])
def test_the_kit_uploads_to_the_tus_projects_server(node, day, tmp_path, cut):
    station, collector = day
    folder = tmp_path / "tus"
    folder.mkdir()
    server = subprocess.Popen(
        [node, "server.mjs", str(folder), collector.url],
        cwd=NODE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        for data in station.pages:
            created = httpx.post(
                f"http://127.0.0.1:{port}/v1/u",
                headers={
                    "Tus-Resumable": "1.0.0",
                    "Upload-Length": str(len(data)),
                    "Upload-Metadata": "sha256 "
                    + base64.b64encode(name_of(data).encode()).decode(),
                },
            )
            assert created.status_code == 201, created.text
        with Link(("127.0.0.1", port), Line(rate=8e6, delay=0.001, cut=cut)) as link:
            kit = station.start(link.port, 0.05, 10)
            done = kit.when(lambda line: line.startswith("done"), 90)
            assert done is not None, kit.said
            lines = link.lines
        for data in station.pages:
            assert (folder / name_of(data)).read_bytes() == data
        assert lines == 1 if cut is None else lines > 5
    finally:
        server.kill()
        server.wait()
