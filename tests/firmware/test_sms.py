import random

from firmware import record, sms
from tests.firmware.peer import KID, SIGNATURE, ack_of
from tests.firmware.support import raises

KIT, OTHER, COLLECTOR = "+6281200000001", "+6281200000002", "+62811000000"
# TS 23.040 by hand: no SMSC, SUBMIT with header and 24 h, +62811000000, 8-bit, header to our port.
GOLDEN = "005100" + "0B91261801000" + "0F0" + "0004A7" + "0A" + "0605043EA43EA4" + "D28401"


CENTRE = b"\x07\x91\x26\x26\x26\x26\x26\x26"


def delivered(number, user_data, first=0x44, protocol=0, coding=4):
    """SMS-DELIVER in hex, as a modem lists it."""
    _, text = sms.submit(number, user_data)
    address = bytes.fromhex(text[6:])[: 2 + (len(number.lstrip("+")) + 1) // 2]
    head = CENTRE + bytes([first]) + address + bytes([protocol, coding]) + bytes(7)
    return (head + bytes([len(user_data)]) + user_data).hex().upper()


def parts_of(number, data, reference=7):
    return [sms.parse(delivered(number, ud)) for ud in sms.split(data, reference)]


def sealed(rng, size):
    """Bytes that say themselves whether they are whole, as a signature does."""
    body = bytes([rng.getrandbits(8) for _ in range(size)])
    return body + record.sha256(body)[:8]


def whole(number, data):
    return record.sha256(data[:-8])[:8] == data[-8:]


def test_a_submit_is_what_the_standard_says_byte_for_byte():
    length, text = sms.submit(COLLECTOR, sms.split(b"\xd2\x84\x01", 0)[0])
    assert text == GOLDEN
    assert length == len(text) // 2 - 1


def test_a_message_that_fits_has_ports_and_no_reference():
    assert len(sms.split(b"x" * 133, 5)) == 1
    assert sms.split(b"x", 5) == [bytes([6, 5, 4, 0x3E, 0xA4, 0x3E, 0xA4]) + b"x"]
    assert [len(ud) for ud in sms.split(b"x" * 134, 5)] == [140, 20]


def test_parts_carry_reference_total_and_number():
    data = bytes(range(256)) * 2
    parts = parts_of(KIT, data, 0x1234)
    assert [(p.number, p.reference, p.total, p.no) for p in parts] == [
        (KIT, 0x1234, 5, no) for no in (1, 2, 3, 4, 5)
    ]
    assert b"".join([p.data for p in parts]) == data


def test_what_is_too_long_or_no_number_is_not_sent():
    sms.split(b"x" * (8 * 127), 1)
    raises(sms.SmsError, sms.split, b"x" * (8 * 127 + 1), 1)
    for number in ("", "+", "abc", "+62 811", "1" * 21):
        raises(sms.SmsError, sms.submit, number, b"x")


def test_numbers_of_any_length_come_back_as_they_went():
    for number in ("1", "12", "+1", "+628110000001", "08110000001", "1" * 20):
        assert parts_of(number, b"data")[0].number == number


def test_an_eight_bit_reference_is_understood_too():
    ud = bytes([11, 5, 4, 0x3E, 0xA4, 0, 0, 0, 3, 9, 3, 2]) + b"data"
    part = sms.parse(delivered(KIT, ud))
    assert (part.reference, part.total, part.no, part.data) == (9, 3, 2, b"data")


def test_foreign_and_hostile_messages_are_no_parts():
    ours = sms.split(b"x" * 200, 7)[0]
    head, data = ours[:13], ours[13:]

    def with_place(total, no):
        return head[:11] + bytes([total, no]) + data

    refused = [
        delivered(KIT, b"hello", first=0x04),  # no header
        delivered(KIT, ours, coding=0),  # 7-bit text
        delivered(KIT, ours, coding=8),  # UCS2
        delivered(KIT, ours, coding=0x24),  # compressed
        delivered(KIT, ours, protocol=64),  # silent
        delivered(KIT, ours, first=0x45),  # not a DELIVER
        delivered(KIT, sms.split(b"x", 7, sms.PORT + 1)[0]),
        delivered(KIT, bytes([5, 0, 3, 7, 2, 1]) + data),  # concatenation, no port
        delivered(KIT, with_place(2, 0)),
        delivered(KIT, with_place(2, 3)),
        delivered(KIT, with_place(0, 0)),
        delivered(KIT, with_place(0, 1)),
        delivered(KIT, with_place(255, 1)),
        delivered(KIT, with_place(9, 9)),
        delivered(KIT, head),  # a header and nothing else
        delivered(KIT, bytes([200]) + ours[1:]),  # longer than the message
        delivered(KIT, bytes([12, 5, 40]) + ours[3:]),  # an element beyond the header
        delivered(KIT, bytes([13]) + head[1:] + b"\x09" + data),  # half an element
        delivered(KIT, bytes([17]) + head[1:] + bytes([0, 3, 7, 2, 1]) + data),  # two references
        delivered(KIT, bytes([18]) + head[1:] + head[1:7] + data),  # an element twice
        delivered(KIT, bytes([10, 5, 2, 0x3E, 0xA4, 8, 4, 0, 1, 2, 1]) + data),  # half a port
        delivered(KIT, bytes([10, 5, 4, 0x3E, 0xA4, 0, 0, 8, 2, 0, 7]) + data),
        delivered(KIT, ours)[:-2],  # cut
        delivered(KIT, ours) + "00",
        "",
        "0",
        "00",
        "ZZ",
        "07912626",
    ]
    for text in refused:
        raises(sms.SmsError, sms.parse, text)
    name = bytearray(bytes.fromhex(delivered(KIT, ours)))
    name[8 + 2] = 0xD0  # the sender is a name of letters
    raises(sms.SmsError, sms.parse, bytes(name).hex())


def test_no_cut_and_no_changed_byte_raises_anything_else():
    rng = random.Random(3) if hasattr(random, "Random") else random
    text = delivered(KIT, sms.split(b"x" * 200, 7)[1])
    for end in range(len(text)):
        raises(sms.SmsError, sms.parse, text[:end])
    raw = bytes.fromhex(text)
    for _ in range(2000):
        bad = bytearray(raw)
        for _ in range(1 + rng.getrandbits(2)):
            bad[rng.getrandbits(16) % len(bad)] = rng.getrandbits(8)
        try:
            part = sms.parse(bytes(bad).hex())
            assert 0 < part.no <= part.total <= sms.MOST_PARTS and part.data
        except sms.SmsError:
            pass


def test_parts_in_any_order_and_doubled_make_the_whole_once_complete():
    rng = random
    data = sealed(rng, 372)
    one, two, three = parts_of(KIT, data)
    for order in ((one, two, three), (three, one, two), (two, two, three, two, one)):
        held = sms.Parts(whole)
        got = [held.add(part, 0) for part in order]
        assert got[:-1] == [None] * (len(order) - 1) and got[-1] == data
        assert len(held) == 0


def test_two_kits_with_the_same_reference_are_kept_apart():
    a, b = sealed(random, 230), sealed(random, 230)
    held = sms.Parts(whole)
    (a1, a2), (b1, b2) = parts_of(KIT, a), parts_of(OTHER, b)
    assert [held.add(p, 0) for p in (a1, b2)] == [None, None]
    assert held.add(b1, 0) == b
    assert held.add(a2, 0) == a


def test_a_reference_used_again_does_not_mix_two_records():
    old, new = sealed(random, 230), sealed(random, 230)
    (old1, old2), (new1, new2) = parts_of(KIT, old), parts_of(KIT, new)
    for order in ((old1, new1, new2), (old1, new2, new1), (old2, new1, new2), (old2, new2, new1)):
        held = sms.Parts(whole)
        assert [held.add(part, 0) for part in order][-1] == new
        assert len(held) == 0
    held = sms.Parts(whole)
    assert [held.add(p, 0) for p in (old1, old2, new2, new1)] == [None, old, None, new]


def test_parts_of_an_older_try_complete_a_newer_one():
    data = sealed(random, 300)
    first, again = parts_of(KIT, data), parts_of(KIT, data)
    held = sms.Parts(whole)
    assert held.add(first[1], 0) is None
    assert held.add(again[2], 3000) is None
    assert held.add(again[0], 3000) == data


def test_another_total_is_another_set():
    data = sealed(random, 230)
    one, two = parts_of(KIT, data)
    held = sms.Parts(whole)
    held.add(one, 0)
    held.add(sms.Part(KIT, 7, 3, 2, b"rubbish"), 0)
    assert held.add(two, 0) == data


def test_a_forgers_part_costs_at_most_a_repetition():
    data = sealed(random, 230)
    one, two = parts_of(KIT, data)
    held = sms.Parts(whole)
    held.add(one, 0)
    assert held.add(sms.Part(KIT, 7, 2, 2, b"forged"), 0) is None
    assert held.add(two, 0) is None
    assert held.add(one, 0) == data


def test_unfinished_sets_are_dropped_in_time_and_by_number():
    held = sms.Parts(whole, most=6, of_one=2, keep=100)
    data = [sealed(random, 230) for _ in range(4)]
    for reference in range(3):
        held.add(parts_of(KIT, data[reference], reference)[0], reference)
    assert len(held) == 2  # the oldest of this sender went
    assert held.add(parts_of(KIT, data[0], 0)[1], 3) is None
    for n in range(50):
        held.add(sms.Part("+1%d" % n, 1, 2, 1, b"flood"), 4)
        assert len(held) <= 6
    held.add(parts_of(OTHER, data[3], 9)[0], 5)
    assert held.add(parts_of(OTHER, data[3], 9)[1], 106) is None  # too late: begun anew
    assert len(held) == 1
    assert held.add(parts_of(OTHER, data[3], 9)[0], 107) == data[3]


def test_one_sender_cannot_push_out_the_others():
    held = sms.Parts(whole, most=8, of_one=3)
    data = sealed(random, 230)
    one, two = parts_of(KIT, data)
    held.add(one, 0)
    for reference in range(500):
        held.add(sms.Part(OTHER, reference, 2, 1, b"flood"), 1)
        assert len(held) <= 4
    assert held.add(two, 2) == data


def shuffled(items):
    out = []
    items = list(items)
    while items:
        out.append(items.pop(random.getrandbits(16) % len(items)))
    return out


def test_a_thousand_disorders_give_records_whole_or_not_at_all():
    random.seed(36)
    for _ in range(1000):
        chance = random.getrandbits(8)
        held = sms.Parts(whole, most=8, of_one=3)
        sent = {}
        wire = []
        for number in (KIT, OTHER, KIT):
            data = sealed(random, 60 + random.getrandbits(9) % 400)
            sent.setdefault(number, []).append(data)
            for part in parts_of(number, data, random.getrandbits(1)):
                wire += [part] * (0 if random.getrandbits(8) < chance // 4 else 1)
                wire += [part] * (1 if random.getrandbits(8) < chance // 4 else 0)
        for part in shuffled(wire):
            got = held.add(part, 0)
            assert got is None or got in sent[part.number]
        # However it began, once each record comes in order it arrives.
        for number in (KIT, OTHER):
            for data in sent[number]:
                assert data in [held.add(part, 1) for part in parts_of(number, data, 1)]


def entry(figures, election=2024, seq=40):
    payload = [1, election, 3201012001001, 1, 3, figures, bytes(32), seq, bytes(32), 1732700000]
    return record.assemble(payload, KID, lambda digest: SIGNATURE)


def test_a_result_takes_two_messages_the_longest_three_and_an_acknowledgement_one():
    usual = [147, 154, 301, 141, 147, 288, 2, 1, 3, 4, 6, 10, 147, 154, 301, 308, 301, 1, 6]
    usual += [1, 0, 1, 123, 134, 32, 289, 12, 301]
    assert len(usual) == 28
    assert [len(sms.split(entry(f), 1)) for f in (usual, [999] * 28)] == [2, 3]
    assert len(sms.split(ack_of(bytes(32)), 1)) == 1
    # What a form can have at most here: nine pairs more, training, a long journal.
    longest = entry([999] * 37, 1002024, 9999)
    assert len(sms.split(longest, 1)) == 3
