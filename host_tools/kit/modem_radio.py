"""The emulated modem on the air: the card it has read, where it is registered, what it attached."""

from host_tools.kit.modem_card import Card


class Radio:
    """`card` is what is in the holder; the modem has read `sim` of it. See ModemEmulator."""

    def __init__(self, card: Card, register_after: int, stat: int, rssi: int, apn: str | None):
        self.card = card
        self.sim = "absent"
        self.sim_busy = 1  # AT+CPIN? that are still answered "SIM busy"
        self.register_after = register_after
        self.stat = stat
        self.rssi = rssi
        self.apn = apn
        self.lte = self.gsm = True  # what this place has
        self.radio = 1  # CFUN
        self.mode = 2  # CNMP; kept over power cycles, as is the APN
        self.stored_apn = ""
        self.login = ""  # AT+CGAUTH
        self.attached_apn: str | None = None
        self.polls = 0
        self.barred = False  # it was refused, and does not ask again

    @property
    def used_apn(self) -> str:
        """What AT+CGDCONT holds."""
        return self.stored_apn

    def look(self) -> None:
        """The radio starts: the card is read and the network looked for, from the beginning."""
        self.radio = 1
        self.sim_busy = 1
        self.polls = 0
        self.barred = False
        self.attached_apn = None
        self.sim = self.card.at_power_on()

    def insert(self, card: Card) -> None:
        """Another card in the holder; the modem looks at it when its radio starts."""
        self.card = card

    def searching(self) -> bool:
        return self.sim != "READY" or self.radio != 1 or self.polls <= self.register_after

    def status(self, name: str) -> int:
        """What +CEREG, +CGREG or +CREG says: each knows its own kind of network."""
        served = {
            "CEREG": self.lte and self.mode in (2, 38),
            "CGREG": self.gsm and self.mode in (2, 13, 14),
        }
        served["CREG"] = served["CEREG"] or served["CGREG"]
        if self.radio != 1:
            return 0
        if self.searching() or not served[name]:
            return 2
        if self.stat == 3:
            self.barred = True
        return 3 if self.barred else self.stat

    def registered(self) -> bool:
        ok = any(self.status(name) in (1, 5) for name in ("CEREG", "CGREG"))
        if ok and self.attached_apn is None:
            self.attached_apn = self.stored_apn
        return ok
