"""The emulated modem's short messages: PDU mode, a small store, and a service centre with faults.

Written after TS 23.040 and 27.005 without the firmware's own code, and stricter than the parts: a
PDU that is not exact, text before the prompt, any command in the wrong mode get their error.
"""

import random
import re
import threading
import time
from collections.abc import Callable

from host_tools.kit.modem import ModemEmulator

CENTRE = bytes.fromhex("07912618010000F0")  # an invented service centre's address
SLOTS = 20  # messages that the store of a SIM card holds
SENDING = 0.8  # s that the network takes for one message
MEMORY_FULL, INVALID_PDU, INVALID_INDEX, NO_SERVICE, NO_CREDIT = 322, 304, 321, 331, 21
NOT_ALLOWED = 302
CTRL_Z, ESCAPE = 0x1A, 0x1B


class BadPdu(Exception):
    """Not a PDU that a network takes."""


def semi_octets(digits: str) -> bytes:
    """Telephone digits, two a byte, swapped."""
    digits += "F" * (len(digits) % 2)
    return bytes.fromhex("".join(digits[i + 1] + digits[i] for i in range(0, len(digits), 2)))


def address(number: str) -> bytes:
    """Length, type and digits of an international ("+62…") or other number."""
    digits = number.lstrip("+")
    return bytes([len(digits), 0x91 if number[0] == "+" else 0x81]) + semi_octets(digits)


def open_submit(tpdu: bytes) -> tuple[str, bool, int, int, bytes]:
    """(destination, header?, protocol, coding, user data) of an SMS-SUBMIT; BadPdu if not exact."""
    try:
        first, length, kind = tpdu[0], tpdu[2], tpdu[3]
        end = 4 + (length + 1) // 2
        digits = "".join(f"{b & 15:x}{b >> 4:x}" for b in tpdu[4:end])
        if first & 0x03 != 1 or length > 20 or kind not in (0x81, 0x91):
            raise BadPdu("no SMS-SUBMIT to a telephone number")
        if (digits[length:] not in ("", "f")) or not digits[:length].isdigit():
            raise BadPdu("digits")
        protocol, coding = tpdu[end], tpdu[end + 1]
        size_at = end + 2 + {0: 0, 2: 1, 1: 7, 3: 7}[first >> 3 & 3]
        size, data = tpdu[size_at], tpdu[size_at + 1 :]
    except IndexError as error:
        raise BadPdu("too short") from error
    if coding & 0xEC != 4:
        raise BadPdu("this centre carries 8-bit data only")
    if len(data) != size or size > 140:
        raise BadPdu("length of the user data")
    header = bool(first & 0x40)
    if header and not whole_header(data):
        raise BadPdu("header of the user data")
    return ("+" if kind == 0x91 else "") + digits[:length], header, protocol, coding, data


def whole_header(data: bytes) -> bool:
    """True when the elements fill the header to the byte."""
    if not data or 1 + data[0] > len(data):
        return False
    at, end = 1, 1 + data[0]
    while at + 1 < end:
        at += 2 + data[at + 1]
    return at == end


def deliver(sender: str, data: bytes, *, header=True, protocol=0, coding=4, stamp=None) -> bytes:
    """SMS-DELIVER as hex bytes with the centre's address before it."""
    stamp = stamp or semi_octets(time.strftime("%y%m%d%H%M%S", time.gmtime(1739509200)) + "82")
    head = bytes([0x44 if header else 0x04]) + address(sender) + bytes([protocol, coding])
    return CENTRE + head + stamp + bytes([len(data)]) + data


