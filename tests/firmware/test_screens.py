"""What the officers see and press: every screen, with a keypad and a display by their roles."""

import asyncio

from firmware.canvas import HEIGHT, WIDTH
from firmware.frame import Frame, boxed, wrap
from firmware.language import Words, english
from firmware.screens import Screens
from tests.firmware.support import raises


class Display:
    """The display's role: takes whole rows of a whole canvas and keeps what it showed."""

    size = (WIDTH, HEIGHT)

    def __init__(self):
        self.shown = bytearray(9600)
        self.blits = []

    def blit(self, canvas, y0, y1):
        assert len(canvas) == 9600
        assert 0 <= y0 < y1 <= HEIGHT
        self.shown[y0 * 30 : y1 * 30] = canvas[y0 * 30 : y1 * 30]
        self.blits.append((y0, y1))


class NoMoreKeys(Exception):
    """The screen waits for a key after the last one was pressed."""


class Keys:
    """The keypad's role: the given keys one by one, each after a look without a key."""

    def __init__(self, keys):
        self.keys = keys.split()
        self.looks = 0

    def read(self):
        self.looks += 1
        if self.looks % 2:
            return None
        if not self.keys:
            raise NoMoreKeys
        return self.keys.pop(0)


class Kit(Screens):
    """Screens that note what appeared and every text drawn, and refuse text that does not fit."""

    def __init__(self, keys="", language="id", training=False):
        super().__init__(Display(), Keys(keys), Words(language), self.note)
        self.status.training = training
        self.status.clock = "13.05"
        self.status.tps = "TPS 004"
        self.shown = []
        self.drawn = []
        self.draw = self.canvas.text
        self.canvas.text = self.check

    def note(self, name, lines):
        self.shown.append((name, lines))

    def check(self, x, y, text, font, inverse=False, *, scale=1):
        assert x >= 0 and x + len(text) * font.width * scale <= WIDTH, text
        assert y >= 0 and y + font.height * scale <= HEIGHT, text
        self.drawn.append(text)
        self.draw(x, y, text, font, inverse, scale=scale)

    def run(self, coroutine):
        answer = asyncio.run(coroutine)
        assert self.keys.keys == [], "keys were left over"
        return answer


def test_a_message_returns_the_key_that_it_offers_and_no_other():
    kit = Kit("5 CETAK HAPUS_LAMA NAIK OK")
    assert kit.run(kit.message("Self-test", ["Printer is ready"])) == "OK"
    kit = Kit("OK FOTO HAPUS_LAMA")
    keys = (("HAPUS", "back"), "CETAK")
    assert kit.run(kit.message("Self-test", ["Printer is ready"], keys)) == "HAPUS"


def test_a_screen_is_named_in_english_and_shows_the_chosen_language():
    kit = Kit("OK")
    kit.run(kit.message(("Page %d of %d", 1, 3), ["Ballots received"]))
    assert kit.shown == [("Page 1 of 3", ["Surat suara", "diterima"])]
    assert "Halaman 1 dari" in " ".join(kit.drawn)
    kit = Kit("OK", "en")
    kit.run(kit.message(("Page %d of %d", 1, 3), ["Ballots received"]))
    assert kit.shown == [("Page 1 of 3", ["Ballots received"])]


def test_a_long_message_is_scrolled_to_its_last_line():
    lines = ["baris %d" % i for i in range(20)]
    kit = Kit("TURUN TURUN TURUN TURUN NAIK NAIK NAIK NAIK OK")
    kit.run(kit.message("Self-test", lines))
    assert [name for name, _ in kit.shown] == ["Self-test"], "scrolling is no new screen"
    assert all(line in kit.drawn for line in lines)


def test_ok_on_the_first_row_takes_the_first_item():
    kit = Kit("OK")
    assert kit.run(kit.menu("Sign this result?", ["No, go back", "Yes"])) == 0


def test_a_menu_is_walked_round_in_both_directions_and_by_digits():
    items = ["satu", "dua", "tiga"]
    for keys, answer in (
        ("TURUN OK", 1),
        ("NAIK OK", 2),
        ("TURUN TURUN TURUN OK", 0),
        ("3 OK", 2),
        ("3 9 0 OK", 2),
        ("TURUN HAPUS", None),
        ("HAPUS_LAMA", None),
    ):
        kit = Kit(keys)
        assert kit.run(kit.menu("Which receipt?", items)) == answer, keys


def test_a_menu_longer_than_the_screen_shows_every_item_when_it_is_reached():
    items = ["pilihan nomor %d dari semua" % i for i in range(1, 15)]
    kit = Kit("TURUN " * 13 + "OK", training=True)
    assert kit.run(kit.menu("Which receipt?", items)) == 13
    assert all(("%d pilihan" % i) in " ".join(kit.drawn) for i in range(1, 15))


