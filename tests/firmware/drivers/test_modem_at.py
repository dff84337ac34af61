import asyncio

from firmware.drivers import PartError, at_port
from firmware.drivers.at_port import AtPort
from firmware.drivers.modem_at import Modem
from firmware.drivers.modem_stream import TcpStream, held
from firmware.drivers.modem_time import unix_of
from tests.firmware.support import raises

PACE = 0.02


class Uart:
    """A UART whose far side follows a script: [what must be written, what is answered]…

    Answers come `cut` bytes at a time. What is not in the script fails the test.
    """

    def __init__(self, script=(), cut=1000):
        self.script = list(script)
        self.cut = cut
        self.inbox = b""
        self.written = b""
        self.log = []

    def write(self, buf):
        self.written += bytes(buf)
        while self.script and self.written.startswith(self.script[0][0]):
            expected, answer = self.script.pop(0)
            self.written = self.written[len(expected) :]
            self.log.append(expected)
            self.inbox += answer
        wanted = [expected for expected, _ in self.script[:1]]
        assert all(text.startswith(self.written) for text in wanted), (self.written, wanted)
        assert wanted or not self.written, self.written
        return len(buf)

    def any(self):
        return min(len(self.inbox), self.cut)

    def readinto(self, buf):
        n = min(len(buf), self.cut, len(self.inbox))
        if not n:
            return None
        buf[:n] = self.inbox[:n]
        self.inbox = self.inbox[n:]
        return n


def command(answer, text="AT+CSQ", cut=1000, **options):
    port = AtPort(Uart([(text.encode() + b"\r", answer)], cut), PACE)
    return asyncio.run(port.command(text, **options))


def code(answer, **options):
    error = raises(PartError, lambda: command(answer, **options))
    assert error.text == at_port.TEXTS[error.code]
    return error.code


REPLY = b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n"


def test_a_reply_is_read_however_it_is_cut():
    for cut in range(1, len(REPLY) + 1):
        assert command(REPLY, cut=cut, want="+CSQ:") == ["+CSQ: 20,99"]


def test_echo_and_unsolicited_lines_before_and_inside_are_skipped():
    noise = b"\r\n+CGEV: ME PDN ACT 1\r\n\r\nSMS DONE\r\n"
    answer = b"AT+CSQ\r" + noise + b"\r\n+CSQ: 20,99\r\n" + noise + b"\r\nOK\r\n"
    assert command(answer, want="+CSQ:") == ["+CSQ: 20,99"]


def test_what_came_before_the_command_is_not_its_reply():
    uart = Uart([(b"AT+CSQ\r", REPLY)])
    uart.inbox = b"\r\n+CSQ: 1,99\r\n\r\nERROR\r\n"
    assert asyncio.run(AtPort(uart, PACE).command("AT+CSQ", "+CSQ:")) == ["+CSQ: 20,99"]


def test_each_refusal_has_its_code():
    for words, number, expected in (
        ("SIM not inserted", 10, at_port.NO_SIM),
        ("SIM PIN required", 11, at_port.SIM_PIN),
        ("SIM PUK required", 12, at_port.SIM_PUK),
        ("SIM failure", 13, at_port.SIM_FAULT),
        ("no network service", 30, at_port.NO_NETWORK),
        ("operation not allowed", 3, at_port.REFUSED),
    ):
        assert code(b"\r\n+CME ERROR: %s\r\n" % words.encode()) == expected
        assert code(b"\r\n+CME ERROR: %d\r\n" % number) == expected
    assert code(b"\r\nERROR\r\n") == at_port.REFUSED


def test_silence_and_noise_are_told_apart():
    assert code(b"", seconds=2) == at_port.NO_REPLY
    assert code(b"\xff\x80\xfe\r\n", seconds=2) == at_port.RUBBISH
    assert code(b"\xff" * 3000, seconds=2) == at_port.RUBBISH
    assert command(b"\xff\x80\xfe\r\n" + REPLY, want="+CSQ:") == ["+CSQ: 20,99"]


def test_a_late_reply_is_not_taken_for_the_next_commands():
    uart = Uart([(b"AT+COPS?\r", b""), (b"AT+CSQ\r", b"")])
    port = AtPort(uart, PACE)

    async def late():
        await asyncio.sleep(0.002)
        uart.inbox += b"\r\nERROR\r\n"
        while len(uart.log) < 2:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        uart.inbox += REPLY

    async def run():
        try:
            await port.command("AT+COPS?", seconds=1)
        except PartError:
            pass
        task = asyncio.create_task(late())
        lines = await port.command("AT+CSQ", "+CSQ:")
        await task
        return lines

    assert asyncio.run(run()) == ["+CSQ: 20,99"]


