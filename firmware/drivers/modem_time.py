"""The network's time (NITZ, AT+CCLK?), and when it may be believed.

A base station can be wrong by years. A reading counts when another one, taken at least 10 s later,
says that as much time has passed as the kit has counted. The kit's clock is only ever set forward:
entries must not go back in time. See NetworkTime.
"""

from firmware.drivers import const, ticks_diff

_APART = const(10_000)  # ms between two readings that confirm each other
_LONGEST = const(3_600_000)  # ms after which a reading confirms nothing any more
_SLACK = const(3)  # s by which they may differ
_NEAR = const(2)  # s within which the kit's clock and the network agree
_LEAP = const(86_400)  # s by which a clock that a chip has kept can at most be wrong


def unix_of(text):
    """Unix seconds (UTC) of CCLK's `yy/MM/dd,hh:mm:ss+zz`, zz quarters of an hour; None if unset.

    Day count after Howard Hinnant's days_from_civil. time.mktime is no help: epochs differ.
    """
    try:
        year, month, day = (int(part) for part in text[:8].split("/"))
        hour, minute, second = (int(part) for part in text[9:17].split(":"))
        quarters = int(text[17:])
    except ValueError:
        return None
    if not 24 <= year < 70:  # before the network has told it, the clock says 70 or 80
        return None
    year += 2000 - (month <= 2)
    days = year * 365 + year // 4 - year // 100 + year // 400 - 719468
    days += (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return days * 86400 + hour * 3600 + minute * 60 + second - quarters * 900


class NetworkTime:
    """Sets `clock` (now(), set(seconds), quality) by readings of the network's time.

    Quality: 0 not set, 1 kept by the clock chip, 2 confirmed by the network. `log(text)` is told of
    every setting and of every reading that does not fit.
    """

    def __init__(self, clock, ticks, log=None):
        self.clock = clock
        self.ticks = ticks
        self.log = log or (lambda text: None)
        self._last = None  # (reading, ticks)
        self._told = None

    def _say(self, text):
        if text != self._told:
            self._told = text
            self.log(text)

    def reading(self, seconds):
        """Take a reading (Unix seconds, or None); True when the clock agrees with it now."""
        if seconds is None:
            return False
        ticks = self.ticks()
        last = self._last
        if last is None:
            self._last = (seconds, ticks)
            return False
        passed = ticks_diff(ticks, last[1])
        if passed < _APART:
            return False
        self._last = (seconds, ticks)
        if passed > _LONGEST:
            return False
        if abs(seconds - last[0] - passed // 1000) > _SLACK:
            self._say("network time jumps: not used")
            return False
        return self._set(seconds)

    def _set(self, seconds):
        clock = self.clock
        ahead = seconds - clock.now()
        if clock.quality and ahead > _LEAP:
            self._say("network time is days ahead: not used")
            return False
        if ahead < -_NEAR:
            self._say("network time is behind the clock: not used")
            return False
        if ahead > _NEAR:
            clock.set(seconds)
            self._say("clock set forward %d s by the network" % ahead)
        clock.quality = 2
        return True
