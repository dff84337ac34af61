"""What is accepted, what is refused and with which code, over a real socket."""

import pytest
import sqlalchemy as sa

from firmware import cbor, record
from host_tools.collector import chain
from host_tools.collector.limits import MAX_NUMBER, MAX_SUBMISSION
from host_tools.collector.reasons import REASONS
from host_tools.provision.keys import SoftwareKey, verify
from tests.host_tools.collector.world import (
    LIVE,
    OTHER_STATION,
    STATION,
    TRAINING,
    Kit,
    Made,
    World,
    foreign_certificate,
    frame,
    photo,
    sha256,
)


def unpacked(reply) -> list:
    assert reply.headers["content-type"] == "application/cbor"
    return cbor.decode(reply.content)


def test_a_result_is_acknowledged_with_a_signature_that_verifies(world, start):
    kit = world.kit()
    made = kit.result([photo(1000), photo(2000)])
    collector = start()
    reply = collector.submit(made)
    assert reply.status_code == 201
    rec_id, offsets, ack = unpacked(reply)
    assert rec_id == made.rec_id
    assert offsets == [[sha256(photo(1000)), 0], [sha256(photo(2000)), 0]]
    entry = record.parse(ack)
    assert entry.kind == record.ACK
    assert entry.payload[1] == made.rec_id
    assert entry.payload[3:] == [None, None, None]
    assert entry.kid == world.collector.kid()
    assert verify(world.collector.public_key(), entry.signed_digest(), entry.signature)
    assert "Saksi-Conflict" not in reply.headers


def test_the_same_entry_sent_again_gets_the_same_reply_bytes(world, start):
    made = world.kit().result([photo(1000)])
    collector = start()
    first, second = collector.submit(made), collector.submit(made)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.content == second.content
    assert len(list(collector.store.entries())) == 1


def test_the_answer_stays_the_same_after_a_restart_and_after_the_kit_was_revoked(world, start):
    kit = world.kit()
    made = kit.result()
    collector = start()
    first = collector.submit(made)
    collector.stop()
    world.revoked.append(kit.key.kid())
    world.version = 2
    again = start()
    assert again.submit(made).content == first.content
    assert again.submit(kit.result()).headers["Saksi-Reason"] == "revoked"


def test_what_was_accepted_can_be_read_back_by_others(world, start):
    kit, other = world.kit(), world.kit(OTHER_STATION)
    made, elsewhere = kit.result([photo(10)]), other.result()
    collector = start()
    for each in (made, elsewhere):
        collector.submit(each)
    stored = collector.store.entry(made.rec_id)
    assert (stored.entry, stored.manifest) == (made.data, made.manifest)
    assert (stored.number, stored.seq, stored.contest, stored.station) == (1, 1, 1, STATION)
    assert [e.rec_id for e in collector.store.entries()] == [made.rec_id, elsewhere.rec_id]
    assert [e.rec_id for e in collector.store.entries(OTHER_STATION)] == [elsewhere.rec_id]
    assert [e.rec_id for e in collector.store.entries(after=1)] == [elsewhere.rec_id]
    assert collector.store.certificate(kit.key.kid()) == kit.certificate


def test_the_state_of_an_entry_is_told_as_text(world, start):
    kit = world.kit()
    with_photo, without = kit.result([photo(10)]), kit.event(record.CLOSE, [1, sha256(b"")])
    collector = start()
    for each in (with_photo, without):
        collector.submit(each)
    assert collector.state(with_photo.rec_id) == "accepted"
    assert collector.state(without.rec_id) == "complete"
    collector.patch(sha256(photo(10)), 0, photo(10))
    assert collector.state(with_photo.rec_id) == "complete"
    assert collector.http.get("/v1/records/" + "00" * 32).status_code == 404
    assert collector.http.get("/v1/records/nonsense").status_code == 404


def test_a_spare_kit_serves_any_station_of_its_region_and_no_other(world, start):
    spare = world.kit(OTHER_STATION, listed=0)
    stray = Kit(spare.certificate, spare.key, 3301012003001, LIVE)
    collector = start()
    assert collector.submit(spare.result()).status_code == 201
    assert collector.submit(stray.result()).headers["Saksi-Reason"] == "station"


def test_a_training_kit_may_train(world, start):
    made = world.kit(election=TRAINING).result()
    assert start().submit(made).status_code == 201


