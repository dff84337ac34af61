"""Whatever bytes come, the answer is a refusal and never an error of ours."""

import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware import cbor
from host_tools.collector.intake import Intake
from host_tools.collector.reasons import Refused
from host_tools.collector.store import Store
from tests.host_tools.collector.conftest import Running
from tests.host_tools.collector.world import World, frame, photo, sha256


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A running collector, a kit it knows and one good submission, shared by all examples."""
    world = World()
    kit = world.kit()
    made = kit.result([photo(40)])
    running = Running(world, tmp_path_factory.mktemp("rubbish") / "data")
    running.submit(made)
    yield running, kit, made
    running.stop()


def quick(test):
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    return settings(max_examples=60, deadline=None, database=None, suppress_health_check=checks)(
        test
    )


numbers = st.integers(-(2**64), 2**64 - 1)
items = st.recursive(
    st.none() | st.booleans() | numbers | st.binary(max_size=40) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(numbers | st.binary(max_size=8) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=15,
)


@quick
@given(st.binary(max_size=300))
def test_random_bytes_are_refused(scene, body):
    assert 400 <= scene[0].submit(body).status_code < 500


@quick
@given(st.lists(items, min_size=3, max_size=5))
def test_random_submissions_are_refused(scene, parts):
    assert 400 <= scene[0].submit(cbor.encode(parts)).status_code < 500


@quick
@given(st.data())
def test_a_good_submission_with_bytes_changed_is_refused_or_the_same(scene, data):
    collector, _, made = scene
    body = bytearray(made.submission())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    assert collector.submit(bytes(body)).status_code in (200, 400, 422)


@quick
@given(st.integers(0, 40), items)
def test_any_payload_signed_by_a_listed_kit_is_accepted_or_refused(scene, kind, rest):
    collector, kit, _ = scene
    tail = rest if isinstance(rest, list) else [rest]
    body = cbor.encode([frame(cbor.encode([kind, *tail]), kit.key), None, None, []])
    assert collector.submit(body).status_code in (201, 422)


@quick
@given(st.integers(0, 12), items, st.sampled_from([1, 2, 3]))
def test_any_field_signed_by_a_listed_kit_is_accepted_or_refused(scene, place, value, kind):
    collector, kit, made = scene
    common = [2**40, bytes(32), 1]
    place_of = [kind, kit.election, kit.station]
    if kind == 3:
        payload = [*place_of, 4, [1, 1, bytes(32), 5, 1], *common]
    else:
        payload = [*place_of, 1, 1, [1], sha256(made.manifest), *common]
    payload[place % len(payload)] = value
    manifest = None if kind == 3 else made.manifest
    body = cbor.encode([frame(cbor.encode(payload), kit.key), manifest, None, []])
    assert collector.submit(body).status_code in (201, 422)


@quick
@given(items, items)
def test_any_manifest_signed_by_a_listed_kit_is_accepted_or_refused(scene, pages, extra):
    collector, kit, _ = scene
    manifest = cbor.encode([1, pages, extra])
    payload = [1, kit.election, kit.station, 1, 1, [1], sha256(manifest), 2**41, bytes(32), 1]
    body = cbor.encode([frame(cbor.encode(payload), kit.key), manifest, None, []])
    assert collector.submit(body).status_code in (201, 422)


@quick
@given(st.sampled_from(["PATCH", "HEAD", "POST", "GET", "PUT", "DELETE"]), st.data())
def test_any_upload_request_is_answered_without_an_error(scene, method, data):
    text = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12)
    names = ["Upload-Offset", "Upload-Length", "Upload-Metadata", "Content-Type", "Tus-Resumable"]
    headers = data.draw(st.dictionaries(st.sampled_from([*names, "X-HTTP-Method-Override"]), text))
    if data.draw(st.booleans()):
        headers["Tus-Resumable"] = "1.0.0"
    address = data.draw(
        st.sampled_from(["/v1/u", "/v1/u/" + sha256(photo(40)).hex(), "/v1/u/" + "0" * 64])
    )
    reply = scene[0].http.request(method, address, headers=headers, content=b"")
    assert reply.status_code < 500


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /v1/records HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999999999\r\n\r\n",
        b"POST /v1/records HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/records HTTP/1.1\r\nHost: x\r\nContent-Type: application/cbor\r\n"
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PATCH /v1/u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
    ],
)
def test_broken_http_is_answered_or_dropped(scene, request_bytes):
    collector = scene[0]
    with socket.create_connection((collector.background.host, collector.background.port)) as line:
        line.settimeout(10)
        try:
            line.sendall(request_bytes)
            line.shutdown(socket.SHUT_WR)
            answer = line.recv(4096)
        except OSError:  # dropped before we had said it all
            answer = b""
    assert not answer or answer.split()[1][:1] == b"4"
    assert collector.http.get("/healthz").status_code == 200


def test_nested_and_huge_cbor_is_refused_without_work(tmp_path):
    world = World()
    store = Store(tmp_path)
    intake = Intake(world.trust(), store, world.acknowledger())
    for body in (b"\x81" * 60_000, b"\x9b" + b"\xff" * 8, b"\xbb" + b"\xff" * 8, b"\x5f" * 1000):
        with pytest.raises(Refused, match="submission"):
            intake.accept(body)
    store.close()
