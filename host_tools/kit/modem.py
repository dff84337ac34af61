"""LTE modem SIM7600 / A7670 as the kit's UART sees it, with faults on demand.

Stricter than the part: an exact table of commands, ERROR for everything else and for every wrong
order. Replies come in pieces with pauses, with echo until ATE0 and unsolicited lines in between.
Data mode reaches loopback only. `speed` makes the modem's own times that many times shorter.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping

from host_tools.kit.bus import LocalPin
from host_tools.kit.modem_card import Card
from host_tools.kit.modem_commands import COMMANDS
from host_tools.kit.modem_line import Line
from host_tools.kit.modem_link import Bearer, Link, Peer
from host_tools.kit.modem_pins import PULSES, Pin
from host_tools.kit.modem_radio import Radio

BOOT = 8.0  # s from power to RDY
GUARD = 1.0  # s of silence before and after +++
BETWEEN = 0.9  # s allowed between two of the +
GHOST = 60.0  # s until the network gives up a connection whose radio is gone; the peer hears no FIN
BACKLOG = 8192  # bytes for the kit after which the network is not read


class ModemEmulator(Radio):
    """`hosts`: name -> loopback address, or a callable that gives a link (modem_link.Peer).

    `model`: SIM7600 or A7670. `sim`: state of the card at the start, `card`: a whole card instead.
    `key`, `reset`, `supply` are its pins, for the kit to pull (modem_pins). The first
    `register_after` polls of the registration say "searching", later ones `stat` (1 home, 3 denied,
    5 roaming).
    `apn`: what the network wants (None takes any). `dcd` reads 0 while data mode has its carrier.
    """

    def __init__(
        self,
        hosts: Mapping[str, tuple[str, int] | Peer] | None = None,
        *,
        bearer: Bearer | None = None,
        clock: Callable[[], float] = time.monotonic,
        speed: float = 1.0,
        sim: str = "READY",
        register_after: int = 2,
        stat: int = 1,
        rssi: int = 20,
        apn: str | None = None,
        wall: Callable[[], float] = time.time,
        chatter: float = 0.2,
        seed: int = 1,
        booted: bool = False,
        model: str = "SIM7600",
        card: Card | None = None,
    ):
        self.hosts = dict(hosts or {})
        for address in self.hosts.values():
            if not callable(address) and not address[0].startswith("127."):
                raise ValueError("the emulated modem reaches loopback only")
        self.bearer = bearer
        self.clock = clock
        self.speed = speed
        self.model = model
        Radio.__init__(self, card or Card(sim), register_after, stat, rssi, apn)
        self.wall = wall
        self.line = Line(clock, speed, chatter, seed)
        self.send: Callable[[bytes], None] = lambda data: None
        self.dcd = LocalPin(1)
        self.to_net = 0
        self.to_kit = 0
        self.commands: list[str] = []
        self.lock = threading.RLock()
        self.powered = False
        self.mute = False
        self.hung = ""  # what ends it: "reset" (or power) or "power"
        self.stalled = ""  # what ends it: "net", "radio", "reset" or "power"
        self.held = b""
        self.steps: list[str] = []  # what was done to it: radio, reset, power
        on, off, reset = PULSES[model]
        self.key = Pin(clock, speed, lambda s: self._press(s, on, off))
        self.reset = Pin(clock, speed, lambda s: self._pull_reset(s, reset))
        self.supply = Pin(clock, speed, lambda s: self._supply_back())
        self.link: Link | None = None
        self.ghosts: list[tuple[float, Link]] = []
        self.cut: tuple[int, bool] | None = None
        self._reset()
        self.power_on(booted)

    def _reset(self) -> None:
        self._lose_link()
        self.running = False
        self.data_mode = False
        self.dcd_follows = False
        self.dcd(0)  # without AT&C1 it is always on
        self.echo = True
        self.cmee = 0
        self.look()
        self.time_update = False
        self.transparent = False
        self.net_open = False
        self.typed = b""
        self.pluses = 0
        self.last_byte = self.last_plus = self.clock()

    # Its pins.

    def _press(self, seconds: float, on: float, off: float) -> None:
        with self.lock:
            if not self.powered and seconds >= on:
                self.power_on()
            elif self.powered and seconds >= off:
                self.steps.append("power")
                self.power_off()

    def _pull_reset(self, seconds: float, least: float) -> None:
        with self.lock:
            if self.powered and seconds >= least and self.hung != "power":
                self.steps.append("reset")
                self.restart("reset")

    def _supply_back(self) -> None:
        with self.lock:
            self.steps.append("power")
            self.power_off()

    def restart(self, by: str) -> None:
        """Start again; what `by` ends is over."""
        if self.stalled != "power" or by == "power":
            self.stalled = ""
        self.line.clear()
        self.power_on()

    def set_radio(self, value: int) -> None:
        """AT+CFUN: 0 and 4 end all that is on the air; 1 after them looks for it anew."""
        if value == 1 and self.radio != 1:
            self.steps.append("radio")
            self.look()
            if self.stalled in ("net", "radio"):
                self.stalled = ""
        elif value != 1:
            self.drop_carrier()
            self.attached_apn = None
            self.radio = value

    # Faults, callable from any thread.

    def power_on(self, booted: bool = False) -> None:
        with self.lock:
            self.hung = ""
            self._reset()
            self.powered = True
            if booted:
                self.running, self.sim_busy = True, 0
                return
            self.line.put(self._start, BOOT)
            self.line.say("RDY", quiet=True)
            if self.sim != "absent":
                self.line.say(f"+CPIN: {self.sim}", delay=0.5, quiet=True)
            self.line.say("SMS DONE", "PB DONE", delay=0.5, quiet=True)

    def power_off(self) -> None:
        with self.lock:
            self.hung = self.stalled = ""
            self._reset()
            self.line.clear()
            self.powered = False
            self.dcd(1)  # pulled up on the board

    def silence(self, on: bool = True) -> None:
        """While on, nothing goes in or out; the modem believes its line is up."""
        with self.lock:
            self.mute = on

    def hang(self, until: str = "reset") -> None:
        """It takes and gives nothing any more until its reset pin, or only a power cycle, helps."""
        with self.lock:
            self.line.clear()
            self.hung = until

    def stall(self, until: str) -> None:
        """The network takes all and passes nothing on, until "net" is closed, or stronger."""
        with self.lock:
            self.stalled = until

    def rubbish(self, n: int) -> None:
        """n bytes of noise on the line to the kit."""
        with self.lock:
            self.line.put(bytes(self.line.random.randint(128, 255) for _ in range(n)))

    def drop_carrier(self) -> None:
        """The network goes away under what is open; a later connection works again."""
        with self.lock:
            if self.link is not None:
                text = self.link.end_text
                if text == "CLOSED":
                    text = "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"
                self._lose_link()
                self._end_link(text)
            self.net_open = False

    def cut_after(self, count: int, repeat: bool = False) -> None:
        """Drop the carrier after `count` more bytes to the network, once or every time again."""
        with self.lock:
            self.cut = (self.to_net + count, repeat)
            self.cut_every = count

    def set_network(self, stat: int, rssi: int) -> None:
        with self.lock:
            self.stat, self.rssi = stat, rssi
            if stat not in (1, 5):
                self.drop_carrier()

    # The UART's two ends.

    def receive(self, data: bytes) -> None:
        with self.lock:
            if not self.running or self.mute or self.hung:
                return
            if self.data_mode:
                self._data(data)
                return
            for byte in data:
                self._type(byte)

    def tick(self) -> None:
        with self.lock:
            self._bury_ghosts()
            if not self.powered or self.mute or self.hung:
                return
            if self.pluses and self.clock() - self.last_plus >= GUARD / self.speed:
                self._pluses_over()
            if self.held and not self.stalled and self.link is not None:
                data, self.held = self.held, b""
                self._forward(data)
            if self.data_mode and self.link and not self.stalled and self.line.size < BACKLOG:
                data = self.link.read()
                if data is None:
                    self._end_link(self.link.end_text)
                elif data:
                    self.to_kit += len(data)
                    self.line.put(data)
            self.line.flush(self.send)

    def _start(self) -> None:
        self.running = True
        self.last_byte = self.clock()

    # Data mode.

    def _data(self, data: bytes) -> None:
        now = self.clock()
        fits = not data.strip(b"+") and self.pluses + len(data) <= 3
        if self.pluses:
            if fits and now - self.last_plus <= BETWEEN / self.speed:
                self.pluses += len(data)
                self.last_plus = now
                return
            self._forward(b"+" * self.pluses)
            self.pluses = 0
        elif fits and now - self.last_byte >= GUARD / self.speed:
            self.pluses, self.last_plus = len(data), now
            return
        self.last_byte = now
        self._forward(data)

    def _pluses_over(self) -> None:
        count, self.pluses = self.pluses, 0
        if count == 3:
            self.data_mode = False
            self.line.say("OK", quiet=True)
        else:
            self._forward(b"+" * count)

    def _forward(self, data: bytes) -> None:
        if self.link is None:  # cut within this piece: the rest meets the command interpreter
            for byte in data:
                self._type(byte)
            return
        if self.stalled:
            self.held += data
            return
        rest = b""
        if self.cut and self.to_net + len(data) >= self.cut[0]:
            keep = self.cut[0] - self.to_net
            data, rest = data[:keep], data[keep:]
        self.to_net += len(data)
        if not self.link.write(data):
            self._end_link(self.link.end_text)
        elif self.cut and self.to_net >= self.cut[0]:
            self.cut = (self.to_net + self.cut_every, True) if self.cut[1] else None
            self.drop_carrier()
            self._forward(rest)

    def enter_data(self, link: Link) -> None:
        self.link = link
        self.line.say("CONNECT 115200", quiet=True)
        self.data_mode = True
        self.last_byte = self.clock()
        self.line.put(lambda: self.carrier(True))

    def carrier(self, on: bool) -> None:
        if self.dcd_follows:
            self.dcd(0 if on else 1)

    def _lose_link(self) -> None:
        if self.link is not None:
            self.ghosts.append((self.clock() + GHOST / self.speed, self.link))
        self.link = None
        self.held = b""

    def _bury_ghosts(self) -> None:
        while self.ghosts and self.ghosts[0][0] <= self.clock():
            self.ghosts.pop(0)[1].close()

    def drop_link(self) -> None:
        if self.link is not None:
            self.link.close()
        self.link = None
        self.held = b""

    def _end_link(self, text: str) -> None:
        self.drop_link()
        if self.data_mode:
            self.data_mode, self.pluses = False, 0
            self.line.say(text, quiet=True)
            self.line.put(lambda: self.carrier(False))
        else:
            self.line.say("+IPCLOSE: 0,1")

    # Command mode.

    def _type(self, byte: int) -> None:
        if self.data_mode:  # the command before it, in the same piece, connected
            self._data(bytes([byte]))
            return
        if self.echo:
            self.line.put(bytes([byte]))
        if byte != 13:
            self.typed = (self.typed + bytes([byte]))[-600:]
            return
        text, self.typed = self.typed.decode("latin-1"), b""
        at = text.find("AT")  # V.250: what stands before AT is not part of the command
        if at < 0:
            if text.strip():
                self.line.say("ERROR")
            return
        self._run(text[at + 2 :].rstrip("\n"))

    def _run(self, text: str) -> None:
        self.commands.append(text)
        for pattern, handler in COMMANDS:
            match = re.fullmatch(pattern, text)
            if match:
                handler(self, *match.groups())
                return
        self.line.say("ERROR")
