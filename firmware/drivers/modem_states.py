"""What the modem driver waits for, how long, and what it does when that does not come.

Two tables say it all; modem_at.py walks through the states, modem_recover.py does the steps.
The wait between two tries is the relay's (2 to 60 s). Nothing is ever given up: behind its last
step a row begins again, and the first byte from the collector sets all of them back.
"""

from firmware.drivers import at_port, const, ticks_diff

START = const(0)
SIM = const(1)
UNLOCK = const(2)
REGISTER = const(3)
ATTACH = const(4)
CONNECT = const(5)
DIAL = const(6)
ONLINE = const(7)

# Steps before the next try, each stronger than the one before.
RETRY = "retry"
RADIO = "radio off and on"  # AT+CFUN=0, 1: reads the SIM again, looks for the network anew
RESET = "reset line"  # AT+CRESET where there is no line and the modem answers
POWER = "power cycle"  # supply switch, else the power key

# state, what is waited for, deadline in s, code when it does not come in time
STATES = (
    (START, "OK to AT", 30, at_port.NO_REPLY),
    (SIM, "+CPIN: READY or SIM PIN", 15, at_port.SIM_FAULT),
    (UNLOCK, "+CPIN: READY after the PIN", 15, at_port.SIM_FAULT),
    (REGISTER, "+CEREG (4G) or +CGREG (2G, 3G): 1 or 5", 90, at_port.NO_NETWORK),
    (ATTACH, "+NETOPEN: 0, with each APN in turn", 60, at_port.NO_DATA),
    (CONNECT, "CONNECT to AT+CIPOPEN", 75, at_port.CONNECT_FAILED),
    (DIAL, "CONNECT to ATD", 30, at_port.NO_DATA),
    (ONLINE, "a byte from the peer after one was sent", 60, at_port.STALLED),
)

# code of a failure (of time, or told by the modem): the step after the 1st, 2nd, 3rd ... time
STEPS = (
    (at_port.NO_REPLY, (RESET, POWER)),
    (at_port.RUBBISH, (RETRY, RESET, POWER)),
    (at_port.STUCK, (RESET, POWER)),
    (at_port.REFUSED, (RETRY, RADIO, RESET, POWER)),
    # The card may be put in or changed at any time; only a new start of the radio looks at it.
    (at_port.NO_SIM, (RADIO, RADIO, RADIO, RESET)),
    (at_port.SIM_FAULT, (RADIO, RESET, POWER)),
    (at_port.SIM_PIN, (RADIO,)),
    (at_port.SIM_PUK, (RADIO,)),
    (at_port.PIN_WRONG, (RADIO,)),
    (at_port.PIN_LAST, (RADIO,)),
    # A modem that was refused does not ask again by itself (3GPP TS 24.301 5.5.1.2.5).
    (at_port.DENIED, (RADIO, RADIO, RADIO, RESET)),
    (at_port.NO_NETWORK, (RETRY, RADIO, RETRY, RESET, RETRY, RETRY, RETRY, POWER)),
    (at_port.NO_DATA, (RETRY, RADIO, RETRY, RESET, RETRY, RETRY, RETRY, POWER)),
    # The collector's own trouble: the modem is well.
    (at_port.NO_HOST, (RETRY, RETRY, RETRY, RETRY, RADIO)),
    (at_port.CONNECT_FAILED, (RETRY, RETRY, RETRY, RETRY, RADIO)),
    (at_port.LINE_LOST, (RETRY, RETRY, RETRY, RETRY, RADIO)),
    (at_port.STALLED, (RETRY, RADIO, RESET, POWER)),
)

# Without data there may still be short messages: they get time between two steps.
CALM = (at_port.NO_DATA, at_port.NO_HOST, at_port.CONNECT_FAILED, at_port.LINE_LOST)
_CALM = const(120)  # s from a step stronger than a retry to the next


def deadline(state):
    """Seconds that `state` may last."""
    return STATES[state][2]


class Escalation:
    """Counts failures by code; `step` is what is to be done before the next try. Time of `port`."""

    def __init__(self, port):
        self.port = port
        self._counts = {}
        self._last = None  # when the last step stronger than a retry was chosen
        self.step = RETRY

    def failed(self, code):
        """Take note of one more failure with `code`."""
        now = self.port.ticks()
        for row, steps in STEPS:
            if row == code:
                count = self._counts.get(code, 0)
                self.step = steps[count % len(steps)]
                if self.step != RETRY and code in CALM and self._soon(now):
                    self.step = RETRY
                    return
                self._counts[code] = count + 1
        if self.step != RETRY:
            self._last = now

    def _soon(self, now):
        """True when the last strong step was so short ago that messages need the time."""
        last = self._last
        return last is not None and ticks_diff(now, last) < _CALM * 1000 * self.port.pace

    def done(self):
        """The step was done."""
        self.step = RETRY

    def worked(self):
        """Data came from the peer: all is well."""
        self._counts = {}
        self.step = RETRY
