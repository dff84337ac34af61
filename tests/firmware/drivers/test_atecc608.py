"""The ATECC608 driver against frames computed from the maker's manual, byte for byte."""

from firmware.drivers import PartError
from firmware.drivers.atecc608 import ATECC608, COUNTER_MAX, low_s
from firmware.drivers.atecc608_link import (
    ERRORS,
    OP_GENKEY,
    OP_LOCK,
    OP_NONCE,
    OP_READ,
    OP_SIGN,
    OP_WRITE,
    Link,
    crc16,
)
from firmware.drivers.atecc608_setup import wanted_config
from tests.firmware.support import raises

CHIP = 0x60
NACK = None


def h(text):
    """Bytes of a hex string with spaces."""
    return bytes(
        [
            int(text.replace(" ", "")[at : at + 2], 16)
            for at in range(0, len(text.replace(" ", "")), 2)
        ]
    )


def reply(data):
    """A reply packet, its CRC computed another way than in the driver (reflected)."""
    body = bytes([len(data) + 3]) + data
    crc = 0
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    low = high = 0
    for bit in range(8):
        high |= (crc >> bit & 1) << 7 - bit
        low |= (crc >> 8 + bit & 1) << 7 - bit
    return body + bytes([low, high])


class ScriptedBus:
    """An I2C bus that knows one conversation; whatever differs from it fails the test.

    A step is (address, bytes to be written) or (bytes or NACK to be read,).
    """

    def __init__(self, *steps):
        self.steps = list(steps)

    def next_step(self, kind):
        assert self.steps, "more traffic than expected"
        step = self.steps.pop(0)
        assert len(step) == kind, "read and write out of order"
        return step

    def writeto(self, addr, buf):
        address, expected = self.next_step(2)
        assert addr == address, addr
        assert bytes(buf) == expected, "%r is not %r" % (bytes(buf), expected)
        if addr == 0:
            raise OSError(19)

    def readfrom_into(self, addr, buf):
        (data,) = self.next_step(1)
        assert addr == CHIP
        if data is NACK:
            raise OSError(5)
        assert len(data) <= len(buf), "the reply is longer than what was asked for"
        buf[:] = data + b"\xff" * (len(buf) - len(data))


WAKE = [(0, b"\x00"), (h("04 11 33 43"),)]
SLEEP = [(CHIP, b"\x01")]
RANDOM = h("03 07 1b 00 00 00 24 cd")
UNLOCKED = h("23") + h("ff ff 00 00") * 8 + h("41 1a")


def chip_for(*steps):
    bus = ScriptedBus(*(WAKE + list(steps) + SLEEP))
    return ATECC608(bus), bus


def one(frame, *replies):
    return [(CHIP, h(frame))] + [(data,) for data in replies]


def test_the_crc_of_every_golden_frame_is_right():
    for frame in (
        "07 30 00 00 00 03 5d",
        "07 30 02 00 00 00 d8",
        "07 1b 00 00 00 24 cd",
        "07 1b 01 00 00 27 47",
        "07 02 80 00 00 09 ad",
        "07 02 80 18 00 09 fd",
        "07 02 00 15 00 17 5d",
        "0b 12 00 05 00 83 20 87 20 6b 9d",
        "07 17 80 00 00 39 8d",
        "07 47 00 00 00 2e 85",
        "04 11 33 43",
        "04 00 03 40",
        "04 01 00 c3",
        "04 ee 31 41",
        "07 01 00 00 00 3c 2d",
    ):
        crc = crc16(h(frame)[:-2])
        assert h(frame)[-2:] == bytes([crc & 0xFF, crc >> 8]), frame
    assert reply(b"\x11") == h("04 11 33 43")


def test_revision_is_read_and_another_chip_is_refused():
    chip, bus = chip_for(*one("03 07 30 00 00 00 03 5d", h("07 00 00 60 02 80 38")))
    assert chip.revision() == h("00 00 60 02")
    assert not bus.steps
    chip, _ = chip_for(*one("03 07 30 00 00 00 03 5d", reply(h("00 00 50 00"))))
    assert raises(PartError, chip.revision).code == 109


def test_serial_is_taken_from_both_its_places():
    block = h("01 23 a1 a2 00 00 60 02 a3 a4 a5 a6 ee 01 01 00") + bytes(16)
    chip, bus = chip_for(*one("03 07 02 80 00 00 09 ad", reply(block)))
    assert chip.serial() == h("01 23 a1 a2 a3 a4 a5 a6 ee")
    assert not bus.steps