def test_a_correction_of_an_unknown_record_is_stored(world, start):
    made = world.kit().correction({record.REPLACES: sha256(b"never seen"), record.REASON: 1})
    collector = start()
    assert collector.submit(made).status_code == 201
    assert collector.store.entry(made.rec_id).replaces == sha256(b"never seen")


def test_signatures_of_page_claims_are_kept(world, start):
    made = world.kit().result()
    collector = start()
    body = cbor.encode([made.data, made.manifest, None, [b"claim one", b"claim two"]])
    assert collector.submit(body).status_code == 201
    stored = collector.store.entry(made.rec_id)
    assert cbor.decode(stored.claims) == [b"claim one", b"claim two"]


# Each case makes the wrong submission from a fresh world; the last test counts the reasons.
def _altered(change):
    def make(world: World) -> bytes:
        made = world.kit().result()
        return cbor.encode([change(made.data), made.manifest, None, []])

    return make


def _frame_part(index: int, value):
    def change(data: bytes) -> bytes:
        parts = cbor.decode(data).value
        parts[index] = value(parts[index]) if callable(value) else value
        return cbor.encode(cbor.Tag(18, parts))

    return change


def _other_s(signature: bytes) -> bytes:
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + (record.ORDER - s).to_bytes(32, "big")


def _flipped(data: bytes) -> bytes:
    """The kit's time changed by a second: right in form, not what was signed."""
    return data[:-67] + bytes([data[-67] ^ 1]) + data[-66:]


def _payload(change):
    """The result's payload changed and signed by the right key."""

    def make(world: World) -> bytes:
        kit = world.kit()
        made = kit.result()
        payload = record.parse(made.data).payload
        change(payload)
        return cbor.encode([frame(cbor.encode(payload), kit.key), made.manifest, None, []])

    return make


def _put(index: int, value):
    return _payload(lambda payload: payload.__setitem__(index, value))


def _manifest(change):
    def make(world: World) -> bytes:
        made = world.kit().result()
        return cbor.encode([made.data, change(made.manifest), None, []])

    return make


def _bad_manifest_signed(world: World) -> bytes:
    kit = world.kit()
    payload = record.parse(kit.result().data).payload
    manifest = cbor.encode([2, [], {}])
    payload[6] = sha256(manifest)
    return cbor.encode([frame(cbor.encode(payload), kit.key), manifest, None, []])


def _event_with_manifest(world: World) -> bytes:
    made = world.kit().event(record.BOOT, [])
    return cbor.encode([made.data, record.manifest([], {}), None, []])


def _with_certificate(change):
    def make(world: World) -> bytes:
        kit = world.kit()
        made = kit.result()
        return cbor.encode([made.data, made.manifest, change(world, kit), []])

    return make


def _moved(**place):
    """A listed kit that signs for another place than its own."""

    def make(world: World) -> Made:
        kit = world.kit()
        for name, value in place.items():
            setattr(kit, name, value)
        return kit.result()

    return make


def _revoked(world: World) -> Made:
    kit = world.kit()
    world.revoked.append(kit.key.kid())
    return kit.result()


def _unlisted_with_good_certificate(world: World) -> Made:
    made = world.kit(listed=None).result()
    assert made.certificate is not None
    return made


def _training_key_in_live_election(world: World) -> Made:
    kit = world.kit(election=TRAINING)
    kit.election = LIVE
    return kit.result()


def _kind(payload: list):
    def make(world: World) -> bytes:
        data = frame(cbor.encode(payload), world.kit().key)
        return cbor.encode([data, None, None, []])

    return make


def _event(number: int, detail: list):
    return lambda world: world.kit().event(number, detail)


