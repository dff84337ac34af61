"""The emulated modem itself: what it refuses, its card, its radio, its pins."""

import pytest

from host_tools.kit.bus import LocalUART
from host_tools.kit.modem import BOOT, ModemEmulator
from host_tools.kit.modem_card import Card


class Clock:
    """A clock that the test turns."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Modem:
    """A terminal at the modem: `ask(command)` gives the lines of the reply."""

    def __init__(self, **options):
        self.clock = Clock()
        options.setdefault("booted", True)
        self.part = ModemEmulator(clock=self.clock, chatter=0.0, **options)
        self.uart = LocalUART(self.part)
        self.ask("ATE0")
        self.ask("AT+CMEE=2")

    def wait(self, seconds):
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now += 0.01
            self.part.tick()

    def ask(self, command, seconds=2.0):
        self.uart.inbox.clear()
        self.uart.write(command.encode() + b"\r")
        self.wait(seconds)
        return [line for line in self.uart.inbox.decode("latin-1").split("\r\n") if line]

    def register(self):
        for _ in range(4):
            self.ask("AT+CPIN?")
            self.ask("AT+CEREG?")


@pytest.mark.parametrize(
    "command",
    [
        "AT+CPIN=12",
        "AT+CPIN=123456789",
        'AT+CPIN="12a4"',
        'AT+CPIN="12345678","0000"',
        "AT+CFUN=2",
        "AT+CFUN=1,1",
        "AT+CNMP=14x",
        "AT+CNMP=3",
        'AT+CPINR="SIM PIN"',
        "AT+CGATT=2",
        'AT+CGDCONT=2,"IP","internet"',
        'AT+CGAUTH=1,4,"a","b"',
        "AT+CIMI?",
    ],
)
def test_what_is_not_exact_is_refused(command):
    assert Modem().ask(command) == ["ERROR"]


def test_each_part_knows_its_own_commands_only():
    other = Modem(model="A7670", sim="SIM PIN")
    assert other.ask('AT+CPINR="SIM PIN"')[-2:] == ["+CPINR: SIM PIN,3,3", "OK"]
    assert other.ask("AT+SPIC") == ["ERROR"]
    assert other.ask("AT+CNMP=14") == ["ERROR"] and other.ask("AT+CNMP=13") == ["OK"]
    assert other.ask("AT+CGMM") == ["A7670E-FASE", "OK"]


def test_a_card_counts_its_tries_and_is_blocked_by_the_third():
    modem = Modem(card=Card("SIM PIN", "2580"))
    for tries in (2, 1):
        assert modem.ask('AT+CPIN="1111"') == ["+CME ERROR: incorrect password"]
        assert modem.ask("AT+SPIC")[0] == f"+SPIC: {tries},10,3,10"
    assert modem.ask('AT+CPIN="1111"') == ["+CME ERROR: SIM PUK required"]
    assert modem.ask("AT+CPIN?")[0] == "+CPIN: SIM PUK"
    assert modem.ask('AT+CPIN="2580"') == ["+CME ERROR: operation not allowed"]
    modem.part.power_off()
    modem.part.power_on(booted=True)
    modem.ask("ATE0")
    assert modem.ask("AT+CPIN?")[0] == "+CPIN: SIM PUK"


def test_the_right_pin_counts_until_power_is_lost():
    modem = Modem(card=Card("SIM PIN", "2580"))
    assert modem.ask("AT+CIMI") == ["+CME ERROR: SIM PIN required"]
    modem.ask('AT+CPIN="1111"')
    assert modem.ask('AT+CPIN="2580"') == ["OK", "+CPIN: READY"]
    assert modem.part.card.tries == 3
    assert modem.ask("AT+CIMI") == ["510101234567890", "OK"]
    assert modem.ask("AT+CPIN=2580") == ["+CME ERROR: operation not allowed"]
    modem.part.power_off()
    modem.part.power_on(booted=True)
    assert modem.part.sim == "SIM PIN"


def test_another_card_is_seen_when_the_radio_starts_and_not_before():
    modem = Modem(sim="absent")
    modem.part.insert(Card())
    assert modem.ask("AT+CPIN?") == ["+CME ERROR: SIM not inserted"]
    assert modem.ask("AT+CFUN=0") == ["OK"] and modem.ask("AT+CFUN?")[0] == "+CFUN: 0"
    assert modem.ask("AT+CEREG?")[0] == "+CEREG: 0,0"
    assert modem.ask("AT+CFUN=1") == ["OK"]
    assert modem.ask("AT+CPIN?") == ["+CME ERROR: SIM busy"]
    assert modem.ask("AT+CPIN?") == ["+CPIN: READY", "OK"]
    assert modem.part.steps == ["radio"]


def test_who_was_denied_does_not_ask_again_until_the_radio_starts():
    modem = Modem(stat=3, register_after=0)
    assert modem.ask("AT+CEREG?")[0] == "+CEREG: 0,3"
    modem.part.stat = 1
    assert modem.ask("AT+CEREG?")[0] == "+CEREG: 0,3"
    modem.ask("AT+CFUN=0")
    modem.ask("AT+CFUN=1")
    assert modem.ask("AT+CEREG?")[0] == "+CEREG: 0,1"


def test_a_place_without_4g_serves_those_who_do_not_insist_on_it():
    modem = Modem(register_after=0)
    modem.part.lte = False
    assert modem.ask("AT+CEREG?")[0] == "+CEREG: 0,2"
    assert modem.ask("AT+CGREG?")[0] == "+CGREG: 0,1"
    modem.ask("AT+CNMP=38")
    modem.ask("AT+CEREG?")
    assert modem.ask("AT+CGREG?")[0] == "+CGREG: 0,2"
    assert not modem.part.registered()


def test_another_apn_counts_from_the_next_attach_on():
    modem = Modem(apn="operator")
    modem.ask('AT+CGDCONT=1,"IP","wrong"')
    modem.register()
    modem.ask('AT+CGDCONT=1,"IP","operator"')
    modem.ask("AT+CIPMODE=1")
    assert modem.ask("AT+NETOPEN") == ["OK", "+NETOPEN: 1"]
    assert modem.ask("AT+CGATT=0") == modem.ask("AT+CGATT=1") == ["OK"]
    assert modem.ask("AT+NETOPEN") == ["OK", "+NETOPEN: 0"]
    assert modem.ask("AT+CGDCONT?")[0].startswith('+CGDCONT: 1,"IP","operator"')


@pytest.mark.parametrize(("model", "least"), [("SIM7600", 0.1), ("A7670", 2.0)])
def test_a_reset_pulse_must_be_long_enough(model, least):
    modem = Modem(model=model)
    for length, resets in ((least * 0.8, 0), (least * 1.2, 1)):
        modem.part.reset(1)
        modem.wait(length)
        modem.part.reset(0)
        assert modem.part.steps.count("reset") == resets
    assert modem.ask("AT") == []
    modem.wait(BOOT)
    assert modem.ask("AT")[-1] == "OK"


def test_the_power_key_switches_on_by_a_short_press_and_off_by_a_long_one():
    modem = Modem()
    for length, powered in ((1.0, True), (3.0, False), (0.2, False), (0.6, True)):
        modem.part.key(1)
        modem.wait(length)
        modem.part.key(0)
        assert modem.part.powered == powered, length
    assert modem.part.dcd() == 0


@pytest.mark.parametrize("until", ["reset", "power"])
def test_a_hung_modem_hears_nothing_but_its_pins(until):
    modem = Modem()
    modem.part.hang(until)
    assert modem.ask("AT") == []
    modem.part.reset(1)
    modem.wait(1)
    modem.part.reset(0)
    modem.wait(BOOT + 3)
    assert bool(modem.ask("AT")) == (until == "reset")
    if until == "power":
        modem.part.supply(1)
        modem.wait(2)
        modem.part.supply(0)
        assert not modem.part.powered and not modem.part.hung


def test_a_bad_ground_wire_changes_bytes_and_loses_none():
    modem = Modem()
    modem.part.line.garble = 0.5
    modem.uart.inbox.clear()
    modem.uart.write(b"AT+CSQ\r")
    modem.wait(1)
    assert len(modem.uart.inbox) == len(b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n")
    assert b"OK" not in modem.uart.inbox or b"+CSQ" not in modem.uart.inbox
