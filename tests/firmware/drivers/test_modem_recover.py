"""The tables of states and steps, access points, the network's time, the modem's lines."""

import asyncio

from firmware.drivers import PartError, at_port
from firmware.drivers import modem_states as states
from firmware.drivers.at_port import AtPort
from firmware.drivers.modem_apn import choose, rows
from firmware.drivers.modem_parts import Part
from firmware.drivers.modem_recover import Lines
from firmware.drivers.modem_sim import Sim, first_number
from firmware.drivers.modem_time import NetworkTime
from tests.firmware.drivers.test_modem_at import PACE, Uart
from tests.firmware.support import raises

OK = b"\r\nOK\r\n"


def test_every_state_is_in_its_row_and_every_code_has_its_steps():
    assert [row[0] for row in states.STATES] == list(range(len(states.STATES)))
    known = [code for code, _ in states.STEPS]
    assert sorted(known) == sorted(at_port.TEXTS)
    for _, wanted, seconds, code in states.STATES:
        assert wanted and 0 < seconds <= 120 and code in known
    for _, steps in states.STEPS:
        assert steps and all(
            step in (states.RETRY, states.RADIO, states.RESET, states.POWER) for step in steps
        )


class Port:
    """The time of an AtPort."""

    pace = 1

    def __init__(self):
        self.now = 0

    def ticks(self):
        return self.now


def test_steps_grow_begin_again_and_are_forgotten_when_data_comes():
    escalation = states.Escalation(Port())
    seen = []
    for _ in range(5):
        escalation.failed(at_port.STALLED)
        seen.append(escalation.step)
    assert seen == [states.RETRY, states.RADIO, states.RESET, states.POWER, states.RETRY]
    escalation.failed(at_port.NO_REPLY)
    assert escalation.step == states.RESET
    escalation.worked()
    assert escalation.step == states.RETRY
    escalation.failed(at_port.NO_REPLY)
    assert escalation.step == states.RESET


