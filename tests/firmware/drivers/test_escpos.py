"""The driver's bytes, against a scripted line; against an emulated printer see tests/host_tools."""

import asyncio

from firmware.drivers import PartError, escpos
from firmware.drivers.escpos_reply import Replies
from tests.firmware.support import raises

GS_R = b"\x1d\x72\x01"
ESC_V = b"\x1b\x76\x00"
STATUS = b"\x10\x04"
CONFIRM = b"\x1d\x28\x48\x06\x00\x30\x30"


class Line:
    """A UART whose far end answers requests from tables; records everything written.

    `query` is the request answered in its turn with `paper`; `at_once` {n: byte} answers DLE EOT;
    `confirms` jobs: True with their own name, False never, bytes with that name.
    """

    def __init__(self, query=GS_R, paper=0, at_once=None, confirms=True):
        self.query = query
        self.paper = paper
        self.at_once = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12} if at_once is None else at_once
        self.confirms = confirms
        self.written = bytearray()
        self.inbox = bytearray()
        self.chunks = []
        self.each = 1  # answers a request

    def write(self, buf):
        data = bytes(buf)
        if data[:2] == STATUS:
            if data[2] in self.at_once:
                self.inbox.append(self.at_once[data[2]])
            return len(data)
        self.written.extend(data)
        if len(data) < 120 or any(data):  # not the zeros before a job
            self.chunks.append(len(data))
        self.answer(data)
        return len(data)

    def answer(self, data):
        at = 0
        while at < len(data):
            if data[at : at + 7] == CONFIRM:
                name = data[at + 7 : at + 11]
                if name[:1] != b"C" and self.confirms not in (True, False):
                    name = self.confirms
                if name[:1] == b"C" or self.confirms:
                    self.inbox.extend(b"\x37\x22" + name + b"\x00")
                at += 11
            elif self.query and data[at : at + 3] == self.query:
                if self.paper is not None:
                    self.inbox.extend(bytes((self.paper,)) * self.each)
                at += 3
            else:
                at += 1

    def any(self):
        return len(self.inbox)

    def readinto(self, buf):
        n = min(len(buf), len(self.inbox))
        buf[:n] = self.inbox[:n]
        self.inbox = self.inbox[n:]
        return n


def run(coroutine):
    return asyncio.run(coroutine)


def begun(profile="epson", **line):
    """(driver, line) with a job begun and the written bytes forgotten."""
    wire = Line(ESC_V if profile.startswith("cheap") else GS_R, **line)
    printer = escpos.EscPos(wire, profile, 300, pace=0)

    async def begin():
        await printer.begin(7)
        await printer._flow.send()

    run(begin())
    wire.written = bytearray()
    return printer, wire


def bytes_of(*steps, profile="epson"):
    """What a job of `steps` writes, without the status requests."""
    printer, wire = begun(profile)

    async def job():
        for name, args in steps:
            await getattr(printer, name)(*args)
        await printer._flow.send()

    run(job())
    return without_requests(wire)


def without_requests(wire):
    data = bytes(wire.written).replace(wire.query, b"")
    while CONFIRM + b"C" in data:
        at = data.index(CONFIRM + b"C")
        data = data[:at] + data[at + 11 :]
    return data


def test_job_begins_with_padding_one_request_alone_then_init_and_code_page():
    wire = Line()
    printer = escpos.EscPos(wire)

    async def job():
        await printer.begin(1)
        await printer._flow.send()

    run(job())
    assert bytes(wire.written) == (
        bytes(120) + GS_R * 3 + b"\x1b\x40\x1b\x74\x00" + CONFIRM + b"C000"
    )


def test_cheap_printers_get_their_heat_settings():
    wire = Line(ESC_V)
    printer = escpos.EscPos(wire, "cheap")

    async def job():
        await printer.begin(1)
        await printer._flow.send()

    run(job())
    assert b"\x1b\x40\x1b\x74\x00\x1b\x37\x0b\x78\x28" in bytes(wire.written)
    assert STATUS not in bytes(wire.written)


def test_line_of_text_carries_its_style_once():
    sent = bytes_of(("text", ("SATU", True, 2, 1)), ("text", ("DUA", True, 2, 1)))
    assert sent == b"\x1b\x33\x1c\x1b\x61\x01\x1b\x45\x01\x1d\x21\x11SATU\nDUA\n"
    assert bytes_of(("text", ("a",))) == b"\x1b\x33\x1c\x1b\x61\x00\x1b\x45\x00\x1d\x21\x00a\n"


def test_text_cannot_smuggle_a_command_in():
    sent = bytes_of(("text", ("A\x1b@\x1cq\x01\nB\u00e9",)))
    assert sent.endswith(b"A?@?q??B?\n")


