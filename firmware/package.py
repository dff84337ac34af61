"""The signed station package: what one kit has to know about one election at one station.

Payload (kind 37): [37, version, election, station, issued, content]; see RECORD.md, "Package".
"""

from firmware import record
from firmware.forms import Form, FormError

BAD_PACKAGE = 811


class Contest:
    """One contest at the station: number, title, form, colour of its ballot, DPT (L, P), pairs."""

    def __init__(self, row, forms):
        self.number, self.title, form, self.colour, self.dpt_l, self.dpt_p, pairs = row
        self.form = Form(forms[form], pairs)

    @property
    def pairs(self):
        """Names of the pairs in order of their numbers, from 1."""
        return self.form.pairs

    @property
    def dpt(self):
        """Voters in the list, men and women."""
        return self.dpt_l + self.dpt_p


class Package:
    """A parsed station package; RecordError when the content is not as RECORD.md wants it.

    Whoever holds it has checked the signature first.
    """

    def __init__(self, data):
        entry = record.parse(data)
        if entry.kind != record.PACKAGE:
            raise record.RecordError(BAD_PACKAGE, "This is not a station package")
        self.data = entry.data
        self.kid = entry.kid
        _, self.version, self.election, self.station, self.issued, content = entry.payload
        try:
            self._take(content)
        except (KeyError, ValueError, TypeError, IndexError, FormError) as error:
            text = "Station package is incomplete: %r" % error
            raise record.RecordError(BAD_PACKAGE, text) from None

    def _take(self, content):
        self.title = content[1]
        self.regions = content[2]  # province, regency or city, subdistrict, village
        self.tps = content[3]
        self.offset = content[4]  # minutes east of UTC
        forms = {form[0]: form for form in content[6]}
        self.contests = [Contest(row, forms) for row in content[5]]
        self.collector_host, self.collector_port, self.collector_key = content[7]
        self.receipt_host = content[8]
        self.apn = content[9]
        self.collector_sms = content.get(12, "")  # telephone number, "" when there is none
        self.reserve = content[11]  # per mille of DPT
        self.collector_pin = content.get(13)  # SHA-256 of its SubjectPublicKeyInfo; None: no TLS
        if self.collector_pin is not None and len(self.collector_pin) != 32:
            raise ValueError("collector pin")
        if len(self.regions) != 4 or len(self.collector_key) != 64 or not self.contests:
            raise ValueError("regions, collector key or contests")

    @property
    def training(self):
        """True when this is an election of training (LATIHAN)."""
        return record.is_training(self.election)
