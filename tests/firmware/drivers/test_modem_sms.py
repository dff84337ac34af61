import asyncio

from firmware.drivers import PartError, at_port, modem_sms
from firmware.drivers.at_port import AtPort
from firmware.drivers.modem_sms import Sms
from tests.firmware.support import raises

PACE = 0.02
OK = b"\r\nOK\r\n"
PDU = "07912618010000F0440B91261802000000F10004" + "00" * 7 + "0A0605043EA43EA4D28401"
MODE = (b"AT+CMGF=0\r", OK)
TEXT = "0051000B91261801000000F00004A70A0605043EA43EA4D28401"


class Uart:
    """A UART whose far side follows a script [(what must be written, what is answered)…]."""

    def __init__(self, script, cut=1000):
        self.script = list(script)
        self.cut = cut
        self.inbox = b""
        self.written = b""

    def write(self, buf):
        self.written += bytes(buf)
        while self.script and self.written.startswith(self.script[0][0]):
            expected, answer = self.script.pop(0)
            self.written = self.written[len(expected) :]
            self.inbox += answer
        wanted = self.script[0][0] if self.script else b""
        assert wanted.startswith(self.written), (self.written, wanted)
        return len(buf)

    def any(self):
        return min(len(self.inbox), self.cut)

    def readinto(self, buf):
        n = min(len(buf), self.cut, len(self.inbox))
        buf[:n] = self.inbox[:n]
        self.inbox = self.inbox[n:]
        return n or None


class Line:
    """What a modem has besides: whether it comes up, and whether a connection has the line."""

    def __init__(self, script, cut=1000, up=None, busy=False):
        self.uart = Uart(script, cut)
        self.error = up
        self.sms = Sms(AtPort(self.uart, PACE), self.up, asyncio.Lock(), lambda: busy)

    async def up(self):
        if self.error:
            raise self.error

    def do(self, name, *values):
        result = asyncio.run(getattr(self.sms, name)(*values))
        assert self.uart.script == [] and self.uart.written == b""
        return result

    def code(self, name, *values):
        error = raises(PartError, self.do, name, *values)
        assert error.text in list(modem_sms.TEXTS.values()) + list(at_port.TEXTS.values())
        return error.code


def sending(prompt=b"\r\n> ", answer=b"\r\n+CMGS: 41\r\n" + OK):
    return [MODE, (b"AT+CMGS=25\r", prompt), (TEXT.encode() + b"\x1a", answer)]


def test_a_message_goes_behind_the_prompt_and_gives_the_networks_reference():
    for cut in range(1, 12):
        assert Line(sending(), cut).do("send", 25, TEXT) == 41


def test_unsolicited_lines_before_the_prompt_and_the_answer_are_skipped():
    noise = b'\r\n+CMTI: "SM",3\r\n\r\n+CGEV: ME PDN ACT 1\r\n'
    line = Line(sending(noise + b"\r\n> ", noise + b"\r\n+CMGS: 7\r\n" + noise + OK))
    assert line.do("send", 25, TEXT) == 7


def test_no_text_goes_out_when_there_is_no_prompt():
    for answer, code in (
        (b"\r\nERROR\r\n", modem_sms.NOT_SENT),
        (b"\r\n+CMS ERROR: 331\r\n", at_port.NO_NETWORK),
        (b"\r\n+CME ERROR: SIM not inserted\r\n", at_port.NO_SIM),
    ):
        assert Line(sending()[:1] + [(b"AT+CMGS=25\r", answer)]).code("send", 25, TEXT) == code
    silent = Line(sending()[:1] + [(b"AT+CMGS=25\r", b""), (b"\x1b", b"")])
    assert silent.code("send", 25, TEXT) == at_port.NO_REPLY


def test_each_refusal_has_its_code():
    for answer, code in (
        (b"\r\n+CMS ERROR: 21\r\n", modem_sms.NOT_SENT),
        (b"\r\n+CMS ERROR: unknown error\r\n", modem_sms.NOT_SENT),
        (b"\r\n+CMS ERROR: 322\r\n", modem_sms.STORE_FULL),
        (b"\r\n+CMS ERROR: 310\r\n", at_port.NO_SIM),
        (b"\r\n+CMS ERROR: 316\r\n", at_port.SIM_PUK),
        (b"\r\nERROR\r\n", modem_sms.NOT_SENT),
        (b"\r\nOK\r\n", modem_sms.NOT_SENT),  # no reference: it did not go out
        (b"", at_port.NO_REPLY),
    ):
        assert Line(sending(answer=answer)).code("send", 25, TEXT) == code, answer