def test_line_wider_than_the_paper_is_refused():
    printer, _ = begun()
    assert "wider" in str(raises(ValueError, run, printer.text("x" * 33)))
    printer, _ = begun()
    assert "wider" in str(raises(ValueError, run, printer.text("x" * 17, False, 2)))


def test_raster_goes_in_bands_of_two_rows():
    rows = [bytes((n,)) * 48 for n in (1, 2, 3)]
    head = b"\x1d\x76\x30\x00\x30\x00"
    want = head + b"\x02\x00" + rows[0] + rows[1] + head + b"\x01\x00" + rows[2]
    assert bytes_of(("raster", (48, 3, rows))) == want


def test_raster_of_80_mm_goes_row_by_row():
    head = b"\x1d\x76\x30\x00\x48\x00\x01\x00"
    sent = bytes_of(("raster", (72, 2, [b"\xaa" * 72] * 2)), profile="epson80")
    assert sent == (head + b"\xaa" * 72) * 2


def test_raster_with_too_few_rows_is_refused():
    printer, _ = begun()
    assert "rows" in str(raises(ValueError, run, printer.raster(48, 3, [bytes(48)] * 2)))


def test_feed_and_cut():
    assert bytes_of(("feed", (3,)), ("cut", ())) == b"\x1b\x64\x03\x1d\x56\x42\x00"


def test_native_qr_is_the_golden_sequence():
    want = (
        b"\x1d\x28\x6b\x04\x00\x31\x41\x32\x00\x1d\x28\x6b\x03\x00\x31\x43\x03"
        b"\x1d\x28\x6b\x03\x00\x31\x45\x30\x1d\x28\x6b\x07\x00\x31\x50\x30\x31\x32\x33\x34"
        b"\x1d\x28\x6b\x03\x00\x31\x51\x30"
    )
    assert bytes_of(("qr", (b"1234", 3, "L"))) == want


def test_slip_without_a_cutter_is_fed_to_the_edge_it_is_torn_off_at():
    assert bytes_of(("cut", ()), profile="cheap") == b"\x1b\x64\x04"


def test_rows_go_no_faster_than_the_head_prints_them_whatever_is_answered():
    class Clock:
        """Five milliseconds pass at every look."""

        now = 0

        def __call__(self):
            self.now += 5
            return self.now

    def duration(profile):
        clock = Clock()
        printer = escpos.EscPos(Line(ESC_V if profile == "cheap" else GS_R), profile, 9000, clock)
        printer._job = 1

        async def job():
            await printer.raster(48, 12, [b"\x55" * 48] * 12)
            await printer.feed(1)
            await printer._flow.send()
            return clock.now

        return run(job())

    assert duration("cheap") >= 12 * 15
    assert duration("epson") < 12 * 15


def test_style_is_told_anew_in_every_chunk():
    """A printer that restarted between two chunks has lost it."""
    printer, wire = begun()

    async def job():
        await printer.text("SATU", True)
        await printer._flow.send()
        await printer.text("DUA", True)
        await printer._flow.send()

    run(job())
    assert bytes(wire.written).count(b"\x1b\x45\x01") == 2


def test_printer_that_answers_everything_twice_is_found_out_and_used():
    wire = Line(ESC_V)
    wire.each = 2
    printer = escpos.EscPos(wire, "cheap", 300, pace=0)

    async def job():
        await printer.begin(1)
        for _ in range(20):
            await printer.text("x" * 32)
        return await printer.finish(1)

    assert run(job()) is True


def test_one_answer_too_many_means_that_nobody_knows():
    for profile in ("epson", "clone", "cheap"):
        printer, wire = begun(profile)

        async def job():
            await printer.text("x" * 32)
            wire.inbox.append(0)
            return await printer.finish(7)

        assert run(job()) is False
        assert printer.problem is not None and printer.problem.code == escpos.UNSURE


def test_noise_on_the_line_is_passed_over():
    for noise in (b"\xff", b"\xa5\x93", b"\x16"):
        printer, wire = begun("cheap")
        wire.inbox.extend(noise)
        assert run(printer.finish(7)) is True


def test_next_job_after_a_torn_slip_begins_behind_a_cut():
    printer, wire = begun(confirms=False)
    assert run(printer.finish(7)) is False
    wire.confirms = True
    wire.written = bytearray()

    async def job():
        await printer.begin(8)
        await printer.text("x")
        return await printer.finish(8)

    assert run(job()) is True
    assert bytes(wire.written).index(b"\x1d\x56\x42\x00") < bytes(wire.written).index(b"x\n")
    wire.written = bytearray()
    assert run(job()) is True
    assert b"\x1d\x56" not in bytes(wire.written)