def test_public_key_asks_the_slot_that_signs():
    key = bytes(range(64))
    chip, bus = chip_for(*one("03 07 40 00 00 00 00 05", NACK, NACK, reply(key)))
    assert chip.public_key() == key
    assert not bus.steps


def test_sign_draws_a_random_number_loads_the_digest_and_signs():
    signature = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
    chip, bus = chip_for(
        (CHIP, RANDOM),
        (reply(bytes(range(32))),),
        (CHIP, h("03 27 16 43 00 00") + bytes(32) + h("14 3a")),
        (NACK,),
        (h("04 00 03 40"),),
        (CHIP, h("03 07 41 a0 00 00 7b 85")),
        (NACK,),
        (reply(signature),),
    )
    assert chip.sign(bytes(32)) == signature
    assert not bus.steps


def test_sign_stops_before_the_digest_when_the_generator_is_dead():
    chip, bus = chip_for((CHIP, RANDOM), (UNLOCKED,))
    assert raises(PartError, chip.sign, bytes(32)).code == 107
    assert not bus.steps


def test_sign_refuses_a_signature_of_zeros():
    chip, _ = chip_for(
        (CHIP, RANDOM),
        (reply(bytes(range(32))),),
        (CHIP, h("03 27 16 43 00 00") + bytes(32) + h("14 3a")),
        (h("04 00 03 40"),),
        (CHIP, h("03 07 41 a0 00 00 7b 85")),
        (reply(bytes(64)),),
    )
    assert raises(PartError, chip.sign, bytes(32)).code == 110


def test_random_refuses_stuck_and_repeated_numbers():
    for bad in (h("ff ff 00 00") * 8, bytes(32), b"\xff" * 32):
        chip, _ = chip_for((CHIP, RANDOM), (reply(bad),))
        assert raises(PartError, chip.random, 4).code == 107
    good = reply(bytes(range(32)))
    chip, _ = chip_for((CHIP, RANDOM), (good,), (CHIP, RANDOM), (good,))
    assert raises(PartError, chip.random, 64).code == 107


def test_random_gives_as_many_bytes_as_asked_and_counts_its_draws():
    first, second = bytes(range(32)), bytes(range(32, 64))
    chip, bus = chip_for((CHIP, RANDOM), (reply(first),), (CHIP, RANDOM), (reply(second),))
    assert chip.random(40) == first + second[:8]
    assert chip.randoms == 2
    assert not bus.steps


def test_counter_is_read_and_counted_up():
    chip, _ = chip_for(*one("03 07 24 00 00 00 0c fd", h("07 01 00 00 00 3c 2d")))
    assert chip.count() == 1
    steps = WAKE + one("03 07 24 00 00 00 0c fd", reply(bytes(4))) + SLEEP
    steps += WAKE + one("03 07 24 01 00 00 0f 77", NACK, h("07 01 00 00 00 3c 2d")) + SLEEP
    bus = ScriptedBus(*steps)
    assert ATECC608(bus).count_up() == 1
    assert not bus.steps


def test_a_used_up_counter_is_not_asked_to_count():
    full = reply(COUNTER_MAX.to_bytes(4, "little"))
    chip, bus = chip_for(*one("03 07 24 00 00 00 0c fd", full))
    assert raises(PartError, chip.count_up).code == 108
    assert not bus.steps


def test_the_training_key_and_counter_are_the_second_ones():
    frame = h("07 24 00 01 00")
    crc = crc16(frame)
    steps = [(CHIP, b"\x03" + frame + bytes([crc & 0xFF, crc >> 8])), (reply(h("05 00 00 00")),)]
    chip = ATECC608(ScriptedBus(*(WAKE + steps + SLEEP)), slot=1, counter=1)
    assert chip.count() == 5


def test_verify_tells_a_match_from_a_mismatch():
    key, signature = bytes(range(64)), bytes(range(64, 128))
    frame = h("87 45 22 04 00") + signature + key
    crc = crc16(frame)
    verify = (CHIP, b"\x03" + frame + bytes([crc & 0xFF, crc >> 8]))
    nonce = (CHIP, h("03 27 16 43 00 00") + bytes(32) + h("14 3a"))
    for answer, expected in (("04 00 03 40", True), ("04 01 00 c3", False)):
        chip, _ = chip_for(nonce, (h("04 00 03 40"),), verify, (h(answer),))
        assert chip.verify(key, bytes(32), signature) is expected


