"""PINs: the derivation against published values, the count of tries against power cuts."""

import asyncio
from binascii import unhexlify

from firmware import pins
from firmware.saved import Saved, SavedError
from tests.firmware.support import raises, temp_dir

SALT = b"0123456789abcdef"
OTHER_SALT = b"fedcba9876543210"
ROUNDS = 250  # three slices of work, each with a look at the other tasks between


class Ticks:
    """Milliseconds since the start."""

    def __init__(self):
        self.ms = 5000

    def __call__(self):
        return self.ms


class Flash:
    """The Saved role in memory, which notes what was stored and may be full."""

    def __init__(self, value=None):
        self.value = value
        self.stored = []
        self.full = False

    def load(self, default=None):
        return default if self.value is None else self.value

    def store(self, value):
        if self.full:
            raise SavedError(722, "full")
        self.value = value
        self.stored.append(value)


def table():
    return {
        pins.KETUA: [SALT, ROUNDS, pins.stretch("135790", SALT, ROUNDS)],
        pins.SECOND: [OTHER_SALT, ROUNDS, pins.stretch("046801", OTHER_SALT, ROUNDS)],
    }


TABLE = table()


def made(flash=None):
    """(Pins, ticks, flash)."""
    ticks = Ticks()
    flash = Flash() if flash is None else flash
    return pins.Pins(TABLE, flash, ticks), ticks, flash


def check(kit, pin, role=pins.KETUA):
    return asyncio.run(kit.check(role, pin))


def cut_short(kit, pin):
    """Begin a check and never let it come to its answer, as a power cut does."""

    async def begin():
        before = kit.tries[pins.KETUA]
        task = asyncio.create_task(kit.check(pins.KETUA, pin))
        while kit.tries[pins.KETUA] == before:
            await asyncio.sleep(0)
            assert not task.done(), "the answer came before the count"
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass

    asyncio.run(begin())


def test_the_derivation_gives_the_values_of_rfc_7914_section_11():
    one = "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
    many = "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
    assert pins.stretch("passwd", b"salt", 1) == unhexlify(one)
    assert pins.stretch("Password", b"NaCl", 80000) == unhexlify(many)


def test_the_derivation_gives_the_sha256_values_of_rfc_6070s_inputs():
    for rounds, expected in (
        (1, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b"),
        (2, "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"),
        (4096, "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a"),
    ):
        assert pins.stretch("password", b"salt", rounds) == unhexlify(expected), rounds
    long = "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1"
    salt = b"saltSALTsaltSALTsaltSALTsaltSALTsalt"
    assert pins.stretch("passwordPASSWORDpassword", salt, 4096) == unhexlify(long)


def test_a_right_pin_is_let_in_and_a_wrong_one_is_not():
    kit, _, _ = made()
    assert check(kit, "135790") is True
    assert check(kit, "135791") is False
    assert check(kit, "046801", pins.SECOND) is True


def test_a_pin_opens_its_own_role_only_and_its_leading_zero_counts():
    kit, _, _ = made()
    assert check(kit, "135790", pins.SECOND) is False
    assert check(kit, "46801", pins.SECOND) is False
    assert check(kit, "135790", 3) is False
    assert kit.tries == {pins.KETUA: 0, pins.SECOND: 2}


def test_the_wait_begins_after_three_wrong_tries_and_doubles_to_a_quarter_of_an_hour():
    waits = [pins.back_off(n) for n in range(11)]
    assert waits == [0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]
    assert pins.back_off(1000000) == 900
    kit, ticks, _ = made()
    for n in range(1, 11):
        assert kit.wait(pins.KETUA) == 0
        assert check(kit, "000000") is False
        assert kit.wait(pins.KETUA) == waits[n]
        ticks.ms += 1000 * waits[n]
    assert kit.wait(pins.SECOND) == 0, "the other officer's count is his own"


def test_during_a_wait_not_even_the_right_pin_is_looked_at():
    kit, ticks, flash = made()
    for _ in range(3):
        check(kit, "000000")
    ticks.ms += 29001
    assert kit.wait(pins.KETUA) == 1
    stored = len(flash.stored)
    assert check(kit, "135790") is False
    assert len(flash.stored) == stored, "and it is no try"
    ticks.ms += 999
    assert kit.wait(pins.KETUA) == 0
    assert check(kit, "135790") is True


def test_a_right_pin_begins_the_count_anew():
    kit, ticks, flash = made()
    for _ in range(5):
        check(kit, "000000")
        ticks.ms += 1000 * 900
    assert kit.tries[pins.KETUA] == 5 and kit.left(pins.KETUA) == 1
    assert check(kit, "135790")
    assert flash.value[pins.KETUA] == 0 and kit.left(pins.KETUA) == 3
    check(kit, "000000")
    assert kit.wait(pins.KETUA) == 0 and kit.left(pins.KETUA) == 2


def test_a_try_is_on_the_flash_before_its_answer_is_known():
    for pin in ("135790", "000000"):
        kit, _, flash = made()
        cut_short(kit, pin)
        assert flash.stored == [{pins.KETUA: 1, pins.SECOND: 0}], pin


def test_a_power_cut_gives_no_free_try_and_begins_the_whole_wait_again():
    path = temp_dir() + "/pin-tries"
    for cut in range(1, 6):
        kit, ticks, _ = made(Saved(path))
        ticks.ms += 1000 * kit.wait(pins.KETUA)
        cut_short(kit, "135790")
        after, ticks, _ = made(Saved(path))
        assert after.tries[pins.KETUA] == cut
        assert after.wait(pins.KETUA) == pins.back_off(cut)
    ticks.ms += 60000
    assert after.wait(pins.KETUA) == 60
    again, _, _ = made(Saved(path))
    assert again.wait(pins.KETUA) == 120


def test_ticks_that_go_round_make_no_wait_longer_than_its_rule():
    kit, ticks, _ = made()
    for _ in range(3):
        check(kit, "000000")
    ticks.ms -= 4000
    assert kit.wait(pins.KETUA) == 30
    ticks.ms += 30000
    assert kit.wait(pins.KETUA) == 0


def test_a_full_flash_tells_nobody_whether_the_pin_was_right():
    kit, _, flash = made()
    flash.full = True
    for pin in ("135790", "000000"):
        raises(SavedError, check, kit, pin)
    flash.full = False
    assert check(kit, "135790")


def test_a_count_that_cannot_be_read_waits_longest_but_locks_nobody_out():
    path = temp_dir() + "/pin-tries"
    with open(path, "wb") as file:
        file.write(b"rubbish")
    saved = [Saved(path), Flash([1]), Flash({pins.KETUA: "3"}), Flash({pins.KETUA: -1})]
    for flash in saved + [Flash({pins.KETUA: True})]:
        kit, ticks, _ = made(flash)
        assert kit.wait(pins.KETUA) == 900
        ticks.ms += 900000
        assert check(kit, "135790") is True
    assert made(Saved(path))[0].wait(pins.KETUA) == 0
    assert made(Flash({pins.SECOND: 4}))[0].tries == {pins.KETUA: 0, pins.SECOND: 4}
