"""A full disk is told in one clear line, and loses nothing that was acknowledged."""

import os
import subprocess

import pytest

from host_tools.collector.serve import Background, Service
from tests.host_tools.collector.conftest import Client
from tests.host_tools.collector.process import Process
from tests.host_tools.collector.world import photo, sha256


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 1 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size=1m,uid={os.geteuid()}"
    mount = [*as_root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs root, or sudo without a password, to mount a small disk")
    yield folder
    subprocess.run([*as_root, "umount", "-l", str(folder)], check=True)


def refused(reply, status: int, reason: str) -> bool:
    assert reply.text.count("\n") == 1
    assert reply.headers["Retry-After"] == "60"
    return (reply.status_code, reply.headers["Saksi-Reason"]) == (status, reason)


def test_a_disk_that_fills_up_refuses_with_507_and_goes_on_when_there_is_room(world, small_disk):
    kit = world.kit()
    big = photo(600_000)
    made = kit.result([big])
    filler = small_disk / "filler"
    with Background(
        Service(small_disk / "data", world.trust(), world.acknowledger(), reserve=-(10**9))
    ) as background:
        collector = Client(background.url)
        assert collector.submit(made).status_code == 201
        filler.write_bytes(bytes(400_000))
        reply = collector.patch(sha256(big), 0, big)
        assert refused(reply, 507, "full")
        offset = int(collector.head(sha256(big)).headers["Upload-Offset"])
        assert 0 < offset < len(big)
        accepted, made = [], None
        for _ in range(1000):
            made = kit.event(1, ["x" * 2000])
            reply = collector.submit(made)
            if reply.status_code != 201:
                break
            accepted.append(made)
        assert refused(reply, 507, "full")
        filler.unlink()
        assert collector.submit(made).status_code == 201
        for each in accepted:
            assert collector.submit(each).status_code == 200
        assert collector.patch(sha256(big), offset, big[offset:]).status_code == 204
        assert collector.http.get(f"/v1/photos/{sha256(big).hex()}").content == big
        collector.http.close()


def test_photographs_stop_before_entries_do(world, small_disk):
    kit = world.kit()
    big = photo(600_000)
    made = kit.result([big])
    service = Service(small_disk / "data", world.trust(), world.acknowledger(), reserve=700_000)
    with Background(service) as background:
        collector = Client(background.url)
        assert collector.submit(made).status_code == 201
        assert refused(collector.patch(sha256(big), 0, big), 507, "full")
        assert collector.submit(kit.result()).status_code == 201
        collector.http.close()


def test_a_limit_on_files_is_told_like_a_full_disk(world, tmp_path):
    kit = world.kit()
    big = photo(1_500_000)
    made = kit.result([big])
    options = world.files(tmp_path)
    collector = Process(tmp_path / "data", options, limit=1_000_000)
    assert collector.submit(made).status_code == 201
    assert refused(collector.patch(sha256(big), 0, big), 507, "full")
    assert collector.stop() == 0
    collector = Process(tmp_path / "data", options)
    offset = int(collector.head(sha256(big)).headers["Upload-Offset"])
    assert 0 < offset <= 1_000_000
    assert collector.patch(sha256(big), offset, big[offset:]).status_code == 204
    assert collector.state(made.rec_id) == "complete"
    assert collector.stop() == 0
