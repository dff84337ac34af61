"""What every screen has: status bar, training banner, title, key hints; and text that fits."""

from firmware.canvas import HEIGHT, WIDTH
from firmware.fonts import Font

SMALL = Font(8, 16)
BODY = Font(12, 24)
LARGE = Font(16, 32)

MARGIN = 8
PITCH = 26  # from one body line to the next
COLUMNS = (WIDTH - MARGIN) // BODY.width  # 19
SMALL_COLUMNS = (WIDTH - 2 * MARGIN) // SMALL.width  # 28
BAR = 25
FOOT = 24
BOTTOM = HEIGHT - FOOT - 4  # no body below this row
BOXES = 2 * LARGE.height + 12  # height of large digit boxes

# 8x16 pictures, one byte a row: entries still to go, entries acknowledged, more above, more below.
_GOING = b"\x00\x00\x00\x18\x3c\x7e\xff\x18\x18\x18\x18\x18\x18\x00\x00\x00"
_GONE = b"\x00\x00\x00\x00\x01\x03\x06\x86\xcc\x78\x38\x10\x00\x00\x00\x00"
_UP = b"\x00\x00\x00\x00\x18\x18\x3c\x3c\x7e\x7e\xff\xff\x00\x00\x00\x00"
_DOWN = b"\x00\x00\x00\x00\xff\xff\x7e\x7e\x3c\x3c\x18\x18\x00\x00\x00\x00"
_BAR_STEPS = (-108, -98, -88, -78)  # dBm from which each of the four bars stands


class Status:
    """What the status bar shows; set from outside, drawn on every screen."""

    def __init__(self):
        self.clock = ""  # local time as it is written there, "13.05"
        self.tps = ""  # the station, "TPS 004"
        self.signal = None  # dBm
        self.waiting = 0  # entries not acknowledged yet
        self.sent = 0
        self.training = False
        self.card = 0  # code of what ails the card, 0 when it is in order

    def seen(self):
        """All of it as one value, to compare with what was last drawn."""
        sending = (self.signal, self.waiting, self.sent)
        return (self.clock, self.tps, self.training, self.card) + sending


