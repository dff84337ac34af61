"""The ATECC608's memory: configuration, data and OTP zones, their locks and what the locks allow.

Rules: Microchip DS20005927A chapter 2 and cryptoauthlib. Where the real chip is lenient or its
manual is silent, this one refuses. The memory survives the process in one JSON file, replaced
atomically.
"""

import json
import os
from pathlib import Path

EXECUTION = 0x0F
PARSE = 0x03

CONFIG, OTP, DATA = 0, 1, 2
UNLOCKED = 0x55
LOCK_VALUE, LOCK_CONFIG, SLOT_LOCKED = 86, 87, 88
COUNTER_MAX = 2_097_151

SLOT_SIZES = (36,) * 8 + (416,) + (72,) * 7

# A blank chip as it leaves the factory, from byte 16 on.
BLANK = bytes.fromhex(
    "c0000000"
    "83208720 8f20c48f 8f8f8f8f 9f8faf8f 00000000 00000000 00000000 0000af8f"
    "ffffffff00000000 ffffffff00000000"
    "00000000 00000000 00000000 00000000 0000 5555ffff 0000 00000000"
    "33003300 33001c00 1c001c00 1c001c00 3c003c00 3c003c00 3c003c00 3c001c00".replace(" ", "")
)


class Refused(Exception):
    """The command ends with this status."""

    def __init__(self, status: int):
        super().__init__(status)
        self.status = status


