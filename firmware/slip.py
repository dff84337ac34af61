"""Lines of a paper slip: print operations that fit the paper's columns.

An operation is a tuple: ("text", line, bold, size, align), ("qr", text), ("raster", [row…]),
("rule",), ("feed", n), ("cut",). A row is of the paper's width, MSB left, 1 = black. `size` 2 is
double width and height, `align` 0 left, 1 centre, 2 right.
"""

LEFT, CENTRE, RIGHT = 0, 1, 2
NARROWEST = 8  # characters a label needs beside its value

_ZONES = {420: "WIB", 480: "WITA", 540: "WIT"}


def wrap(text, width):
    """`text` in lines of at most `width` characters, broken between words where it can be."""
    if width < 1:
        raise ValueError("no room for text")
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = ""
        line += " " + word if line else word
        while len(line) > width:  # a word longer than the paper is broken hard
            lines.append(line[:width])
            line = line[width:]
    if line or not lines:
        lines.append(line)
    return lines


def paragraph(text, columns, bold=False, size=1, align=LEFT, indent=0):
    """Text operations of `text`, wrapped; `indent` spaces before each line."""
    for line in wrap(text, columns // size - indent):
        yield ("text", " " * indent + line, bold, size, align)


def row(label, value, columns, bold=False, size=1):
    """`label` at the left, `value` at the right of its last line, dots between if there is room.

    `columns` are those of `size`.
    """
    longest = max([NARROWEST] + [len(word) for word in label.split()])
    if len(value) > columns - longest - 1:  # no room beside it: the value under its label
        yield from paragraph(label, columns * size, bold, size)
        yield from paragraph(value, columns * size, bold, size, RIGHT)
        return
    lines = wrap(label, columns - len(value) - 1)
    for line in lines[:-1]:
        yield ("text", line, bold, size, LEFT)
    gap = columns - len(lines[-1]) - len(value)
    fill = " " + "." * (gap - 2) + " " if gap > 4 and size == 1 else " " * gap
    yield ("text", lines[-1] + fill + value, bold, size, LEFT)


def cells(label, values, columns, bold=False, width=5):
    """A table row: `label`, then `values` right-aligned in cells of `width` characters."""
    room = columns - width * len(values)
    lines = wrap(label, room - 1)
    for line in lines[:-1]:
        yield ("text", line, bold, 1, LEFT)
    text = lines[-1] + " " * (room - len(lines[-1]))
    for value in values:
        text += " " * (width - len(value)) + value
    yield ("text", text, bold, 1, LEFT)


def digits(figure):
    """A figure as it is printed; an empty one (null) is ---."""
    return "---" if figure is None else str(figure)


def groups(data):
    """Bytes as upper-case hex in groups of four: '4A71 5EC1'."""
    text = "".join("%02X" % byte for byte in data)
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def clock(unix, offset):
    """Local time with its offset: '2026-11-27 15:04 WIB (+07:00)'; `offset` in minutes.

    Counted here because the two runtimes' time modules start from different years.
    """
    minutes = unix // 60 + offset
    days, minutes = divmod(minutes, 1440)
    # Days to year, month, day: H. Hinnant, chrono-compatible low-level date algorithms.
    days += 719468
    era, day_of_era = divmod(days, 146097)
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day = day_of_era - (365 * year + year // 4 - year // 100)
    month = (5 * day + 2) // 153
    day += 1 - (153 * month + 2) // 5
    month += 3 if month < 10 else -9
    year += era * 400 + (month <= 2)
    zone = _ZONES.get(offset, "")
    sign = "-" if offset < 0 else "+"
    shift = "(%s%02d:%02d)" % (sign, abs(offset) // 60, abs(offset) % 60)
    stamp = "%04d-%02d-%02d %02d:%02d" % (year, month, day, minutes // 60, minutes % 60)
    return " ".join(part for part in (stamp, zone, shift) if part)