def test_a_note_too_long_for_its_menu_comes_on_a_screen_before_it():
    note = ["baris %d" % i for i in range(30)]
    kit = Kit("TURUN OK TURUN OK", training=True)
    assert kit.run(kit.menu("Sign this result?", ["No, go back", "Yes"], note=note)) == 1
    assert len(kit.shown) == 2
    kit = Kit("HAPUS")
    assert kit.run(kit.menu("Sign this result?", ["No, go back", "Yes"], note=note)) is None


def test_a_number_is_what_its_digits_say():
    for keys, answer in (
        ("1 4 8 OK", 148),
        ("0 0 7 OK", 7),
        ("0 OK", 0),
        ("OK", None),
        ("HAPUS", "BACK"),
        ("1 2 HAPUS 3 OK", 13),
        ("1 2 HAPUS HAPUS HAPUS", "BACK"),
        ("1 2 3 HAPUS_LAMA 4 OK", 4),
        ("1 2 3 4 5 OK", 123),
        ("NAIK FOTO 9 CETAK OK", 9),
    ):
        kit = Kit(keys)
        assert kit.run(kit.number("First officer", "Ballots used", 3)) == answer, keys


def test_an_accepted_number_has_its_leading_boxes_struck():
    kit = Kit("3 2 OK")
    kit.run(kit.number("First officer", "Ballots used", 3))
    assert kit.drawn[-3:] == ["X", "3", "2"]
    assert boxed(0, 3) == "XX0"
    assert boxed(117, 3) == "117"
    assert boxed(None, 3) == "---"


def test_a_pin_is_never_drawn_and_wants_every_box():
    kit = Kit("1 2 OK 7 9 OK")
    assert kit.run(kit.number("Open the station", "PIN", 4, hidden=True)) == 1279
    digits = [text for text in kit.drawn if text in ("1", "2", "7", "9")]
    assert digits == []


def test_figures_are_kept_one_by_one_and_looked_through_at_the_end():
    kept = []
    kit = Kit("1 0 OK OK 3 OK OK")
    fields = ["Ballots received", "Ballots used", "Ballots returned"]
    answer = kit.run(kit.figures("First officer", fields, [], kept.append))
    assert answer == [10, None, 3]
    assert kept == [[10], [10, None], [10, None, 3]]
    assert kit.shown[-1][0] == "Check the figures"


def test_figures_go_on_where_a_power_cut_left_them():
    kit = Kit("3 OK OK")
    fields = ["Ballots received", "Ballots used", "Ballots returned"]
    assert kit.run(kit.figures("First officer", fields, [10, None])) == [10, None, 3]
    assert kit.shown[0] == ("First officer", ["Surat suara dikembalikan"])


def test_a_figure_keyed_wrongly_is_changed_in_the_list():
    kept = []
    kit = Kit("TURUN HAPUS HAPUS 2 7 OK OK")
    fields = ["Ballots received", "Ballots used", "Ballots returned"]
    assert kit.run(kit.figures("First officer", fields, [10, 21, 3], kept.append)) == [10, 27, 3]
    assert kept == [[10, 27, 3]]


def test_hapus_on_empty_boxes_goes_to_the_figure_before_and_then_out():
    fields = ["Ballots received", "Ballots used"]
    kit = Kit("1 OK HAPUS HAPUS 5 OK 6 OK OK")
    assert kit.run(kit.figures("First officer", fields, [])) == [5, 6]
    kit = Kit("1 OK HAPUS HAPUS HAPUS")
    assert kit.run(kit.figures("First officer", fields, [])) == Screens.BACK
    kit = Kit("HAPUS_LAMA")
    assert kit.run(kit.figures("First officer", fields, [1, 2])) == Screens.BACK


def test_the_list_cannot_be_accepted_before_its_last_page_was_shown():
    fields = ["suara nomor %d" % i for i in range(1, 20)]
    kit = Kit("OK OK OK", training=True)
    assert kit.run(kit.review("Check the figures", fields, list(range(19)))) == ("OK", 14)
    assert all(any(f in text for text in kit.drawn) for f in fields)
    assert [text for text in kit.drawn if text in ("berikut", "benar")][-2:] == ["berikut", "benar"]
    assert kit.drawn.count("benar") == 1
    kit = Kit("NAIK TURUN TURUN HAPUS")
    assert kit.run(kit.review("Check the figures", fields, list(range(19)))) == ("HAPUS", 2)


def test_a_live_picture_gives_up_waiting_for_a_key():
    gray = bytes(120 * 160)
    kit = Kit()
    kit.keys.read = lambda: None
    assert kit.run(kit.preview("Photograph the sheet", 120, 160, gray, "catatan", 0.02)) is None


