import asyncio

from firmware import cbor, record, relay
from firmware import relay_codes as codes
from firmware.drivers import PartError
from firmware.journal import Journal
from tests.firmware.peer import (
    GENESIS,
    SIGNATURE,
    Collector,
    Kit,
    Wire,
    WireStream,
    ack_of,
    one_round,
    relay_of,
)
from tests.firmware.support import raises, temp_dir


def setup(cut=None):
    kit = Kit(temp_dir())
    collector = Collector()
    wire = Wire(collector, cut)
    return kit, collector, wire, relay_of(kit, wire)


def rounds(r, most):
    """Rounds with the line failing in between until all is sent; how many it took."""
    for n in range(1, most + 1):
        try:
            if one_round(r):
                return n
        except (OSError, PartError):
            pass
    raise AssertionError("not done after %d rounds: %s" % (most, r.status.last_error))


def day(kit):
    """boot, two pages, incident, result: 1..5"""
    kit.event(record.BOOT, ["1.0", None, 0, []])
    second = kit.page(2, b"two" * 900)
    first = kit.page(1, b"one" * 800)
    digest, size = kit.photo(b"incident" * 100)
    kit.event(record.INCIDENT, [1, digest, size, "torn"])
    kit.result([first, second])


ENTRIES = [("entry", seq) for seq in (5, 2, 3, 1, 4, 6)]
PHOTOS = [("photo", b"one" * 800), ("photo", b"two" * 900), ("photo", b"incident" * 100)]


def both(order):
    """The entries and the photographs in the order in which each of them arrived."""
    return [[what for what in order if what[0] == kind] for kind in ("entry", "photo")]


def test_results_go_first_then_pages_then_entries_then_photographs_small_to_large():
    kit, collector, _, r = setup()
    day(kit)
    assert one_round(r)
    assert collector.complaints == []
    assert collector.order == ENTRIES + PHOTOS
    assert collector.introduced == 1
    status = r.status
    assert (status.waiting, status.sent, status.photos_waiting, status.refused) == (0, 6, 0, 0)
    assert status.online and status.last_error == ""


def test_only_a_results_acknowledgement_is_journaled_and_that_event_is_sent_too():
    kit, collector, _, r = setup()
    day(kit)
    one_round(r)
    assert kit.acks == [5] and kit.journal.last == 6
    assert one_round(r) and kit.journal.last == 6 and len(collector.entries) == 6


def test_a_restart_goes_on_where_it_was():
    kit, collector, wire, r = setup()
    day(kit)
    one_round(r)
    posts = collector.posts
    again = Kit(kit.folder)
    assert one_round(relay_of(again, wire))
    assert (collector.posts, again.acks) == (posts, [])
    again.event(record.CLOSE, [6, b"\0" * 32])
    assert one_round(relay_of(again, wire))
    assert (collector.posts, collector.complaints) == (posts + 1, [])


def test_lost_or_damaged_state_costs_the_entries_again_and_nothing_else():
    kit, collector, wire, r = setup()
    day(kit)
    one_round(r)
    for damage in (b"", b"rubbish", None):
        with open(kit.folder + "/relay", "wb") as file:
            file.write(damage if damage is not None else b"\0\0\0\0" + cbor.encode([9]))
        collector.certified = False
        sent = wire.sent
        again = Kit(kit.folder)
        r = relay_of(again, wire)
        assert one_round(r)
        assert again.acks == [] and again.journal.last == 6
        assert wire.sent - sent < 6000 and r.status.photos_waiting == 0
    assert collector.complaints == [] and both(collector.order) == [ENTRIES, PHOTOS]


def test_a_new_journal_does_not_take_the_old_ones_state():
    kit, collector, wire, r = setup()
    kit.event(record.BOOT, ["1.0", None, 0, []])
    one_round(r)
    other = Kit(temp_dir())
    other.store = kit.store
    other.event(record.BOOT, ["2.0", None, 0, []])
    collector.certified = False
    assert one_round(relay_of(other, wire))
    assert len(collector.entries) == 2


