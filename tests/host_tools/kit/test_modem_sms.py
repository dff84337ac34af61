"""Messages between emulated modems: the driver, the strict part, a service centre with faults."""

import asyncio
from contextlib import closing

import pytest

from firmware import sms
from firmware.drivers import PartError, at_port, modem_sms
from firmware.drivers.modem_at import Modem
from host_tools.kit.bus import LocalUART
from host_tools.kit.modem_clock import SimulatedLoop
from host_tools.kit.modem_sms import (
    BadPdu,
    Smsc,
    SmsModemEmulator,
    deliver,
    open_submit,
    semi_octets,
    whole_header,
)

KIT, COLLECTOR = "+6281200000001", "+62811000000"
DATA = bytes(range(230))


@pytest.fixture
def loop():
    """Simulated time, at the part's own speed: a busy machine changes nothing."""
    with closing(SimulatedLoop()) as loop:
        yield loop


def part_of(loop, centre, number, **options):
    options.setdefault("booted", True)
    return SmsModemEmulator(centre=centre, number=number, clock=loop.clock, **options)


def messages_of(loop, part):
    return modem_sms.of(Modem(LocalUART(part), "internet", ticks=loop.ticks))


async def send(messages, to, data=DATA, reference=7):
    for user_data in sms.split(data, reference):
        await messages.send(*sms.submit(to, user_data))


async def inbox(messages):
    found = await messages.read()
    for index, _ in found:
        await messages.delete(index)
    return [sms.parse(text) for _, text in found]


@pytest.mark.parametrize("seed", range(4))
def test_parts_go_from_kit_to_collector_byte_for_byte(loop, seed):
    centre = Smsc()
    kit = messages_of(loop, part_of(loop, centre, KIT, seed=seed, chatter=0.5))
    there = messages_of(loop, part_of(loop, centre, COLLECTOR, seed=seed + 9, chatter=0.5))

    async def run():
        await kit.start()
        await there.start()
        await send(kit, COLLECTOR)
        return await inbox(there)

    parts = loop.run_until_complete(run())
    assert [(part.number, part.reference, part.total, part.no) for part in parts] == [
        (KIT, 7, 2, 1),
        (KIT, 7, 2, 2),
    ]
    assert b"".join(part.data for part in parts) == DATA
    assert centre.taken == 2


def test_a_full_store_keeps_messages_waiting_and_loses_none(loop):
    centre = Smsc()
    part = part_of(loop, centre, COLLECTOR, slots=3)
    messages = messages_of(loop, part)
    for n in range(10):
        centre.post(COLLECTOR, deliver(KIT, sms.split(b"%d" % n, 1)[0]))

    async def run():
        await messages.start()
        assert await messages.store() == (3, 3)
        got = []
        while len(got) < 10:
            got += await inbox(messages)
        return got

    assert [part.data for part in loop.run_until_complete(run())] == [b"%d" % n for n in range(10)]


def test_faults_of_the_centre_happen_and_are_the_same_for_one_seed():
    def arrived(seed):
        centre = Smsc(loss=0.3, double=0.3, delay=5, seed=seed, clock=lambda: now[0])
        now = [0.0]
        for n in range(40):
            centre.submit(
                KIT, bytes.fromhex(sms.submit(COLLECTOR, sms.split(b"%d" % n, 1)[0])[1])[1:]
            )
        now[0] = 2.0
        early = centre.collect(COLLECTOR, 99)
        now[0] = 5.0
        texts = [sms.parse(pdu.hex()).data for pdu in early + centre.collect(COLLECTOR, 99)]
        return texts, centre.lost, len(early)

    texts, lost, early = arrived(1)
    assert arrived(1) == (texts, lost, early)
    assert lost and early and len(set(texts)) == 40 - lost < len(texts)
    assert texts != sorted(texts, key=int)


def test_what_comes_while_a_connection_has_the_line_waits_in_the_store(loop):
    centre = Smsc()
    part = part_of(loop, centre, COLLECTOR)
    messages = messages_of(loop, part)

    async def run():
        await messages.start()
        part.data_mode = True
        centre.post(COLLECTOR, deliver(KIT, sms.split(b"x", 1)[0]))
        part.tick()
        part.data_mode = False
        assert part.told
        return await inbox(messages)

    assert [part.data for part in loop.run_until_complete(run())] == [b"x"]


