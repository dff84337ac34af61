import pytest

from host_tools.sheet.terbilang import terbilang


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "nol"),
        (1, "satu"),
        (9, "sembilan"),
        (10, "sepuluh"),
        (11, "sebelas"),
        (12, "dua belas"),
        (19, "sembilan belas"),
        (20, "dua puluh"),
        (45, "empat puluh lima"),
        (100, "seratus"),
        (101, "seratus satu"),
        (111, "seratus sebelas"),
        (274, "dua ratus tujuh puluh empat"),
        (600, "enam ratus"),
        (1000, "seribu"),
        (1001, "seribu satu"),
        (2024, "dua ribu dua puluh empat"),
        (11000, "sebelas ribu"),
        (100000, "seratus ribu"),
        (
            999999,
            "sembilan ratus sembilan puluh sembilan ribu sembilan ratus sembilan puluh sembilan",
        ),
    ],
)
def test_numbers_are_written_in_indonesian_words(number, words):
    assert terbilang(number) == words


def test_no_two_numbers_of_a_sheet_share_their_words():
    assert len({terbilang(n) for n in range(10_000)}) == 10_000


@pytest.mark.parametrize("number", [-1, 1_000_000])
def test_numbers_outside_the_range_are_refused(number):
    with pytest.raises(ValueError, match="0 to 999999"):
        terbilang(number)