def test_a_line_cut_every_so_many_bytes_gets_it_all_across():
    for cut in (1500, 2100, 4000):
        kit, collector, wire, r = setup(cut)
        page = kit.page(1, bytes(range(256)) * 100)
        kit.result([page])
        assert rounds(r, 60) > 2
        assert collector.complaints == []
        assert [what for what, _ in collector.order].count("photo") == 1
        assert collector.order[-1] == ("photo", bytes(range(256)) * 100)
        # The photograph's bytes went once: the rest is the entries, again on each connection.
        assert wire.sent < 25600 + wire.opened * 1200


def test_an_offset_that_we_have_wrong_is_put_right_by_409():
    kit, collector, wire, r = setup()
    page = kit.page(1, b"x" * 3000)
    one_round(r)
    collector.uploads[page[1]] = b"x" * 1000
    collector.order = []
    kit.store.store(None)
    collector.answers = [None, (200, {}, b"")]
    rec_id = record.rec_id(kit.journal.entry(1)[0])
    lie = cbor.encode([rec_id, [[page[1], 5]], ack_of(rec_id)])
    collector.answers = [(200, {}, lie)]
    collector.certified = False
    assert one_round(relay_of(kit, wire))
    assert collector.order == [("photo", b"x" * 3000)]


def test_wrong_bytes_at_the_collector_are_sent_again_from_the_start():
    kit, collector, _, r = setup()
    page = kit.page(1, b"x" * 3000)
    collector.uploads[page[1]] = b"y" * 1000
    assert one_round(r)
    assert collector.order[-1] == ("photo", b"x" * 3000)


def test_a_photograph_that_never_fits_does_not_hold_up_the_round():
    kit, collector, _, r = setup()
    kit.page(1, b"x" * 3000)
    kit.page(2, b"good" * 1000)
    never = (460, {"Upload-Offset": "0"}, b"")
    collector.answers = [None, None] + [never] * 2
    assert not one_round(r)
    assert collector.order[-1] == ("photo", b"good" * 1000)
    assert r.status.last_error == codes.TEXTS[codes.ODD_REPLY]
    assert r.status.photos_waiting == 1


def test_an_upload_that_the_collector_forgot_is_opened_by_its_entry():
    kit, collector, _, r = setup()
    kit.page(1, b"x" * 3000)
    collector.answers = [None, (404, {}, b"")]
    assert one_round(r)
    assert collector.posts == 2 and collector.order[-1] == ("photo", b"x" * 3000)


def test_a_refused_entry_is_told_once_and_holds_up_nothing():
    kit, collector, wire, r = setup()
    day(kit)
    collector.refuse = lambda seq: "key not listed" if seq == 1 else None
    assert one_round(r)
    assert kit.refused == [(1, "key not listed")]
    assert r.status.refused == 1 and r.status.last_error == codes.TEXTS[codes.ENTRY_REFUSED]
    assert both(collector.order) == [[item for item in ENTRIES if item[1] != 1], PHOTOS]
    posts = collector.posts
    again = Kit(kit.folder)
    r = relay_of(again, wire)
    assert one_round(r) and collector.posts == posts and again.refused == []
    collector.refuse = None
    r.retry_refused()
    assert one_round(r)
    assert collector.order[-1] == ("entry", 1) and r.status.refused == 0
    assert r.status.last_error == ""


def test_a_refused_photograph_is_not_sent_again():
    kit, collector, wire, r = setup()
    kit.page(1, b"x" * 3000)
    collector.answers = [None, (413, {}, b"")]
    assert one_round(r) and r.status.last_error == codes.TEXTS[codes.PHOTO_REFUSED]
    sent = wire.sent
    assert one_round(relay_of(Kit(kit.folder), wire)) and wire.sent == sent


def test_a_busy_collector_says_how_long_to_wait():
    for status, asked, expected in (
        (503, "7", 7),
        (429, "99999", 3600),
        (503, "soon", None),
        (507, "3", 3),
    ):
        kit, collector, _, r = setup()
        kit.result()
        collector.answers = [(status, {"Retry-After": asked}, b"")]
        error = raises(relay.Later, one_round, r)
        assert (error.code, error.seconds) == (codes.BUSY, expected)
        assert one_round(r) and kit.acks == [1]


