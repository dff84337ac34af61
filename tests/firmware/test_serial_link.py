import asyncio

from firmware import serial_link


class Refused(Exception):
    code = 123
    text = "Ask the office\nfor another kit \xe9"


def refuse(data):
    raise Refused


def fail(data):
    raise OSError(5)


def same(data):
    return data


HANDLERS = {"HELLO": same, "REFUSE": refuse, "FAIL": fail, "START": same}


def code(line):
    reply, verb = serial_link.answer(line, HANDLERS)
    assert reply.startswith(b"ERR ") and reply.endswith(b"\n") and reply.count(b"\n") == 1, reply
    assert verb is None
    return int(reply.split(b" ")[1])


class UART:
    """Gives `incoming` a few bytes at a time and takes a few at a time."""

    def __init__(self, incoming, piece=7):
        self.incoming = incoming
        self.piece = piece
        self.sent = b""
        self.busy = False

    def readinto(self, buf):
        n = min(self.piece, len(buf), len(self.incoming))
        buf[:n] = self.incoming[:n]
        self.incoming = self.incoming[n:]
        return n or None

    def write(self, buf):
        self.busy = not self.busy
        if self.busy:
            return None  # as a UART with a full buffer does
        piece = bytes(buf[: self.piece])
        self.sent += piece
        return len(piece)


def talk(incoming, piece=7):
    uart = UART(incoming, piece)
    asyncio.run(serial_link.serve(uart, HANDLERS))
    return uart.sent


def test_a_request_is_answered_with_its_handlers_bytes():
    assert serial_link.answer(b"SAKSI HELLO 00ff", HANDLERS) == (b"OK 00ff\n", "HELLO")
    assert serial_link.answer(b"SAKSI HELLO 00FF\r", HANDLERS) == (b"OK 00ff\n", "HELLO")
    assert serial_link.answer(b"SAKSI HELLO -", HANDLERS) == (b"OK -\n", "HELLO")


def test_what_is_no_request_line_is_named():
    for line in (b"", b"SAKSI", b"SAKSI HELLO", b"saksi HELLO -", b"SAKSI HELLO - -", b"SAKSI  -"):
        assert code(line) in (serial_link.BAD_LINE, serial_link.UNKNOWN_VERB), line
    assert code(b"AT+CSQ") == serial_link.BAD_LINE
    assert code(b"SAKSI REBOOT -") == serial_link.UNKNOWN_VERB
    assert code(b"SAKSI hello -") == serial_link.UNKNOWN_VERB
    assert code(b"SAKSI \xff\xfe -") == serial_link.UNKNOWN_VERB


def test_what_is_not_hex_is_named():
    for text in (b"0", b"xx", b"0g", b"--", b"", b"00\xff\xff", b"\t\t"):
        assert code(b"SAKSI HELLO " + text) == serial_link.BAD_HEX, text


def test_a_handlers_refusal_comes_back_as_its_code_on_one_line():
    reply, verb = serial_link.answer(b"SAKSI REFUSE -", HANDLERS)
    assert reply == b"ERR 123 Ask the office?for another kit ?\n"
    assert verb is None
    assert code(b"SAKSI FAIL -") == serial_link.FAILED


def test_the_talk_ends_with_start_and_not_before():
    sent = talk(b"SAKSI HELLO 01\nSAKSI START 02\nSAKSI HELLO 03\n")
    assert sent == b"OK 01\nOK 02\n"


def test_a_start_that_is_refused_does_not_end_the_talk():
    handlers = {"START": refuse, "HELLO": same}
    uart = UART(b"SAKSI START -\nSAKSI HELLO 05\n")

    async def watch():
        task = asyncio.create_task(serial_link.serve(uart, handlers))
        while not uart.sent.endswith(b"OK 05\n"):
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(watch())
    assert uart.sent.startswith(b"ERR 123 ")


def test_an_overlong_line_is_refused_once_and_the_next_one_served():
    flood = b"A" * (serial_link.MAX_LINE + 1) + b"\n"
    sent = talk(flood + b"SAKSI START -\n", 64)
    assert sent == b"ERR %d The line is too long\nOK -\n" % serial_link.TOO_LONG


def test_a_line_of_full_length_is_served():
    head = b"SAKSI HELLO "
    text = b"ab" * ((serial_link.MAX_LINE - len(head)) // 2)
    assert len(head + text) == serial_link.MAX_LINE
    sent = talk(head + text + b"\nSAKSI START -\n", 64)
    assert sent == b"OK " + text + b"\nOK -\n"


def test_empty_lines_are_passed_over():
    assert talk(b"\n\n\nSAKSI START -\n") == b"OK -\n"


def test_a_flood_starves_no_other_task():
    uart = UART(b"x" * 4000 + b"\nSAKSI START -\n", 64)
    left = [len(uart.incoming)]

    async def other():
        while True:
            left.append(len(uart.incoming))
            await asyncio.sleep(0)

    async def both():
        task = asyncio.create_task(other())
        await serial_link.serve(uart, HANDLERS)
        task.cancel()

    asyncio.run(both())
    taken = [left[i] - left[i + 1] for i in range(len(left) - 1)]
    assert max(taken) <= 2 * 64, "bytes read between two turns of the other task"


async def later(data):
    await asyncio.sleep(0)
    return data + b"\x01"


async def refuse_later(data):
    await asyncio.sleep(0)
    raise Refused


def test_a_handlers_coroutine_is_awaited_and_answered_in_its_turn():
    handlers = {"LATER": later, "REFUSE": refuse_later, "HELLO": same, "START": later}
    uart = UART(b"SAKSI LATER 0a\nSAKSI REFUSE -\nSAKSI HELLO 0b\nSAKSI START -\nSAKSI HELLO -\n")
    asyncio.run(serial_link.serve(uart, handlers))
    answers = uart.sent.split(b"\n")
    assert answers == [
        b"OK 0a01",
        b"ERR 123 Ask the office?for another kit ?",
        b"OK 0b",
        b"OK 01",
        b"",
    ]


def test_other_tasks_go_on_while_a_handler_waits():
    turns = []
    gate = []

    async def wait(data):
        while not gate:
            await asyncio.sleep(0)
        return data

    async def other():
        for turn in range(5):
            turns.append(turn)
            await asyncio.sleep(0)
        gate.append(True)

    async def both():
        task = asyncio.create_task(other())
        uart = UART(b"SAKSI WAIT -\nSAKSI START -\n")
        await serial_link.serve(uart, {"WAIT": wait, "START": same})
        await task
        return uart.sent

    assert asyncio.run(both()) == b"OK -\nOK -\n"
    assert turns == [0, 1, 2, 3, 4]


def test_a_coroutine_where_none_can_be_awaited_is_a_fault_and_no_answer():
    async def never(data):
        return data

    coroutines = []

    def handler(data):
        coroutines.append(never(data))
        return coroutines[-1]

    reply, verb = serial_link.answer(b"SAKSI LATER -", {"LATER": handler})
    coroutines[0].close()
    assert reply.startswith(b"ERR %d " % serial_link.FAILED) and verb is None