def test_between_two_steps_for_want_of_data_there_is_time_for_messages():
    port = Port()
    escalation = states.Escalation(port)
    seen = []
    for _ in range(40):
        escalation.failed(at_port.NO_DATA)
        if escalation.step != states.RETRY:
            seen.append((port.now // 1000, escalation.step))
        port.now += 10_000
    assert seen == [
        (10, states.RADIO),
        (130, states.RESET),
        (250, states.POWER),
        (370, states.RADIO),
    ]


def test_the_access_point_is_chosen_by_the_cards_digits():
    table = rows("51010:internet;51001:indosatgprs,user,pass; internet ;8962101:special")
    assert table == [
        ("51010", "internet", "", ""),
        ("51001", "indosatgprs", "user", "pass"),
        ("", "internet", "", ""),
        ("8962101", "special", "", ""),
    ]

    def names(imsi, iccid):
        return [row[1] for row in choose(table, imsi, iccid)]

    assert names("510011234567890", "8962011") == ["indosatgprs", "internet"]
    assert names("510101234567890", "8962101") == ["special", "internet", "internet"]
    assert names("", "") == ["internet"]
    assert choose(rows("51001:a;51010:b"), "510891", "") == rows("51001:a;51010:b")
    assert rows("internet") == [("", "internet", "", "")]
    for bad in ("", ";", "x1:apn", 'in"ternet', "510:", "a\rb"):
        assert rows(bad) == [], bad


class Clock:
    def __init__(self, now, quality):
        self.time, self.quality = now, quality

    def now(self):
        return self.time

    def set(self, seconds):
        self.time = seconds


NOW = 1739509200


def network_time(readings, clock):
    """What NetworkTime does with (ms, reading) pairs; its log."""
    ms = [0]
    log = []
    taken = NetworkTime(clock, lambda: ms[0], log.append)
    for at, reading in readings:
        ms[0] = at
        taken.reading(reading)
    return log


def test_one_reading_is_no_time_and_two_that_agree_are():
    clock = Clock(NOW - 100, 0)
    network_time([(0, NOW)], clock)
    network_time([(0, NOW), (9_000, NOW + 9)], clock)
    network_time([(0, NOW), (3_700_000, NOW + 3700)], clock)
    assert (clock.time, clock.quality) == (NOW - 100, 0)
    network_time([(0, NOW), (20_000, NOW + 20)], clock)
    assert (clock.time, clock.quality) == (NOW + 20, 2)


def test_a_clock_is_never_set_back_nor_days_ahead():
    for clock, reading, expected, said in (
        (Clock(NOW, 1), NOW - 3600, (NOW, 1), "behind"),
        (Clock(NOW, 1), NOW + 10 * 86400, (NOW, 1), "ahead"),
        (Clock(NOW, 2), NOW + 10 * 86400, (NOW, 2), "ahead"),
        (Clock(NOW, 1), NOW + 3600, (NOW + 3660, 2), "set forward 3660 s"),
        (Clock(0, 0), NOW, (NOW + 60, 2), "set forward"),
        (Clock(NOW + 60, 1), NOW, (NOW + 60, 2), ""),
    ):
        log = network_time([(0, reading), (60_000, reading + 60)], clock)
        assert (clock.time, clock.quality) == expected
        assert said in "".join(log) and len(log) == bool(said)


def test_a_time_that_jumps_is_not_used_until_it_stays():
    clock = Clock(NOW, 1)
    year = 365 * 86400
    log = network_time(
        [(0, NOW + year), (60_000, NOW + 60), (120_000, None), (180_000, NOW + 180)], clock
    )
    assert log[0] == "network time jumps: not used"
    assert (clock.time, clock.quality) == (NOW + 180, 2)


def test_a_part_is_known_by_its_name_and_an_unknown_one_gets_the_longest_pulses():
    assert Part("SIMCOM_SIM7600E-H").name == "SIM7600"
    assert Part("+CGMM: A7670E-FASE").reset > 2
    parts = [Part("SIM7600"), Part("A7670"), Part()]
    assert parts[2].name == ""
    for pulse in ("key_on", "key_off", "reset"):
        assert getattr(parts[2], pulse) == max(getattr(part, pulse) for part in parts)


def lines(script, step, answers, given):
    """(what was done, pulses in order) of Lines.do on the lines named in `given`."""
    port = AtPort(Uart(script), 0.001)
    pulled = []
    pins = {}
    for name in given:
        pins[name] = lambda value, name=name: pulled.append((name, value))
    done = asyncio.run(Lines(port, **pins).do(step, Part("SIM7600"), answers))
    assert port.uart.script == []
    return (
        done,
        [name for name, value in pulled if value],
        sum(v for _, v in pulled) * 2 == len(pulled),
    )


def test_each_step_uses_the_line_that_there_is():
    radio = [(b"AT+CFUN=0\r", OK), (b"AT+CFUN=1\r", OK)]
    dead = [(b"AT+CFUN=0\r", b"\r\nERROR\r\n")]
    for script, step, answers, given, expected in (
        (radio, states.RADIO, True, ("reset",), (states.RADIO, [])),
        (dead, states.RADIO, True, ("reset", "key"), (states.RESET, ["reset"])),
        ([], states.RADIO, False, ("reset",), (states.RESET, ["reset"])),
        ([(b"AT+CRESET\r", OK)], states.RESET, True, ("key",), (states.RESET, [])),
        ([], states.RESET, False, ("key",), (states.POWER, ["key", "key"])),
        ([], states.POWER, True, ("key", "cut"), (states.POWER, ["cut", "key"])),
        ([], states.POWER, False, (), (states.RETRY, [])),
        ([], states.RETRY, True, ("cut",), (states.RETRY, [])),
    ):
        done, pulled, all_let_go = lines(script, step, answers, given)
        assert (done, pulled) == expected, step
        assert all_let_go


ICCID = (b"AT+CICCID\r", b"\r\n+ICCID: 8962101234567890123\r\n" + OK)
LOCKED = (b"AT+CPIN?\r", b"\r\n+CPIN: SIM PIN\r\n" + OK)
READY = (b"AT+CPIN?\r", b"\r\n+CPIN: READY\r\n" + OK)
IMSI = (b"AT+CIMI\r", b"\r\n510101234567890\r\n" + OK)


def spic(tries):
    return (b"AT+SPIC\r", b"\r\n+SPIC: %d,10,3,10\r\n" % tries + OK)


def unlock(script, pin="2580", part=""):
    """The Sim after ready() on `script`, or the code that it raised."""
    uart = Uart(script)
    sim = Sim(AtPort(uart, PACE), pin)
    try:
        asyncio.run(sim.ready(Part(part)))
    except PartError as error:
        return error.code
    finally:
        assert uart.script == []
    return sim


def test_the_pin_is_entered_when_there_are_tries_enough():
    enter = (b'AT+CPIN="2580"\r', OK)
    sim = unlock([LOCKED, ICCID, spic(2), enter, READY, IMSI])
    assert (sim.imsi, sim.iccid) == ("510101234567890", "8962101234567890123")
    unknown = (b"AT+SPIC\r", b"\r\nERROR\r\n")
    cpinr = (b'AT+CPINR="SIM PIN"\r', b"\r\n+CPINR: SIM PIN,3,3\r\n" + OK)
    assert unlock([LOCKED, ICCID, unknown, cpinr, enter, READY, IMSI], part="A7670").imsi


def test_the_pin_is_never_entered_on_the_last_try_nor_when_nobody_says_how_many_are_left():
    assert unlock([LOCKED, ICCID, spic(1)]) == at_port.PIN_LAST
    assert unlock([LOCKED, ICCID, spic(0)]) == at_port.PIN_LAST
    unknown = [(b"AT+SPIC\r", b"\r\nERROR\r\n"), (b'AT+CPINR="SIM PIN"\r', b"\r\nERROR\r\n")]
    assert unlock([LOCKED, ICCID] + unknown) == at_port.SIM_PIN
    assert unlock([LOCKED, ICCID], pin="") == at_port.SIM_PIN
    assert unlock([(b"AT+CPIN?\r", b"\r\n+CPIN: SIM PUK\r\n" + OK), ICCID]) == at_port.SIM_PUK


def test_a_pin_that_was_refused_is_not_entered_into_the_same_card_again():
    wrong = (b'AT+CPIN="2580"\r', b"\r\n+CME ERROR: incorrect password\r\n")
    other = (b"AT+CICCID\r", b"\r\n+ICCID: 8962101111111111111\r\n" + OK)
    right = (b'AT+CPIN="2580"\r', OK)
    script = [LOCKED, ICCID, spic(3), wrong, LOCKED, ICCID]
    script += [LOCKED, other, spic(3), right, READY, IMSI]
    uart = Uart(script)
    sim = Sim(AtPort(uart, PACE), "2580")
    for _ in range(2):
        error = raises(PartError, lambda: asyncio.run(sim.ready(Part())))
        assert error.code == at_port.PIN_WRONG
    asyncio.run(sim.ready(Part()))
    assert uart.script == []


def test_the_tries_are_the_first_number_of_the_reply():
    assert first_number("+SPIC: 3,10,0,10") == 3
    assert first_number('+CPINR: "SIM PIN",2,3') == 2
    assert first_number("+SPIC: ?") is None
