"""Factory setup of an ATECC608: configuration, locks and keys. Nothing here can be undone.

    slot 0  live signing key      made in the chip, slot locked: never replaced, never read
    slot 1  training signing key  the same
    slot 9  authority's public key, written once at enrolment, then locked
    others  sealed                counters 0 and 1 start at 0 (live and training)

Run again after a power cut at any step, `configure` goes on where it stopped. Layout of the zone:
Microchip DS20005927A, table 2-5; the counters' resting value FF FF FF FF 00 00 00 00 means zero.
"""

from firmware.drivers import const
from firmware.drivers.atecc608 import E_RANDOM, E_SIGNATURE
from firmware.drivers.atecc608_link import (
    ERRORS,
    OP_GENKEY,
    OP_INFO,
    OP_LOCK,
    OP_RANDOM,
    OP_READ,
    OP_WRITE,
    crc16,
    fault,
)

E_FOREIGN = const(120)
E_READ_BACK = const(121)
E_UNLOCKED = const(122)
E_AUTHORITY = const(123)

ERRORS[E_FOREIGN] = "The security chip was locked with other settings: use a blank chip."
ERRORS[E_READ_BACK] = "The security chip did not keep its settings: run the setup again."
ERRORS[E_UNLOCKED] = "The security chip's settings are not locked: run the setup again."
ERRORS[E_AUTHORITY] = "The security chip already holds another authority's key: use another kit."

LIVE_SLOT = const(0)
TRAINING_SLOT = const(1)
AUTHORITY_SLOT = const(9)

_CONFIG = const(0)
_DATA = const(2)
_BLOCK = const(0x80)
_LOCK_CONFIG = const(0x00)  # bit 7 clear: the chip compares the zone's CRC with ours
_LOCK_DATA = const(0x81)  # no CRC: the zone holds the private keys, which nobody knows
_LOCK_SLOT = const(0x02)
_CREATE = const(0x04)
_KEY_VALID = const(0x01)

_LOCK_VALUE = const(86)
_LOCK_CONFIG_BYTE = const(87)
_SLOT_LOCKED = const(88)
_UNLOCKED = const(0x55)

_SIGNER = (b"\x83\x20", b"\x33\x00")  # 0x2083 external signing, GenKey; 0x0033 P-256 key, lockable
_PUBLIC = (b"\x0f\x0f", b"\x30\x00")  # 0x0F0F read and write in clear; 0x0030 P-256 key, lockable
_SEALED = (b"\x8f\x8f", b"\x1c\x00")  # 0x8F8F never written, secret; 0x001C plain data
_SLOTS = (_SIGNER,) * 2 + (_SEALED,) * 7 + (_PUBLIC,) + (_SEALED,) * 6

_COUNTERS = b"\xff\xff\xff\xff\x00\x00\x00\x00" * 2


def wanted_config(address=0x60):
    """Bytes 16..127 of the configuration zone; 84-87 in it are the chip's own and not written."""
    return (
        bytes([address << 1, 0, 0, 0])
        + b"".join([slot for slot, _ in _SLOTS])
        + _COUNTERS
        + bytes(18)
        + bytes([_UNLOCKED, _UNLOCKED, 0xFF, 0xFF])
        + bytes(6)
        + b"".join([key for _, key in _SLOTS])
    )


def configure(chip):
    """Bring `chip` (ATECC608) to the state above and return what was done.

    {"serial": 9 B, "revision": 4 B, "words": config words written, "generated": [slots],
    "locked": [what this run locked], "keys": {slot: 64 B}}; a PartError names the failed step.
    """
    report = {"revision": chip.revision(), "serial": chip.serial()}
    report["words"] = 0
    report["locked"] = []
    report["generated"] = []
    zone = read_config(chip)
    if zone[_LOCK_CONFIG_BYTE] == _UNLOCKED:
        report["words"] = _write_config(chip, zone)
        zone = read_config(chip)
        _compare(chip, zone, E_READ_BACK)
        chip.session(chip.link.do, OP_LOCK, _LOCK_CONFIG, crc16(zone), tries=1)
        report["locked"].append("config")
        zone = read_config(chip)
    if zone[_LOCK_CONFIG_BYTE] == _UNLOCKED:
        raise fault(E_UNLOCKED)
    _compare(chip, zone, E_FOREIGN)
    if not chip.random_is_live():
        raise fault(E_RANDOM)
    for slot in (LIVE_SLOT, TRAINING_SLOT):
        if not chip.session(_info, chip, _KEY_VALID, slot)[0]:
            chip.session(chip.link.command, OP_GENKEY, _CREATE, slot, 64, tries=1)
            report["generated"].append(slot)
    if zone[_LOCK_VALUE] == _UNLOCKED:
        chip.session(chip.link.do, OP_LOCK, _LOCK_DATA, 0, tries=1)
        report["locked"].append("data")
    for slot in (LIVE_SLOT, TRAINING_SLOT):
        if _lock_slot(chip, zone, slot):
            report["locked"].append(slot)
    report["keys"] = {
        LIVE_SLOT: _prove(chip, LIVE_SLOT),
        TRAINING_SLOT: _prove(chip, TRAINING_SLOT),
    }
    _expect_locked(chip)
    return report


