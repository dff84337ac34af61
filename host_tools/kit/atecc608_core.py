"""What the ATECC608 computes: one method a command, on the memory of atecc608_zones.

Private keys exist only in the chip's memory file; no command and no public method gives one out.
"""

import hashlib
import os
import secrets

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from host_tools.kit.atecc608_zones import EXECUTION, PARSE, Refused, Zones

OK, MISMATCH, ECC_FAULT = b"\x00", b"\x01", 0x05
UNLOCKED_RANDOM = b"\xff\xff\x00\x00" * 8
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PREHASHED = ec.ECDSA(utils.Prehashed(hashes.SHA256()))


def xy(key: ec.EllipticCurvePublicKey) -> bytes:
    """X | Y, 64 bytes."""
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )[1:]


class Core:
    """Volatile registers and commands; `run` returns the reply's data or raises Refused."""

    def __init__(self, zones: Zones):
        self.zones = zones
        self.stuck_random = False
        self.forget()
        self.commands = {
            0x02: self._read,
            0x12: self._write,
            0x16: self._nonce,
            0x17: self._lock,
            0x1B: self._random,
            0x20: self._update_extra,
            0x24: self._counter,
            0x30: self._info,
            0x40: self._genkey,
            0x41: self._sign,
            0x45: self._verify,
            0x47: self._sha,
            0x77: self._self_test,
        }

    def forget(self) -> None:
        """Sleep or watchdog: every volatile register is lost."""
        self.temp_key: bytes | None = None
        self.digest_buffer: bytes | None = None
        self.sha: tuple[bytes, int] | None = None

    def run(self, opcode: int, p1: int, p2: int, data: bytes) -> bytes:
        command = self.commands.get(opcode)
        if command is None:
            raise Refused(PARSE)
        return command(p1, p2, data)

    def _read(self, p1: int, p2: int, data: bytes) -> bytes:
        if data or p1 & 0x7C:
            raise Refused(PARSE)
        return self.zones.read(p1 & 3, p2, 32 if p1 & 0x80 else 4)

    def _write(self, p1: int, p2: int, data: bytes) -> bytes:
        if p1 & 0x7C or len(data) != (32 if p1 & 0x80 else 4):
            raise Refused(PARSE)
        self.zones.write(p1 & 3, p2, data)
        return OK

    def _lock(self, p1: int, p2: int, data: bytes) -> bytes:
        if data:
            raise Refused(PARSE)
        self.zones.lock(p1, p2)
        return OK

    def _update_extra(self, p1: int, p2: int, data: bytes) -> bytes:
        if data or p1 > 1 or p2 > 0xFF:
            raise Refused(PARSE)
        self.zones.update_extra(p1, p2)
        return OK

    def _counter(self, p1: int, p2: int, data: bytes) -> bytes:
        if data or p1 > 1 or p2 > 1:
            raise Refused(PARSE)
        return self.zones.count(p2, p1 == 1).to_bytes(4, "little")

    def _draw(self) -> bytes:
        if self.stuck_random or not self.zones.config_locked:
            return UNLOCKED_RANDOM
        return os.urandom(32)

    def _random(self, p1: int, p2: int, data: bytes) -> bytes:
        if data or p1 > 1 or p2:
            raise Refused(PARSE)
        return self._draw()

    def _nonce(self, p1: int, p2: int, data: bytes) -> bytes:
        mode, target = p1 & 0x03, p1 & 0xC0
        if mode == 3:
            if p2 or p1 & 0x3C or len(data) != 32 or target not in (0x00, 0x40):
                raise Refused(PARSE)
            if target:
                self.digest_buffer = data
            else:
                self.temp_key = data
            return OK
        if p1 not in (0, 1) or p2 or len(data) != 20:
            raise Refused(PARSE)
        drawn = self._draw()
        self.temp_key = hashlib.sha256(drawn + data + bytes([0x16, p1, 0])).digest()
        return drawn

    def _info(self, p1: int, p2: int, data: bytes) -> bytes:
        if data or (p2 and p1 != 1):
            raise Refused(PARSE)
        if p1 == 0:
            return bytes(self.zones.config[4:8])
        if p1 == 1:
            return bytes([self._slot(p2) in self.zones.keys, 0, 0, 0])
        if p1 == 2:
            return bytes([0, 0x80 if self.temp_key else 0, 0, 0])
        raise Refused(PARSE)

    @staticmethod
    def _slot(p2: int) -> int:
        if p2 > 15:
            raise Refused(PARSE)
        return p2

    def _private_key(self, slot: int) -> ec.EllipticCurvePrivateKey:
        if slot not in self.zones.keys:
            raise Refused(EXECUTION)
        key = serialization.load_der_private_key(self.zones.keys[slot], None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    def _genkey(self, p1: int, p2: int, data: bytes) -> bytes:
        slot = self._slot(p2)
        if data or p1 not in (0x00, 0x04):
            raise Refused(PARSE)
        if not self.zones.config_locked or not self.zones.holds_private_key(slot):
            raise Refused(EXECUTION)
        if p1 == 0x00:
            if not self.zones.key_config(slot) & 0x02:
                raise Refused(EXECUTION)
            return xy(self._private_key(slot).public_key())
        allowed = not self.zones.data_locked or self.zones.slot_config(slot) & 0x2000
        if not allowed or self.zones.slot_locked(slot):
            raise Refused(EXECUTION)
        key = ec.generate_private_key(ec.SECP256R1())
        self.zones.keys[slot] = key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self.zones.save()
        return xy(key.public_key())

    def _digest(self, from_buffer: int) -> bytes:
        """Take the loaded digest; it serves once, so that none is signed twice by accident."""
        digest = self.digest_buffer if from_buffer else self.temp_key
        if digest is None:
            raise Refused(EXECUTION)
        if from_buffer:
            self.digest_buffer = None
        else:
            self.temp_key = None
        return digest

    def _sign(self, p1: int, p2: int, data: bytes) -> bytes:
        slot = self._slot(p2)
        if data or p1 not in (0x80, 0xA0):
            raise Refused(PARSE)
        config = self.zones.slot_config(slot)
        external = config & 0x0081 == 0x0081  # IsSecret, and ReadKey bit 0: external signatures
        if not self.zones.data_locked or not self.zones.holds_private_key(slot) or not external:
            raise Refused(EXECUTION)
        digest = self._digest(p1 & 0x20)
        r, s = utils.decode_dss_signature(self._private_key(slot).sign(digest, PREHASHED))
        # The chip does not care for low s: every second signature comes with the high one.
        s = secrets.choice((s, ORDER - s))
        return r.to_bytes(32) + s.to_bytes(32)

    def _verify(self, p1: int, p2: int, data: bytes) -> bytes:
        if p1 not in (0x02, 0x22) or p2 != 0x0004 or len(data) != 128:
            raise Refused(PARSE)
        if not self.zones.config_locked:
            raise Refused(EXECUTION)
        digest = self._digest(p1 & 0x20)
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(
                ec.SECP256R1(), b"\x04" + data[64:128]
            )
        except ValueError:
            raise Refused(ECC_FAULT) from None
        signature = utils.encode_dss_signature(
            int.from_bytes(data[:32]), int.from_bytes(data[32:64])
        )
        try:
            key.verify(signature, digest, PREHASHED)
        except InvalidSignature:
            return MISMATCH
        return OK

    def _sha(self, p1: int, p2: int, data: bytes) -> bytes:
        mode = p1 & 0x07
        if mode == 0 and p1 == 0 and not data and p2 == 0:
            self.sha = (b"", 0)
            return OK
        if mode not in (1, 2) or p2 != len(data):
            raise Refused(PARSE)
        if self.sha is None:
            raise Refused(EXECUTION)
        if mode == 1:
            if p1 != 1 or len(data) != 64:
                raise Refused(PARSE)
            self.sha = (self.sha[0] + data, self.sha[1] + 64)
            return OK
        if len(data) > 63 or p1 not in (0x02, 0x42, 0xC2):
            raise Refused(PARSE)
        digest = hashlib.sha256(self.sha[0] + data).digest()
        self.sha = None
        if p1 == 0x02:
            self.temp_key = digest
        elif p1 == 0x42:
            self.digest_buffer = digest
        return digest

    def _self_test(self, p1: int, p2: int, data: bytes) -> bytes:
        if data or p2 or not p1 or p1 & ~0x3B:
            raise Refused(PARSE)
        return bytes([p1 & 0x01 if self.stuck_random else 0])
