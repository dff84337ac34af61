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


def ask_signal(modem: "ModemEmulator") -> None:
    modem.line.say(f"+CSQ: {modem.rssi},99", "OK")


def ask_registration(modem: "ModemEmulator", name: str) -> None:
    if name == "CEREG":
        modem.polls += 1
    searching = modem.sim != "READY" or modem.polls <= modem.register_after
    modem.line.say(f"+{name}: 0,{2 if searching else modem.stat}", "OK")


def set_apn(modem: "ModemEmulator", apn: str) -> None:
    modem.used_apn = apn
    ok(modem)


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
        modem.net_open = modem.apn is None or modem.apn == modem.used_apn
        modem.line.say("OK")
        modem.line.say(f"+NETOPEN: {0 if modem.net_open else 1}", delay=0.5)


def close_net(modem: "ModemEmulator") -> None:
    if not modem.net_open:
        modem.line.say("+NETCLOSE: 2", "ERROR")
        return
    modem.drop_link()
    modem.net_open = False
    modem.line.say("OK")
    modem.line.say("+NETCLOSE: 0", delay=0.2)


def open_tcp(modem: "ModemEmulator", host: str, port: str) -> None:
    if not (modem.net_open and modem.transparent and modem.link is None and 0 < int(port) < 65536):
        modem.line.say("ERROR")
    elif host not in modem.hosts:
        modem.line.say("+CIPOPEN: 0,11", "ERROR", delay=0.5)
    else:
        try:
            modem.enter_data(TcpLink(modem.hosts[host]))
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
    modem.line.put(modem.power_on)


def switch_off(modem: "ModemEmulator") -> None:
    modem.power_off()


COMMANDS: list[tuple[str, Callable[..., None]]] = [
    ("", ok),
    ("E([01])", set_echo),
    (r"\+CMEE=([012])", set_cmee),
    ("&C([01])", set_dcd),
    (r"\+CPIN\?", ask_pin),
    (r"\+CSQ", ask_signal),
    (r"\+(CEREG|CGREG|CREG)\?", ask_registration),
    (r'\+CGDCONT=1,"IP","([^"]*)"', set_apn),
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
