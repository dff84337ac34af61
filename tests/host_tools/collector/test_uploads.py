"""Photographs: resumable at every byte, proved by their digest, newest connection first."""

import base64
import os
import socket
import ssl
import struct
import threading

import pytest

from firmware import cbor, record
from host_tools.collector import durable, limits
from tests.host_tools.collector import tls_files
from tests.host_tools.collector.world import photo, sha256

DATA = photo(300)
DIGEST = sha256(DATA)


LINES = {"plain": None, "tls1.2": ssl.TLSVersion.TLSv1_2, "tls1.3": ssl.TLSVersion.TLSv1_3}


@pytest.fixture(params=LINES.values(), ids=LINES.keys())
def collector(world, start, request, tmp_path):
    """A collector that accepted one result with one photograph, DATA."""
    made = world.kit().result([DATA])
    running = start(tls_files.make(tmp_path) if request.param else None)
    if request.param:
        running.context.maximum_version = request.param
    running.made = made
    assert running.submit(made).status_code == 201
    return running


def told(collector) -> int:
    """The offset in the reply to the entry sent again."""
    return cbor.decode(collector.submit(collector.made).content)[1][0][1]


class Raw:
    """A PATCH over a bare socket that can stop at any byte and leave the line half open."""

    def __init__(self, collector, offset: int, length: int, digest: bytes = DIGEST):
        self.socket = collector.connect()
        head = (
            f"PATCH /v1/u/{digest.hex()} HTTP/1.1\r\nHost: collector\r\nTus-Resumable: 1.0.0\r\n"
            "Content-Type: application/offset+octet-stream\r\n"
            f"Upload-Offset: {offset}\r\nContent-Length: {length}\r\n\r\n"
        )
        self.socket.sendall(head.encode())

    def send(self, data: bytes):
        self.socket.sendall(data)

    def answer(self) -> bytes:
        return self.socket.recv(4096)

    def cut(self):
        self.socket.close()


def wait_for(condition):
    """Wait until the server has noticed; the test's own time limit is pytest's."""
    pause = threading.Event()
    while not condition():
        pause.wait(0.005)


def test_a_photograph_sent_in_one_go_is_stored_as_it_came(collector):
    reply = collector.patch(DIGEST, 0, DATA)
    assert (reply.status_code, reply.headers["Upload-Offset"]) == (204, "300")
    assert reply.headers["Tus-Resumable"] == "1.0.0"
    assert collector.store.photo_path(DIGEST).read_bytes() == DATA
    got = collector.http.get(f"/v1/photos/{DIGEST.hex()}")
    assert (got.status_code, got.content) == (200, DATA)
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert told(collector) == 300
    assert os.listdir(collector.store.folder / "partial") == []


def test_an_upload_goes_on_from_every_offset(collector):
    for end in range(1, 301):
        reply = collector.patch(DIGEST, end - 1, DATA[end - 1 : end])
        assert (reply.status_code, reply.headers["Upload-Offset"]) == (204, str(end))
    assert told(collector) == 300
    assert collector.store.photo_path(DIGEST).read_bytes() == DATA


@pytest.mark.parametrize("offset", [0, 1, 150, 299, 300])
def test_the_reply_to_the_entry_and_head_tell_the_same_offset(collector, offset):
    collector.patch(DIGEST, 0, DATA[:offset])
    assert told(collector) == offset
    assert collector.head(DIGEST).headers["Upload-Offset"] == str(offset)


@pytest.mark.parametrize("kept", [1, 7, 150, 299, 300])
def test_a_line_that_breaks_keeps_what_had_come(world, start, kept):
    made = world.kit().result([DATA])
    running = start()
    running.submit(made)
    broken = Raw(running, 0, 300)
    broken.send(DATA[:kept])
    partial = running.store.folder / "partial" / DIGEST.hex()
    final = running.store.photo_file(DIGEST)
    wait_for(lambda: final.exists() or (partial.exists() and partial.stat().st_size == kept))
    broken.cut()
    assert int(running.head(DIGEST).headers["Upload-Offset"]) == kept
    assert running.patch(DIGEST, kept, DATA[kept:]).status_code == 204
    assert final.read_bytes() == DATA


@pytest.mark.parametrize("farewell", ["end", "reset"])
def test_bytes_that_the_end_of_the_line_comes_right_behind_are_kept(collector, farewell):
    for kept in (40, 170, 299):
        start = told(collector)
        line = Raw(collector, start, 300 - start)
        line.send(DATA[start:kept])
        if farewell == "reset":
            line.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.cut()
        pause = threading.Event()
        for _ in range(200):  # until the server has seen the end of the line
            if told(collector) == kept:
                break
            pause.wait(0.01)
        assert told(collector) == kept
    assert collector.patch(DIGEST, 299, DATA[299:]).status_code == 204


