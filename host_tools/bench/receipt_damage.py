"""What happens to a receipt between print head and reader, in six steps from clean to worn.

A model, not paper: dot gain and dead dots of a thermal head, fading, creases, a curled sheet held
at an angle, a phone's lens, sensor (1 to 2 megapixels) and JPEG. Every draw comes from a seed.
"""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Level:
    """How much of everything. Sizes in printed dots or in pixels of the photograph, as named."""

    name: str
    gain: float  # dots by which black spreads
    dead: int  # columns of the head that do not print
    fade: float  # share of the ink's blackness that is gone
    creases: int
    curl: float  # dots of bending across the paper
    turn: float  # degrees at most, either way
    tilt: float  # perspective: share of the width by which a corner moves at most
    scale: tuple[float, float]  # pixels a dot
    blur: float  # pixels, sigma
    shake: int  # pixels of movement
    contrast: float  # what is left of it in the picture
    light: float  # unevenness of the light
    noise: float  # grey levels, sigma
    jpeg: int


LEVELS = (
    Level("0 clean", 0.0, 0, 0.0, 0, 0, 2, 0.00, (2.2, 2.6), 0.5, 0, 1.00, 0.0, 2, 90),
    Level("1 usual", 0.3, 0, 0.1, 0, 3, 8, 0.02, (2.0, 2.4), 0.9, 2, 0.85, 0.2, 5, 80),
    Level("2 pocket", 0.5, 1, 0.25, 2, 6, 12, 0.03, (1.8, 2.2), 1.2, 3, 0.75, 0.3, 8, 75),
    Level("3 dim", 0.7, 1, 0.4, 3, 8, 18, 0.05, (1.6, 2.0), 1.4, 4, 0.60, 0.4, 12, 70),
    Level("4 faded", 0.8, 2, 0.55, 4, 10, 25, 0.06, (1.5, 1.8), 1.6, 5, 0.50, 0.5, 15, 60),
    Level("5 worn", 0.9, 2, 0.60, 5, 12, 30, 0.07, (1.45, 1.7), 1.7, 5, 0.48, 0.55, 16, 55),
)
WHITE, TABLE = 235.0, 90.0
FINE = 3  # pixels a dot while it is paper
FRAMES = ((1280, 960), (1440, 1080), (1600, 1200))  # 1.2 to 1.9 megapixels


def photograph(paper: np.ndarray, level: Level, dice: np.random.Generator) -> bytes:
    """JPEG of a photograph of `paper` (grey, 1 pixel a dot, 0 black)."""
    ink = _print(paper, level, dice)
    grey = WHITE - ink * (WHITE - 25.0) * (1 - level.fade)
    grey = _crease(grey, level, dice)
    picture = _hold(grey, level, dice)
    picture = _lens(picture, level, dice)
    picture = _sensor(picture, level, dice)
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, level.jpeg])
    assert done
    return data.tobytes()


def _print(paper: np.ndarray, level: Level, dice: np.random.Generator) -> np.ndarray:
    """Share of ink, 0 to 1, at FINE pixels a dot: hot dots are larger than their grid."""
    ink = (paper < 128).astype(np.float32)
    for column in dice.integers(36, ink.shape[1] - 36, level.dead):
        ink[:, column] = 0
    ink = cv2.resize(ink, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_NEAREST)
    if level.gain:
        # A threshold below one half after a blur is the spread of heat beyond the dot.
        soft = cv2.GaussianBlur(ink, (0, 0), 0.5 * FINE)
        ink = (soft > 0.5 - 0.35 * level.gain).astype(np.float32)
    patchy = _large(dice.normal(1.0, 0.12 * level.fade, (24, 8)), ink)
    return cv2.GaussianBlur(np.clip(ink * patchy, 0, 1), (0, 0), 0.3 * FINE)


def _crease(grey: np.ndarray, level: Level, dice: np.random.Generator) -> np.ndarray:
    """Folds: a line where the coating is rubbed off, and a shade beside it."""
    height, width = grey.shape[0] // FINE, grey.shape[1] // FINE
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    for _ in range(level.creases):
        angle = dice.uniform(0, np.pi)
        at = dice.uniform(0.1, 0.9, 2) * (width, height)
        distance = (x - at[0]) * np.sin(angle) - (y - at[1]) * np.cos(angle)
        rubbed = np.exp(-((distance / dice.uniform(0.5, 1.5)) ** 2)) * dice.uniform(0.4, 0.9)
        shade = np.exp(-np.abs(distance) / 15) * np.sign(distance) * dice.uniform(4, 16)
        grey = grey + (WHITE - grey) * _large(rubbed, grey) - _large(shade, grey)
    return grey


def _large(small: np.ndarray, like: np.ndarray) -> np.ndarray:
    size = (like.shape[1], like.shape[0])
    return cv2.resize(small.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)


def _hold(grey: np.ndarray, level: Level, dice: np.random.Generator) -> np.ndarray:
    """The curled sheet seen from the hand: bent, turned, tilted, somewhere in the frame."""
    height, width = grey.shape
    if level.curl:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        bend = FINE * level.curl * dice.uniform(-1, 1)
        y += bend * (np.square(2 * x / width - 1) - 0.5)
        x += 0.5 * FINE * level.curl * dice.uniform(-1, 1) * np.sin(np.pi * y / height)
        grey = cv2.remap(grey, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    frame = FRAMES[dice.integers(len(FRAMES))]
    scale = dice.uniform(*level.scale) / FINE
    turn = np.radians(dice.uniform(-level.turn, level.turn))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    centred = (corners - (width / 2, height / 2)) * scale
    turned = centred @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    turned *= 1 + dice.uniform(-level.tilt, level.tilt, (4, 2))
    shift = dice.uniform(-0.02, 0.02, 2) * frame
    target = (turned + np.array(frame) / 2 + shift).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    # INTER_AREA is not to be had for a warp: a blur first keeps fine dots from aliasing.
    soft = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), max(0.3, 0.45 / scale))
    return cv2.warpPerspective(
        soft, matrix, frame, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
        borderValue=(TABLE,),
    )  # fmt: skip


def _lens(picture: np.ndarray, level: Level, dice: np.random.Generator) -> np.ndarray:
    """Out of focus, and moved while the shutter was open."""
    picture = cv2.GaussianBlur(picture, (0, 0), level.blur * dice.uniform(0.6, 1.0))
    length = int(dice.integers(0, level.shake + 1))
    if length < 2:
        return picture
    kernel = np.zeros((length, length), np.float32)
    angle = dice.uniform(0, np.pi)
    middle = (length - 1) / 2
    for step in np.linspace(-middle, middle, 4 * length):
        at = np.round(middle + step * np.array([np.sin(angle), np.cos(angle)])).astype(int)
        kernel[at[0], at[1]] = 1
    return cv2.filter2D(picture, -1, kernel / kernel.sum())


def _sensor(picture: np.ndarray, level: Level, dice: np.random.Generator) -> np.ndarray:
    """Flat contrast, light from one side, noise."""
    height, width = picture.shape
    angle = dice.uniform(0, 2 * np.pi)
    y = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None]
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32)
    slope = 1 + level.light * (x * np.cos(angle) + y * np.sin(angle))
    flat = 128 + (picture - 128) * level.contrast
    noise = dice.standard_normal(picture.shape, np.float32) * level.noise
    noisy = flat * slope + noise
    return np.clip(noisy, 0, 255).astype(np.uint8)
