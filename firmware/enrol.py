"""What a kit does on the provisioning cable: its key, its certificates, its station's package.

The identity is the authority's key, locked into the chip, and a folder of files, each replaced
whole or not at all:

    device-live.der, device-training.der    the certificates of the chip's keys
    package.cbor                            the signed package of the station
    pins.cbor                               the officers' PINs, salted and stretched
    started                                 digest of package and PINs with which START was given

Everything is refused that could make a signed journal point to another certificate or station.
Arguments and answers of the verbs are CBOR.
"""

from firmware import VERSION, cbor, csr, record
from firmware.compat import CodedError, const, exists
from firmware.package import Package
from firmware.pins import DIGEST, ROLES, ROUNDS_ALLOWED, SALT
from firmware.saved import Saved, read, replace

LIVE = "live"
TRAINING = "training"
MODES = (LIVE, TRAINING)

BAD_ARGUMENT = const(840)
NO_AUTHORITY = const(841)
NOT_SIGNED = const(842)
OTHER_STATION = const(843)
OLDER_PACKAGE = const(844)
OTHER_CERTIFICATE = const(845)
CERTIFICATE_IN_USE = const(846)
NOT_READY = const(847)
BAD_TIME = const(848)
NO_CLOCK = const(849)
BAD_PINS = const(850)
PINS_IN_USE = const(851)
NO_PINS = const(852)

_EARLIEST = const(1704067200)  # 2024-01-01: a clock before that was never set
_LATEST = const(2272147199)  # 2041-12-31: the certificates' end


class EnrolError(CodedError):
    """The kit refuses."""


def certificate_file(store, mode):
    """Path of a mode's device certificate."""
    return "%s/device-%s.der" % (store, mode)


def check_package(data, authority, verify):
    """The Package in `data`, if `authority` (64 B key or None) signed it; `verify` is the chip's.

    Raises RecordError or EnrolError; anything but a clear yes from the chip is a no.
    """
    if authority is None:
        raise EnrolError(NO_AUTHORITY, "The kit knows no authority yet: enrol it first")
    entry = record.parse(data)
    ours = entry.kid == record.kid_of(authority)
    if not ours or verify(authority, entry.signed_digest(), entry.signature) is not True:
        raise EnrolError(NOT_SIGNED, "The authority did not sign this package: ask for a new one")
    return Package(data)


def read_package(store, authority, verify):
    """The stored Package, its signature checked again; EnrolError when the kit is not enrolled."""
    data = read(store + "/package.cbor")
    if data is None:
        raise EnrolError(NOT_READY, "The kit has no station yet: enrol it first")
    return check_package(data, authority, verify)


def _is_pin(row):
    if not isinstance(row, list) or len(row) != 4:
        return False
    role, salt, rounds, digest = row
    sizes = ((salt, SALT), (digest, DIGEST))
    if type(role) is not int or role not in ROLES or type(rounds) is not int:
        return False
    if not all(isinstance(value, bytes) and len(value) == size for value, size in sizes):
        return False
    return ROUNDS_ALLOWED[0] <= rounds <= ROUNDS_ALLOWED[1]


def pin_table(value):
    """{role: [salt, rounds, digest]} of a list of [role, salt, rounds, digest]; both roles once."""
    rows = value if isinstance(value, list) else []
    table = {row[0]: row[1:] for row in rows if _is_pin(row)}
    if len(rows) != len(ROLES) or len(table) != len(ROLES):
        raise EnrolError(BAD_PINS, "PINS wants role, salt, rounds and digest of both officers")
    return table


def _pins(store):
    return Saved(store + "/pins.cbor")


def read_pins(store):
    """{role: [salt 16 B, rounds, digest 32 B]}, or None when the kit was given no PINs.

    Raises SavedError when the file is damaged.
    """
    value = _pins(store).load()
    return None if value is None else pin_table(value)


def station_pins(store, package):
    """The same for the day of `package`: only a training may do without PINs."""
    table = read_pins(store)
    if table is None and not package.training:
        raise EnrolError(NO_PINS, "The kit has no PINs for its officers yet: enrol it again")
    return table


def _mark(store, package):
    return record.sha256(package + (read(store + "/pins.cbor") or b""))


def is_started(store):
    """True when the technician's START was for the package and the PINs now in the store."""
    data = read(store + "/package.cbor")
    return data is not None and read(store + "/started") == _mark(store, data)


