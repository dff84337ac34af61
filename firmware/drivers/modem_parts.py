"""SIM7600 and A7670 as data: all that the driver must know of their differences.

Their data commands are the same (SIM7500_SIM7600 AT Command Manual V3.00, A76XX V1.09). The pulses
are from the Hardware Design manuals; an A7670 ignores a reset pulse of less than 2 s, a SIM7600
bears a longer one. As long as a modem has not said what it is, the longest pulse serves both.
"""

# In +CGMM; s: power key to switch on, to switch off, reset line; tries left of the PIN: commands
_ROWS = (
    ("SIM7600", 0.6, 3.0, 0.3, ("AT+SPIC",)),
    ("A7670", 0.1, 3.0, 2.6, ("AT+SPIC", 'AT+CPINR="SIM PIN"')),
    ("", 0.6, 3.0, 2.6, ("AT+SPIC", 'AT+CPINR="SIM PIN"')),
)


class Part:
    """The row of the modem whose +CGMM reply is `model` ("" = not known)."""

    def __init__(self, model=""):
        for name, on, off, reset, tries in _ROWS:
            if name in model:
                self.name = name
                self.key_on = on
                self.key_off = off
                self.reset = reset
                self.tries = tries
                return
