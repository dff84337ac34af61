"""Writing with a marker: our own stroke model, not a font and not samples of real hands.

A glyph is a few strokes on a 10 x 10 grid. A writer (from a seed) has a slant, a pen and an
unsteadiness; every glyph is bent a little before it is drawn, so that no two look alike.
"""

import itertools
import math
import random

import cv2
import numpy as np

from host_tools.sheet.draw_canvas import Canvas

# Strokes are separated by ";"; "~" makes a stroke a smooth curve through its points.
# Several entries are habits: a writer keeps to one of them.
GLYPHS: dict[str, tuple[str, ...]] = {
    "0": ("~6,0 2,1 0,5 2,9 5,10 9,8 10,4 8,1 5,0", "~4,0 0,4 1,9 5,10 9,7 9,2 5,0 3,1"),
    "1": ("5,0 5,10", "2,3 5,0 5,10", "6,0 4,10"),
    "2": ("~1,2 4,0 8,1 8,4 4,7 0,10;0,10 9,10", "~0,3 3,0 8,1 8,4 4,8 1,10 0,9;~0,9 3,9 9,10"),
    "3": ("~1,1 5,0 8,2 7,4 4,5;~4,5 8,6 9,8 6,10 2,10 0,9", "1,0 8,0 4,4;~4,4 9,6 8,9 4,10 0,9"),
    "4": ("6,0 0,7 9,7;7,3 7,10", "1,0 0,6 9,6;8,0 8,10"),
    "5": ("2,0 1,4;~1,4 5,4 9,6 8,9 4,10 0,9;2,0 9,0",),
    "6": ("~8,0 3,3 0,7 2,10 6,10 9,8 7,5 3,5 1,7", "~5,0 1,5 1,9 5,10 9,8 7,5 3,5 1,7"),
    "7": ("0,0 9,0 3,10", "0,0 9,0 4,10;2,5 8,5", "0,2 0,0 9,0 4,10"),
    "8": (
        "~5,5 1,3 3,0 7,0 9,3 5,5 1,7 2,10 8,10 9,7 5,5",
        "~8,1 4,0 1,2 3,4 7,6 9,8 5,10 1,8 3,6 7,4 8,1",
    ),
    "9": ("~8,2 5,0 1,2 2,5 6,5 8,2;~8,2 8,6 6,10", "~8,3 5,0 1,2 2,5 6,5 8,3;8,1 8,10"),
    "X": ("0,0 10,10;10,0 0,10",),
    "A": ("0,10 5,0 10,10;2,6 8,6",),
    "B": ("1,0 1,10;~1,0 7,0 8,2 6,5 1,5;~1,5 8,6 9,8 7,10 1,10",),
    "C": ("~9,2 6,0 2,1 0,5 2,9 6,10 9,8",),
    "D": ("1,0 1,10;~1,0 6,0 9,5 6,10 1,10",),
    "E": ("9,0 1,0 1,10 9,10;1,5 7,5",),
    "F": ("9,0 1,0 1,10;1,5 7,5",),
    "G": ("~9,2 6,0 2,1 0,5 2,9 6,10 9,8;9,8 9,5 5,5",),
    "H": ("1,0 1,10;9,0 9,10;1,5 9,5",),
    "I": ("5,0 5,10", "5,0 5,10;3,0 7,0;3,10 7,10"),
    "J": ("7,0 7,7;~7,7 6,10 3,10 1,8;4,0 9,0",),
    "K": ("1,0 1,10;9,0 1,6;3,5 9,10",),
    "L": ("1,0 1,10 9,10",),
    "M": ("0,10 1,0 5,7 9,0 10,10",),
    "N": ("1,10 1,0 9,10 9,0",),
    "O": ("~6,0 2,1 0,5 2,9 5,10 9,8 10,4 8,1 5,0",),
    "P": ("1,10 1,0;~1,0 7,0 9,2 7,5 1,5",),
    "Q": ("~6,0 2,1 0,5 2,9 5,10 9,8 10,4 8,1 5,0;6,7 10,10",),
    "R": ("1,10 1,0;~1,0 7,0 9,2 7,5 1,5;4,5 9,10",),
    "S": ("~9,1 5,0 1,2 4,5 8,7 7,10 3,10 0,8",),
    "T": ("0,0 10,0;5,0 5,10",),
    "U": ("1,0 1,6;~1,6 2,9 5,10 8,9 9,6;9,6 9,0",),
    "V": ("0,0 5,10 10,0",),
    "W": ("0,0 3,10 5,3 7,10 10,0",),
    "Y": ("0,0 5,5 10,0;5,5 5,10",),
    "Z": ("0,0 9,0 0,10 10,10",),
    "/": ("8,0 2,10",),
    "-": ("2,5 8,5",),
    ".": ("5,9 5,10",),
}


