"""A page in layout units on a BGR image: anti-aliased shapes by OpenCV, text in Pillow's font."""

import functools
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

BLACK = (34, 30, 32)
GREY = (198, 198, 198)
_SHIFT = 4  # OpenCV takes coordinates in 1/16 pixel
# OpenCV's anti-aliased fill reaches this many pixels beyond the polygon (measured).
_BLEED = 0.55
# Widths of Pillow's built-in face against the blanks' lettering: plain, bold.
_STRETCH = (1.0, 0.9)


@functools.lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


class Canvas:
    """`image` is uint8 BGR; `scale` pixels a unit; `margin` units of paper round the marks."""

    def __init__(self, size: Sequence[float], margin: float, width_px: int):
        self.margin = margin
        self.scale = width_px / (size[0] + 2 * margin)
        height_px = round((size[1] + 2 * margin) * self.scale)
        self.image = np.full((height_px, width_px, 3), (252, 253, 253), np.uint8)

    def px(self, x: float, y: float) -> tuple[float, float]:
        """Layout units to pixels."""
        return (x + self.margin) * self.scale, (y + self.margin) * self.scale

    def polygon(self, points: Sequence[tuple[float, float]], colour=BLACK) -> None:
        """A filled convex polygon, points in units."""
        # Pixel centres lie on whole numbers in OpenCV, hence the half pixel.
        xy = (np.array([self.px(x, y) for x, y in points]) - 0.5) * (1 << _SHIFT)
        cv2.fillConvexPoly(self.image, np.round(xy).astype(np.int32), colour, cv2.LINE_AA, _SHIFT)

    def fill(self, x0: float, y0: float, x1: float, y1: float, colour=BLACK) -> None:
        """A filled upright rectangle."""
        bleed_x = min(_BLEED / self.scale, (x1 - x0) / 2)
        bleed_y = min(_BLEED / self.scale, (y1 - y0) / 2)
        x0, y0, x1, y1 = x0 + bleed_x, y0 + bleed_y, x1 - bleed_x, y1 - bleed_y
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)

    def line(self, x0: float, y0: float, x1: float, y1: float, width: float, colour=BLACK) -> None:
        """A straight line along an axis, `width` units thick (at least one pixel)."""
        half = max(width, 1 / self.scale) / 2
        if x0 == x1:
            self.fill(x0 - half, min(y0, y1) - half, x0 + half, max(y0, y1) + half, colour)
        else:
            self.fill(min(x0, x1) - half, y0 - half, max(x0, x1) + half, y0 + half, colour)

    def rect(self, x0: float, y0: float, x1: float, y1: float, width: float) -> None:
        """A frame whose line is centred on the rectangle."""
        for a, b, c, d in ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)):
            self.line(a, b, c, d, width)

    def ellipse(self, x: float, y: float, rx: float, ry: float, width: float = 0) -> None:
        """An outline `width` units thick, or filled when width is 0."""
        cx, cy = self.px(x, y)
        one = 1 << _SHIFT
        cv2.ellipse(
            self.image,
            (round((cx - 0.5) * one), round((cy - 0.5) * one)),
            (round(rx * self.scale * one), round(ry * self.scale * one)),
            0,
            0,
            360,
            BLACK,
            max(1, round(width * self.scale)) if width else -1,
            cv2.LINE_AA,
            _SHIFT,
        )

    def dots(self, x0: float, y: float, x1: float, pitch: float = 6.6) -> None:
        """A dotted line to write on."""
        for i in range(int((x1 - x0) / pitch) + 1):
            self.ellipse(x0 + i * pitch, y, 1.0, 0.95)

    def text(self, x: float, y: float, size: float, style: str, text: str, grey: int = 0) -> None:
        """One line of text with its middle at y; style letters as in forms/ppwp-2024.toml."""
        if not text:
            return
        size_px = max(6, round(size * self.scale))
        stroke = size_px * 0.045 if "b" in style else 0
        font = _font(size_px)
        length = int(font.getlength(text)) + 2 * size_px
        mask = Image.new("L", (length, 2 * size_px), 0)
        ImageDraw.Draw(mask).text(
            (size_px, size_px), text, fill=255, font=font, anchor="lm", stroke_width=stroke
        )
        width = (length - 2 * size_px) * _STRETCH["b" in style]
        if "j" in style:
            width = (938 - x) * self.scale
        factor = width / max(1, length - 2 * size_px)
        shear = 0.2 if "i" in style else 0
        wide = round(length * factor)
        # Output (u, v) is looked up at (u / factor + shear * (v - middle), v).
        mask = mask.transform(
            (wide, 2 * size_px),
            Image.Transform.AFFINE,
            (1 / factor, shear, -shear * size_px, 0, 1, 0),
            Image.Resampling.BICUBIC,
        )
        left = size_px * factor + (width / 2 if "c" in style else width if "r" in style else 0)
        alpha = np.asarray(mask)
        px, py = self.px(x, y)
        if "u" in style:
            alpha = np.rot90(alpha)
            self._blend(alpha, round(px - size_px), round(py - (wide - left)), grey)
        else:
            self._blend(alpha, round(px - left), round(py - size_px), grey)

    def _blend(self, alpha: np.ndarray, x: int, y: int, grey: int) -> None:
        height, width = self.image.shape[:2]
        x0, y0 = max(0, x), max(0, y)
        x1, y1 = min(width, x + alpha.shape[1]), min(height, y + alpha.shape[0])
        if x0 >= x1 or y0 >= y1:
            return
        part = alpha[y0 - y : y1 - y, x0 - x : x1 - x, None].astype(np.uint16)
        under = self.image[y0:y1, x0:x1]
        ink = np.array((grey, grey, grey) if grey else BLACK, np.uint16)
        under[:] = ((under * (255 - part) + ink * part) // 255).astype(np.uint8)