D = sha256(b"x")
REFUSALS = [
    ("submission", lambda world: b""),
    ("submission", lambda world: b"not cbor"),
    ("submission", lambda world: cbor.encode([b"", None, None])),
    ("submission", lambda world: cbor.encode(["text", None, None, []])),
    ("submission", lambda world: cbor.encode([b"", 1, None, []])),
    ("submission", lambda world: cbor.encode([b"", None, None, [1]])),
    ("submission", lambda world: world.kit().result().submission() + b"\x00"),
    ("framing", _altered(lambda data: data[1:])),
    ("framing", _altered(lambda data: b"\xd8\x12" + data[1:])),
    ("framing", _altered(lambda data: data + b"\x00")),
    ("framing", _altered(_frame_part(3, b"short"))),
    ("framing", _altered(_frame_part(2, b"\xff"))),
    ("header", _altered(_frame_part(1, {1: 2}))),
    ("header", _altered(_frame_part(0, cbor.encode({1: -8, 4: b"12345678"})))),
    ("high-s", _altered(_frame_part(3, _other_s))),
    ("high-s", _altered(_frame_part(3, bytes(64)))),
    ("kid", _altered(_frame_part(0, cbor.encode({1: -7, 4: b"12345678"})))),
    ("kid", _unlisted_with_good_certificate),
    ("signature", _altered(_flipped)),
    ("signature", _altered(_frame_part(3, bytes(31) + b"\x01" + bytes(31) + b"\x01"))),
    ("revoked", _revoked),
    ("kind", _kind([36, D, 1, None, None, None])),
    ("kind", _kind([34, [[D, 1]]])),
    ("kind", _kind([record.READINESS, bytes(9), "1", D, LIVE, STATION, D, 1, [[1, 1]]])),
    ("shape", _payload(lambda payload: payload.append(1))),
    ("shape", _put(5, ["ten"])),
    ("shape", _put(-3, 0)),
    ("shape", _put(-3, MAX_NUMBER + 1)),
    ("shape", _put(3, 2**64 - 1)),
    ("shape", _event(record.PAGE, [1, 1, D, 10])),
    ("shape", _event(record.PAGE, [1, 1, b"short", 10, 1])),
    ("shape", _event(record.PAGE, [1, 1, D, 2**64 - 1, 1])),
    ("shape", _event(record.PAGE, [1, 1, D, True, 1])),
    ("shape", _event(record.INCIDENT, [1, D, "ten", "text"])),
    ("shape", _event(record.INCIDENT, [1, 7, 10, "text"])),
    ("mode", _training_key_in_live_election),
    ("mode", _moved(election=TRAINING)),
    ("election", _moved(election=2034)),
    ("station", _moved(station=OTHER_STATION)),
    ("certificate", _with_certificate(lambda world, kit: b"rubbish")),
    ("certificate", _with_certificate(lambda world, kit: foreign_certificate(kit))),
    ("certificate", _with_certificate(lambda world, kit: world.kit().certificate)),
    ("manifest", _manifest(lambda manifest: manifest + b"\x00")),
    ("manifest", _manifest(lambda manifest: record.manifest([], {1: "another"}))),
    ("manifest", _bad_manifest_signed),
    ("manifest", _event_with_manifest),
    ("correction", lambda world: world.kit().correction({record.REASON: 1})),
    ("correction", lambda world: world.kit().correction({record.REPLACES: b"short"})),
]


@pytest.mark.parametrize(
    ("reason", "make"), REFUSALS, ids=[f"{n}-{case[0]}" for n, case in enumerate(REFUSALS)]
)
def test_a_wrong_submission_is_refused_with_its_reason_and_leaves_nothing(
    world, start, reason, make
):
    wrong = make(world)
    right = world.kit(OTHER_STATION).result([photo(5)])
    collector = start()
    reply = collector.submit(wrong)
    assert reply.headers["Saksi-Reason"] == reason, reply.text
    assert reply.status_code == REASONS[reason][0]
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.text.strip().count("\n") == 0
    assert reply.text.endswith(".\n")
    assert list(collector.store.entries()) == []
    assert collector.submit(right).status_code == 201


def test_every_422_of_the_table_has_a_case():
    expected = {reason for reason, (status, _) in REASONS.items() if status == 422}
    assert expected <= {reason for reason, _ in REFUSALS}


def test_bodies_too_long_or_of_another_type_are_refused(world, start):
    collector = start()
    long = bytes(MAX_SUBMISSION + 1)
    reply = collector.submit(long)
    assert (reply.status_code, reply.headers["Saksi-Reason"]) == (413, "too-big")
    chunked = collector.http.post(
        "/v1/records",
        content=iter([bytes(1000)] * 100),
        headers={"Content-Type": "application/cbor"},
    )
    assert (chunked.status_code, chunked.headers["Saksi-Reason"]) == (413, "too-big")
    reply = collector.submit(b"{}", **{"Content-Type": "application/json"})
    assert (reply.status_code, reply.headers["Saksi-Reason"]) == (415, "media-type")
    assert collector.submit(bytes(MAX_SUBMISSION)).status_code == 400