def test_data_behind_connect_stays_in_the_line():
    port = AtPort(Uart([(b"ATO\r", b"\r\nCONNECT 115200\r\n\r\nOK\r\nERROR")]), PACE)

    async def run():
        await port.command("ATO", end=("CONNECT",))
        buf = bytearray(20)
        n = await TcpStream(port, None, None).readinto(buf)
        return bytes(buf[:n])

    assert asyncio.run(run()) == b"\r\nOK\r\nERROR"


def test_a_modem_that_takes_no_more_is_an_error():
    class Full(Uart):
        def write(self, buf):
            return None

    port = AtPort(Full(), 0.001)
    assert raises(PartError, lambda: asyncio.run(port.write(b"x"))).code == at_port.STUCK


def test_a_write_that_takes_a_part_goes_on_with_the_rest():
    class Small(Uart):
        def write(self, buf):
            self.written += bytes(buf[:3])
            return min(len(buf), 3)

    uart = Small()
    data = bytes(range(256)) * 2
    asyncio.run(AtPort(uart, PACE).write(data))
    assert uart.written == data


def test_the_networks_time_is_unix_seconds_in_utc():
    for text, expected in (
        ("25/02/14,12:00:00+28", 1739509200),
        ("25/02/14,05:00:00+00", 1739509200),
        ("25/02/13,23:00:00-24", 1739509200),
        ("24/02/29,00:00:00+00", 1709164800),
        ("24/12/31,23:59:59+00", 1735689599),
        ("29/03/01,00:00:00+00", 1867017600),
        ("80/01/06,00:00:10+00", None),
        ("70/01/01,00:00:00+00", None),
        ("rubbish", None),
        ("", None),
    ):
        assert unix_of(text) == expected, text


def test_what_could_be_an_end_text_is_recognised():
    end = b"\r\nCLOSED\r\n"
    for n in range(1, len(end) + 1):
        assert held(b"data" + end[:n]) == (n, n == len(end))
    for data in (b"", b"CLOSED", b"\r\nCLOSED\r\nx", b"\r\nCLOSER", b"\r\r\rx"):
        assert held(data) == (0, False)
    assert held(b"\r\r\n") == (2, False)
    assert held(b"x" + end + b"\r\nNO CARR") == (19, True)
    assert held(end + b"\r\nERROR\r\n" * 9 + b"\r\nERR") == (96, True)
    assert held(end + b"\r\nERROR\r\n" + b"x") == (0, False)
    assert held(b"\r\nERROR\r\n") == (2, False)
    assert held(b"\r\n+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY\r\n") == (42, True)


UP = [
    (b"+++", b""),
    (b"AT\r", b"AT\r\r\nOK\r\n"),
    (b"ATE0\r", b"ATE0\r\r\nOK\r\n"),
    (b"AT+CMEE=2\r", b"\r\nOK\r\n"),
    (b"AT+CGMM\r", b"\r\nSIMCOM_SIM7600E-H\r\n\r\nOK\r\n"),
    (b"AT+CFUN?\r", b"\r\n+CFUN: 1\r\n\r\nOK\r\n"),
    (b"AT+CNMP?\r", b"\r\n+CNMP: 38\r\n\r\nOK\r\n"),
    (b"AT+CNMP=2\r", b"\r\nOK\r\n"),
    (b"AT+CPIN?\r", b"\r\n+CPIN: READY\r\n\r\nOK\r\n"),
    (b"AT+CICCID\r", b"\r\n+ICCID: 8962101234567890123\r\n\r\nOK\r\n"),
    (b"AT+CIMI\r", b"\r\n510101234567890\r\n\r\nOK\r\n"),
    (b"AT+CGDCONT?\r", b'\r\n+CGDCONT: 1,"IP","",""\r\n\r\nOK\r\n'),
    (b'AT+CGDCONT=1,"IP","internet"\r', b"\r\nOK\r\n"),
    (b"AT+CGATT=0\r", b"\r\nOK\r\n"),
    (b"AT+CGATT=1\r", b"\r\nERROR\r\n"),
    (b"AT+CTZU=1\r", b"\r\nOK\r\n"),
    (b"AT+CEREG?\r", b"\r\n+CEREG: 0,2\r\n\r\nOK\r\n"),
    (b"AT+CGREG?\r", b"\r\n+CGREG: 0,2\r\n\r\nOK\r\n"),
    (b"AT+CEREG?\r", b"\r\n+CEREG: 1\r\n\r\n+CEREG: 0,1\r\n\r\nOK\r\n"),
    (b"AT+CSQ\r", b"\r\n+CSQ: 31,99\r\n\r\nOK\r\n"),
]
OPEN = [
    (b"AT+NETOPEN?\r", b"\r\n+NETOPEN: 0\r\n\r\nOK\r\n"),
    (b"AT+CIPMODE=1\r", b"\r\nOK\r\n"),
    (b"AT+NETOPEN\r", b"\r\nOK\r\n\r\n+NETOPEN: 0\r\n"),
    (b'AT+CIPOPEN=0,"TCP","collector.example.id",8080\r', b"\r\nCONNECT 115200\r\n"),
]
AGAIN = [
    (b"AT+NETOPEN?\r", b"\r\n+NETOPEN: 1\r\n\r\nOK\r\n"),
    (b'AT+CIPOPEN=0,"TCP","collector.example.id",8080\r', b"\r\nCONNECT 115200\r\n"),
]
CLOSE = [
    (b"+++", b"\r\nOK\r\n"),
    (b"AT+CIPCLOSE=0\r", b"\r\nOK\r\n\r\nCLOSED\r\n\r\n+CIPCLOSE: 0,0\r\n"),
]


