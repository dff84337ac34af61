"""What is drawn and asked. Knows no state of the station and touches no pin.

A sentence to show is an English string, looked up in the words, or a tuple (string with %s and %d,
values…). Every screen calls `on_show(name, lines)` when it appears, the name in English, so that a
log or a script can tell where the kit is.
"""

import asyncio

from firmware.canvas import HEIGHT, WIDTH, Canvas
from firmware.frame import (
    BAR,
    BODY,
    BOTTOM,
    BOXES,
    COLUMNS,
    LARGE,
    MARGIN,
    PITCH,
    SMALL,
    SMALL_COLUMNS,
    Frame,
    Status,
    boxed,
    wrap,
)
from firmware.language import english

DIGITS = tuple("0123456789")
POLL = 0.01  # seconds between looks at the keys
REFRESH = 25  # polls between looks at the status

HINTS = {"OK": "continue", "HAPUS": "back", "FOTO": "photograph", "CETAK": "print"}


class Screens:
    """`display`: size, blit(canvas, y0, y1); `keys`: read(); `words`: firmware.language.Words."""

    BACK = "BACK"  # number()'s answer when the officer wants out

    def __init__(self, display, keys, words, on_show=None):
        self.display = display
        self.keys = keys
        self.words = words
        self.on_show = on_show
        self.status = Status()
        self.canvas = Canvas()
        self.frame = Frame(self.canvas, words)
        self._drawn = None  # the status as last drawn
        self._name = None  # of the screen that stands there

    def t(self, item):
        """Text of a sentence in the language of the screens."""
        return self.words.say(item)

    async def message(self, title, lines, keys=("OK",), *, alarm=False):
        """Show `lines` and return which of `keys` was pressed; `alarm` inverts the title.

        A key is a name or (name, what it does). What does not fit is scrolled with NAIK and TURUN.
        """
        body = []
        for line in lines:
            body += wrap(self.t(line), COLUMNS)
        hints = [k if isinstance(k, tuple) else (k, HINTS.get(k, "continue")) for k in keys]
        names = tuple([name for name, _ in hints])
        top = 0
        shown = False
        while True:
            y = self._begin(title, alarm)
            room = (BOTTOM - y) // PITCH
            self.frame.lines(body[top : top + room], y)
            more = len(body) > top + room
            self.frame.keys(hints, top > 0, more)
            self._show(title, body, shown)
            shown = True
            key = await self._key(names + ("NAIK", "TURUN"))
            if key in names:
                return key
            if key == "TURUN" and more:
                top += room - 1
            elif key == "NAIK":
                top = max(0, top - room + 1)

    async def menu(self, title, items, start=0, note=None):
        """Index of the item chosen with OK, or None on HAPUS. A digit goes to that item.

        `note` (a sentence, or a list of lines) stands above the items; one too long for that comes
        on a screen of its own before.
        """
        rows = ["%d %s" % (i + 1, self.t(item)) for i, item in enumerate(items)]
        blocks = [_indented(row) for row in rows]
        lines = note if isinstance(note, list) else [note] if note else []
        text = "\n".join([self.t(line) for line in lines])
        space = PITCH * min(sum([len(block) for block in blocks]), 4) + 8
        at = start
        shown = False
        while True:
            y = self._begin(title)
            if text:
                below = self.frame.paragraph(text, y, BOTTOM - space)
                if below is None:
                    text = ""
                    if await self.message(title, lines, ("OK", "HAPUS")) == "HAPUS":
                        return None
                    continue
                self.canvas.fill(MARGIN, below + 2, WIDTH - 2 * MARGIN, 1)
                y = below + 8
            first, last = self._blocks(blocks, y, at)
            hints = (("OK", "choose"), ("HAPUS", "back"))
            self.frame.keys(hints, first > 0, last < len(rows))
            self._show(title, ([text] if text else []) + rows, shown)
            shown = True
            key = await self._key(("OK", "HAPUS", "NAIK", "TURUN") + DIGITS)
            if key == "OK":
                return at
            if key == "HAPUS":
                return None
            if key in DIGITS:
                at = int(key) - 1 if 0 < int(key) <= len(rows) else at
            else:
                at = (at + (1 if key == "TURUN" else -1)) % len(rows)

    async def number(self, title, label, digits, hidden=False, note="", *, value=None, before=None):
        """A number keyed into `digits` boxes: int, None when left empty, BACK on HAPUS when empty.

        `hidden` (a PIN) shows stars and wants every box filled, so that 0012 is not 12. `note` is a
        small text above the label; `before` = (label, value) shows the figure keyed in before.
        A `value` in the boxes is taken by OK, replaced by the first digit, cleared by HAPUS.
        """
        text = "" if value is None else str(value)
        fresh = value is not None
        label = self.t(label)
        end = BOTTOM - (40 if before else 0)
        y = self._begin(title)
        if note:
            lines = wrap(self.t(note), SMALL_COLUMNS)[:3]
            y = self.frame.lines(lines, y - 2, SMALL, SMALL.height) + 4
        room = end - BOXES - 4
        y = self.frame.paragraph(label, y, room) or self.frame.paragraph(label, y, end) or y
        y += min(24, max(2, (end - y - BOXES) // 2))
        if before:
            self.frame.before(self.t(before[0]), boxed(before[1], digits))
        shown = False
        while True:
            self.frame.boxes(y, digits, "*" * len(text) if hidden else text, end)
            self.frame.keys((("OK", "continue"), ("HAPUS", "erase" if text else "back")))
            self._show(title, [label], shown)
            shown = True
            key = await self._key(("OK", "HAPUS", "HAPUS_LAMA") + DIGITS)
            if key in DIGITS:
                text = key if fresh else (text + key if len(text) < digits else text)
            elif key == "OK":
                if not text and not hidden:
                    return None
                if not hidden:
                    # As on the sheet: unused leading boxes are struck with X.
                    self.frame.boxes(y, digits, boxed(int(text), digits), end)
                    self._blit()
                if not hidden or len(text) == digits:
                    return int(text)
            elif not text:
                return self.BACK
            else:
                text = text[:-1] if key == "HAPUS" and not fresh else ""
            fresh = False

    async def figures(self, title, fields, values, keep=None, digits=3, *, known=None):
        """Key in one figure a field, then look all through; the list of figures, or BACK.

        `fields` are labels; `values` those keyed already (int or None), `keep(values)` is called
        after every figure; `known` figures stand in the boxes to be checked. OK on empty boxes
        leaves a figure out (None), HAPUS on empty boxes goes to the figure before, and from the
        first one BACK.
        """
        values = list(values)
        at = len(values)
        marked = 0
        while True:
            if at == len(fields):
                key, marked = await self.review("Check the figures", fields, values, marked, digits)
                if key != "HAPUS":
                    return values if key == "OK" else self.BACK
                at = marked
            old = values[at] if at < len(values) else (known[at] if known else None)
            before = (fields[at - 1], values[at - 1]) if at else None
            place = "%d/%d" % (at + 1, len(fields))
            answer = await self.number(
                title, fields[at], digits, note=place, value=old, before=before
            )
            if answer == self.BACK:
                if at == 0:
                    return answer
                at -= 1
                continue
            if at < len(values):
                values[at] = answer
            else:
                values.append(answer)
            if keep:
                keep(list(values))
            at = len(values)

    async def review(self, title, labels, values, at=0, digits=3):
        """Look through keyed figures: (OK, HAPUS = change it or HAPUS_LAMA = out, marked index).

        OK leafs on and accepts on the last page only, so that every figure was on the screen.
        """
        blocks = []
        for i, label in enumerate(labels):
            lines = wrap(self.t(label), COLUMNS - digits - 1)
            gap = " " * (COLUMNS - digits - len(lines[-1]))
            lines[-1] += gap + boxed(values[i], digits)
            blocks.append(lines)
        shown = None
        while True:
            first, last = self._blocks(blocks, self._begin(title), at)
            ends = last == len(blocks)
            hints = (("OK", "all right" if ends else "next"), ("HAPUS", "change"))
            self.frame.keys(hints, first > 0, not ends)
            self._show(title, [" ".join(b) for b in blocks[first:last]], shown == first)
            shown = first
            key = await self._key(("OK", "HAPUS", "HAPUS_LAMA", "NAIK", "TURUN"))
            if key == "HAPUS" or key == "HAPUS_LAMA":
                return key, at
            if key == "NAIK":
                at = max(at - 1, 0)
            elif key == "TURUN":
                at = min(at + 1, len(blocks) - 1)
            elif ends:
                return key, at
            else:
                at = last

    async def preview(self, title, w, h, gray, note="", wait=None):
        """Show a small grayscale picture (w * h bytes); returns FOTO, HAPUS or OK.

        With `wait` (seconds) it returns None when no key came, for a live picture.
        """
        y = self._begin(title)
        rows = min(h, BOTTOM - y)
        wide = w & ~7
        if wide < w:
            gray = b"".join([gray[i * w : i * w + wide] for i in range(rows)])
        gray = gray[: wide * rows]
        # Stretched to the frame's own dark and bright: what matters is where the sheet is.
        black, white = min(gray), max(gray)
        white = max(black + 1, black + (white - black) * 4 // 5)
        self.canvas.image((WIDTH - wide) // 16 * 8, y, wide, rows, gray, black=black, white=white)
        y += rows + 6
        lines = wrap(self.t(note), SMALL_COLUMNS) if note else []
        self.frame.lines(lines[: (BOTTOM + 4 - y) // SMALL.height], y, SMALL, SMALL.height)
        self.frame.keys((("FOTO", "photograph"), ("HAPUS", "back")))
        self._show(title, lines, self._name == english(title))
        return await self._key(("FOTO", "HAPUS", "OK"), wait)

    async def progress(self, title, done, total, note=""):
        """Show how far a work is; does not wait."""
        y = self._begin(title)
        y = self.frame.lines(wrap(self.t(note), COLUMNS)[:3] if note else [], y) + 10
        self.frame.progress(y, done, total)
        text = "%d / %d" % (done, total) if total else str(done)
        self.canvas.text((WIDTH - LARGE.width * len(text)) // 2, y + 40, text, LARGE)
        self._show(title, [text], self._name == english(title))
        await asyncio.sleep(0)

    async def fault(self, code, sentence, what_to_do="", keys=("OK",)):
        """An error with its code of the manual's table; returns the key pressed."""
        lines = [sentence, "", what_to_do] if what_to_do else [sentence]
        return await self.message("E%d" % code, lines, keys, alarm=True)

    def _blocks(self, blocks, y, at):
        """Draw the page of blocks (lists of lines) that holds block `at`, that one marked.

        Returns the page as (first, last).
        """
        first = last = 0
        while last <= at:
            first = last
            room = (BOTTOM - y) // PITCH
            while last < len(blocks) and (len(blocks[last]) <= room or last == first):
                room -= len(blocks[last])
                last += 1
        for i in range(first, last):
            lines = blocks[i]
            if i == at:
                self.canvas.fill(0, y - 1, WIDTH, PITCH * len(lines))
            for line in lines:
                self.canvas.text(MARGIN, y, line, BODY, i == at)
                y += PITCH
        return first, last

    def _begin(self, title, alarm=False):
        return self.frame.begin(self.status, self.t(title), alarm)

    def _show(self, title, lines, shown=False):
        self._blit()
        self._name = english(title)
        if self.on_show and not shown:
            self.on_show(self._name, lines)

    def _blit(self):
        self._drawn = self.status.seen()
        self.display.blit(self.canvas.buffer, 0, HEIGHT)

    async def _key(self, accepted, wait=None):
        """The next key of `accepted`; a long HAPUS is a HAPUS where it means nothing else."""
        polls = 0
        while True:
            key = self.keys.read()
            if key == "HAPUS_LAMA" and key not in accepted:
                key = "HAPUS"
            if key in accepted:
                return key
            await asyncio.sleep(POLL)
            polls += 1
            if wait is not None and polls * POLL >= wait:
                return None
            if polls % REFRESH == 0 and self.status.seen() != self._drawn:
                self._drawn = self.status.seen()
                self.frame.bar(self.status)
                self.display.blit(self.canvas.buffer, 0, BAR)


def _indented(row):
    """A menu item's lines; the second and later stand under the first one's text."""
    margin = row.index(" ") + 1
    lines = wrap(row[margin:], COLUMNS - margin)
    return [row[:margin] + lines[0]] + [" " * margin + line for line in lines[1:]]