def test_an_acknowledgement_that_does_not_verify_counts_as_none():
    def of_another(rec_id):
        return ack_of(b"\x33" * 32)

    def of_nobody(rec_id):
        return ack_of(rec_id, SIGNATURE)

    def rubbish(rec_id):
        return b"rubbish"

    for bad in (of_another, of_nobody, rubbish):
        kit, collector, _, r = setup()
        kit.result()
        collector.ack = bad
        assert not one_round(r)
        assert kit.acks == [] and r.status.waiting == 1
        assert r.status.last_error == codes.TEXTS[codes.BAD_ACK]
        collector.ack = ack_of
        collector.certified = False
        assert one_round(r) and kit.acks == [1] and r.status.last_error == ""


def test_replies_that_are_not_as_agreed_count_as_none():
    good = b"\x33" * 32
    bodies = (b"", b"<html>", cbor.encode([good]), cbor.encode([good, [], ack_of(good)]))
    answers = [(200, {}, body) for body in bodies]
    answers += [(404, {}, b""), (302, {"Location": "http://portal.example"}, b"")]
    for answer in answers:
        kit, collector, _, r = setup()
        kit.result()
        kit.event(record.BOOT, ["1.0", None, 0, []])
        collector.answers = [answer]
        assert not one_round(r)
        assert kit.acks == [] and r.status.last_error == codes.TEXTS[codes.ODD_REPLY]
        assert ("entry", 2) in collector.order
        assert one_round(r) and kit.acks == [1]


def test_too_many_odd_replies_end_the_round():
    kit, collector, _, r = setup()
    for _ in range(10):
        kit.event(record.BOOT, ["1.0", None, 0, []])
    collector.answers = [(404, {}, b"")] * 10
    assert raises(relay.Later, one_round, r).code == codes.ODD_REPLY
    assert len(collector.answers) == 7


def test_a_collector_that_asks_for_the_certificate_gets_it():
    kit, collector, _, r = setup()
    kit.event(record.BOOT, ["1.0", None, 0, []])
    one_round(r)
    kit.event(record.BOOT, ["1.0", None, 0, []])
    collector.answers = [(428, {}, b"")]
    collector.certified = False
    assert one_round(r) and len(collector.entries) == 2


def test_a_photograph_that_is_not_as_signed_is_told():
    kit, collector, _, r = setup()
    page = kit.page(1, b"x" * 3000)
    with open(kit.photos.path(page[1]), "wb") as file:
        file.write(b"x" * 2999)
    kit.result()
    assert one_round(r)
    assert r.status.last_error == codes.TEXTS[codes.PHOTO_MISSING]
    assert r.status.photos_waiting == 1 and len(collector.order) == 3


def test_a_photograph_on_a_pulled_card_holds_up_nothing_and_is_sent_when_it_is_back():
    kit, collector, _, r = setup()
    away, here = kit.page(1, b"x" * 3000), kit.page(2, b"here")
    kit.result()
    has = kit.photos.has
    kit.photos.has = lambda digest: digest == here[1]
    assert not one_round(r), "it is looked for again"
    assert r.status.last_error == codes.TEXTS[codes.PHOTO_AWAY]
    assert r.status.photos_waiting == 1 and collector.order[-1] == ("photo", b"here")
    kit.photos.has = has
    assert one_round(r) and collector.order[-1] == ("photo", b"x" * 3000)
    assert r.status.last_error == "" and has(away[1])


def test_a_photograph_that_went_bad_on_the_card_is_sent_once_and_then_told():
    kit, collector, wire, r = setup()
    page = kit.page(1, b"x" * 3000)
    with open(kit.photos.path(page[1]), "wb") as file:
        file.write(b"y" * 3000)
    assert one_round(r)
    sent = wire.sent
    assert one_round(r) and wire.sent == sent
    assert r.status.last_error == codes.TEXTS[codes.PHOTO_MISSING]
    with open(kit.photos.path(page[1]), "wb") as file:
        file.write(b"x" * 3000)
    r.retry_refused()
    assert one_round(r) and collector.order[-1] == ("photo", b"x" * 3000)
    assert r.status.last_error == ""