def test_a_bundle_that_mixes_training_and_live_keys_stops_the_start(world):
    key = SoftwareKey.generate().public_key()
    world.listed[LIVE].append((key, STATION))
    world.listed[TRAINING].append((key, STATION))
    with pytest.raises(Exception, match="separate keys"):
        world.trust()


def test_a_result_scanned_from_a_receipt_counts_and_takes_its_manifest_later(world, start):
    data = photo(50)
    made = world.kit().result([data])
    collector = start()
    first = collector.submit(cbor.encode([made.data, None, made.certificate, []]))
    assert first.status_code == 201 and cbor.decode(first.content)[1] == []
    stored = collector.store.entry(made.rec_id)
    assert (stored.manifest, collector.state(made.rec_id)) == (None, "accepted")
    assert collector.patch(sha256(data), 0, data).status_code == 404

    wrong = cbor.encode([made.data, record.manifest([], {}), None, []])
    reply = collector.submit(wrong)
    assert (reply.status_code, reply.headers["Saksi-Reason"]) == (422, "manifest")

    for _ in range(2):
        second = collector.submit(made)
        assert second.status_code == 200
        assert cbor.decode(second.content)[1] == [[sha256(data), 0]]
        assert cbor.decode(second.content)[2] == cbor.decode(first.content)[2]
    assert collector.store.entry(made.rec_id).manifest == made.manifest
    assert collector.patch(sha256(data), 0, data).status_code == 204
    assert collector.state(made.rec_id) == "complete"


def scanned(made: Made, claims=()) -> bytes:
    """The submission of a receipt: the entry alone."""
    return cbor.encode([made.data, None, None, list(claims)])


def test_what_comes_with_a_late_manifest_is_kept_as_if_it_had_come_at_first(world, start):
    kit = world.kit()
    made = kit.result([photo(50)])
    collector = start()
    first = collector.submit(scanned(made))
    assert collector.store.certificate(kit.key.kid()) is None
    late = cbor.encode([made.data, made.manifest, kit.certificate, [b"one", b"two"]])
    for _ in range(2):
        reply = collector.submit(late)
        assert reply.status_code == 200
        assert cbor.decode(reply.content)[2] == cbor.decode(first.content)[2]
        assert "Saksi-Conflict" not in reply.headers
        stored = collector.store.entry(made.rec_id)
        assert (stored.manifest, cbor.decode(stored.claims)) == (made.manifest, [b"one", b"two"])
        assert collector.store.certificate(kit.key.kid()) == kit.certificate
        assert len(collector.store.pages(made.rec_id)) == 1


def test_claims_come_late_with_the_manifest_and_never_replace_others(world, start):
    kit = world.kit()
    without, having = kit.result(), kit.result()
    collector = start()
    collector.submit(scanned(without))
    collector.submit(scanned(having, [b"first"]))
    for made in (without, having):
        for claims in ([b"late"], [b"later still"]):
            body = cbor.encode([made.data, made.manifest, None, claims])
            assert collector.submit(body).status_code == 200
    kept = [cbor.decode(collector.store.entry(made.rec_id).claims) for made in (without, having)]
    assert kept == [[b"late"], [b"first"]]


def test_claims_without_the_manifest_add_nothing_to_a_known_entry(world, start):
    made = world.kit().result()
    collector = start()
    for claims in ([], [b"anybody's"]):
        collector.submit(scanned(made, claims))
    assert collector.store.entry(made.rec_id).claims is None


@pytest.mark.parametrize("wrong", ["manifest", "certificate"])
def test_a_late_submission_with_a_wrong_part_is_refused_and_leaves_nothing(world, start, wrong):
    kit = world.kit()
    made = kit.result([photo(50)])
    parts = {"manifest": made.manifest, "certificate": kit.certificate}
    others = {"manifest": record.manifest([], {}), "certificate": foreign_certificate(kit)}
    parts[wrong] = others[wrong]
    collector = start()
    first = collector.submit(scanned(made))
    reply = collector.submit(cbor.encode([made.data, *parts.values(), [b"claim"]]))
    assert (reply.status_code, reply.headers["Saksi-Reason"]) == (422, wrong)
    stored = collector.store.entry(made.rec_id)
    assert (stored.manifest, stored.claims, collector.store.pages(made.rec_id)) == (None, None, [])
    assert collector.store.certificate(kit.key.kid()) is None
    assert collector.submit(scanned(made)).content == first.content

    right = cbor.encode([made.data, made.manifest, kit.certificate, []])
    assert collector.submit(right).status_code == 200
    # Once the manifest is there, whatever else comes gets the same answer and changes nothing.
    again = collector.submit(cbor.encode([made.data, *parts.values(), [b"claim"]]))
    assert (again.status_code, again.content) == (200, collector.submit(right).content)
    assert collector.store.entry(made.rec_id).manifest == made.manifest
    assert collector.store.certificate(kit.key.kid()) == kit.certificate