class Smsc:
    """Carries messages between emulated modems by number: may lose, double, delay and so reorder.

    `loss`, `double`: chances 0..1; `delay`: most seconds on the way. A message waits while the
    receiver's store is full or it is switched off.
    """

    def __init__(
        self,
        *,
        loss: float = 0.0,
        double: float = 0.0,
        delay: float = 0.0,
        seed: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.loss, self.double, self.delay = loss, double, delay
        self.random = random.Random(seed)
        self.clock = clock
        self.lock = threading.Lock()
        self.boxes: dict[str, list[tuple[float, bytes]]] = {}
        self.taken = 0  # messages that senders were charged for
        self.lost = 0

    def submit(self, sender: str, tpdu: bytes) -> None:
        """Take an SMS-SUBMIT; raises BadPdu."""
        to, header, protocol, coding, data = open_submit(tpdu)
        with self.lock:
            self.taken += 1
            if self.random.random() < self.loss:
                self.lost += 1
                return
            pdu = deliver(sender, data, header=header, protocol=protocol, coding=coding)
            for _ in range(2 if self.random.random() < self.double else 1):
                self._post(to, pdu)

    def post(self, to: str, pdu: bytes) -> None:
        """Put any SMS-DELIVER, right or wrong, on its way to `to`."""
        with self.lock:
            self._post(to, pdu)

    def _post(self, to: str, pdu: bytes) -> None:
        due = self.clock() + self.random.random() * self.delay
        self.boxes.setdefault(to, []).append((due, pdu))

    def collect(self, number: str, room: int) -> list[bytes]:
        """Up to `room` messages that have reached `number` by now."""
        with self.lock:
            box = sorted(self.boxes.get(number, []), key=lambda item: item[0])
            now = self.clock()
            ready = [pdu for due, pdu in box if due <= now][:room]
            self.boxes[number] = box[len(ready) :]
            return ready


class SmsModemEmulator(ModemEmulator):
    """A modem with messages: `number` is its own at `centre`; others as in ModemEmulator.

    `credit`: messages it may still send (None: any). `services`: what AT+CSMS says.
    """

    def __init__(
        self, *args, centre: Smsc, number: str, slots: int = SLOTS, services: str = "1,1,1", **more
    ):
        self.centre = centre
        self.number = number
        self.services = services
        self.store: dict[int, tuple[int, bytes]] = {}  # index -> (1 read or 0 new, PDU)
        self.slots = slots
        self.credit: int | None = None
        self.sent = 0
        super().__init__(*args, **more)

    def _reset(self) -> None:
        super()._reset()
        self.pdu_mode = False  # as after power on: text mode is the SIM7600's default
        self.told = False
        self.text: bytes | None = None  # what is typed behind the prompt
        self.prompted = False
        self.length = 0

    def tick(self) -> None:
        with self.lock:
            if self.running and not self.mute and not self.hung and self.registered():
                for pdu in self.centre.collect(self.number, self.slots - len(self.store)):
                    self._keep(pdu)
        super().tick()

    def _keep(self, pdu: bytes) -> None:
        index = next(i for i in range(self.slots) if i not in self.store)
        self.store[index] = (0, pdu)
        if self.told and not self.data_mode and self.text is None:
            self.line.say(f'+CMTI: "SM",{index}', quiet=True)

    # Commands.

    def _type(self, byte: int) -> None:
        if self.text is None or self.data_mode:
            super()._type(byte)
            return
        if not self.prompted:
            self.text = None
            self.cms(INVALID_PDU)
        elif byte == CTRL_Z:
            text, self.text = self.text, None
            self._submit(text)
        elif byte == ESCAPE:
            self.text = None
            self.line.say("OK")
        else:
            if self.echo:
                self.line.put(bytes([byte]))
            self.text = (self.text + bytes([byte]))[-600:]

    def _run(self, text: str) -> None:
        for pattern, handler in COMMANDS:
            match = re.fullmatch(pattern, text)
            if match:
                self.commands.append(text)
                if self.sim != "READY":
                    self.cms({"absent": 310, "SIM PIN": 311, "SIM PUK": 316}[self.sim])
                else:
                    handler(self, *match.groups())
                return
        super()._run(text)

    def cms(self, code: int) -> None:
        self.line.say(f"+CMS ERROR: {code}")

    def _submit(self, text: bytes) -> None:
        try:
            raw = bytes.fromhex(text.decode("ascii"))
            if b" " in text or not raw or len(raw) != 1 + raw[0] + self.length:
                raise BadPdu("length")
            if self.credit == 0:
                self.line.say(f"+CMS ERROR: {NO_CREDIT}", delay=SENDING)
                return
            self.centre.submit(self.number, raw[1 + raw[0] :])
        except (BadPdu, ValueError):
            self.cms(INVALID_PDU)
            return
        self.sent += 1
        if self.credit is not None:
            self.credit -= 1
        self.line.say(f"+CMGS: {self.sent % 256}", "OK", delay=SENDING)


def _services(modem: SmsModemEmulator, _number: str) -> None:
    modem.line.say(f"+CSMS: {modem.services}", "OK")


def _mode(modem: SmsModemEmulator, value: str) -> None:
    modem.pdu_mode = value == "0"
    modem.line.say("OK")


def _telling(modem: SmsModemEmulator, value: str) -> None:
    modem.told = value == "1"
    modem.line.say("OK")


def _used(modem: SmsModemEmulator) -> None:
    one = f'"SM",{len(modem.store)},{modem.slots}'
    modem.line.say(f"+CPMS: {one},{one},{one}", "OK")


def _send(modem: SmsModemEmulator, length: str) -> None:
    if not modem.pdu_mode or not 8 <= int(length) <= 164:
        modem.cms(INVALID_PDU)
    elif not modem.registered():
        modem.cms(NO_SERVICE)
    else:
        modem.length, modem.text, modem.prompted = int(length), b"", False
        modem.line.pieces(b"\r\n> ", 0.01)

        def ready() -> None:
            modem.prompted = True

        modem.line.put(ready)


def _list(modem: SmsModemEmulator, what: str) -> None:
    if not modem.pdu_mode:
        modem.cms(NOT_ALLOWED)
        return
    wanted = {"0": (0,), "1": (1,), "4": (0, 1)}[what]
    for index, (read, pdu) in sorted(modem.store.items()):
        if read in wanted:
            modem.line.say(f"+CMGL: {index},{read},,{len(pdu) - 1 - pdu[0]}", quiet=True)
            modem.line.pieces(pdu.hex().upper().encode() + b"\r\n")
            modem.store[index] = (1, pdu)
    modem.line.say("OK")


def _read(modem: SmsModemEmulator, index: str) -> None:
    if not modem.pdu_mode:
        modem.cms(NOT_ALLOWED)
    elif int(index) not in range(modem.slots):
        modem.cms(INVALID_INDEX)
    else:
        if int(index) in modem.store:
            read, pdu = modem.store[int(index)]
            modem.line.say(f"+CMGR: {read},,{len(pdu) - 1 - pdu[0]}", quiet=True)
            modem.line.pieces(pdu.hex().upper().encode() + b"\r\n")
            modem.store[int(index)] = (1, pdu)
        modem.line.say("OK")


def _delete(modem: SmsModemEmulator, index: str) -> None:
    if int(index) not in range(modem.slots):
        modem.cms(INVALID_INDEX)
        return
    modem.store.pop(int(index), None)
    modem.line.say("OK")


COMMANDS: list[tuple[str, Callable[..., None]]] = [
    (r"\+CSMS=(0)", _services),
    (r"\+CMGF=([01])", _mode),
    (r"\+CNMI=2,([01]),0,0,0", _telling),
    (r"\+CPMS\?", _used),
    (r"\+CMGS=(\d{1,3})", _send),
    (r"\+CMGL=([014])", _list),
    (r"\+CMGR=(\d{1,3})", _read),
    (r"\+CMGD=(\d{1,3})", _delete),
]
