"""Asking for a PIN: what is shown after a wrong one, and what the keys can and cannot do."""

from firmware import pins
from firmware.login import Login
from tests.firmware.test_pins import TABLE, Flash, Ticks
from tests.firmware.test_screens import Kit

RIGHT = "1 3 5 7 9 0 OK"
WRONG = "1 3 5 7 9 1 OK"


class Hurrying(Ticks):
    """Every look at the time finds the next four seconds gone."""

    def __call__(self):
        self.ms += 4000
        return self.ms


def ask(keys, role=Login.KETUA, flash=None, ticks=None, language="en"):
    """(answer, screens as shown) of the question with those keys pressed."""
    kit = Kit(keys, language)
    login = Login(kit, pins.Pins(TABLE, flash or Flash(), ticks or Ticks()))
    answer = kit.run(login.ask(role, "Close the station"))
    return answer, kit


def counts(kit):
    """The seconds left that the countdown showed, in order."""
    return [int(text.split(" / ")[0]) for text in kit.drawn if " / " in text]


def test_the_right_pin_lets_in():
    answer, kit = ask(RIGHT)
    assert answer is True
    assert kit.shown == [("Close the station", ["PIN of the KPPS chair"])]
    assert not [text for text in kit.drawn if text in tuple("13579")], "a digit was to be read"


def test_a_pin_with_leading_zeros_is_not_shortened():
    answer, kit = ask("0 4 6 8 0 1 OK", Login.SECOND)
    assert answer is True
    assert kit.shown == [("Close the station", ["PIN of the second officer"])]


def test_ok_before_the_last_digit_is_no_try():
    flash = Flash()
    assert ask("OK 1 3 5 OK 7 9 0 OK", flash=flash)[0] is True
    assert [value[pins.KETUA] for value in flash.stored] == [1, 0]


def test_hapus_on_empty_boxes_goes_back():
    flash = Flash()
    assert ask("HAPUS", flash=flash)[0] is False
    assert ask("1 2 HAPUS HAPUS HAPUS", flash=flash)[0] is False
    assert flash.stored == []


def test_a_wrong_pin_says_how_many_tries_are_left():
    answer, kit = ask(" ".join([WRONG, "OK", WRONG, "OK", RIGHT]))
    assert answer is True
    wrong = [" ".join(lines) for name, lines in kit.shown if name == "Wrong PIN"]
    assert wrong == ["Tries left before the kit waits: 2", "Tries left before the kit waits: 1"]


def test_after_three_wrong_ones_the_kit_counts_down_and_then_asks_again():
    answer, kit = ask(" ".join([WRONG, "OK", WRONG, "OK", WRONG, RIGHT]), ticks=Hurrying())
    assert answer is True
    names = [name for name, _ in kit.shown]
    assert names[-2:] == ["Too many wrong PINs", "Close the station"]
    assert names.count("Too many wrong PINs") == 1, "the countdown is one screen"
    left = counts(kit)
    assert len(left) > 1 and left == sorted(left, reverse=True) and 0 < left[0] <= 30


def test_a_wait_that_stands_from_before_a_restart_comes_before_the_question():
    flash = Flash({pins.KETUA: 4, pins.SECOND: 0})
    answer, kit = ask(RIGHT, flash=flash, ticks=Hurrying())
    assert answer is True
    assert [name for name, _ in kit.shown] == ["Too many wrong PINs", "Close the station"]
    assert 30 < counts(kit)[0] <= 60


def test_no_key_ends_the_wait():
    flash = Flash({pins.KETUA: 3})
    kit = Kit("HAPUS HAPUS", "en")
    ticks = Hurrying()
    login = Login(kit, pins.Pins(TABLE, flash, ticks))
    looks = []
    waiting = login.pins.wait

    def wait(role):
        left = waiting(role)
        looks.append((left, len(kit.keys.keys)))
        return left

    login.pins.wait = wait
    kit.keys.keys.pop()
    assert kit.run(login.ask(Login.KETUA, "Close the station")) is False
    assert len(looks) > 1 and looks[-1][0] == 0
    assert all(keys == 1 for _, keys in looks), "a key was taken during the wait"


def test_every_language_has_room_for_it():
    for language in ("id", "en"):
        keys = " ".join([WRONG, "OK", WRONG, "OK", WRONG, RIGHT])
        assert ask(keys, ticks=Hurrying(), language=language)[0] is True


def test_a_training_kit_without_pins_does_not_ask():
    kit = Kit("")
    assert kit.run(Login(kit, None).ask(Login.KETUA, "Close the station")) is True
    assert kit.shown == []