def test_a_late_certificate_that_the_first_entry_does_not_name_is_noted(world, start):
    kit = world.kit()
    kit.prev = sha256(b"another certificate")
    made = kit.result()
    collector = start()
    assert "Saksi-Conflict" not in collector.submit(scanned(made)).headers
    reply = collector.submit(cbor.encode([made.data, made.manifest, kit.certificate, []]))
    assert (reply.status_code, reply.headers["Saksi-Conflict"]) == (200, "1")
    (conflict,) = collector.store.conflicts()
    assert (conflict.what, conflict.rec_id) == ("chain", made.rec_id)
    assert conflict.other == sha256(kit.certificate)


def test_a_late_manifest_is_taken_after_the_kit_was_revoked(world, start):
    kit = world.kit()
    made = kit.result([photo(50)])
    collector = start()
    collector.submit(scanned(made))
    collector.stop()
    world.revoked.append(kit.key.kid())
    world.version = 2
    again = start()
    assert again.submit(made).status_code == 200
    assert again.store.entry(made.rec_id).manifest == made.manifest


def test_a_late_manifest_is_kept_with_all_it_brings_or_not_at_all(world, start, monkeypatch):
    kit = world.kit()
    made = kit.result([photo(50)])
    collector = start()
    collector.submit(scanned(made))
    body = cbor.encode([made.data, made.manifest, kit.certificate, [b"claim"]])

    def fail(*_args):
        raise sa.exc.OperationalError("", {}, Exception("disk"))

    with monkeypatch.context() as patch:
        patch.setattr(chain, "add_certificate", fail)
        assert collector.submit(body).status_code == 503
    stored = collector.store.entry(made.rec_id)
    assert (stored.manifest, stored.claims, collector.store.pages(made.rec_id)) == (None, None, [])
    assert collector.submit(body).status_code == 200
    assert collector.store.certificate(kit.key.kid()) == kit.certificate


def test_of_two_late_manifests_at_the_same_moment_one_is_taken(world, start, monkeypatch):
    made = world.kit().result([photo(50)])
    collector = start()
    collector.submit(scanned(made))
    before = collector.store.entry(made.rec_id)
    assert (
        collector.submit(cbor.encode([made.data, made.manifest, None, [b"1"]])).status_code == 200
    )
    with monkeypatch.context() as patch:  # the second one had looked before the first was stored
        patch.setattr(collector.store, "entry", lambda _rec_id: before)
        reply = collector.submit(cbor.encode([made.data, made.manifest, None, [b"2"]]))
    assert (reply.status_code, cbor.decode(reply.content)[1]) == (200, [[sha256(photo(50)), 0]])
    assert cbor.decode(collector.store.entry(made.rec_id).claims) == [b"1"]


def test_a_correction_scanned_from_a_receipt_names_what_it_replaces_later(world, start):
    kit = world.kit()
    result = kit.result()
    made = kit.correction({record.REPLACES: result.rec_id})
    collector = start()
    assert collector.submit(cbor.encode([made.data, None, made.certificate, []])).status_code == 201
    assert collector.store.entry(made.rec_id).replaces is None
    assert collector.submit(made).status_code == 200
    assert collector.store.entry(made.rec_id).replaces == result.rec_id


def test_a_page_from_another_host_may_hand_on_a_receipt(world, start):
    """What a browser asks first, and what it needs with the answer (CORS, Fetch standard 3.2)."""
    made = world.kit().result()
    collector = start()
    asked = {
        "Origin": "https://tps.example.id",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    reply = collector.http.options("/v1/records", headers=asked)
    assert reply.status_code == 200 and reply.headers["access-control-allow-origin"] == "*"
    body = cbor.encode([made.data, None, None, []])
    sent = {"Content-Type": "application/cbor", "Origin": asked["Origin"]}
    reply = collector.http.post("/v1/records", content=body, headers=sent)
    assert reply.status_code == 201, reply.text
    assert reply.headers["access-control-allow-origin"] == "*"
