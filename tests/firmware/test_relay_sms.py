import asyncio

from firmware import record, relay_sms, sms
from firmware.drivers import PartError
from firmware.relay_backlog import Backlog
from firmware.saved import Saved
from tests.firmware.peer import Kit, ack_of, verify_ack
from tests.firmware.support import raises, temp_dir
from tests.firmware.test_sms import COLLECTOR, KIT, delivered

AFTER = 20
ADDRESS = bytes.fromhex(sms.submit(COLLECTOR, b"")[1])[3:11]


class Messages:
    """The driver's place: what was sent is put together again and answered, as told to."""

    def __init__(self):
        self.sent = []  # user data
        self.records = []
        self.inbox = {}
        self.next = 0
        self.answers = True
        self.refuse = []  # errors to raise, one a message; None sends
        self.started = 0
        self.parts = sms.Parts(lambda number, data: data[:1] == b"\xd2")

    async def start(self):
        self.started += 1

    async def send(self, length, text):
        raw = bytes.fromhex(text)
        assert len(raw) == length + 1 and text == text.upper()
        error = self.refuse.pop(0) if self.refuse else None
        if error:
            raise error
        assert raw[1:11] == b"\x51\0" + ADDRESS
        user_data = raw[15:]
        self.sent.append(user_data)
        whole = self.parts.add(sms.parse(delivered(KIT, user_data)), 0)
        if whole:
            self.records.append(whole)
            if self.answers:
                self.answer(ack_of(record.rec_id(whole)))

    def answer(self, ack, reference=1):
        for user_data in sms.split(ack, reference):
            self.put(delivered("+62811", user_data))

    def put(self, text):
        self.inbox[self.next] = text
        self.next += 1

    async def read(self, most=8):
        return sorted(self.inbox.items())[:most]

    async def delete(self, index):
        del self.inbox[index]


class Bench:
    def __init__(self, folder=None, **options):
        self.kit = Kit(folder or temp_dir())
        self.backlog = Backlog(self.kit.journal, self.kit.store)
        self.online = False
        self.messages = Messages()
        self.sms = relay_sms.RelaySms(
            self.messages,
            self.backlog,
            lambda: self.online,
            COLLECTOR,
            verify_ack,
            self.kit.on_ack,
            Saved(self.kit.folder + "/sms"),
            AFTER,
            second=0,
            **options,
        )

    def scan(self):
        asyncio.run(self.backlog.scan())

    def seconds(self, count):
        self.scan()
        for _ in range(count):
            asyncio.run(self.sms.step())

    def run(self, count):
        """As `seconds`, with run()'s way of dealing with errors."""
        self.scan()

        async def main():
            task = asyncio.create_task(self.sms.run())
            start = self.sms.now
            while self.sms.now < start + count:
                await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        asyncio.run(main())

    def day(self):
        self.kit.event(record.BOOT, ["1.0", None, 0, []])
        page = self.kit.page(1, b"one" * 800)
        return self.kit.result([page])


def refusal(code=370):
    return PartError(code, "refused")


def test_a_result_goes_by_sms_when_data_has_failed_for_the_set_time_and_not_before():
    bench = Bench()
    seq = bench.day()
    bench.seconds(AFTER - 1)
    assert bench.messages.started == 0 and bench.messages.sent == []
    bench.seconds(2)
    assert bench.messages.records == [bench.kit.journal.entry(seq)[0]]
    assert len(bench.messages.sent) == 2 and bench.sms.status.sent == 2


def test_its_acknowledgement_is_journaled_once_and_shown():
    bench = Bench()
    seq = bench.day()
    bench.seconds(AFTER + 15)
    assert bench.kit.acks == [seq]
    assert bench.sms.status.lines() == [
        ("Text messages sent: %d", 2),
        ("Acknowledged by SMS: %d", 1),
    ]
    rec_id = record.rec_id(bench.kit.journal.entry(seq)[0])
    bench.messages.answer(ack_of(rec_id))
    bench.kit.result()  # something to wait for, so that messages are read
    bench.seconds(40)
    assert bench.kit.acks == [seq, 5] and bench.messages.inbox == {}