def test_the_whole_conversation_is_what_the_manual_says():
    uart = Uart(UP + OPEN + [(b"GET", b"reply")] + CLOSE + AGAIN, 7)
    modem = Modem(uart, "internet", None, PACE)

    async def run():
        stream = await modem.open_tcp("collector.example.id", 8080)
        await stream.write(b"GET")
        buf = bytearray(9)
        assert await stream.readinto(buf) == 5 and buf[:5] == b"reply"
        await stream.close()
        await modem.open_tcp("collector.example.id", 8080)

    asyncio.run(run())
    assert uart.script == [] and modem.dbm == -51


def test_a_network_opened_by_somebody_else_is_closed_first():
    close = [(b"AT+NETCLOSE\r", b"\r\nOK\r\n\r\n+NETCLOSE: 0\r\n")]
    uart = Uart(UP + AGAIN[:1] + close + OPEN[1:])
    asyncio.run(Modem(uart, "internet", None, PACE).open_tcp("collector.example.id", 8080))
    assert uart.script == []


def test_failures_of_the_connection_have_their_codes():
    for at, answer, expected in (
        (2, b"\r\nERROR\r\n", at_port.NO_DATA),
        (2, b"\r\nOK\r\n\r\n+NETOPEN: 1\r\n", at_port.NO_DATA),
        (2, b"\r\nOK\r\n", at_port.NO_DATA),
        (3, b"\r\nCONNECT FAIL\r\n", at_port.CONNECT_FAILED),
        (3, b"\r\n+CIPOPEN: 0,10\r\n\r\nERROR\r\n", at_port.CONNECT_FAILED),
        (3, b"\r\nERROR\r\n", at_port.CONNECT_FAILED),
        (3, b"\r\n+CIPOPEN: 0,11\r\n\r\nERROR\r\n", at_port.NO_HOST),
    ):
        uart = Uart(UP + OPEN[:at] + [(OPEN[at][0], answer)])
        modem = Modem(uart, "internet", None, PACE)
        run = modem.open_tcp("collector.example.id", 8080)
        assert raises(PartError, lambda: asyncio.run(run)).code == expected, answer


def test_a_signal_that_is_not_known_is_none():
    uart = Uart(UP[:-1] + [(b"AT+CSQ\r", b"\r\n+CSQ: 99,99\r\n\r\nOK\r\n")])
    modem = Modem(uart, "internet", None, PACE)
    asyncio.run(modem.up())
    assert modem.dbm is None


def test_a_modem_that_is_up_is_only_asked_whether_it_is_there():
    uart = Uart(UP + [(b"AT\r", b"\r\nOK\r\n")])
    modem = Modem(uart, "internet", None, PACE)

    async def run():
        await modem.up()
        await modem.up()

    asyncio.run(run())
    assert uart.script == []


def test_with_dcd_writing_stops_at_once():
    pin = [0]
    uart = Uart(UP[:3] + [(b"AT&C1\r", b"\r\nOK\r\n")] + UP[3:] + OPEN + CLOSE[1:])
    modem = Modem(uart, "internet", lambda: pin[0], PACE)

    async def run():
        stream = await modem.open_tcp("collector.example.id", 8080)
        pin[0] = 1
        try:
            await stream.write(b"ATD*99#\r")
        except PartError as error:
            assert error.code == at_port.LINE_LOST
            await stream.close()
            return
        raise AssertionError("written to a modem in command mode")

    asyncio.run(run())
    assert uart.script == []


def test_without_an_access_point_there_is_no_data():
    script = [step for step in UP if b"CGDCONT" not in step[0] and b"CGATT" not in step[0]]
    modem = Modem(Uart(script + OPEN[:1]), "", None, PACE)
    error = raises(PartError, lambda: asyncio.run(modem.open_tcp("collector.example.id", 80)))
    assert error.code == at_port.NO_DATA