def crc16(data: bytes) -> int:
    """CRC-16, polynomial 0x8005, start 0, data bits lowest first: in its reflected form."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return int(f"{crc:016b}"[::-1], 2)


def counter_bytes(value: int) -> bytes:
    """A counter as the configuration zone holds it (cryptoauthlib calib_write_config_counter)."""
    after = max(value - 16, 0)
    parts = (0xFFFF >> value % 32, 0xFFFF >> after % 32, value // 32, after // 32)
    return b"".join(part.to_bytes(2, "big") for part in parts)


def counter_value(stored: bytes) -> int:
    """The inverse of counter_bytes."""
    linear_a, linear_b, binary_a, _ = (int.from_bytes(stored[at : at + 2]) for at in (0, 2, 4, 6))
    value = binary_a * 32 + 16 - linear_a.bit_length()
    return value if linear_a else value + 16 - linear_b.bit_length()


class Zones:
    """Memory of one chip in `path`; a new file is a blank chip with `serial` (9 bytes)."""

    def __init__(self, path: Path, serial: bytes):
        self.path = path
        if path.exists():
            state = json.loads(path.read_text())
            self.config = bytearray.fromhex(state["config"])
            self.otp = bytearray.fromhex(state["otp"])
            self.slots = [bytearray.fromhex(slot) for slot in state["slots"]]
            self.keys = {int(slot): bytes.fromhex(key) for slot, key in state["keys"].items()}
        else:
            fixed = serial[:4] + bytes.fromhex("00006002") + serial[4:] + bytes.fromhex("010100")
            self.config = bytearray(fixed + BLANK)
            self.otp = bytearray(b"\xff" * 64)
            self.slots = [bytearray(b"\xff" * size) for size in SLOT_SIZES]
            self.keys: dict[int, bytes] = {}
            self.save()

    def save(self) -> None:
        """Write the memory to its file as one step: the old state or the new one, never half."""
        state = {
            "config": self.config.hex(),
            "otp": self.otp.hex(),
            "slots": [slot.hex() for slot in self.slots],
            "keys": {str(slot): key.hex() for slot, key in self.keys.items()},
        }
        draft = self.path.with_name(self.path.name + ".new")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(state, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    @property
    def config_locked(self) -> bool:
        return self.config[LOCK_CONFIG] != UNLOCKED

    @property
    def data_locked(self) -> bool:
        return self.config[LOCK_VALUE] != UNLOCKED

    def slot_locked(self, slot: int) -> bool:
        return not self.config[SLOT_LOCKED + slot // 8] >> slot % 8 & 1

    def slot_config(self, slot: int) -> int:
        return int.from_bytes(self.config[20 + 2 * slot : 22 + 2 * slot], "little")

    def key_config(self, slot: int) -> int:
        return int.from_bytes(self.config[96 + 2 * slot : 98 + 2 * slot], "little")

    def holds_private_key(self, slot: int) -> bool:
        """KeyConfig says: Private, of type P-256."""
        return self.key_config(slot) & 0x1D == 0x11

    def read(self, zone: int, address: int, size: int) -> bytes:
        """`size` bytes (4 or 32) at the command's address."""
        memory, place = self._place(zone, address, size)
        if zone == OTP and not self.data_locked:
            raise Refused(EXECUTION)
        if zone == DATA:
            slot = address >> 3 & 0x0F
            secret = self.slot_config(slot) & 0x80 or self.holds_private_key(slot)
            if not self.data_locked or secret:
                raise Refused(EXECUTION)
        return bytes(memory[place : place + size]).ljust(size, b"\0")

    def write(self, zone: int, address: int, data: bytes) -> None:
        """Write 4 or 32 bytes in clear at the command's address."""
        memory, place = self._place(zone, address, len(data))
        end = min(place + len(data), len(memory))
        if zone == CONFIG:
            if self.config_locked or place < 16 or (place < 88 and end > 84):
                raise Refused(EXECUTION)
        elif not self.data_locked:
            # Until the data zone is locked it takes whole blocks only, and only under a locked
            # configuration.
            if not self.config_locked or len(data) != 32:
                raise Refused(EXECUTION)
        elif zone == OTP:
            raise Refused(EXECUTION)
        if zone == DATA:
            slot = address >> 3 & 0x0F
            always = self.slot_config(slot) >> 12 == 0
            if self.holds_private_key(slot) or self.slot_locked(slot):
                raise Refused(EXECUTION)
            if self.data_locked and not always:
                raise Refused(EXECUTION)
        memory[place:end] = data[: end - place]
        self.save()

    def _place(self, zone: int, address: int, size: int) -> tuple[bytearray, int]:
        word = address & 7
        if zone == DATA:
            if address >> 12 or address & 0x80:
                raise Refused(PARSE)
            memory, block = self.slots[address >> 3 & 0x0F], address >> 8
        elif zone in (CONFIG, OTP):
            memory, block = (self.config, self.otp)[zone], address >> 3
        else:
            raise Refused(PARSE)
        place = block * 32 + word * 4
        if place >= len(memory) or (size == 32 and word):
            raise Refused(PARSE)
        return memory, place

    def lock(self, mode: int, summary: int) -> None:
        """Lock a zone or one slot; with bit 7 clear `summary` must be the zone's CRC."""
        what = mode & 0x03
        if mode & 0x40 or what == 3 or (what != 2 and mode & 0x3C):
            raise Refused(PARSE)
        if what == 2:
            slot = mode >> 2 & 0x0F
            lockable = self.key_config(slot) & 0x20
            if not self.config_locked or not lockable or self.slot_locked(slot):
                raise Refused(EXECUTION)
            self.config[SLOT_LOCKED + slot // 8] &= ~(1 << slot % 8)
        elif what == CONFIG:
            self._check_lock(self.config_locked, mode, summary, bytes(self.config))
            self.config[LOCK_CONFIG] = 0
        else:
            if not self.config_locked:
                raise Refused(EXECUTION)
            self._check_lock(self.data_locked, mode, summary, b"".join([*self.slots, self.otp]))
            self.config[LOCK_VALUE] = 0
        self.save()

    @staticmethod
    def _check_lock(locked: bool, mode: int, summary: int, content: bytes) -> None:
        if locked or (not mode & 0x80 and summary != crc16(content)):
            raise Refused(EXECUTION)

    def update_extra(self, which: int, value: int) -> None:
        """Set byte 84 or 85, the two that Write does not reach; once locked, only while still 0."""
        if self.config_locked and self.config[84 + which]:
            raise Refused(EXECUTION)
        self.config[84 + which] = value
        self.save()

    def count(self, counter: int, increment: bool) -> int:
        """The counter's value, after adding one if asked; refuses to pass COUNTER_MAX."""
        if not self.config_locked:
            raise Refused(EXECUTION)
        place = 52 + 8 * counter
        value = counter_value(bytes(self.config[place : place + 8]))
        if increment:
            if value >= COUNTER_MAX:
                raise Refused(EXECUTION)
            value += 1
            self.config[place : place + 8] = counter_bytes(value)
            self.save()
        return value