def wrap(text, columns):
    """Lines of at most `columns` characters, broken between words; longer words are cut."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            if line and len(line) + 1 + len(word) <= columns:
                line += " " + word
                continue
            if line:
                lines.append(line)
            rest = word
            while len(rest) > columns:
                lines.append(rest[:columns])
                rest = rest[columns:]
            line = rest
        lines.append(line)
    return lines


def boxed(value, digits):
    """A figure as the sheet has it: leading boxes struck with X; dashes when not filled."""
    if value is None:
        return "-" * digits
    text = str(value)
    return "X" * (digits - len(text)) + text


class Frame:
    """Draws the parts on `canvas`; `words` translates."""

    def __init__(self, canvas, words):
        self.canvas = canvas
        self.words = words

    def begin(self, status, title, alarm=False):
        """Clear, draw bar, banner and title (inverse in an alarm); returns the first free row."""
        self.canvas.clear()
        y = self.bar(status)
        end = self.title(title, y)
        if alarm:
            y += 4
            self.canvas.fill(0, y, WIDTH, end - 6 - y)
            self.canvas.text(MARGIN, y + 2, title, LARGE, True)
        return end

    def bar(self, status):
        """The status bar and the training banner; returns the first row below them."""
        canvas = self.canvas
        canvas.clear(0, BAR)
        canvas.text(MARGIN, 4, status.clock, SMALL)
        if status.card:
            canvas.text(64, 4, "E%d" % status.card, SMALL, True)
        else:
            canvas.text(64, 4, status.tps, SMALL)
        for i in range(4):
            up = status.signal is not None and status.signal >= _BAR_STEPS[i]
            height = 4 + 3 * i if up else 1
            canvas.fill(132 + 6 * i, 18 - height, 4, height)
        x = WIDTH - MARGIN
        for picture, number in ((_GONE, status.sent), (_GOING, status.waiting)):
            text = str(min(number, 9999))
            x -= SMALL.width * len(text)
            canvas.text(x, 4, text, SMALL)
            x -= 11
            canvas.glyph(x, 4, 8, 16, picture)
            x -= 6
        canvas.fill(0, BAR - 2, WIDTH, 2)
        if not status.training:
            return BAR
        canvas.fill(0, BAR - 2, WIDTH, 28)
        text = self.words("TRAINING")
        canvas.text((WIDTH - BODY.width * len(text)) // 2, BAR, text, BODY, True)
        return BAR + 26

    def title(self, text, y):
        """The title over a rule: large when it fits on one line, else in at most two."""
        y += 3
        if len(text) * LARGE.width <= WIDTH - 2 * MARGIN:
            self.canvas.text(MARGIN, y, text, LARGE)
            y += LARGE.height
        else:
            for line in wrap(text, COLUMNS)[:2]:
                self.canvas.text(MARGIN, y + 2, line, BODY)
                y += PITCH
        self.canvas.fill(MARGIN, y + 3, WIDTH - 2 * MARGIN, 2)
        return y + 11

    def lines(self, lines, y, font=BODY, pitch=PITCH):
        """Draw lines that are known to fit; returns the row below."""
        for line in lines:
            self.canvas.text(MARGIN, y, line, font)
            y += pitch
        return y

    def paragraph(self, text, y, end):
        """Draw a text between y and `end`, small where it would not fit; returns the row below.

        None, and nothing drawn, when it does not fit even so.
        """
        for font, pitch, columns in ((BODY, PITCH, COLUMNS), (SMALL, 18, SMALL_COLUMNS)):
            lines = wrap(text, columns)
            if y + pitch * len(lines) <= end:
                return self.lines(lines, y, font, pitch)
        return None

    def keys(self, hints, up=False, down=False):
        """Key hints at the foot, [(key, what it does)…]; arrows where NAIK and TURUN lead on.

        Where all do not fit, what the keys do is left out, last first.
        """
        canvas = self.canvas
        canvas.clear(HEIGHT - FOOT, HEIGHT)
        hints = [[key, self.words(does)] for key, does in hints]
        room = WIDTH - 2 * MARGIN - 24 * (up or down)

        def width(key, does):
            return SMALL.width * (len(key) + len(does)) + 10 + (4 if does else 0)

        for hint in reversed(hints):
            if sum([width(*h) + 10 for h in hints]) - 10 > room:
                hint[1] = ""
        x = MARGIN
        y = HEIGHT - FOOT + 2
        for key, does in hints:
            wide = SMALL.width * len(key) + 8
            canvas.fill(x + 1, y, wide - 2, 20)
            canvas.fill(x, y + 1, wide, 18)
            canvas.text(x + 4, y + 2, key, SMALL, True)
            canvas.text(x + wide + 6, y + 2, does, SMALL)
            x += width(key, does) + 10
        if up:
            canvas.glyph(WIDTH - MARGIN - 20, y + 2, 8, 16, _UP)
        if down:
            canvas.glyph(WIDTH - MARGIN - 8, y + 2, 8, 16, _DOWN)

    def before(self, label, text):
        """At the foot of the body, small: a figure as it stands on the sheet now."""
        canvas = self.canvas
        y = BOTTOM - 32
        canvas.fill(MARGIN, y - 5, WIDTH - 2 * MARGIN, 1)
        x = WIDTH - MARGIN - BODY.width * len(text)
        canvas.text(x, y + 4, text, BODY)
        lines = wrap(label, (x - 2 * MARGIN) // SMALL.width)[:2]
        self.lines(lines, y if len(lines) > 1 else y + 8, SMALL, SMALL.height)

    def boxes(self, y, digits, text, end=BOTTOM):
        """Digit boxes as on the sheet, `text` at their right, large where `end` leaves room."""
        canvas = self.canvas
        gap = 8 if digits <= 4 else 4
        wide = min(48, (WIDTH - 2 * MARGIN + gap) // digits - gap)
        scale = 2 if wide >= 36 and end - y >= BOXES else 1
        high = LARGE.height * scale + 12
        x = (WIDTH - digits * (wide + gap) + gap) // 2
        text = " " * (digits - len(text)) + text
        for ch in text:
            canvas.frame(x, y, wide, high, 2)
            inset = (wide - LARGE.width * scale) // 2
            canvas.text(x + inset, y + 6, ch, LARGE, scale=scale)
            x += wide + gap

    def progress(self, y, done, total):
        """A bar that fills, y down to y + 28."""
        wide = WIDTH - 2 * MARGIN
        self.canvas.frame(MARGIN, y, wide, 28, 2)
        if total:
            self.canvas.fill(MARGIN + 4, y + 4, (wide - 8) * min(done, total) // total, 20)
