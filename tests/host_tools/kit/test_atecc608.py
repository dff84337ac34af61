"""The emulated ATECC608 by itself: packets, watchdog, golden frames and what the locks allow."""

import hashlib

import pytest

from firmware.drivers import atecc608_setup
from host_tools.kit.atecc608 import ATECC608Emulator, packet
from host_tools.kit.atecc608_zones import COUNTER_MAX, counter_bytes, counter_value, crc16
from tests.host_tools.kit.atecc608_bench import (
    DIGEST,
    EXECUTION,
    OK,
    PARSE,
    Time,
    ask,
    awake,
    command,
    driver,
)


@pytest.fixture
def time(monkeypatch) -> Time:
    return Time(monkeypatch)


@pytest.fixture
def part(tmp_path, time) -> ATECC608Emulator:
    return ATECC608Emulator(tmp_path / "chip.json", clock=time.clock)


@pytest.fixture
def ready(part) -> ATECC608Emulator:
    """A chip that went through the factory setup."""
    atecc608_setup.configure(driver(part))
    return part


# The chip by itself: bus and packets.


def test_a_sleeping_chip_acknowledges_nothing_until_it_had_time_to_wake(part, time):
    assert not part.write(b"\x03") and part.read(4) is None
    part.wake()
    time.now += 0.001
    assert part.read(4) is None
    time.now += 0.001
    assert part.read(6) == bytes.fromhex("04113343ffff")


def test_a_busy_chip_acknowledges_nothing_for_the_commands_time(part, time):
    awake(part, time).write(bytes.fromhex("03071b00000024cd"))
    time.now += 0.022
    assert part.read(4) is None and not part.write(b"\x00")
    time.now += 0.002
    assert part.read(2) == bytes.fromhex("23ff")


def test_a_reply_is_read_in_pieces_and_again_after_a_rewind(part, time):
    awake(part, time).write(bytes.fromhex("030730000000035d"))
    time.sleep_ms(6)
    assert part.read(1) == b"\x07"
    assert part.read(3) == bytes.fromhex("000060")
    assert part.write(b"\x00")
    assert part.read(8) == bytes.fromhex("07000060028038ff")


def test_reading_before_a_command_gives_ff(part, time):
    awake(part, time)
    assert part.read(4) == b"\xff" * 4


def test_a_byte_beyond_the_count_is_not_acknowledged_and_nothing_is_run(part, time):
    assert not awake(part, time).write(bytes.fromhex("030730000000035d00"))
    assert part.read(1) == b"\xff"


@pytest.mark.parametrize(
    "frame", ["030730000000035e", "0307300000", "0308300000000365", "0306300000"]
)
def test_a_damaged_or_cut_frame_is_answered_with_the_bad_frame_status(part, time, frame):
    assert ask(part, time, frame) == "04ff0142"


@pytest.mark.parametrize("word", ["04", "0200", "0307"])
def test_odd_word_addresses_run_nothing(part, time, word):
    before = part.core.zones.path.read_bytes()
    awake(part, time).write(bytes.fromhex(word))
    assert part.core.zones.path.read_bytes() == before


def test_an_unknown_opcode_is_a_parse_error(part, time):
    assert ask(part, time, command(0x08, 0, 0)) == PARSE


def test_the_watchdog_puts_the_chip_to_sleep_and_loses_the_digest(ready, time):
    awake(ready, time).write(bytes.fromhex(command(0x16, 0x43, 0, DIGEST)))
    time.now += 1.31
    assert ready.read(4) is None
    assert ask(ready, time, command(0x41, 0xA0, 0)) == EXECUTION


def test_a_command_that_the_watchdog_would_cut_is_refused(ready, time):
    awake(ready, time)
    time.now += 1.25
    ready.write(bytes.fromhex(command(0x40, 0, 0)))
    assert ready.read(4) == bytes.fromhex("04ee3141")


def test_idle_keeps_the_digest_and_stops_the_watchdog(ready, time):
    awake(ready, time).write(bytes.fromhex(command(0x16, 0x43, 0, DIGEST)))
    time.sleep_ms(25)
    assert ready.write(b"\x02")
    time.now += 60
    ready.wake()
    time.sleep_ms(2)
    assert ready.write(bytes.fromhex("030741a000007b85"))
    time.sleep_ms(120)
    assert ready.read(1) == b"\x43"


# The chip by itself: golden frames and what the locks allow.


def test_a_blank_chip_answers_the_golden_frames(part, time):
    assert ask(part, time, "030730000000035d") == "07000060028038"
    assert ask(part, time, "03073002000000d8")[:2] == "07"
    assert ask(part, time, "03071b00000024cd") == "23" + "ffff0000" * 8 + "411a"
    assert ask(part, time, "03071b0100002747") == "23" + "ffff0000" * 8 + "411a"
    assert ask(part, time, "03070280000009ad")[:10] == "230123a1b2"
    for frame in ("0307028008000a4d", "0307028010000a1d", "03070280180009fd"):
        assert ask(part, time, frame)[:2] == "23"
    assert ask(part, time, "030702001500175d") == packet(bytes.fromhex("00005555")).hex()
    assert ask(part, time, "030b12000500832087206b9d") == OK
    assert ask(part, time, "0307470000002e85") == OK
    assert ask(part, time, "032716430000" + "00" * 32 + "143a") == OK