def test_credit_that_runs_out_is_told_and_nothing_is_charged(loop):
    centre = Smsc()
    part = part_of(loop, centre, KIT)
    messages = messages_of(loop, part)

    async def run():
        await messages.start()
        part.credit = 1
        await send(messages, COLLECTOR)

    with pytest.raises(PartError) as caught:
        loop.run_until_complete(run())
    assert caught.value.code == modem_sms.NOT_SENT and centre.taken == 1


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"stat": 3}, at_port.DENIED),
        ({"sim": "absent"}, at_port.NO_SIM),
        ({"services": "0,0,0"}, modem_sms.NO_MESSAGES),
    ],
)
def test_what_stands_in_the_way_is_told(loop, options, code):
    messages = messages_of(loop, part_of(loop, Smsc(), KIT, **options))
    with pytest.raises(PartError) as caught:
        loop.run_until_complete(messages.start())
    assert caught.value.code == code


class Typist:
    """Types at a part without the driver."""

    def __init__(self, loop, **options):
        self.loop = loop
        self.part = part_of(loop, Smsc(), KIT, chatter=0.0, register_after=0, **options)
        self.uart = LocalUART(self.part)
        self.part.echo = False
        self.part.polls = 1

    def type(self, data: bytes, answers=(b"OK\r\n", b"> ")) -> bytes:
        """Type `data` at once; what the part says until one of `answers` or an error ends it."""
        self.uart.write(data)
        said = b""
        for _ in range(5000):  # 10 s
            buf = bytearray(200)
            said += bytes(buf[: self.uart.readinto(buf) or 0])
            if said.endswith(answers) or (b"ERROR" in said and said.endswith(b"\r\n")):
                break
            self.loop.run_until_complete(asyncio.sleep(0.002))
        return said


def test_the_part_is_strict_about_modes_lengths_and_prompts(loop):
    typist = Typist(loop)
    length, text = sms.submit(COLLECTOR, sms.split(b"x", 1)[0])
    bad = b"+CMS ERROR: 304"
    assert bad in typist.type(b"AT+CMGS=%d\r" % length)  # text mode
    assert b"+CMS ERROR: 302" in typist.type(b"AT+CMGL=4\r")
    assert b"ERROR" in typist.type(b'AT+CMGL="ALL"\r')
    assert b"ERROR" in typist.type(b"AT+CNMI=2,2,0,0,0\r")
    assert b"OK" in typist.type(b"AT+CMGF=0\r")
    hasty = b"AT+CMGS=%d\r" % length + text.encode() + b"\x1a"
    assert bad in typist.type(hasty, answers=b"OK\r\n")  # the prompt still comes, then the error
    for wrong in (length + 1, length - 1):
        assert b"> " in typist.type(b"AT+CMGS=%d\r" % wrong)
        assert bad in typist.type(text.encode() + b"\x1a")
    for broken in (text[:-1], text[:-2] + "0G", text.replace("00", "0 0", 1)):
        assert b"> " in typist.type(b"AT+CMGS=%d\r" % length)
        assert bad in typist.type(broken.encode() + b"\x1a")
    assert b"> " in typist.type(b"AT+CMGS=%d\r" % length)
    assert b"OK" in typist.type(b"\x1b")
    assert typist.part.centre.taken == 0
    assert b"> " in typist.type(b"AT+CMGS=%d\r" % length)
    assert b"+CMGS: 1" in typist.type(text.encode() + b"\x1a")
    assert typist.part.centre.taken == 1
    assert b"+CMS ERROR: 321" in typist.type(b"AT+CMGD=20\r")
    assert b"+CMS ERROR: 321" in typist.type(b"AT+CMGR=20\r")


def test_the_centre_takes_exact_submits_only():
    good = bytes.fromhex(sms.submit(COLLECTOR, sms.split(DATA, 7)[0])[1])[1:]
    assert open_submit(good)[0] == COLLECTOR
    for broken in (
        good[:-1],
        good + b"\0",
        good[:3],
        b"",
        bytes([0x44]) + good[1:],  # a DELIVER
        good[:3] + b"\xd0" + good[4:],  # to a name
        good[:4] + b"\xff" + good[5:],
        good[:11] + b"\x08" + good[12:],  # UCS2
        good[:14] + b"\x0d" + good[15:],  # header longer by one
        good[:14] + b"\xff" + good[15:],
    ):
        with pytest.raises(BadPdu):
            open_submit(broken)
    assert not whole_header(b"") and whole_header(bytes([0, 1]))
    assert semi_octets("12345") == bytes.fromhex("2143F5")