class Enrolment:
    """The verbs' functions. `store`: folder; `signers`: {mode: Signer}.

    `setup` plays the Setup role: locked() -> (config, data), configure(), authority_key() -> 64 B
    or None, set_authority_key(key). `set_time(unix seconds)`: None on a board without a clock.
    `journal_length(election) -> entries` tells what the kit has already signed.
    """

    def __init__(self, store, signers, setup, board_name, *, set_time=None, journal_length=None):
        self.store = store
        self.signers = signers
        self.setup = setup
        self.board_name = board_name
        self.set_time = set_time
        self.journal_length = journal_length or (lambda election: 0)

    def handlers(self):
        """{verb: function(bytes) -> bytes} for serial_link.serve."""
        return {
            "HELLO": self.hello,
            "CONFIGURE": self.configure,
            "CSR": self.request,
            "ENROL": self.enrol,
            "PACKAGE": self.package,
            "PINS": self.pins,
            "TIME": self.time,
            "START": self.start,
        }

    def hello(self, _):
        """What said() gives."""
        return cbor.encode(self.said())

    def said(self):
        """[firmware, board, chip serial, config locked, data locked, [mode enrolled...],
        [count a mode], [64 B key or null a mode], [election, version, station] or null]"""
        locked = self.setup.locked()
        enrolled = [m for m in MODES if exists(certificate_file(self.store, m))]
        # The chip gives neither key nor count before its zones are locked.
        counts = [self.signers[m].count() if all(locked) else None for m in MODES]
        keys = [self.signers[m].public_key() if all(locked) else None for m in MODES]
        held = self._held()
        station = [held.election, held.version, held.station] if held else None
        head = [VERSION, self.board_name, self.signers[LIVE].serial()]
        return head + list(locked) + [enrolled, counts, keys, station]

    def configure(self, _):
        """Write, compare and lock the chip's configuration and make its keys (irreversible)."""
        self.setup.configure()
        return b""

    def request(self, data):
        """[mode, kit id] -> certificate request (DER)."""
        mode, kit_id = self._argument(data, 2)
        if mode not in MODES or not isinstance(kit_id, str) or not 0 < len(kit_id) <= 32:
            raise EnrolError(BAD_ARGUMENT, "CSR wants the mode and a kit id of 1 to 32 characters")
        signer = self.signers[mode]
        serial = "".join("%02X" % b for b in signer.serial())
        return csr.csr(serial, kit_id, mode == TRAINING, signer.public_key(), signer.sign)

    def enrol(self, data):
        """[mode, device certificate DER, authority key 64 B]: keep both."""
        mode, certificate, authority = self._argument(data, 3)
        if mode not in MODES or not isinstance(certificate, bytes):
            raise EnrolError(BAD_ARGUMENT, "ENROL wants the mode, a certificate and a key")
        if not isinstance(authority, bytes) or len(authority) != 64:
            raise EnrolError(BAD_ARGUMENT, "The authority's key must be 64 bytes")
        # Enough to tell a mix-up of kits or modes; the chain is checked by whoever reads entries.
        ours = b"\x00\x04" + self.signers[mode].public_key() in certificate
        if not ours or (b"LATIHAN" in certificate) != (mode == TRAINING):
            raise EnrolError(OTHER_CERTIFICATE, "The certificate is for another kit or mode")
        path = certificate_file(self.store, mode)
        held = read(path)
        if held is not None and held != certificate and self._signed(mode):
            raise EnrolError(CERTIFICATE_IN_USE, "The journal begins with another certificate")
        self.setup.set_authority_key(authority)  # refuses any other than the first, for good
        if held != certificate:
            replace(path, certificate)
        return b""

    def package(self, data):
        """The signed station package itself: keep it."""
        new = check_package(data, self.setup.authority_key(), self.signers[LIVE].verify)
        held = self._held()
        if held is not None and held.data != data:
            self._check_change(held, new)
        replace(self.store + "/package.cbor", data)
        return b""

    def _check_change(self, old, new):
        if self.journal_length(old.election) > 0:
            if new.station != old.station:
                raise EnrolError(OTHER_STATION, "The kit has a journal of another station")
            # After training the live election may come; after the live one, nothing else.
            if new.election != old.election and not old.training:
                raise EnrolError(OTHER_STATION, "The kit has a journal of another election")
        same = new.election == old.election and new.station == old.station
        if same and (new.version, new.issued) < (old.version, old.issued):
            raise EnrolError(OLDER_PACKAGE, "The kit has a newer package already")

    def pins(self, data):
        """[[role, salt 16 B, rounds, digest 32 B]…] of both officers: keep them.

        Before the first entry only: whoever has a cable later must not become the ketua.
        """
        value = self._decode(data)
        table = pin_table(value)
        try:
            old = read_pins(self.store)
        except CodedError:
            old = None  # damaged: to be replaced
        held = self._held()
        in_use = held is not None and self.journal_length(held.election) > 0
        if in_use and old is not None and old != table:
            raise EnrolError(PINS_IN_USE, "The kit has begun its day with other PINs")
        if old != table:
            _pins(self.store).store(value)
        return b""

    def time(self, data):
        """Unix seconds: set the clock."""
        seconds = self._decode(data)
        if type(seconds) is not int or not _EARLIEST <= seconds <= _LATEST:
            raise EnrolError(BAD_TIME, "The time must be Unix seconds between 2024 and 2041")
        if self.set_time is None:
            raise EnrolError(NO_CLOCK, "This board has no clock of its own to set")
        self.set_time(seconds)
        return b""

    def ready(self):
        """The Package when the kit could work with it: certificate, authority and PINs fit."""
        verify = self.signers[LIVE].verify
        held = read_package(self.store, self.setup.authority_key(), verify)
        mode = TRAINING if held.training else LIVE
        if not exists(certificate_file(self.store, mode)):
            raise EnrolError(NOT_READY, "The kit has no certificate for this election's mode")
        station_pins(self.store, held)
        return held

    def start(self, _):
        """Refused unless the kit could work."""
        replace(self.store + "/started", _mark(self.store, self.ready().data))
        return b""

    def station(self):
        """13-digit code of the station whose package is kept, or None."""
        held = self._held()
        return held.station if held else None

    def _held(self):
        """The stored Package; None when there is none, or a damaged one that has to be replaced."""
        data = read(self.store + "/package.cbor")
        try:
            return None if data is None else Package(data)
        except record.RecordError:
            return None

    def _signed(self, mode):
        """True when the stored package's election is of this mode and has journal entries."""
        held = self._held()
        if held is None or held.training != (mode == TRAINING):
            return False
        return self.journal_length(held.election) > 0

    @staticmethod
    def _decode(data):
        try:
            return cbor.decode(data)
        except cbor.CborError as error:
            raise EnrolError(BAD_ARGUMENT, "Not CBOR: " + str(error)) from None

    def _argument(self, data, count):
        value = self._decode(data)
        if not isinstance(value, list) or len(value) != count:
            raise EnrolError(BAD_ARGUMENT, "A list of %d is expected" % count)
        return value