def read_config(chip):
    """The whole configuration zone, 128 bytes."""
    return b"".join([chip.session(_read_block, chip, _CONFIG, block << 3) for block in range(4)])


def is_configured(chip):
    """True when `chip` carries exactly this setup, with every lock closed."""
    zone = read_config(chip)
    return _differs(zone, wanted_config(chip.link.address)) == [] and _is_locked(zone)


def authority_key(chip):
    """The authority's public key, 64 bytes X | Y, or None while none was written for good."""
    if not _slot_is_locked(read_config(chip), AUTHORITY_SLOT):
        return None
    return _read_authority(chip)


def set_authority_key(chip, key):
    """Write the authority's 64 byte public key and lock its slot; once more the same is fine."""
    if len(key) != 64:
        raise ValueError("64 bytes expected")
    zone = read_config(chip)
    if zone[_LOCK_VALUE] == _UNLOCKED:
        raise fault(E_UNLOCKED)
    if not _slot_is_locked(zone, AUTHORITY_SLOT):
        # A public key in a slot: 4 pad bytes before X and before Y, in 32 byte blocks.
        padded = bytes(4) + key[:32] + bytes(4) + key[32:] + bytes(24)
        for block in range(3):
            part = padded[32 * block : 32 * block + 32]
            place = block << 8 | AUTHORITY_SLOT << 3
            chip.session(chip.link.do, OP_WRITE, _BLOCK | _DATA, place, part)
        if _read_authority(chip) != key:
            raise fault(E_READ_BACK)
        _lock_slot(chip, zone, AUTHORITY_SLOT)
    if _read_authority(chip) != key:
        raise fault(E_AUTHORITY)


def _write_config(chip, zone):
    wanted = wanted_config(chip.link.address)
    words = 0
    for place in range(16, 128, 4):
        word = wanted[place - 16 : place - 12]
        if place != 84 and word != zone[place : place + 4]:
            chip.session(chip.link.do, OP_WRITE, _CONFIG, place >> 2, word)
            words += 1
    # Before the lock the generator must answer with its fixed pattern, else this is no blank chip.
    block = chip.session(_unlocked_random, chip)
    if block != b"\xff\xff\x00\x00" * 8:
        raise fault(E_RANDOM)
    return words


def _differs(zone, wanted):
    """Places that policy fixes and that are not as wanted; counters and locks move on in use."""
    free = (84, 85, _LOCK_VALUE, _LOCK_CONFIG_BYTE, _SLOT_LOCKED, _SLOT_LOCKED + 1)
    return [
        place
        for place in range(16, 128)
        if zone[place] != wanted[place - 16] and place not in free and not 52 <= place < 68
    ]


def _compare(chip, zone, code):
    wanted = wanted_config(chip.link.address)
    if _differs(zone, wanted):
        raise fault(code)
    fresh = zone[52:68] == _COUNTERS and zone[88:90] == b"\xff\xff" and zone[86] == _UNLOCKED
    if zone[_LOCK_CONFIG_BYTE] == _UNLOCKED and not fresh:
        raise fault(code)


def _is_locked(zone):
    return (
        zone[_LOCK_VALUE] == 0
        and zone[_LOCK_CONFIG_BYTE] == 0
        and _slot_is_locked(zone, LIVE_SLOT)
        and _slot_is_locked(zone, TRAINING_SLOT)
    )


def _expect_locked(chip):
    if not is_configured(chip):
        raise fault(E_UNLOCKED)


def _slot_is_locked(zone, slot):
    return not zone[_SLOT_LOCKED + slot // 8] >> slot % 8 & 1


def _lock_slot(chip, zone, slot):
    if _slot_is_locked(zone, slot):
        return False
    chip.session(chip.link.do, OP_LOCK, slot << 2 | _LOCK_SLOT, 0, tries=1)
    return True


def _prove(chip, slot):
    """The slot's public key, after a signature by it that holds."""
    own = chip.slot
    chip.slot = slot
    try:
        key = chip.public_key()
        digest = chip.random(32)
        if not chip.verify(key, digest, chip.sign(digest)):
            raise fault(E_SIGNATURE)
    finally:
        chip.slot = own
    return key


def _read_authority(chip):
    blocks = [
        chip.session(_read_block, chip, _DATA, block << 8 | AUTHORITY_SLOT << 3)
        for block in range(3)
    ]
    padded = b"".join(blocks)
    return padded[4:36] + padded[40:72]


def _read_block(chip, zone, place):
    return bytes(chip.link.command(OP_READ, _BLOCK | zone, place, 32))


def _info(chip, mode, p2):
    return bytes(chip.link.command(OP_INFO, mode, p2, 4))


def _unlocked_random(chip):
    return bytes(chip.link.command(OP_RANDOM, 0, 0, 32))
