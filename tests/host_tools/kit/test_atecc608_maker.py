"""Microchip's own cryptoauthlib drives the emulated chip: an oracle for packets, CRC and policies.

The library is a test tool only (its licence binds it to Microchip parts) and is never shipped.
"""

import ctypes
import hashlib
from ctypes import POINTER, byref, c_int, c_size_t, c_uint8, c_uint16, c_void_p

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils

from firmware.drivers import atecc608_setup
from firmware.drivers.atecc608 import ATECC608
from host_tools.kit.atecc608 import ATECC608Emulator
from host_tools.kit.atecc608_core import PREHASHED, UNLOCKED_RANDOM
from host_tools.kit.atecc608_zones import COUNTER_MAX
from host_tools.kit.bus import I2CBus, LocalI2C

cal = pytest.importorskip("cryptoauthlib", reason="no cryptoauthlib: pip install cryptoauthlib")

SUCCESS, UNIMPLEMENTED, EXECUTION_ERROR, NO_RESPONSE = 0, -11, -12, -25
SELECT, DESELECT, CHANGE_BAUD = 4, 5, 6
DIGEST = hashlib.sha256(b"CONTOH").digest()

INIT = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
POST_INIT = ctypes.CFUNCTYPE(c_int, c_void_p)
SEND = ctypes.CFUNCTYPE(c_int, c_void_p, c_uint8, POINTER(c_uint8), c_int)
RECEIVE = ctypes.CFUNCTYPE(c_int, c_void_p, c_uint8, POINTER(c_uint8), POINTER(c_uint16))
CONTROL = ctypes.CFUNCTYPE(c_int, c_void_p, c_uint8, c_void_p, c_size_t)
RELEASE = ctypes.CFUNCTYPE(c_int, c_void_p)


class Hal(ctypes.Structure):
    """ATCAHAL_t of cryptoauthlib's atca_hal.h."""

    _fields_ = (
        ("init", INIT),
        ("post_init", POST_INIT),
        ("send", SEND),
        ("receive", RECEIVE),
        ("control", CONTROL),
        ("release", RELEASE),
    )


class Maker:
    """cryptoauthlib whose I2C layer is replaced by one emulated chip's bus."""

    def __init__(self, part: ATECC608Emulator):
        self.bus = I2CBus(part)
        self.hal = Hal(
            INIT(lambda _iface, _cfg: SUCCESS),
            POST_INIT(lambda _iface: SUCCESS),
            SEND(self.send),
            RECEIVE(self.receive),
            CONTROL(self.control),
            RELEASE(lambda _data: SUCCESS),
        )
        cal.load_cryptoauthlib()
        self.lib = cal.get_cryptoauthlib()
        assert self.lib.hal_iface_register_hal(0, byref(self.hal), None, None, None) == SUCCESS
        self.config = cal.cfg_ateccx08a_i2c_default()
        self.config.devtype = 3
        self.config.cfg.atcai2c.address = part.address << 1
        assert cal.atcab_init(self.config) == SUCCESS

    def send(self, _iface, word_address, data, size):
        # The library sets the address to 0 for the wake pulse.
        address = self.config.cfg.atcai2c.address >> 1
        content = bytes([word_address]) + (bytes(data[:size]) if size > 0 else b"")
        return SUCCESS if self.bus.write(address, content) else NO_RESPONSE

    def receive(self, _iface, address, data, size):
        content = self.bus.read(address >> 1, size[0])
        if content is None:
            return NO_RESPONSE
        ctypes.memmove(data, content, len(content))
        return SUCCESS

    @staticmethod
    def control(_iface, option, _parameter, _size):
        return SUCCESS if option in (SELECT, DESELECT, CHANGE_BAUD) else UNIMPLEMENTED


@pytest.fixture
def part(tmp_path):
    return ATECC608Emulator(tmp_path / "chip.json", speed=20)


@pytest.fixture
def maker(part):
    maker = Maker(part)
    yield maker
    cal.atcab_release()


def fill(call, *arguments, size: int) -> bytes:
    """The library's answer of `size` bytes; its last argument is the buffer."""
    buffer = bytearray(size)
    assert call(*arguments, buffer) == SUCCESS
    return bytes(buffer)


def flag(call, *arguments) -> bool:
    value = cal.AtcaReference(0)
    assert call(*arguments, value) == SUCCESS
    return bool(int(value))


def holds(key: bytes, digest: bytes, signature: bytes) -> None:
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key)
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    point.verify(utils.encode_dss_signature(r, s), digest, PREHASHED)


