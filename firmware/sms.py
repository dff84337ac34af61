"""Records in short messages (SMS): PDUs, parts, and parts put together again. Pure.

3GPP TS 23.040: 9.2.2 PDUs, 9.2.3.24.1 and .8 concatenation, 9.2.3.24.4 ports; PDU mode's text is
that of TS 27.005. A record goes byte for byte as 8-bit data to port 16036, in as many parts as it
needs. What says whether the parts belong together is the record's signature, nothing less: a set
that does not verify is no record.
"""

import binascii

from firmware.compat import const

PORT = const(16036)  # 16000 to 16999 are for applications (9.2.3.24.4)
MOST_PARTS = const(8)  # a record of 28 figures takes 2 or 3, one of 99 pairs 5
_USER_DATA = const(140)  # bytes of one message
_ALONE = const(7)  # header of a message that is whole: ports only
_HEADER = const(13)  # header of a part: ports, 16-bit reference, total, number
_DIGITS = "0123456789"
# The network drops what it cannot deliver in a day: by then the kit has asked again.
_VALIDITY = const(167)


class SmsError(ValueError):
    """Not a message of ours, or none that can be sent."""


def _address(number):
    """A telephone number as TP-DA: its length in digits, its type, two digits a byte, swapped."""
    digits = number[1:] if number[:1] == "+" else number
    if not 0 < len(digits) <= 20 or any(d not in _DIGITS for d in digits):
        raise SmsError("not a telephone number: " + number)
    filled = digits + "F" if len(digits) & 1 else digits
    swapped = "".join([filled[i + 1] + filled[i] for i in range(0, len(filled), 2)])
    kind = 0x91 if number[0] == "+" else 0x81
    return bytes([len(digits), kind]) + binascii.unhexlify(swapped)


