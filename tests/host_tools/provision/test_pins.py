"""The host's PINs: random, never trivial, stretched as the kit stretches them, kept nowhere."""

import hashlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware import pins as firmware_pins
from firmware.enrol import pin_table as read_table
from host_tools.demo.stage import KETUA_PIN, SECOND_PIN
from host_tools.provision.pins import PinsError, is_trivial, make_pins, pin_table

digits = st.text("0123456789", min_size=6, max_size=6)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=80), st.binary(max_size=80), st.integers(1, 450))
@example("k" * 64, b"", 3)
@example("k" * 65, b"", 3)  # longer than a block: HMAC hashes the key first
def test_the_kits_derivation_is_pythons_own(password, salt, rounds):
    expected = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    assert firmware_pins.stretch(password, salt, rounds) == expected


def test_what_people_try_first_is_trivial_and_the_rest_is_not():
    for pin in ("000000", "123456", "987654", "890123", "121212", "123123", "024680"):
        assert is_trivial(pin), pin
    for pin in (KETUA_PIN, SECOND_PIN, "112233", "100000", "123457", "046801"):
        assert not is_trivial(pin), pin
    trivial = sum(is_trivial(f"{n:06d}") for n in range(10**6))
    assert trivial == 1170  # 100 with one step, 80 more pairs three times, 990 more threes twice


def test_made_pins_differ_and_keep_their_leading_zeros():
    made = [make_pins() for _ in range(300)]
    for pins in made:
        assert sorted(pins) == list(firmware_pins.ROLES)
        assert len(set(pins.values())) == 2
        assert all(len(pin) == 6 and pin.isdigit() for pin in pins.values())
        assert not any(is_trivial(pin) for pin in pins.values())
    all_pins = [pin for pins in made for pin in pins.values()]
    assert len(set(all_pins)) > 590
    assert any(pin[0] == "0" for pin in all_pins)


@settings(max_examples=20, deadline=None)
@given(digits, digits)
def test_the_kit_takes_every_table_that_the_host_makes(ketua, second):
    pins = {firmware_pins.KETUA: ketua, firmware_pins.SECOND: second}
    if is_trivial(ketua) or is_trivial(second) or ketua == second:
        with pytest.raises(PinsError):
            pin_table(pins)
        return
    rows = pin_table(pins, 1000)
    for role, (salt, rounds, digest) in read_table(rows).items():
        assert firmware_pins.stretch(pins[role], salt, rounds) == digest
    assert rows[0][1] != rows[1][1], "each has its own salt"
    assert pin_table(pins, 1000) != rows, "and a fresh one every time"


def test_unfit_pins_are_refused_without_being_told():
    good = {firmware_pins.KETUA: KETUA_PIN, firmware_pins.SECOND: SECOND_PIN}
    for change in ({1: "12345"}, {1: "1357901"}, {1: "13579x"}, {1: "１３５７９０"}, {1: "777777"}):
        with pytest.raises(PinsError, match="ketua") as caught:
            pin_table({**good, **change})
        assert change[1] not in str(caught.value)
    with pytest.raises(PinsError, match="different"):
        pin_table({**good, 2: KETUA_PIN})
    for wrong in ({1: KETUA_PIN}, {**good, 3: "135791"}, {}):
        with pytest.raises(PinsError, match="exactly two"):
            pin_table(wrong)