def test_table_of_printers_is_what_the_driver_shows():
    for name in escpos.PROFILES:
        printer = escpos.EscPos(Line(), name)
        assert printer.dots == printer.columns * 12, name
        assert (printer.dots == 576) == name.endswith("80"), name


def test_no_chunk_is_longer_than_half_the_printers_buffer():
    printer, wire = begun()
    wire.chunks = []

    async def job():
        for n in range(20):
            await printer.text("x" * (n + 5), n % 2 == 0)
            await printer.raster(48, 5, [b"\x55" * 48] * 5)
        return await printer.finish(7)

    assert run(job()) is True
    assert len(wire.chunks) > 20
    assert max(wire.chunks) <= escpos.CHUNK


def test_finish_asks_for_the_jobs_own_confirmation():
    printer, wire = begun()
    assert run(printer.finish(7)) is True
    assert bytes(wire.written).endswith(CONFIRM + b"0007")


def test_finish_is_false_without_confirmation():
    printer, _ = begun(confirms=False)
    assert run(printer.finish(7)) is False


def test_confirmation_of_another_job_is_none():
    printer, _ = begun(confirms=b"0006")
    assert run(printer.finish(7)) is False


def test_finish_of_another_job_is_refused():
    printer, _ = begun()
    assert raises(PartError, run, printer.finish(8)).code == escpos.WRONG_ORDER


def test_printing_outside_a_job_is_refused():
    printer = escpos.EscPos(Line())
    assert raises(PartError, run, printer.text("x")).code == escpos.WRONG_ORDER
    printer, _ = begun()
    run(printer.finish(7))
    assert raises(PartError, run, printer.text("x")).code == escpos.WRONG_ORDER


def test_cheap_printer_has_printed_when_the_last_request_is_answered_with_paper():
    printer, _ = begun("cheap")
    assert run(printer.finish(7)) is True
    printer, wire = begun("cheap")
    wire.paper = 0x0C
    assert run(printer.finish(7)) is False
    printer, wire = begun("cheap")
    wire.paper = None
    assert run(printer.finish(7)) is False


def test_silence_in_mid_job_is_an_error_and_not_printed():
    printer, wire = begun("cheap")
    wire.paper = None

    async def job():
        for _ in range(20):
            await printer.text("x" * 32)

    error = raises(PartError, run, job())
    assert error.code == escpos.SILENT
    assert run(printer.finish(7)) is False


def test_status_tells_the_parts_states_apart():
    good = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}
    for change, want in (
        ({}, 0),
        ({4: 0x1E}, escpos.NEAR_END),
        ({4: 0x72}, escpos.PAPER_OUT),
        ({4: 0x7E}, escpos.PAPER_OUT | escpos.NEAR_END),
        ({1: 0x1A, 2: 0x16}, escpos.OFFLINE | escpos.COVER_OPEN),
        ({1: 0x1A, 2: 0x32}, escpos.OFFLINE | escpos.PAPER_OUT),
        ({3: 0x1A}, escpos.BROKEN),
        ({3: 0x52}, escpos.TOO_HOT),
        ({3: 0x32}, escpos.BROKEN),
    ):
        answers = dict(good)
        answers.update(change)
        printer = escpos.EscPos(Line(at_once=answers))
        assert run(printer.status()) == want, change


def test_no_answer_counts_as_no_paper():
    for profile in ("epson", "cheap"):
        printer = escpos.EscPos(Line(None, None, {}), profile, 200)
        assert run(printer.status()) == escpos.NO_ANSWER | escpos.PAPER_OUT
        error = raises(PartError, run, printer.begin(1))
        assert error.code == escpos.SILENT
        assert "paper" in error.text


def test_printers_that_cannot_print_refuse_a_job_with_their_code():
    good = {1: 0x12, 2: 0x12, 3: 0x12, 4: 0x12}
    for change, code in (({4: 0x72}, 201), ({1: 0x1A, 2: 0x16}, 202), ({3: 0x1A}, 204)):
        answers = dict(good)
        answers.update(change)
        printer = escpos.EscPos(Line(at_once=answers))
        assert raises(PartError, run, printer.begin(1)).code == code
    cheap = escpos.EscPos(Line(ESC_V, 0x0C), "cheap")
    assert raises(PartError, run, cheap.begin(1)).code == escpos.NO_PAPER


def test_replies_are_told_apart_in_any_mixture():
    wire = Line()
    replies = Replies(wire)
    wire.inbox.extend(b"\x12\x00\x37\x22\x12\x0c12\x00\x03\x1e")
    replies.poll()
    assert replies.at_once == 0x1E
    assert (replies.in_turn, replies.paper) == (2, 0x03)
    assert replies.confirmed == [b"\x12\x0c12"]
