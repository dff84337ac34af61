"""Counters and chains: any order is fine, contradictions are kept and told, never decided."""

from firmware import record
from tests.host_tools.collector.world import Kit, sha256


def test_entries_may_arrive_in_any_order(world, start):
    kit = world.kit()
    chain = [kit.event(record.BOOT, [n]) for n in range(4)]
    collector = start()
    for made in (chain[3], chain[1], chain[0], chain[2]):
        reply = collector.submit(made)
        assert reply.status_code == 201
        assert "Saksi-Conflict" not in reply.headers
    assert collector.store.conflicts() == []


def test_one_counter_with_two_records_keeps_both_and_says_so(world, start):
    kit = world.kit()
    twin = Kit(kit.certificate, kit.key, kit.station, kit.election)
    one, two = kit.result(), twin.result(figures=(99, 1, 100))
    collector = start()
    first = collector.submit(one)
    reply = collector.submit(two)
    assert (first.status_code, reply.status_code) == (201, 201)
    assert reply.headers["Saksi-Conflict"] == "1"
    for made in (one, two):
        assert collector.store.entry(made.rec_id).conflict
        assert collector.submit(made).headers["Saksi-Conflict"] == "1"
    (conflict,) = collector.store.conflicts()
    assert (conflict.what, conflict.kid, conflict.seq) == ("counter", kit.key.kid(), 1)
    assert {conflict.rec_id, conflict.other} == {one.rec_id, two.rec_id}


def test_a_branch_of_a_known_twin_is_no_further_conflict(world, start):
    kit = world.kit()
    twin = Kit(kit.certificate, kit.key, kit.station, kit.election)
    ones = [kit.event(record.BOOT, [n]) for n in range(2)]
    other = twin.event(record.BOOT, [9])
    collector = start()
    for made in (ones[0], other, ones[1]):
        collector.submit(made)
    assert [c.what for c in collector.store.conflicts()] == ["counter"]


def test_a_prev_that_is_not_the_known_neighbour_is_kept_and_told(world, start):
    kit = world.kit()
    first = kit.result()
    kit.prev = sha256(b"another past")
    second = kit.result()
    collector = start()
    collector.submit(first)
    reply = collector.submit(second)
    assert (reply.status_code, reply.headers["Saksi-Conflict"]) == (201, "2")
    (conflict,) = collector.store.conflicts()
    assert (conflict.what, conflict.seq) == ("chain", 2)
    assert (conflict.rec_id, conflict.other) == (second.rec_id, first.rec_id)


def test_a_wrong_prev_is_also_found_when_the_earlier_entry_comes_later(world, start):
    kit = world.kit()
    first = kit.result()
    kit.prev = sha256(b"another past")
    second = kit.result()
    collector = start()
    assert "Saksi-Conflict" not in collector.submit(second).headers
    assert collector.submit(first).headers["Saksi-Conflict"] == "1"
    (conflict,) = collector.store.conflicts()
    assert (conflict.seq, conflict.rec_id, conflict.other) == (2, second.rec_id, first.rec_id)
    assert collector.store.entry(second.rec_id).conflict


def test_the_first_entry_must_name_the_certificate_that_came_with_it(world, start):
    kit = world.kit()
    kit.prev = sha256(b"another certificate")
    collector = start()
    assert collector.submit(kit.result()).headers["Saksi-Conflict"] == "1"
    assert collector.store.conflicts()[0].other == sha256(kit.certificate)


def test_a_certificate_that_comes_later_is_held_against_the_first_entry(world, start):
    kit = world.kit()
    kit.prev = sha256(b"another certificate")
    first, second = kit.result(), kit.result()
    first.certificate, second.certificate = None, kit.certificate
    collector = start()
    assert "Saksi-Conflict" not in collector.submit(first).headers
    collector.submit(second)
    assert collector.store.entry(first.rec_id).conflict
    assert not collector.store.entry(second.rec_id).conflict
    assert collector.submit(first).headers["Saksi-Conflict"] == "1"


def test_kits_do_not_disturb_each_others_counters(world, start):
    one, two = world.kit(), world.kit()
    collector = start()
    for made in (one.result(), two.result(), two.result(), one.result()):
        assert "Saksi-Conflict" not in collector.submit(made).headers
