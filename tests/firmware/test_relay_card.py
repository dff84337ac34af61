from firmware import record
from firmware.relay_card import CardAcks
from tests.firmware.peer import Collector, Kit, Wire, ack_of, one_round, relay_of
from tests.firmware.support import temp_dir


def framed(items):
    return b"".join(len(item).to_bytes(2, "big") + item for item in items)


def setup(items):
    """A day's kit with the file on its card: boot, page, result."""
    kit = Kit(temp_dir())
    kit.event(record.BOOT, ["1.0", None, 0, []])
    kit.result([kit.page(1, b"one" * 800)])
    if items is not None:
        put(kit, items)
    return (kit,) + over(kit)


def over(kit):
    wire = Wire(Collector(False))  # whoever imported the card brought the certificate
    card = CardAcks([kit.folder + "/nowhere", kit.folder], 2024)
    return wire, relay_of(kit, wire, card=card), card


def put(kit, items):
    with open(kit.folder + "/acks-2024", "wb") as file:
        file.write(items if isinstance(items, bytes) else framed(items))


def acks(kit):
    return [ack_of(record.rec_id(data)) for _, data, _ in kit.journal.entries()]


def digest(kit):
    return record.sha256(b"one" * 800)


def test_what_the_card_acknowledges_is_journaled_and_not_sent():
    kit, wire, r, card = setup(None)
    put(kit, acks(kit) + [digest(kit)])
    assert one_round(r)
    # Only the event that journals the result's acknowledgement is new to the collector.
    assert kit.acks == [3] and wire.collector.order == [("entry", 4)]
    assert (r.status.sent, r.status.waiting, r.status.photos_waiting) == (4, 0, 0)
    assert card.count == 4


def test_a_restart_does_not_journal_it_again():
    kit, _, r, _ = setup(None)
    put(kit, acks(kit) + [digest(kit)])
    one_round(r)
    again = Kit(kit.folder)
    wire, r, card = over(again)
    assert one_round(r)
    assert (again.acks, wire.collector.posts, card.count, again.journal.last) == ([], 0, 0, 4)


def test_a_card_that_comes_later_is_read_then():
    kit, wire, r, card = setup(None)
    wire.down = True
    try:
        one_round(r)
    except OSError:
        pass
    put(kit, acks(kit))
    try:
        one_round(r)
    except OSError:
        pass
    assert kit.acks == [3] and card.count == 3 and r.status.photos_waiting == 1


def test_an_acknowledgement_that_does_not_verify_counts_as_none():
    kit, wire, r, card = setup(None)
    rec_ids = [record.rec_id(data) for _, data, _ in kit.journal.entries()]
    wrong = [ack_of(rec_id, b"\x03" * 64) for rec_id in rec_ids]
    put(kit, wrong + [ack_of(b"\x44" * 32), b"rubbish", b"", kit.journal.entry(1)[0][:300]])
    assert one_round(r)
    assert card.count == 0 and len(wire.collector.entries) == 4 and kit.acks == [3]


def test_a_torn_or_foreign_file_stops_nothing():
    good = None
    for damage in (b"", b"\x00", b"\xff\xff" + b"x" * 70000, b"\x00\x20short"):
        kit, wire, r, _ = setup(None)
        put(kit, damage)
        assert one_round(r) and len(wire.collector.entries) == 4
        good = kit
    assert good is not None


def test_what_stands_before_a_tear_counts():
    kit, wire, r, card = setup(None)
    put(kit, framed(acks(kit))[:-10])
    assert one_round(r)
    assert card.count == 2 and [seq for what, seq in wire.collector.order[:2]] == [3, 4]