def test_a_live_picture_is_one_screen_however_often_it_is_drawn():
    async def live(kit):
        gray = bytes([200]) * (160 * 120)
        for _ in range(3):
            key = await kit.preview("Photograph the sheet", 160, 120, gray, "catatan", 0.005)
            assert key is None
        return await kit.preview("Photograph the sheet", 160, 120, gray, "catatan")

    kit = Kit("FOTO")
    read = kit.keys.read
    kit.keys.read = lambda: read() if len(kit.display.blits) > 3 else None
    assert kit.run(live(kit)) == "FOTO"
    assert kit.shown == [("Photograph the sheet", ["catatan"])]


def test_a_picture_of_odd_width_is_shown_as_far_as_whole_bytes_go():
    kit = Kit("OK")
    assert kit.run(kit.preview("Photograph the sheet", 101, 75, bytes(101 * 75))) == "OK"


def test_progress_fills_and_does_not_wait():
    kit = Kit()
    kit.run(kit.progress("Receipts are being printed", 0, 4))
    empty = sum([bin(byte).count("1") for byte in kit.display.shown])
    kit.run(kit.progress("Receipts are being printed", 4, 4))
    full = sum([bin(byte).count("1") for byte in kit.display.shown])
    assert full > empty + 200 * 18
    assert len(kit.shown) == 1


def test_a_fault_shows_its_code_and_what_to_do():
    kit = Kit("OK")
    kit.run(
        kit.fault(601, "Screen does not answer: check its cable", "Put it right, then press OK.")
    )
    assert kit.shown[0][0] == "E601"
    assert "E601" in kit.drawn
    assert "Perbaiki, lalu" in kit.drawn


def test_training_is_on_every_screen_and_only_then():
    gray = bytes(64)
    screens = (
        lambda kit: kit.message("Self-test", ["a"]),
        lambda kit: kit.menu("Self-test", ["a"]),
        lambda kit: kit.number("Self-test", "a", 3),
        lambda kit: kit.figures("Self-test", ["a"], [1]),
        lambda kit: kit.preview("Self-test", 8, 8, gray, "a", 0.01),
        lambda kit: kit.progress("Self-test", 1, 2),
        lambda kit: kit.fault(601, "a"),
    )
    for training in (True, False):
        for screen in screens:
            kit = Kit("OK", training=training)
            asyncio.run(screen(kit))
            assert ("LATIHAN" in kit.drawn) == training


def test_a_change_of_status_redraws_the_bar_and_nothing_else():
    kit = Kit()
    polls = [0]

    def read():
        polls[0] += 1
        if polls[0] == 30:
            kit.status.sent = 7
        return "OK" if polls[0] == 80 else None

    kit.keys.read = read
    kit.run(kit.message("Self-test", ["a"]))
    assert kit.display.blits == [(0, HEIGHT), (0, 25)]
    assert kit.drawn[-2:] == ["7", "0"]


def test_text_is_broken_between_words_and_only_a_longer_word_is_cut():
    assert wrap("Surat suara tidak digunakan", 19) == ["Surat suara tidak", "digunakan"]
    assert wrap("satu\ndua tiga", 19) == ["satu", "dua tiga"]
    assert wrap("x" * 45, 19) == ["x" * 19, "x" * 19, "x" * 7]
    assert wrap("", 19) == [""]
    assert wrap("a " + "b" * 19, 19) == ["a", "b" * 19]


def test_a_sentence_without_a_translation_stays_english():
    words = Words("id")
    assert words("No such sentence") == "No such sentence"
    assert words.say(("Page %d of %d", 2, 3)) == "Halaman 2 dari 3"
    assert words.say(("Users %s", "All users")) == "Pengguna Jumlah pengguna"
    assert english(("Users %s", "All users")) == "Users All users"
    assert Words("xx")("Yes") == "Yes"


def test_key_hints_that_do_not_fit_lose_their_words_but_not_their_keys():
    kit = Kit()
    drawn = kit.drawn
    Frame(kit.canvas, kit.words).keys(
        [("OK", "a long explanation"), ("HAPUS", "another one"), ("CETAK", "a third")], True, True
    )
    assert [text for text in drawn if text in ("OK", "HAPUS", "CETAK")] == ["OK", "HAPUS", "CETAK"]


def test_a_screen_waits_for_as_long_as_no_key_comes():
    kit = Kit("5 5 5")
    raises(NoMoreKeys, asyncio.run, kit.message("Self-test", ["a"]))


def test_a_known_figure_is_taken_by_ok_replaced_by_a_digit_and_cleared_by_hapus():
    fields = ["Ballots received", "Ballots used", "Ballots returned"]
    kit = Kit("OK 9 OK HAPUS OK OK")
    keyed = kit.run(kit.figures("First officer", fields, [], known=[248, 214, 1]))
    assert keyed == [248, 9, None]
