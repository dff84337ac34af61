"""Wrong PINs at the table: a power cut neither gives tries back nor shortens the wait."""

from tests.flows.conftest import LOGIN

WRONG = """
expect screen "Kit is locked"
key 000000
press OK
"""
TOLD = 'expect screen "Wrong PIN"\npress OK\n'
WAITS = 'expect screen "Too many wrong PINs"\n'
CUT_POWER = "cut power\npower on\n"


def test_a_power_cut_gives_no_try_back_and_begins_the_wait_anew(day):
    day.play(WRONG + TOLD + CUT_POWER + WRONG + TOLD + CUT_POWER + WRONG + WAITS)
    day.play(CUT_POWER + WAITS)
    assert "screen Too many wrong PINs | 30 / 30" in day.log
    assert not any("Open the station" in line for line in day.log)


def test_two_wrong_pins_and_the_right_one_open_the_day(day):
    day.play(WRONG + TOLD + WRONG + TOLD + LOGIN + 'expect screen "Open the station"\n')
    day.play(CUT_POWER + WRONG + TOLD + LOGIN + 'expect screen "Open the station"\n')
    left = [line for line in day.log if line.startswith("screen Wrong PIN")]
    assert left[-1].endswith(": 2"), "the right one began the count anew"
