"""A virtual clock, an emulated ATECC608 and the helpers that its tests share."""

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec, utils

from firmware.drivers import atecc608_link
from firmware.drivers.atecc608 import ATECC608
from host_tools.kit.atecc608 import ATECC608Emulator
from host_tools.kit.atecc608_core import ORDER, PREHASHED
from host_tools.kit.atecc608_zones import crc16
from host_tools.kit.bus import I2CBus, LocalI2C

DIGEST = hashlib.sha256(b"CONTOH").digest()
OK = "04000340"
EXECUTION = "040f2342"
PARSE = "04038342"


class Time:
    """One clock for driver and chip; sleeping moves it, so no test waits."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(atecc608_link, "ticks_ms", self.ticks_ms)
        monkeypatch.setattr(atecc608_link, "sleep_ms", self.sleep_ms)

    def clock(self) -> float:
        return self.now

    def ticks_ms(self) -> int:
        return round(self.now * 1000)

    def sleep_ms(self, duration: int) -> None:
        self.now += duration / 1000


def driver(part: ATECC608Emulator, **kw) -> ATECC608:
    """The kit's driver on a bus with `part` only."""
    return ATECC608(LocalI2C(I2CBus(part)), **kw)


def awake(part: ATECC608Emulator, time: Time) -> ATECC608Emulator:
    """The chip, freshly woken."""
    part.write(b"\x01")
    part.wake()
    time.sleep_ms(2)
    assert part.read(4) == bytes.fromhex("04113343")
    return part


def ask(part: ATECC608Emulator, time: Time, frame: str) -> str:
    """Wake, send the whole frame, wait, return the reply packet in hex."""
    assert awake(part, time).write(bytes.fromhex(frame))
    time.sleep_ms(300)
    count = part.read(1)
    assert count is not None
    rest = part.read(count[0] - 1)
    assert rest is not None
    return (count + rest).hex()


def command(opcode: int, p1: int, p2: int, data: bytes = b"") -> str:
    """A command frame with its word address, in hex."""
    body = bytes([opcode, p1]) + p2.to_bytes(2, "little") + data
    body = bytes([len(body) + 3]) + body
    return (b"\x03" + body + crc16(body).to_bytes(2, "little")).hex()


def holds(key: bytes, digest: bytes, signature: bytes) -> bool:
    """True when s is low; an exception when the signature does not hold."""
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key)
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    point.verify(utils.encode_dss_signature(r, s), digest, PREHASHED)
    return s <= ORDER // 2