def test_the_entry_stays_in_the_backlog_for_its_manifest_and_photographs():
    bench = Bench()
    seq = bench.day()
    bench.seconds(AFTER + 15)
    assert bench.kit.acks == [seq]
    assert bench.backlog.next_entry(()) == seq and not bench.backlog.state.is_acked(seq)
    again = Bench(bench.kit.folder)
    again.seconds(AFTER * 3)  # nor is it sent again after a restart: its answer is in the journal
    assert again.messages.sent == [] and again.backlog.next_entry(()) == seq


def test_nothing_is_sent_once_data_works_again():
    bench = Bench()
    bench.day()
    bench.messages.answers = False
    bench.seconds(AFTER + 2)
    bench.online = True
    sent = len(bench.messages.sent)
    bench.seconds(AFTER * 20)
    assert len(bench.messages.sent) == sent


def test_only_results_and_corrections_go_never_other_entries():
    bench = Bench()
    bench.kit.event(record.BOOT, ["1.0", None, 0, []])
    bench.kit.page(1, b"one" * 800)
    bench.seconds(AFTER * 3)
    assert bench.messages.sent == [] and bench.messages.started == 0


def test_two_contests_are_both_sent_and_both_acknowledged():
    bench = Bench()
    first = bench.day()
    second = bench.kit.result()
    bench.seconds(AFTER + 30)
    assert sorted(bench.kit.acks) == [first, second]
    assert bench.sms.status.waiting == 0


def test_without_an_answer_it_is_sent_five_times_at_growing_distances_and_no_more():
    bench = Bench()
    bench.day()
    bench.messages.answers = False
    times = []
    for _ in range(AFTER * 60):
        before = len(bench.messages.sent)
        bench.seconds(1)
        if len(bench.messages.sent) > before:
            times.append(bench.sms.now)
    assert len(times) == 5
    gaps = [times[i + 1] - times[i] for i in range(4)]
    assert gaps == [AFTER, AFTER * 2, AFTER * 4, AFTER * 8]
    assert bench.sms.status.last_error == relay_sms.TEXTS[relay_sms.NO_ANSWER]


def test_an_answer_to_an_older_try_counts():
    bench = Bench()
    seq = bench.day()
    bench.messages.answers = False
    bench.seconds(AFTER * 3)
    assert len(bench.messages.records) == 2
    bench.messages.answer(ack_of(record.rec_id(bench.messages.records[0])))
    bench.seconds(12)
    assert bench.kit.acks == [seq]


def test_what_the_chip_does_not_verify_is_no_acknowledgement():
    bench = Bench()
    seq = bench.day()
    bench.messages.answers = False
    bench.seconds(AFTER + 1)
    data = bench.messages.records[0]
    rec_id = record.rec_id(data)
    bench.messages.answer(ack_of(rec_id, b"\x03" * 64))
    bench.messages.answer(ack_of(b"\x05" * 32))
    bench.messages.answer(data)  # its own result back
    bench.messages.answer(b"\xd2\x84 rubbish")
    bench.messages.answer(b"x" * 600)
    bench.messages.put("07912626")
    bench.messages.put(delivered("+1", b"\0hello", first=0x04))
    bench.seconds(30)
    assert bench.kit.acks == [] and bench.messages.inbox == {}
    bench.messages.answer(ack_of(rec_id))
    bench.seconds(12)
    assert bench.kit.acks == [seq]


def test_a_store_full_of_foreign_messages_is_emptied_and_the_answer_found():
    bench = Bench()
    seq = bench.day()
    for n in range(20):
        bench.messages.put(delivered("+1", b"\0buy %d" % n, first=0x04))
    bench.seconds(AFTER + 20)
    assert bench.messages.inbox == {} and bench.kit.acks == [seq]