def verify_frames(key, signature):
    """The steps on the bus that load a digest of zeros and verify."""
    frame = h("87 45 22 04 00") + signature + key
    crc = crc16(frame)
    verify = (CHIP, b"\x03" + frame + bytes([crc & 0xFF, crc >> 8]))
    return (CHIP, h("03 27 16 43 00 00") + bytes(32) + h("14 3a")), verify


def test_a_verification_goes_step_by_step_and_every_look_is_one_read():
    key, signature = bytes(range(64)), bytes(range(64, 128))
    nonce, verify = verify_frames(key, signature)
    for answer, expected in (("04 00 03 40", True), ("04 01 00 c3", False)):
        bus = ScriptedBus(*(WAKE + [nonce]))
        check = ATECC608(bus).verify_begin(key, bytes(32), signature)
        for steps in ([(NACK,)], [(NACK,)], [(h("04 00 03 40"),), verify], [(NACK,)], [(NACK,)]):
            assert not bus.steps
            bus.steps = list(steps)
            assert check.poll() is None
        assert not bus.steps
        bus.steps = [(h(answer),)] + SLEEP
        assert check.poll() is expected and not bus.steps
        assert check.poll() is expected, "it stays known"


def test_another_command_waits_for_the_verification_under_way_and_its_result_is_kept():
    key, signature = bytes(range(64)), bytes(range(64, 128))
    nonce, verify = verify_frames(key, signature)
    bus = ScriptedBus(*(WAKE + [nonce]))
    chip = ATECC608(bus)
    other = chip.with_key(1, 1)
    check = chip.verify_begin(key, bytes(32), signature)
    frame = h("07 24 00 01 00")
    crc = crc16(frame)
    bus.steps = [(NACK,), (h("04 00 03 40"),), verify, (NACK,), (h("04 01 00 c3"),)] + SLEEP + WAKE
    bus.steps += [
        (CHIP, b"\x03" + frame + bytes([crc & 0xFF, crc >> 8])),
        (reply(h("05 00 00 00")),),
    ]
    bus.steps += SLEEP
    assert other.count() == 5 and not bus.steps
    assert check.poll() is False


def test_a_damaged_reply_is_read_again_without_running_the_command_again():
    good = reply(bytes(range(64)))
    damaged = good[:20] + b"\x00" + good[21:]
    chip, bus = chip_for((CHIP, h("03 07 40 00 00 00 00 05")), (damaged,), (CHIP, b"\x00"), (good,))
    assert chip.public_key() == bytes(range(64))
    assert not bus.steps


def test_every_status_becomes_its_error():
    for status, code in (
        ("04 03 83 42", 104),
        ("04 0f 23 42", 104),
        ("04 05 c3 43", 105),
        ("04 ee 31 41", 102),
        ("04 ff 01 42", 103),
        ("04 01 00 c3", 104),
    ):
        bus = ScriptedBus(*(WAKE + one("03 07 40 00 00 00 00 05", h(status)) + SLEEP))
        chip = ATECC608(bus)
        error = raises(PartError, lambda one: one.session(one._public_key, tries=1), chip)
        assert error.code == code and error.text == ERRORS[code]
        assert not bus.steps


def test_an_ecc_fault_is_tried_again_from_the_wake_on():
    frame = "03 07 40 00 00 00 00 05"
    key = bytes(range(64))
    steps = WAKE + one(frame, h("04 05 c3 43")) + SLEEP + WAKE + one(frame, reply(key)) + SLEEP
    bus = ScriptedBus(*steps)
    assert ATECC608(bus).public_key() == key
    assert not bus.steps


def test_a_chip_that_was_left_awake_is_put_to_sleep_and_woken_again():
    ignored = [(0, b"\x00"), (b"",)]
    bus = ScriptedBus(*(ignored + SLEEP + WAKE))
    Link(bus).wake()
    assert not bus.steps