@pytest.mark.parametrize("version", LINES.values(), ids=LINES.keys())
def test_of_a_long_body_all_that_came_before_the_end_is_kept(world, start, version, tmp_path):
    data = photo(400_000)
    made = world.kit().result([data])
    collector = start(tls_files.make(tmp_path) if version else None)
    if version:
        collector.context.maximum_version = version
    collector.submit(made)
    collector.made = made
    line = Raw(collector, 0, len(data), sha256(data))
    line.send(data[:390_001])
    line.cut()
    wait_for(lambda: told(collector) == 390_001)
    assert collector.patch(sha256(data), 390_001, data[390_001:]).status_code == 204


def test_requests_sent_ahead_are_answered_in_their_order(world, start):
    made = [world.kit().result([DATA])]
    running = start()
    bodies = [made[0].submission()]
    head = "POST /v1/records HTTP/1.1\r\nHost: c\r\nContent-Type: application/cbor\r\n"
    line = b"".join(
        (head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body for body in bodies * 3
    )
    patch = (
        f"PATCH /v1/u/{DIGEST.hex()} HTTP/1.1\r\nHost: c\r\nTus-Resumable: 1.0.0\r\n"
        "Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n"
        "Content-Length: 300\r\n\r\n"
    )
    with socket.create_connection((running.background.host, running.background.port)) as sock:
        sock.sendall(line + patch.encode() + DATA)
        sock.settimeout(10)
        answer = b""
        while answer.count(b"HTTP/1.1") < 4:
            answer += sock.recv(65536)
    statuses = [part[:4].strip() for part in answer.split(b"HTTP/1.1")[1:]]
    assert statuses == [b"201", b"200", b"200", b"204"]
    assert running.store.photo_path(DIGEST).read_bytes() == DATA


def test_a_resume_survives_a_restart(collector, start):
    collector.patch(DIGEST, 0, DATA[:123])
    collector.stop()
    again = start()
    assert again.head(DIGEST).headers["Upload-Offset"] == "123"
    assert again.patch(DIGEST, 123, DATA[123:]).status_code == 204
    assert again.store.photo_path(DIGEST).read_bytes() == DATA


def test_all_bytes_with_another_digest_are_460_and_start_again_at_0(collector):
    reply = collector.patch(DIGEST, 0, DATA[:-1] + b"?")
    assert (reply.status_code, reply.headers["Upload-Offset"]) == (460, "0")
    assert told(collector) == 0
    assert collector.store.photo_path(DIGEST) is None
    assert collector.patch(DIGEST, 0, DATA).status_code == 204


def test_bytes_spoilt_on_the_disk_are_found_out(collector):
    collector.patch(DIGEST, 0, DATA[:200])
    partial = collector.store.folder / "partial" / DIGEST.hex()
    partial.write_bytes(bytes(200))
    assert collector.patch(DIGEST, 200, DATA[200:]).status_code == 460
    assert told(collector) == 0


def test_a_whole_partial_file_left_by_a_crash_is_proved_when_asked_for(collector):
    partial = collector.store.folder / "partial" / DIGEST.hex()
    partial.write_bytes(DATA)
    assert told(collector) == 300
    assert collector.store.photo_path(DIGEST).read_bytes() == DATA


def test_a_whole_but_wrong_partial_file_is_thrown_away_when_asked_for(collector):
    partial = collector.store.folder / "partial" / DIGEST.hex()
    partial.write_bytes(bytes(300))
    assert told(collector) == 0
    assert not partial.exists()


def test_an_offset_that_is_not_ours_is_409_with_ours(collector):
    collector.patch(DIGEST, 0, DATA[:100])
    for offset in (0, 99, 101, 300, 10**14):
        reply = collector.patch(DIGEST, offset, b"x")
        assert (reply.status_code, reply.headers["Upload-Offset"]) == (409, "100"), offset
    assert told(collector) == 100


def test_a_stored_photograph_takes_nothing_more(collector):
    collector.patch(DIGEST, 0, DATA)
    assert collector.patch(DIGEST, 0, DATA).status_code == 409
    assert collector.patch(DIGEST, 300, b"").status_code == 204
    assert collector.patch(DIGEST, 300, b"more").status_code == 413
    assert collector.store.photo_path(DIGEST).read_bytes() == DATA


def test_more_bytes_than_declared_are_refused(collector):
    assert collector.patch(DIGEST, 0, DATA + b"x").status_code == 413
    # Without a Content-Length the end is only found on the way.
    reply = collector.patch(DIGEST, 0, iter([DATA, b"x"]))
    assert (reply.status_code, reply.headers["Saksi-Reason"]) == (413, "too-big")
    assert told(collector) in (0, 300)  # as the pieces arrived: together or apart


def test_only_photographs_of_accepted_entries_have_an_address(collector):
    stranger = sha256(b"nobody named me")
    assert collector.patch(stranger, 0, b"x").status_code == 404
    assert collector.head(stranger).status_code == 404
    for name in ("..%2f..%2fetc%2fpasswd", "%00", DIGEST.hex().upper(), DIGEST.hex() + "0"):
        reply = collector.http.head(f"/v1/u/{name}", headers={"Tus-Resumable": "1.0.0"})
        assert reply.status_code == 404, name
        assert collector.http.get(f"/v1/photos/{name}").status_code == 404
    assert collector.http.get(f"/v1/photos/{DIGEST.hex()}").status_code == 404


def test_page_and_incident_events_open_uploads_too(world, start):
    kit = world.kit()
    page, incident = photo(50, 1), photo(60, 2)
    entries = [
        kit.page(page),
        kit.event(record.INCIDENT, [2, sha256(incident), len(incident), "hujan"]),
        kit.event(record.INCIDENT, [2, None, 0, "tanpa foto"]),
    ]
    collector = start()
    replies = [cbor.decode(collector.submit(made).content) for made in entries]
    assert replies[0][1] == [[sha256(page), 0]]
    assert replies[1][1] == [[sha256(incident), 0]]
    assert replies[2][1] == []
    assert collector.patch(sha256(page), 0, page).status_code == 204
    assert collector.patch(sha256(incident), 0, incident).status_code == 204
    assert [collector.state(made.rec_id) for made in entries] == ["complete"] * 3


def test_a_lie_about_anothers_size_does_not_stop_the_photograph(world, start):
    honest, liar = world.kit(), world.kit()
    lies = [liar.event(record.PAGE, [1, 1, DIGEST, size, 1]) for size in (10, 299, 301, 5_000_000)]
    collector = start()
    for made in [*lies, honest.result([DATA])]:
        assert collector.submit(made).status_code == 201
    assert collector.patch(DIGEST, 0, DATA[:10]).headers["Upload-Offset"] == "10"
    assert collector.patch(DIGEST, 10, DATA[10:]).status_code == 204
    assert collector.store.photo_path(DIGEST).read_bytes() == DATA


def test_an_empty_photograph_is_proved_like_any_other(world, start):
    made = world.kit().result([b""])
    collector = start()
    assert cbor.decode(collector.submit(made).content)[1] == [[sha256(b""), 0]]
    assert collector.patch(sha256(b""), 0, b"").status_code == 204
    assert collector.state(made.rec_id) == "complete"


def test_a_photograph_larger_than_any_real_one_is_refused_but_its_entry_is_kept(world, start):
    made = world.kit().event(record.PAGE, [1, 1, DIGEST, limits.MAX_PHOTO + 1, 1])
    collector = start()
    assert collector.submit(made).status_code == 201
    assert b" 413 " in Raw(collector, 0, limits.MAX_PHOTO + 1).answer()


def test_the_newest_connection_wins_over_a_half_open_one(collector):
    old = Raw(collector, 0, 300)
    old.send(DATA[:100])
    partial = collector.store.folder / "partial" / DIGEST.hex()
    wait_for(lambda: partial.exists() and partial.stat().st_size == 100)
    # A stray sender out of step does not end the old one ...
    assert collector.patch(DIGEST, 0, DATA).headers["Upload-Offset"] == "100"
    old.send(DATA[100:150])
    wait_for(lambda: partial.stat().st_size == 150)
    # ... the kit that dialled again and was told the offset does, and at once.
    assert told(collector) == 150
    assert collector.patch(DIGEST, 150, DATA[150:]).status_code == 204
    assert b" 409 " in old.answer()
    assert collector.store.photo_path(DIGEST).read_bytes() == DATA


def test_a_silent_line_is_dropped_and_its_bytes_are_kept(collector, monkeypatch):
    monkeypatch.setattr(limits, "IDLE_SECONDS", 0.1)
    silent = Raw(collector, 0, 300)
    silent.send(DATA[:40])
    assert b" 408 " in silent.answer()
    assert told(collector) == 40


def test_many_lines_on_one_photograph_never_mix_bytes(collector):
    def push():
        for _ in range(20):
            offset = int(client.head(DIGEST).headers["Upload-Offset"])
            client.patch(DIGEST, offset, DATA[offset : offset + 20])

    client = collector
    threads = [threading.Thread(target=push) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    offset = told(collector)
    assert collector.patch(DIGEST, offset, DATA[offset:]).status_code == 204
    assert collector.store.photo_path(DIGEST).read_bytes() == DATA


def test_an_offset_is_told_only_after_the_bytes_and_the_name_are_synced(collector, monkeypatch):
    synced = []
    real = os.fsync

    def fsync(fd):
        synced.append(os.readlink(f"/proc/self/fd/{fd}"))
        real(fd)

    monkeypatch.setattr(durable.os, "fsync", fsync)
    folder = collector.store.folder
    partial, final = folder / "partial" / DIGEST.hex(), collector.store.photo_file(DIGEST)
    collector.patch(DIGEST, 0, DATA[:10])
    assert str(partial) in synced and str(partial.parent) in synced
    synced.clear()
    collector.patch(DIGEST, 10, DATA[10:])
    assert synced[:1] == [str(partial)]
    assert {str(final.parent), str(final.parent.parent), str(partial.parent)} <= set(synced)


def test_bytes_that_could_not_be_synced_are_not_claimed(collector, monkeypatch):
    real = os.fsync

    def fails(fd):
        if os.readlink(f"/proc/self/fd/{fd}").endswith(DIGEST.hex()):
            raise OSError(5, "Input/output error")
        real(fd)

    collector.patch(DIGEST, 0, DATA[:10])
    with monkeypatch.context() as patch:
        steps = iter([real, fails])  # the offset is looked up first, then the bytes are synced

        def fsync(fd):
            next(steps, real)(fd)

        patch.setattr(durable.os, "fsync", fsync)
        reply = collector.patch(DIGEST, 10, DATA[10:])
    assert (reply.status_code, reply.headers["Saksi-Reason"]) == (503, "storage")
    assert reply.headers["Retry-After"] == "60"
    assert told(collector) == 10
    assert collector.patch(DIGEST, 10, DATA[10:]).status_code == 204


def _metadata(text: str) -> str:
    return "name Zm90bw==,sha256 " + base64.b64encode(text.encode()).decode()


def _create(collector, length="300", metadata=None, **headers):
    usual = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": length,
        "Upload-Metadata": _metadata(DIGEST.hex()) if metadata is None else metadata,
    }
    return collector.http.post("/v1/u", headers={**usual, **headers})


def test_creating_an_upload_twice_never_takes_bytes_away(collector):
    reply = _create(collector)
    assert (reply.status_code, reply.headers["Location"]) == (201, f"/v1/u/{DIGEST.hex()}")
    collector.patch(DIGEST, 0, DATA[:77])
    assert _create(collector).status_code == 201
    assert collector.head(DIGEST).headers["Upload-Offset"] == "77"


def test_creation_is_forbidden_for_what_no_entry_names(collector):
    reply = _create(collector, metadata=_metadata("00" * 32))
    assert (reply.status_code, reply.headers["Saksi-Reason"]) == (403, "undeclared")
    assert _create(collector, length="299").status_code == 400
    assert _create(collector, length="many").status_code == 400
    for metadata in ("", "sha256", "sha256 ???", "sha1 " + base64.b64encode(b"x").decode()):
        assert _create(collector, metadata=metadata).status_code == 400, metadata


def test_tus_options_versions_and_overrides(collector):
    for url in ("/v1/u", f"/v1/u/{DIGEST.hex()}"):
        options = collector.http.options(url)
        assert options.status_code == 204
        assert options.headers["Tus-Extension"] == "creation"
        assert options.headers["Tus-Version"] == "1.0.0"
    old = _create(collector, **{"Tus-Resumable": "0.2.2"})
    assert (old.status_code, old.headers["Tus-Version"]) == (412, "1.0.0")
    head = collector.head(DIGEST)
    assert head.headers["Upload-Length"] == "300"
    assert head.headers["Cache-Control"] == "no-store"
    overridden = collector.http.post(
        f"/v1/u/{DIGEST.hex()}",
        content=DATA,
        headers={
            "X-HTTP-Method-Override": "PATCH",
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": "0",
        },
    )
    assert overridden.status_code == 204
    plain = collector.http.post(f"/v1/u/{DIGEST.hex()}", headers={"Tus-Resumable": "1.0.0"})
    assert (plain.status_code, plain.headers["Saksi-Reason"]) == (405, "method")


def test_wrong_upload_headers_are_refused(collector):
    for offset in ("-1", "1.0", "", "१", "9" * 40):
        reply = collector.patch(DIGEST, offset.encode(), b"")
        assert (reply.status_code, reply.headers["Saksi-Reason"]) == (400, "tus-header")
    reply = collector.patch(DIGEST, 0, DATA, **{"Content-Type": "image/jpeg"})
    assert reply.status_code == 415
    assert told(collector) == 0


def test_health_says_ok(collector):
    assert collector.http.get("/healthz").text == "ok\n"