def _smooth(points: np.ndarray, steps: int = 8) -> np.ndarray:
    """Catmull-Rom curve through the points."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    out = []
    for i in range(len(points) - 1):
        p0, p1, p2, p3 = padded[i : i + 4]
        for t in np.linspace(0, 1, steps, endpoint=False):
            a = 2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t * t
            out.append((a + (3 * p1 - p0 - 3 * p2 + p3) * t**3) / 2)
    return np.array([*out, points[-1]])


class Writer:
    """One officer's hand on one canvas; the same seed writes the same page."""

    def __init__(self, canvas: Canvas, seed: int):
        self.canvas = canvas
        self.random = random.Random(seed)
        rnd = self.random
        self.slant = rnd.uniform(-0.03, 0.2)
        self.wobble = rnd.uniform(0.25, 0.5)
        self.pen = rnd.uniform(2.2, 3.0)
        self.colour = rnd.choice([(46, 40, 40), (96, 44, 36), (70, 34, 30)])
        self.habit = {glyph: rnd.choice(ways) for glyph, ways in GLYPHS.items()}

    def stroke(self, points: np.ndarray, pen: float) -> None:
        """A line through points (units), its width varying a little like a marker's."""
        px = np.array([self.canvas.px(x, y) for x, y in points]) - 0.5
        fixed = np.round(px * 16).astype(int)
        width = pen * self.canvas.scale
        press = self.random.uniform(0, 6.28)
        for i in range(len(fixed) - 1):
            thick = max(1, round(width * (1 + 0.12 * math.sin(press + i * 0.5))))
            cv2.line(
                self.canvas.image,
                tuple(fixed[i].tolist()),
                tuple(fixed[i + 1].tolist()),
                self.colour,
                thick,
                cv2.LINE_AA,
                4,
            )

    def glyph(self, char: str, x: float, y: float, w: float, h: float, pen: float = 0) -> None:
        """Write `char` in the box with its top left corner at x, y."""
        rnd = self.random
        turn = rnd.gauss(0, 0.045)
        for stroke in self.habit[char].split(";"):
            curved = stroke.startswith("~")
            points = np.array(
                [[float(v) for v in pair.split(",")] for pair in stroke.strip("~").split()]
            )
            points += np.array([[rnd.gauss(0, self.wobble) for _ in "xy"] for _ in points])
            points = _smooth(points) if curved else self._straight(points)
            u, v = points[:, 0] / 10 - 0.5, points[:, 1] / 10 - 0.5
            u = u - self.slant * v
            u, v = u - turn * v, v + turn * u
            self.stroke(np.stack([x + (u + 0.5) * w, y + (v + 0.5) * h], 1), pen or self.pen)

    def _straight(self, points: np.ndarray) -> np.ndarray:
        """A hand's straight line: cut into short pieces and bowed a little."""
        out = []
        for a, b in itertools.pairwise(points):
            across = np.array([a[1] - b[1], b[0] - a[0]])
            bow = self.random.gauss(0, 0.025)
            for t in np.linspace(0, 1, 7):
                out.append(a + (b - a) * t + across * bow * math.sin(math.pi * t))
        return np.array(out)

    def in_box(self, char: str, box: tuple[float, float, float, float], pen: float = 0) -> None:
        """Write `char` into a digit box, inside its frame, off centre as people do."""
        rnd = self.random
        x, y, w, h = box
        tall = h * rnd.uniform(0.58, 0.72)
        wide = tall * (rnd.uniform(0.9, 1.1) if char == "X" else rnd.uniform(0.55, 0.68))
        wide = min(wide, w * 0.76)
        dx, dy = rnd.gauss(0, w * 0.035), rnd.gauss(0, h * 0.03)
        self.glyph(char, x + (w - wide) / 2 + dx, y + (h - tall) / 2 + dy, wide, tall, pen)

    def text(self, text: str, x: float, y: float, width: float, size: float) -> None:
        """Capitals on the line y from x, squeezed to `width`; unknown characters leave a gap."""
        chars = text.upper()
        advance = min(size * 0.86, width / max(1, len(chars)))
        for i, char in enumerate(chars):
            if char in self.habit:
                lift = self.random.gauss(0, size * 0.035)
                thin = 0.35 if char in "I1" else 0.74
                left = x + i * advance + advance * (0.74 - thin) / 2
                self.glyph(char, left, y - size + lift, advance * thin, size, size * 0.095)

    def text_in(self, text: str, box: tuple[float, float, float, float], size: float) -> None:
        """Capitals in a field, on as many lines as it takes, smaller if need be."""
        x, y, w, h = box
        lines: list[str] = []
        while size > 3:
            room = int(w / (size * 0.86))
            lines = _wrap(text, room)
            if len(lines) * size * 1.35 <= h and max(map(len, lines)) <= room:
                break
            size *= 0.92
        top = y + (h - len(lines) * size * 1.35) / 2
        for i, line in enumerate(lines):
            self.text(line, x, top + (i + 1) * size * 1.35 - size * 0.18, w, size)

    def bubble(self, x: float, y: float, rx: float, ry: float) -> None:
        """Blacken a bubble: an uneven blob that goes a little over the edge."""
        rnd = self.random
        cx, cy = x + rnd.gauss(0, rx * 0.07), y + rnd.gauss(0, ry * 0.07)
        phase = [rnd.uniform(0, 6.28) for _ in range(3)]
        points = []
        for k in range(24):
            a = k * math.pi / 12
            r = 1.06 + sum(0.045 * math.sin((i + 2) * a + p) for i, p in enumerate(phase))
            points.append((cx + rx * r * math.cos(a), cy + ry * r * math.sin(a)))
        self.canvas.polygon(points, self.colour)

    def tally(self, x: float, y: float, w: float, h: float, strokes: int) -> None:
        """1 to 5 strokes in a cell: four upright, the fifth across them."""
        rnd = self.random
        pen = min(self.pen * 0.62, w * 0.06)
        for i in range(min(strokes, 4)):
            sx = x + w * (0.22 + 0.18 * i) + rnd.gauss(0, w * 0.015)
            lean = rnd.gauss(self.slant * h * 0.3, w * 0.02)
            line = np.array([[sx + lean, y + h * 0.16], [sx - lean, y + h * 0.86]])
            self.stroke(self._straight(line + rnd.gauss(0, h * 0.02)), pen)
        if strokes >= 5:
            line = np.array([[x + w * 0.1, y + h * 0.74], [x + w * 0.9, y + h * 0.28]])
            self.stroke(self._straight(line + rnd.gauss(0, h * 0.03)), pen)

    def signature(self, x: float, y: float, w: float, h: float) -> None:
        """A scribble that belongs to nobody."""
        rnd = self.random
        n = rnd.randint(7, 12)
        points = np.array(
            [
                [x + w * (i / n + rnd.gauss(0, 0.09)), y + h * (0.5 + rnd.gauss(0, 0.28))]
                for i in range(n)
            ]
        )
        self.stroke(_smooth(points, 12), self.pen * 0.5)


def _wrap(text: str, room: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
