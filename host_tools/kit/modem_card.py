"""The SIM card in the emulated modem: its PIN, its tries, its numbers."""

PIN_TRIES = 3


class Card:
    """`state`: READY, SIM PIN, SIM PUK, absent, or what a broken card says. `pin`: "" = none.

    What the card itself keeps survives the modem's power: tries, and that it is blocked.
    """

    def __init__(
        self,
        state: str = "READY",
        pin: str = "",
        imsi: str = "510101234567890",
        iccid: str = "8962101234567890123",
    ):
        self.state = state
        self.pin = pin
        self.imsi = imsi
        self.iccid = iccid
        self.tries = PIN_TRIES
        self.puk_tries = 10
        self.entered: list[str] = []  # every PIN that was tried

    def at_power_on(self) -> str:
        """What the modem reads: an unlocked card with a PIN is locked again."""
        if self.state == "READY" and self.pin:
            self.state = "SIM PIN"
        return self.state

    def enter(self, pin: str) -> bool:
        """Try a PIN; the third wrong one in a row blocks the card."""
        self.entered.append(pin)
        if pin == self.pin:
            self.tries, self.state = PIN_TRIES, "READY"
            return True
        self.tries -= 1
        if self.tries == 0:
            self.state = "SIM PUK"
        return False
