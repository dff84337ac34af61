"""Numbers in Indonesian words, as they are written on the sheet."""

_UNITS = ("nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan")


def terbilang(n: int) -> str:
    """0..999,999 in Indonesian words: 274 -> "dua ratus tujuh puluh empat"; else ValueError."""
    if not 0 <= n <= 999_999:
        raise ValueError("A number from 0 to 999999 is needed")
    if n < 10:
        return _UNITS[n]
    if n < 20:
        return {10: "sepuluh", 11: "sebelas"}.get(n) or _UNITS[n - 10] + " belas"
    for size, name, one in ((1000, "ribu", "seribu"), (100, "ratus", "seratus"), (10, "puluh", "")):
        if n >= size:
            head, rest = divmod(n, size)
            words = one if head == 1 else f"{terbilang(head)} {name}"
            return f"{words} {terbilang(rest)}" if rest else words
    raise AssertionError