def test_before_the_configuration_is_locked_no_key_is_made_and_nothing_counted(part, time):
    assert ask(part, time, "0307400400008387") == EXECUTION
    assert ask(part, time, "0307400000000005") == EXECUTION
    assert ask(part, time, "0307240000000cfd") == EXECUTION
    assert ask(part, time, "0307178100003a07") == EXECUTION
    assert ask(part, time, "0307170200002d88") == EXECUTION
    assert ask(part, time, command(0x12, 0x82, 9 << 3, bytes(32))) == EXECUTION


def test_a_configured_chip_answers_the_golden_frames(ready, time):
    key = ask(ready, time, "0307400000000005")
    assert len(key) == 134
    assert ask(ready, time, "0307240000000cfd") == packet(bytes(4)).hex()
    assert ask(ready, time, "0307240100000f77") == "07010000003c2d"
    assert ask(ready, time, "0307240000000cfd") == "07010000003c2d"
    assert ask(ready, time, "03071b00000024cd")[2:10] != "ffff0000"
    # Slots 0 and 1 were locked by the setup: no new key, no second lock.
    assert ask(ready, time, "0307400400008387") == EXECUTION
    assert ask(ready, time, "0307170200002d88") == EXECUTION
    # Slot 8 is sealed and not lockable; both zones are locked for good.
    assert ask(ready, time, "0307172200007e08") == EXECUTION
    assert ask(ready, time, "030717800000398d") == EXECUTION
    assert ask(ready, time, "0307178100003a07") == EXECUTION
    assert ask(ready, time, "030b12000500832087206b9d") == EXECUTION


def test_a_signature_needs_a_freshly_loaded_digest(ready, time):
    assert ask(ready, time, "030741a000007b85") == EXECUTION
    assert ask(ready, time, "0307418000002805") == EXECUTION
    for load, sign in (("43", "030741a000007b85"), ("03", "0307418000002805")):
        awake(ready, time).write(bytes.fromhex(command(0x16, int(load, 16), 0, DIGEST)))
        time.sleep_ms(25)
        ready.write(bytes.fromhex(sign))
        time.sleep_ms(120)
        assert ready.read(1) == b"\x43"
        assert ready.write(bytes.fromhex(sign))
        time.sleep_ms(120)
        assert ready.read(4).hex() == EXECUTION


def test_private_and_sealed_slots_are_never_read_nor_written(ready, time):
    for slot in (0, 1, 2, 8, 15):
        assert ask(ready, time, command(0x02, 0x82, slot << 3)) == EXECUTION
        assert ask(ready, time, command(0x12, 0x82, slot << 3, bytes(32))) == EXECUTION
    assert ask(ready, time, command(0x41, 0x80, 2)) == EXECUTION
    assert ask(ready, time, command(0x02, 0x82, 16 << 3)) == PARSE


def test_the_configuration_zone_guards_its_fixed_bytes(part, time):
    for word in (0, 3, 21):
        assert ask(part, time, command(0x12, 0x00, word, bytes(4))) == EXECUTION
    for block in (0, 2):
        assert ask(part, time, command(0x12, 0x80, block << 3, bytes(32))) == EXECUTION
    assert ask(part, time, command(0x12, 0x00, 32, bytes(4))) == PARSE


def test_a_lock_with_the_wrong_summary_leaves_the_zone_open(part, time):
    right = crc16(bytes(part.core.zones.config))
    assert ask(part, time, command(0x17, 0x00, right ^ 1)) == EXECUTION
    assert not part.core.zones.config_locked
    assert ask(part, time, command(0x17, 0x00, right)) == OK
    assert part.core.zones.config_locked


def test_the_unlocked_data_zone_is_not_read_and_takes_whole_blocks_only(part, time):
    place = atecc608_setup.AUTHORITY_SLOT << 3
    zone = bytearray(part.core.zones.config)
    zone[16:] = atecc608_setup.wanted_config()
    part.core.zones.config[:] = zone
    assert ask(part, time, "030717800000398d") == OK
    assert ask(part, time, command(0x02, 0x82, place)) == EXECUTION
    assert ask(part, time, command(0x12, 0x02, place, bytes(4))) == EXECUTION
    assert ask(part, time, command(0x12, 0x82, place, bytes(32))) == OK


def test_sha_hashes_whole_blocks_and_a_rest(ready, time):
    message = bytes(range(100))
    awake(ready, time)
    for frame, reply in (
        (command(0x47, 0, 0), OK),
        (command(0x47, 1, 64, message[:64]), OK),
        (command(0x47, 2, 36, message[64:]), packet(hashlib.sha256(message).digest()).hex()),
        (command(0x47, 2, 0), EXECUTION),
    ):
        assert ready.write(bytes.fromhex(frame))
        time.sleep_ms(40)
        assert ready.read(len(reply) // 2).hex() == reply


def test_a_random_nonce_is_hashed_from_both_sides(ready, time):
    reply = bytes.fromhex(ask(ready, time, command(0x16, 0, 0, bytes(20))))[1:-2]
    expected = hashlib.sha256(reply + bytes(20) + bytes([0x16, 0, 0])).digest()
    assert ready.core.temp_key == expected


@pytest.mark.parametrize("value", [0, 1, 15, 16, 17, 31, 32, 48, 1_000_000, COUNTER_MAX])
def test_counters_are_stored_as_the_maker_does(value):
    assert counter_value(counter_bytes(value)) == value
    assert counter_bytes(0).hex() == "ffffffff00000000"