def test_the_makers_library_sets_the_chip_up_and_signs(part, maker):
    assert fill(cal.atcab_info, size=4).hex() == "00006002"
    assert fill(cal.atcab_read_serial_number, size=9).hex() == "0123a1b2c3d4e5f6ee"
    assert fill(cal.atcab_random, size=32) == UNLOCKED_RANDOM
    assert cal.atcab_genkey(0, bytearray(64)) == EXECUTION_ERROR

    zone = fill(cal.atcab_read_config_zone, size=128)
    zone = zone[:16] + atecc608_setup.wanted_config()
    assert cal.atcab_write_config_zone(zone) == SUCCESS
    assert flag(cal.atcab_cmp_config_zone, zone)
    summary = bytearray(2)
    maker.lib.atCRC(128, bytes(zone), (c_uint8 * 2).from_buffer(summary))
    summary = int.from_bytes(summary, "little")
    assert cal.atcab_lock_config_zone_crc(summary ^ 1) == EXECUTION_ERROR
    assert cal.atcab_lock_config_zone_crc(summary) == SUCCESS
    assert flag(cal.atcab_is_locked, 0) and not flag(cal.atcab_is_locked, 1)
    assert fill(cal.atcab_random, size=32) != fill(cal.atcab_random, size=32)

    key = fill(cal.atcab_genkey, 0, size=64)
    assert fill(cal.atcab_genkey, 1, size=64) != key
    assert fill(cal.atcab_get_pubkey, 0, size=64) == key
    assert cal.atcab_lock_data_zone() == SUCCESS
    for slot in (0, 1):
        assert cal.atcab_lock_data_slot(slot) == SUCCESS
        assert flag(cal.atcab_is_slot_locked, slot)
    assert not flag(cal.atcab_is_slot_locked, 9)
    assert cal.atcab_genkey(0, bytearray(64)) == EXECUTION_ERROR

    signature = fill(cal.atcab_sign, 0, DIGEST, size=64)
    holds(key, DIGEST, signature)
    assert flag(cal.atcab_verify_extern, DIGEST, signature, key)
    assert not flag(cal.atcab_verify_extern, hashlib.sha256().digest(), signature, key)
    assert cal.atcab_sign(2, DIGEST, bytearray(64)) == EXECUTION_ERROR
    # What the library made is what the kit's own setup wants.
    assert atecc608_setup.is_configured(ATECC608(LocalI2C(maker.bus)))


def test_the_makers_library_agrees_with_the_kits_driver(part, maker):
    chip = ATECC608(LocalI2C(maker.bus))
    report = atecc608_setup.configure(chip)
    assert fill(cal.atcab_get_pubkey, 0, size=64) == report["keys"][0]
    assert fill(cal.atcab_get_pubkey, 1, size=64) == report["keys"][1]
    assert flag(cal.atcab_verify_extern, DIGEST, chip.sign(DIGEST), report["keys"][0])
    assert chip.verify(report["keys"][0], DIGEST, fill(cal.atcab_sign, 0, DIGEST, size=64))
    assert chip.serial() == fill(cal.atcab_read_serial_number, size=9)

    value = cal.AtcaReference(0)
    assert chip.count_up() == 1
    assert cal.atcab_counter_increment(0, value) == SUCCESS and int(value) == 2
    assert chip.count() == 2
    assert cal.atcab_counter_read(1, value) == SUCCESS and int(value) == 0

    message = bytes(range(200))
    digest = bytearray(32)
    assert cal.atcab_sha(len(message), message, digest) == SUCCESS
    assert digest == hashlib.sha256(message).digest()

    # A public key in slot 9, as the library lays it out.
    assert cal.atcab_write_pubkey(9, report["keys"][1]) == SUCCESS
    assert fill(cal.atcab_read_pubkey, 9, size=64) == report["keys"][1]
    atecc608_setup.set_authority_key(chip, report["keys"][0])
    assert fill(cal.atcab_read_pubkey, 9, size=64) == report["keys"][0]
    assert flag(cal.atcab_is_slot_locked, 9)
    assert cal.atcab_write_pubkey(9, report["keys"][1]) == EXECUTION_ERROR


def test_a_counter_set_by_the_makers_library_reads_the_same(part, maker):
    values = {0: 1_000_003, 1: COUNTER_MAX - 1}
    for counter, value in values.items():
        assert cal.atcab_write_config_counter(counter, value) == SUCCESS
    assert cal.atcab_lock_config_zone() == SUCCESS
    for counter, value in values.items():
        chip = ATECC608(LocalI2C(maker.bus), counter=counter)
        assert chip.count() == value
        assert chip.count_up() == value + 1


def test_the_makers_library_sees_the_chips_self_test(part, maker):
    result = cal.AtcaReference(0)
    assert cal.atcab_selftest(0x23, 0, result) == SUCCESS and int(result) == 0
    part.stick_random()
    assert cal.atcab_selftest(0x23, 0, result) == SUCCESS and int(result) == 1