def test_a_chip_that_never_wakes_or_fails_its_own_test_is_reported():
    steps = []
    for _ in range(6):
        steps += SLEEP + [(0, b"\x00"), (NACK,)]
    assert raises(PartError, Link(ScriptedBus(*steps[1:])).wake).code == 101
    for failed in ("04 07 c4 40", "04 07 40 c2"):
        steps = []
        for _ in range(6):
            steps += SLEEP + [(0, b"\x00"), (h(failed),)]
        assert raises(PartError, Link(ScriptedBus(*steps[1:])).wake).code == 106


def test_setup_commands_have_the_manuals_frames():
    ok = "04 00 03 40"
    for frame, arguments in (
        ("03 0b 12 00 05 00 83 20 87 20 6b 9d", (OP_WRITE, 0x00, 5, h("83 20 87 20"))),
        ("03 07 17 81 00 00 3a 07", (OP_LOCK, 0x81, 0)),
        ("03 07 17 02 00 00 2d 88", (OP_LOCK, 0x02, 0)),
        ("03 07 17 22 00 00 7e 08", (OP_LOCK, 0x22, 0)),
    ):
        bus = ScriptedBus(*(WAKE + one(frame, h(ok))))
        link = Link(bus)
        link.wake()
        link.do(*arguments)
        assert not bus.steps
    for frame, arguments in (
        ("03 07 02 80 08 00 0a 4d", (OP_READ, 0x80, 8, 32)),
        ("03 07 02 80 10 00 0a 1d", (OP_READ, 0x80, 16, 32)),
        ("03 07 02 80 18 00 09 fd", (OP_READ, 0x80, 24, 32)),
        ("03 07 02 00 15 00 17 5d", (OP_READ, 0x00, 21, 4)),
        ("03 07 40 04 00 00 83 87", (OP_GENKEY, 0x04, 0, 64)),
        ("03 07 41 80 00 00 28 05", (OP_SIGN, 0x80, 0, 64)),
    ):
        bus = ScriptedBus(*(WAKE + one(frame, reply(bytes(arguments[3])))))
        link = Link(bus)
        link.wake()
        assert bytes(link.command(*arguments)) == bytes(arguments[3])
        assert not bus.steps
    bus = ScriptedBus(*(WAKE + [(CHIP, h("03 27 16 43 00 00") + bytes(32) + h("14 3a"))]))
    bus.steps.append((h("04 01 00 c3"),))
    link = Link(bus)
    link.wake()
    assert raises(PartError, link.do, OP_NONCE, 0x43, 0, bytes(32)).code == 104


def test_wanted_configuration_puts_the_policies_in_their_places():
    wanted = bytes(16) + wanted_config()
    assert len(wanted) == 128
    assert wanted[16] == 0xC0
    assert wanted[20:24] == h("83 20 83 20")
    assert wanted[52:68] == h("ff ff ff ff 00 00 00 00") * 2
    assert wanted[86:90] == h("55 55 ff ff")
    assert wanted[96:100] == h("33 00 33 00")
    assert wanted[38:40] == h("0f 0f") and wanted[114:116] == h("30 00")


def test_low_s_of_the_rfc_6979_vectors():
    # RFC 6979 A.2.5, P-256 with SHA-256: "sample" has a high s, "test" a low one.
    r = h("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716")
    s = h("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8")
    low = h("0834E36AD29A83BF2BC9385E491D6099C8FDF9D1ED67AA7EA5F51F93782857A9")
    assert low_s(r + s) == r + low
    assert low_s(r + low) == r + low
    r = h("F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367")
    s = h("019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083")
    assert low_s(memoryview(r + s)) == r + s


def test_low_s_at_its_edges():
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    one = (1).to_bytes(32, "big")
    half = order // 2
    assert low_s(one + half.to_bytes(32, "big")) == one + half.to_bytes(32, "big")
    assert low_s(one + (half + 1).to_bytes(32, "big")) == one + half.to_bytes(32, "big")
    assert low_s(one + (order - 1).to_bytes(32, "big")) == one + one
    for r, s in ((0, 1), (1, 0), (order, 1), (1, order)):
        assert raises(PartError, low_s, r.to_bytes(32, "big") + s.to_bytes(32, "big")).code == 110


def test_a_digest_or_key_of_the_wrong_length_never_reaches_the_bus():
    chip = ATECC608(ScriptedBus())
    raises(ValueError, chip.sign, bytes(31))
    raises(ValueError, chip.verify, bytes(65), bytes(32), bytes(64))
    raises(ValueError, chip.verify, bytes(64), bytes(32), bytes(63))
