"""The key matrix: presses, bounces, ghosts, stuck and long-held keys."""

from firmware.drivers.keypad import DEBOUNCE_MS, LAYOUT, LONG_MS, Keypad


class Matrix:
    """Four rows and columns joined by the keys that are down, as copper would join them."""

    def __init__(self):
        self.down = set()
        self.low = set()
        self.now = 5

    def row(self, r):
        def pin(value):
            if value:
                self.low.discard(r)
            else:
                self.low.add(r)

        return pin

    def col(self, c):
        def pin():
            rows = set(self.low)
            cols = set()
            grown = True
            while grown:
                size = len(rows) + len(cols)
                for name in self.down:
                    r, k = PLACE[name]
                    if r in rows or k in cols:
                        rows.add(r)
                        cols.add(k)
                grown = len(rows) + len(cols) > size
            return 0 if c in cols else 1

        return pin

    def clock(self):
        return self.now

    def keypad(self):
        return Keypad(
            [self.row(i) for i in range(4)], [self.col(i) for i in range(4)], LAYOUT, self.clock
        )

    def events(self, keypad, duration):
        """What the keypad reports when polled every 10 ms for `duration` ms."""
        heard = []
        for _ in range(duration // 10):
            self.now += 10
            key = keypad.read()
            if key is not None:
                heard.append(key)
        return heard


PLACE = {name: (r, c) for r, names in enumerate(LAYOUT) for c, name in enumerate(names)}


def test_every_key_of_the_layout_is_reported_once_a_press():
    matrix = Matrix()
    keypad = matrix.keypad()
    for name in PLACE:
        matrix.down = {name}
        heard = matrix.events(keypad, 300)
        matrix.down = set()
        heard += matrix.events(keypad, 60)
        assert heard == [name]


def test_a_key_that_bounces_is_one_press():
    matrix = Matrix()
    keypad = matrix.keypad()
    heard = []
    for down in ({"5"}, set(), {"5"}, set(), {"5"}):
        matrix.down = down
        heard += matrix.events(keypad, 10)
    heard += matrix.events(keypad, 100)
    for down in (set(), {"5"}, set()):
        matrix.down = down
        heard += matrix.events(keypad, 10)
    heard += matrix.events(keypad, 100)
    assert heard == ["5"]


def test_a_touch_shorter_than_the_debounce_time_is_nothing():
    matrix = Matrix()
    keypad = matrix.keypad()
    matrix.down = {"5"}
    heard = []
    for _ in range(DEBOUNCE_MS // 5):
        heard.append(keypad.read())
        matrix.now += 5
    matrix.down = set()
    assert [key for key in heard if key] + matrix.events(keypad, 100) == []


def test_keys_that_overlap_come_in_their_order():
    matrix = Matrix()
    keypad = matrix.keypad()
    heard = []
    for down in ({"1"}, {"1", "5"}, {"5"}, {"5", "9"}, set()):
        matrix.down = down
        heard += matrix.events(keypad, 50)
    assert heard == ["1", "5", "9"]


def test_two_keys_at_the_same_moment_are_neither():
    matrix = Matrix()
    keypad = matrix.keypad()
    matrix.down = {"1", "2"}
    heard = matrix.events(keypad, 60)
    matrix.down = set()
    heard += matrix.events(keypad, 60)
    matrix.down = {"2"}
    assert heard + matrix.events(keypad, 60) == ["2"]


def test_three_corners_of_a_rectangle_make_no_fourth_key():
    matrix = Matrix()
    keypad = matrix.keypad()
    heard = []
    for down in ({"1"}, {"1", "2"}, {"1", "2", "4"}, {"1", "2"}, set()):
        matrix.down = down
        heard += matrix.events(keypad, 60)
    assert heard == ["1", "2"]


def test_the_third_corner_is_heard_once_it_is_no_longer_in_doubt():
    matrix = Matrix()
    keypad = matrix.keypad()
    heard = []
    for down in ({"1"}, {"1", "2"}, {"1", "2", "4"}, {"1", "4"}, set()):
        matrix.down = down
        heard += matrix.events(keypad, 60)
    assert heard == ["1", "2", "4"]


def test_a_key_found_down_at_boot_is_named_and_dead_until_the_next_boot():
    matrix = Matrix()
    matrix.down = {"OK"}
    keypad = matrix.keypad()
    assert keypad.stuck() == ["OK"]
    heard = matrix.events(keypad, 60)
    matrix.down = {"OK", "7"}
    heard += matrix.events(keypad, 60)
    matrix.down = set()
    heard += matrix.events(keypad, 60)
    matrix.down = {"OK"}
    heard += matrix.events(keypad, 60)
    assert heard == ["7"]
    assert keypad.stuck() == ["OK"]


def test_no_key_is_stuck_when_none_is_down_at_boot():
    matrix = Matrix()
    keypad = matrix.keypad()
    assert keypad.stuck() == []
    matrix.down = {"OK"}
    assert matrix.events(keypad, 60) == ["OK"]
    assert keypad.stuck() == []


def test_a_short_press_of_hapus_is_known_when_it_is_let_go():
    matrix = Matrix()
    keypad = matrix.keypad()
    matrix.down = {"HAPUS"}
    assert matrix.events(keypad, LONG_MS - 100) == []
    matrix.down = set()
    assert matrix.events(keypad, 60) == ["HAPUS"]


def test_a_long_press_of_hapus_is_another_key_and_comes_once():
    matrix = Matrix()
    keypad = matrix.keypad()
    matrix.down = {"HAPUS"}
    heard = matrix.events(keypad, 3 * LONG_MS)
    matrix.down = set()
    assert heard + matrix.events(keypad, 100) == ["HAPUS_LAMA"]


def test_between_scans_every_row_is_low_so_any_key_shows_in_the_columns():
    matrix = Matrix()
    keypad = matrix.keypad()
    assert matrix.low == {0, 1, 2, 3}
    matrix.down = {"6"}
    matrix.events(keypad, 30)
    assert matrix.low == {0, 1, 2, 3}