def test_entries_behind_many_odd_ones_get_their_turn():
    kit, collector, _, r = setup()
    for _ in range(5):
        kit.event(record.BOOT, ["1.0", None, 0, []])
    plain = collector.post

    def post(headers, body):
        collector.certified = False
        odd = record.parse(cbor.decode(body)[0]).seq <= 4
        return (400, {}, b"") if odd else plain(headers, body)

    collector.post = post
    raises(relay.Later, one_round, r)
    assert not one_round(r)
    assert collector.order == [("entry", 5)]
    raises(relay.Later, one_round, r)


def test_a_new_result_goes_before_the_next_photograph():
    kit, collector, _, r = setup()
    kit.page(1, b"one")
    kit.page(2, b"three")
    plain = collector.patch_ends

    def patch_ends(digest):
        if kit.journal.last == 2:
            kit.result()
        return plain(digest)

    collector.patch_ends = patch_ends
    assert one_round(r)
    order = [("photo", b"one"), ("entry", 3), ("entry", 4), ("photo", b"three")]
    assert collector.order[2:] == order


class Stop(Exception):
    pass


def waits_of(r, count, after=None):
    """The first `count` waits of run()."""
    waits = []

    async def pause(seconds):
        waits.append(seconds)
        if after:
            after(len(waits))
        if len(waits) == count:
            raise Stop

    r._pause = pause
    raises(Stop, lambda: asyncio.run(r.run()))
    return waits


def test_the_waits_double_to_a_minute_and_spread_by_half():
    kit, _, wire, r = setup()
    kit.result()
    wire.down = True
    waits = waits_of(r, 8)
    for i, base in enumerate((2, 4, 8, 16, 32, 60, 60, 60)):
        assert base / 2 <= waits[i] <= base * 1.5
    assert len(set(waits[5:])) > 1
    assert r.status.last_error == codes.TEXTS[codes.NO_LINE] and not r.status.online


def test_it_goes_on_by_itself_when_the_fault_ends():
    kit, collector, wire, r = setup()
    day(kit)
    wire.down = True

    def after(n):
        wire.down = n < 3

    waits = waits_of(r, 4, after)
    assert waits[3] == 1 and both(collector.order) == [ENTRIES, PHOTOS]
    assert r.status.online and r.status.last_error == ""


def test_a_line_that_moves_anything_keeps_the_wait_short():
    kit, _, _, r = setup(2500)
    kit.page(1, bytes(range(256)) * 100)
    waits = waits_of(r, 10)
    assert max(waits) <= 3


def test_the_wait_that_the_collector_asks_for_is_kept():
    kit, collector, _, r = setup()
    kit.result()
    collector.answers = [(503, {"Retry-After": "17"}, b"")]
    assert waits_of(r, 2) == [17, 1]


def test_a_journal_that_cannot_take_the_acknowledgement_gets_it_again():
    kit, collector, _, r = setup()
    kit.result()
    full = [True]

    def on_ack(seq, data):
        if full.pop():
            full.append(False)
            raise OSError(28)
        kit.on_ack(seq, data)

    r.on_ack = on_ack
    waits_of(r, 2)
    assert kit.acks == [1] and len(collector.entries) == 2


def test_waking_cuts_a_wait_short():
    kit, collector, wire, r = setup()
    wire.down = True
    kit.result()

    async def run():
        task = asyncio.create_task(r.run())
        while not r.status.last_error:
            await asyncio.sleep(0)
        wire.down = False
        r.wake()
        while not kit.acks:
            await asyncio.sleep(0)
        task.cancel()

    r.pace = 1000
    asyncio.run(run())
    assert ("entry", 1) in collector.order


class Distant(WireStream):
    """Replies come only when nothing is left to send: what was sent between counts as one trip."""

    trips = 0
    wrote = False

    def any(self):
        return 0

    async def write(self, buf):
        self.wrote = True
        await WireStream.write(self, buf)

    async def readinto(self, buf):
        if self.wrote:
            Distant.trips += 1
            self.wrote = False
        return await WireStream.readinto(self, buf)


def test_a_day_takes_a_few_round_trips_and_not_one_for_each_request():
    kit, collector, wire, r = setup()
    day(kit)
    for _ in range(6):
        kit.event(record.BOOT, ["1.0", None, 0, []])

    async def opener():
        return Distant(wire)

    r.client.open_stream = opener
    Distant.trips = 0
    assert one_round(r)
    assert collector.complaints == [] and len(collector.entries) == 12
    assert both(collector.order)[1] == PHOTOS
    assert collector.posts + 3 > 14 and Distant.trips <= 3