def split(data, reference, port=PORT):
    """User data of the messages that carry `data`, each with its header.

    `reference` (16 bits) tells the parts of one record from another's. Here it comes from the
    record itself (`reference_of`) and not from a counter: parts of any try then fit together.
    """
    ports = bytes([5, 4, port >> 8, port & 255, port >> 8, port & 255])
    if len(data) <= _USER_DATA - _ALONE:
        return [bytes([_ALONE - 1]) + ports + data]
    room = _USER_DATA - _HEADER
    total = -(-len(data) // room)
    if total > MOST_PARTS:
        raise SmsError("%d bytes are too long for messages" % len(data))
    start = bytes([_HEADER - 1]) + ports + bytes([8, 4, reference >> 8, reference & 255, total])
    return [start + bytes([i + 1]) + bytes(data[i * room : (i + 1) * room]) for i in range(total)]


def reference_of(rec_id):
    """The reference of a record's parts: the first two bytes of its rec-id."""
    return rec_id[0] << 8 | rec_id[1]


def submit(number, user_data):
    """SMS-SUBMIT of `user_data` to `number`: (length, hex) as AT+CMGS wants them."""
    # 0x51: SUBMIT, relative validity, a header in the user data. 4: 8-bit data.
    tpdu = bytes([0x51, 0]) + _address(number) + bytes([0, 4, _VALIDITY, len(user_data)])
    tpdu += user_data
    return len(tpdu), "00" + binascii.hexlify(tpdu).decode().upper()


class Part:
    """A message that came: `number` of the sender, `data`, and its place `no` of `total`."""

    def __init__(self, number, reference, total, no, data):
        self.number = number
        self.reference = reference
        self.total = total
        self.no = no
        self.data = data


def parse(text, port=PORT):
    """The Part in an SMS-DELIVER as the modem lists it; SmsError for all that is not for us."""
    try:
        raw = binascii.unhexlify(text)
        at = 1 + raw[0]  # the service centre's address
        first, length, kind = raw[at], raw[at + 1], raw[at + 2]
        end = at + 3 + (length + 1) // 2
        number = _number(raw[at + 3 : end], length, kind)
        protocol, coding, size = raw[end], raw[end + 1], raw[end + 9]
    except (ValueError, IndexError):
        raise SmsError("not a PDU") from None
    data = raw[end + 10 :]
    if first & 0x43 != 0x40 or protocol or len(data) != size or size > _USER_DATA:
        raise SmsError("not a message with a header")
    if coding & 0xEC != 4 and coding & 0xF4 != 0xF4:
        raise SmsError("not 8-bit data")
    reference, total, no = _header(data, port)
    if not 0 < no <= total <= MOST_PARTS:
        raise SmsError("part %d of %d" % (no, total))
    data = data[1 + data[0] :]
    if not data:
        raise SmsError("empty")
    return Part(number, reference, total, no, data)


def _number(packed, length, kind):
    """The telephone number in TP-OA; SmsError for a name, which nobody can answer."""
    digits = "".join(["%x%x" % (byte & 15, byte >> 4) for byte in packed])
    if length & 1 and digits[-1:] == "f":
        digits = digits[:-1]
    if kind & 0x70 == 0x50 or len(digits) != length or any(d not in _DIGITS for d in digits):
        raise SmsError("not from a telephone")
    return "+" + digits if kind & 0x70 == 0x10 else digits


def _header(data, port):
    """(reference, total, no) of user data to `port`; SmsError when it is to another or to none."""
    size = data[0] if data else 0
    if 1 + size > len(data):
        raise SmsError("header longer than the message")
    elements = {}
    at = 1
    while at < 1 + size:
        if at + 1 > size or at + 2 + data[at + 1] > 1 + size or data[at] in elements:
            raise SmsError("header with a broken element")
        elements[data[at]] = data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    if elements.get(5, b"")[:2] != bytes([port >> 8, port & 255]) or len(elements[5]) != 4:
        raise SmsError("for another port")
    place = elements.get(8)
    if place is None:
        place = elements.get(0)
        if place is None:
            return 0, 1, 1
        place = b"\0" + place
    elif 0 in elements:
        raise SmsError("two references")
    if len(place) != 4:
        raise SmsError("a reference of another length")
    return place[0] << 8 | place[1], place[2], place[3]


class Parts:
    """Parts on their way to a whole, in any order, doubled, lost, and from anybody.

    `check(number, data) -> bool` says whether a whole is what it should be. At most `most` sets are
    kept and `of_one` of one sender, the oldest goes; a set that got nothing for `keep` seconds too.
    """

    def __init__(self, check, most=64, of_one=4, keep=86400):
        self.check = check
        self.most = most
        self.of_one = of_one
        self.keep = keep
        self._sets = {}  # (number, reference, total) -> [last change, its number, parts]
        self._changes = 0

    def __len__(self):
        return len(self._sets)

    def add(self, part, now):
        """Take a Part at `now` (seconds): the whole that it completes, or None."""
        if part.total == 1:
            return part.data if self.check(part.number, part.data) else None
        for key in [k for k, held in self._sets.items() if now - held[0] > self.keep]:
            del self._sets[key]
        key = (part.number, part.reference, part.total)
        if key not in self._sets:
            self._make_room(part.number)
            self._sets[key] = [now, 0, [None] * part.total]
        held = self._sets[key]
        self._changes += 1
        held[0], held[1] = now, self._changes
        # A part that differs from the one held is of a later record with the same reference.
        parts = held[2]
        parts[part.no - 1] = (self._changes, part.data)
        if None in parts:
            return None
        data = b"".join([piece for _, piece in parts])
        if self.check(part.number, data):
            del self._sets[key]
            return data
        # Parts of two records, or a forger's. The one that lies there longest is of the older.
        parts[parts.index(min(parts))] = None
        return None

    def _make_room(self, number):
        own = [key for key in self._sets if key[0] == number]
        if len(own) >= self.of_one:
            self._drop_oldest(own)
        elif len(self._sets) >= self.most:
            self._drop_oldest(self._sets)

    def _drop_oldest(self, keys):
        del self._sets[min(keys, key=lambda key: self._sets[key][1])]
