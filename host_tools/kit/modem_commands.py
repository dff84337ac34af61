"""The emulated modem's exact table of commands: pattern behind AT, and what it does.

Replies as in the SIM7500_SIM7600 AT Command Manual V3.00; what the modem would refuse in this state
gets its ERROR.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from host_tools.kit.modem_link import BearerLink, TcpLink

if TYPE_CHECKING:
    from host_tools.kit.modem import ModemEmulator

CME = {"SIM not inserted": 10, "SIM PIN required": 11, "SIM PUK required": 12, "SIM busy": 14}
CME |= {"operation not allowed": 3, "incorrect password": 16}
NAMES = {"SIM7600": "SIMCOM_SIM7600E-H", "A7670": "A7670E-FASE"}
MODES = {"SIM7600": (2, 13, 14, 38), "A7670": (2, 13, 38)}


def cme(modem: "ModemEmulator", text: str) -> None:
    if modem.cmee == 0:
        modem.line.say("ERROR")
    else:
        modem.line.say(f"+CME ERROR: {text if modem.cmee == 2 else CME[text]}")


def ok(modem: "ModemEmulator") -> None:
    modem.line.say("OK")


def set_echo(modem: "ModemEmulator", value: str) -> None:
    modem.echo = value == "1"
    ok(modem)


def set_cmee(modem: "ModemEmulator", value: str) -> None:
    modem.cmee = int(value)
    ok(modem)


def set_dcd(modem: "ModemEmulator", value: str) -> None:
    modem.dcd_follows = value == "1"
    modem.dcd(1 if modem.dcd_follows else 0)
    ok(modem)


def ask_pin(modem: "ModemEmulator") -> None:
    if modem.sim == "absent":
        cme(modem, "SIM not inserted")
    elif modem.sim_busy:
        modem.sim_busy -= 1
        cme(modem, "SIM busy")
    else:
        modem.line.say(f"+CPIN: {modem.sim}", "OK")


def enter_pin(modem: "ModemEmulator", pin: str) -> None:
    if modem.sim != "SIM PIN":
        cme(modem, "operation not allowed")
        return
    right = modem.card.enter(pin)
    modem.sim = modem.card.state
    if right:
        modem.line.say("OK", "+CPIN: READY", delay=0.2)
        modem.sim_busy = 1
    else:
        cme(modem, "SIM PUK required" if modem.sim == "SIM PUK" else "incorrect password")


def ask_tries(modem: "ModemEmulator", name: str) -> None:
    """Each part knows one of the two commands."""
    if modem.sim == "absent":
        cme(modem, "SIM not inserted")
    elif (name == "SPIC") != (modem.model == "SIM7600"):
        modem.line.say("ERROR")
    elif name == "SPIC":
        modem.line.say(f"+SPIC: {modem.card.tries},{modem.card.puk_tries},3,10", "OK")
    else:
        modem.line.say(f"+CPINR: SIM PIN,{modem.card.tries},3", "OK")


def ask_imsi(modem: "ModemEmulator") -> None:
    if modem.sim == "READY":
        modem.line.say(modem.card.imsi, "OK")
    else:
        states = {"absent": "SIM not inserted", "SIM PIN": "SIM PIN required"}
        cme(modem, states.get(modem.sim, "SIM PUK required"))


def ask_iccid(modem: "ModemEmulator") -> None:
    if modem.sim == "absent":
        cme(modem, "SIM not inserted")
    else:
        modem.line.say(f"+ICCID: {modem.card.iccid}", "OK")


def ask_model(modem: "ModemEmulator") -> None:
    modem.line.say(NAMES[modem.model], "OK", quiet=True)


def ask_radio(modem: "ModemEmulator") -> None:
    modem.line.say(f"+CFUN: {modem.radio}", "OK")


def set_radio(modem: "ModemEmulator", value: str) -> None:
    modem.set_radio(int(value))
    modem.line.say("OK", delay=0.8)


def ask_mode(modem: "ModemEmulator") -> None:
    modem.line.say(f"+CNMP: {modem.mode}", "OK")


def set_mode(modem: "ModemEmulator", value: str) -> None:
    if int(value) not in MODES[modem.model]:
        modem.line.say("ERROR")
        return
    modem.mode = int(value)
    modem.polls = 0
    ok(modem)


def ask_signal(modem: "ModemEmulator") -> None:
    modem.line.say(f"+CSQ: {modem.rssi},99", "OK")


def ask_registration(modem: "ModemEmulator", name: str) -> None:
    if name == "CEREG" and modem.radio == 1:
        modem.polls += 1
    modem.registered()
    modem.line.say(f"+{name}: 0,{modem.status(name)}", "OK")


def ask_operator(modem: "ModemEmulator") -> None:
    """Long name and kind of network (7 LTE, 0 GSM) once it is registered; asking takes time."""
    if modem.radio == 1:
        modem.polls += 1
    kind = 7 if modem.status("CEREG") in (1, 5) else 0
    modem.line.say(f'+COPS: 0,0,"CONTOH",{kind}' if modem.registered() else "+COPS: 0", "OK")


def ask_apn(modem: "ModemEmulator") -> None:
    modem.line.say(f'+CGDCONT: 1,"IP","{modem.stored_apn}","0.0.0.0",0,0', "OK")


def set_apn(modem: "ModemEmulator", apn: str) -> None:
    modem.stored_apn = apn
    ok(modem)


def set_login(modem: "ModemEmulator", text: str) -> None:
    modem.login = text
    ok(modem)


def attach(modem: "ModemEmulator", value: str) -> None:
    if value == "0":
        modem.net_open = False
        modem.drop_link()
        modem.attached_apn = None
        modem.line.say("OK", delay=0.5)
    elif modem.registered():
        modem.line.say("OK", delay=1.0)
    else:
        modem.line.say("ERROR", delay=1.0)


def set_time_update(modem: "ModemEmulator", value: str) -> None:
    modem.time_update = value == "1"
    ok(modem)


def ask_time(modem: "ModemEmulator") -> None:
    text = "80/01/06,00:00:10+00"
    if modem.time_update and modem.registered():
        text = time.strftime("%y/%m/%d,%H:%M:%S+28", time.gmtime(modem.wall() + 7 * 3600))
    modem.line.say(f'+CCLK: "{text}"', "OK")


def set_transparent(modem: "ModemEmulator", value: str) -> None:
    if modem.net_open:
        modem.line.say("ERROR")
        return
    modem.transparent = value == "1"
    ok(modem)


def ask_net(modem: "ModemEmulator") -> None:
    modem.line.say(f"+NETOPEN: {int(modem.net_open)}", "OK")


def open_net(modem: "ModemEmulator") -> None:
    if modem.net_open:
        modem.line.say("+IP ERROR: Network is already opened", "ERROR")
    elif not modem.registered():
        modem.line.say("ERROR", delay=0.2)
    else:
        modem.net_open = modem.apn is None or modem.apn == modem.attached_apn
        modem.line.say("OK")
        modem.line.say(f"+NETOPEN: {0 if modem.net_open else 1}", delay=0.5)


def close_net(modem: "ModemEmulator") -> None:
    if not modem.net_open:
        modem.line.say("+NETCLOSE: 2", "ERROR")
        return
    modem.drop_link()
    modem.net_open = False
    if modem.stalled == "net":
        modem.stalled = ""
    modem.line.say("OK")
    modem.line.say("+NETCLOSE: 0", delay=0.2)


def open_tcp(modem: "ModemEmulator", host: str, port: str) -> None:
    if not (modem.net_open and modem.transparent and modem.link is None and 0 < int(port) < 65536):
        modem.line.say("ERROR")
    elif host not in modem.hosts:
        modem.line.say("+CIPOPEN: 0,11", "ERROR", delay=0.5)
    else:
        address = modem.hosts[host]
        try:
            modem.enter_data(address() if callable(address) else TcpLink(address))
        except OSError:
            modem.line.say("CONNECT FAIL", delay=0.5)


def close_tcp(modem: "ModemEmulator") -> None:
    if not isinstance(modem.link, TcpLink):
        modem.line.say("+CIPCLOSE: 0,4", "ERROR")
        return
    modem.drop_link()
    modem.carrier(False)
    modem.line.say("OK", "CLOSED")
    modem.line.say("+CIPCLOSE: 0,0", delay=0.1)


def dial(modem: "ModemEmulator") -> None:
    if modem.bearer is None or modem.link is not None or not modem.registered():
        modem.line.say("NO CARRIER", delay=0.3)
    else:
        modem.enter_data(BearerLink(modem.bearer))


def resume(modem: "ModemEmulator") -> None:
    if modem.link is None:
        modem.line.say("NO CARRIER")
    else:
        modem.enter_data(modem.link)


def hang_up(modem: "ModemEmulator") -> None:
    if isinstance(modem.link, BearerLink):
        modem.drop_link()
        modem.carrier(False)
    ok(modem)


def restart(modem: "ModemEmulator") -> None:
    ok(modem)
    modem.steps.append("reset")
    modem.line.put(lambda: modem.restart("reset"))


def switch_off(modem: "ModemEmulator") -> None:
    modem.power_off()


COMMANDS: list[tuple[str, Callable[..., None]]] = [
    ("", ok),
    ("E([01])", set_echo),
    (r"\+CMEE=([012])", set_cmee),
    ("&C([01])", set_dcd),
    (r"\+CPIN\?", ask_pin),
    (r'\+CPIN="?(\d{4,8})"?', enter_pin),
    (r"\+(SPIC)", ask_tries),
    (r'\+(CPINR)="SIM PIN"', ask_tries),
    (r"\+CIMI", ask_imsi),
    (r"\+CICCID", ask_iccid),
    (r"\+CGMM", ask_model),
    (r"\+CFUN\?", ask_radio),
    (r"\+CFUN=([014])", set_radio),
    (r"\+CNMP\?", ask_mode),
    (r"\+CNMP=(\d+)", set_mode),
    (r"\+CSQ", ask_signal),
    (r"\+(CEREG|CGREG|CREG)\?", ask_registration),
    (r"\+COPS\?", ask_operator),
    (r'\+CGDCONT=1,"IP","([^"]*)"', set_apn),
    (r"\+CGDCONT\?", ask_apn),
    (r"\+CGAUTH=1,(0|[123],\"[^\"]*\",\"[^\"]*\")", set_login),
    (r"\+CGATT=([01])", attach),
    (r"\+CTZU=([01])", set_time_update),
    (r"\+CCLK\?", ask_time),
    (r"\+CIPMODE=([01])", set_transparent),
    (r"\+NETOPEN\?", ask_net),
    (r"\+NETOPEN", open_net),
    (r"\+NETCLOSE", close_net),
    (r'\+CIPOPEN=0,"TCP","([^"]+)",(\d+)', open_tcp),
    (r"\+CIPCLOSE=0", close_tcp),
    (r"D\*99\*\*\*1#", dial),
    ("O", resume),
    ("H", hang_up),
    (r"\+CRESET", restart),
    (r"\+CPOF", switch_off),
]