def test_messages_are_listed_with_their_place_and_only_so_many():
    head = b"\r\n+CMGL: %d,1,,35\r\n" + PDU.encode() + b"\r\n"
    answer = b"".join([head % n for n in (3, 0, 17)]) + OK
    for cut in (1, 7, 1000):
        script = [MODE, (b"AT+CMGL=4\r", answer)]
        assert Line(script, cut).do("read") == [(3, PDU), (0, PDU), (17, PDU)]
    assert Line([MODE, (b"AT+CMGL=4\r", answer)]).do("read", 2) == [(3, PDU), (0, PDU)]
    assert Line([MODE, (b"AT+CMGL=4\r", OK)]).do("read") == []


def test_what_stands_between_is_not_taken_for_a_message():
    answer = b'\r\nDEAD\r\n\r\n+CMGL: 3,1,"",35\r\n\r\n+CMTI: "SM",4\r\n' + PDU.encode()
    answer += b"\r\n\r\nABBA\r\n" + OK
    assert Line([MODE, (b"AT+CMGL=4\r", answer)]).do("read") == [(3, PDU)]


def test_a_list_that_breaks_off_is_an_error():
    answer = b"\r\n+CMGL: 3,1,,35\r\n" + PDU.encode() + b"\r\n"
    assert Line([MODE, (b"AT+CMGL=4\r", answer)]).code("read") == at_port.NO_REPLY
    refused = [MODE, (b"AT+CMGL=4\r", b"\r\n+CMS ERROR: 314\r\n")]
    assert Line(refused).code("read") == at_port.SIM_FAULT


def test_messages_are_deleted_and_counted():
    Line([(b"AT+CMGD=5\r", OK)]).do("delete", 5)
    refused = Line([(b"AT+CMGD=99\r", b"\r\n+CMS ERROR: 321\r\n")])
    assert refused.code("delete", 99) == modem_sms.NOT_SENT
    answer = b'\r\n+CPMS: "SM",3,20,"SM",3,20,"SM",3,20\r\n' + OK
    assert Line([(b"AT+CPMS?\r", answer)]).do("store") == (3, 20)


def test_the_start_asks_for_messages_both_ways_and_keeps_them():
    choose = (b"AT+CNMI=2,1,0,0,0\r", OK)
    Line([(b"AT+CSMS=0\r", b"\r\n+CSMS: 1,1,1\r\n" + OK), choose]).do("start")
    for services in (b"0,1,1", b"1,0,1", b""):
        line = Line([(b"AT+CSMS=0\r", b"\r\n+CSMS: " + services + b"\r\n" + OK)])
        assert line.code("start") == modem_sms.NO_MESSAGES


def test_a_network_without_data_will_do():
    rest = [(b"AT+CSMS=0\r", b"\r\n+CSMS: 1,1,1\r\n" + OK), (b"AT+CNMI=2,1,0,0,0\r", OK)]
    none = at_port.fault(at_port.NO_NETWORK)
    Line([(b"AT+CREG?\r", b"\r\n+CREG: 0,1\r\n" + OK)] + rest, up=none).do("start")
    Line([(b"AT+CREG?\r", b"\r\n+CREG: 0,5\r\n" + OK)] + rest, up=none).do("start")
    searching = Line([(b"AT+CREG?\r", b"\r\n+CREG: 0,2\r\n" + OK)], up=none)
    assert searching.code("start") == at_port.NO_NETWORK
    assert Line([], up=at_port.fault(at_port.NO_SIM)).code("start") == at_port.NO_SIM


def test_nothing_is_written_while_a_connection_has_the_line():
    line = Line([], busy=True)
    for call in (("send", 25, TEXT), ("read",), ("delete", 1), ("store",), ("start",)):
        assert line.code(*call) == modem_sms.LINE_TAKEN