def test_money_spent_is_counted_limited_and_outlives_a_power_cut():
    bench = Bench(limit=5)
    bench.day()
    bench.messages.answers = False
    bench.seconds(AFTER * 40)
    assert bench.sms.status.sent == 5
    assert bench.sms.status.last_error == relay_sms.TEXTS[relay_sms.SPENT]
    again = Bench(bench.kit.folder, limit=5)
    again.messages.answers = False
    again.seconds(AFTER * 40)
    assert again.messages.sent == [] and again.sms.status.sent == 5
    more = Bench(bench.kit.folder, limit=7)
    more.seconds(AFTER + 15)
    assert more.sms.status.sent == 7 and more.kit.acks == [3]


def test_a_refused_message_is_not_charged_and_goes_on_from_the_part_that_failed():
    bench = Bench()
    seq = bench.day()
    bench.messages.refuse = [None, refusal(), refusal()]
    bench.run(AFTER + 300)
    assert bench.kit.acks == [seq]
    assert bench.sms.status.sent == 2 and len(bench.messages.sent) == 2
    assert bench.sms.status.last_error == ""


def test_a_message_without_a_reply_from_the_modem_is_charged():
    bench = Bench()
    bench.day()
    bench.messages.refuse = [refusal(301)]
    bench.run(AFTER + 100)
    assert bench.sms.status.sent == 3 and len(bench.messages.sent) == 2


def test_refusals_are_told_and_come_at_growing_distances():
    bench = Bench()
    bench.day()
    bench.messages.refuse = [refusal()] * 50
    bench.run(AFTER + 3600)
    assert bench.sms.status.sent == 0 and bench.sms.status.last_error == "refused"
    assert 4 <= 50 - len(bench.messages.refuse) <= 7  # after 1, 2, 4 .. 60 minutes


def test_an_answer_is_read_while_another_result_has_no_credit():
    bench = Bench()
    first = bench.day()
    bench.kit.result()
    bench.messages.answers = False
    bench.messages.refuse = [None, None] + [refusal()] * 50
    bench.run(AFTER + 1000)
    bench.messages.answer(ack_of(record.rec_id(bench.messages.records[0])))
    bench.run(15)
    assert bench.kit.acks == [first] and bench.sms.status.waiting == 1


def test_a_modem_that_fails_is_tried_again_every_minute():
    bench = Bench()
    seq = bench.day()
    bench.messages.refuse = [refusal(307)] * 9
    bench.run(AFTER + 9 * 60 + 60)
    assert bench.kit.acks == [seq] and bench.sms.status.sent == 2


def test_damaged_state_costs_only_the_count():
    bench = Bench()
    bench.day()
    with open(bench.kit.folder + "/sms", "wb") as file:
        file.write(b"rubbish")
    bench.seconds(AFTER + 15)
    assert bench.kit.acks == [3] and bench.sms.status.sent == 2


def test_an_answered_request_sets_the_wait_back():
    bench = Bench()
    bench.day()
    bench.seconds(AFTER - 1)
    bench.online = True
    asyncio.run(bench.sms.step())
    bench.online = False
    bench.seconds(AFTER - 1)
    assert bench.messages.sent == []


def test_without_a_number_or_a_limit_the_modem_is_left_alone():
    for number, limit in (("", 60), (COLLECTOR, 0)):
        bench = Bench(limit=limit)
        bench.sms.number = number
        bench.day()
        bench.seconds(AFTER * 3)
        assert bench.messages.started == 0 and bench.sms.status.lines() == []


def test_a_kit_without_entries_or_with_a_bad_number_sends_nothing():
    bench = Bench()
    bench.seconds(AFTER * 2)
    assert bench.messages.started == 0
    bench.day()
    bench.sms.number = "nobody"
    raises(sms.SmsError, bench.seconds, 3)
    assert bench.messages.sent == []