class Held(Distant):
    """Notes how many entries were unanswered when a photograph's first byte was written."""

    client = unanswered = None

    async def write(self, buf):
        if bytes(buf).startswith(b"PATCH"):
            Held.unanswered.append([what[0] for what, _, _ in Held.client.pending].count(0))
        await Distant.write(self, buf)


def test_no_photograph_goes_ahead_of_more_than_one_unanswered_entry():
    kit, collector, wire, r = setup()
    kit.page(1, b"x" * 5000)
    for _ in range(9):
        kit.event(record.BOOT, ["1.0", None, 0, []])

    async def opener():
        return Held(wire)

    r.client.open_stream = opener
    Held.client, Held.unanswered = r.client, []
    assert one_round(r) and collector.complaints == []
    assert len(collector.entries) == 10 and Held.unanswered and max(Held.unanswered) <= 1


def test_after_a_cut_only_the_photograph_that_broke_is_asked_for():
    kit, collector, wire, r = setup()
    kit.result([kit.page(no, bytes([no]) * 30000) for no in (1, 2, 3)])
    asked = []
    plain = collector.where

    def where(headers, digest):
        asked.append(digest)
        return plain(headers, digest)

    collector.where = where
    wire.cut = 9000
    rounds(r, 60)
    assert collector.complaints == [] and len(both(collector.order)[1]) == 3
    assert wire.opened - 1 <= len(asked) <= wire.opened + 3
    # Nothing went twice: the photographs, each connection's question and head, the entries.
    assert wire.sent < 90000 + wire.opened * 500 + 2500


def test_a_plain_tus_server_that_leaves_the_offset_out_of_a_409_is_asked_for_it():
    kit, collector, wire, r = setup()
    page = kit.page(1, b"x" * 3000)
    one_round(r)
    collector.uploads[page[1]] = b"x" * 1000
    collector.order = []
    kit.store.store(None)
    r = relay_of(Kit(kit.folder), wire)
    r.photographs.told(page[1], 5)
    collector.answers = [None, (409, {}, b"")]
    assert one_round(r)
    assert collector.order == [("photo", b"x" * 3000)]


def test_the_officers_tasks_have_a_turn_between_any_two_things_that_the_relay_does():
    kit, _, wire, r = setup()
    kit.result([kit.page(1, b"x" * 60000)])
    for _ in range(20):
        kit.event(record.BOOT, ["1.0", None, 0, []])
    turns = []
    verify, entry, state = r.acks.verify_ack, kit.journal.entry, r.backlog.state._store

    def noting(what, function):
        def call(*args):
            turns.append(what)
            return function(*args)

        return call

    class Stream(WireStream):
        async def write(self, buf):
            turns.append("write")
            await WireStream.write(self, buf)

    async def opener():
        return Stream(wire)

    r.client.open_stream = opener
    r.acks.verify_ack = noting("chip", verify)
    kit.journal.entry = noting("flash", entry)

    async def officers():
        while True:
            turns.append("screen")
            await asyncio.sleep(0)

    async def run():
        task = asyncio.create_task(officers())
        assert await r.round()
        task.cancel()
        await r.client.close()

    asyncio.run(run())
    assert state is kit.store and turns.count("chip") == 23 and turns.count("write") > 60
    longest = run_ = 0
    for what in turns:
        run_ = 0 if what == "screen" else run_ + 1
        longest = max(longest, run_)
    # At most: an entry read and written, or a reply verified and what follows it read.
    assert longest <= 3, longest
    assert turns.count("screen") >= len(turns) // 3


def test_a_relay_sends_its_own_elections_journal_and_no_other_in_the_same_flash():
    live, training = Kit(temp_dir()), Kit(temp_dir())
    training.photos = live.photos
    training.journal = Journal(live.folder + "/journal-1002024", GENESIS)
    live.result([live.page(1, b"live")])
    training.result([training.page(1, b"training")])
    collector = Collector()
    wire = Wire(collector)
    assert one_round(relay_of(live, wire))
    assert len(collector.entries) == 3 and both(collector.order)[1] == [("photo", b"live")]
