"""A plausible phone photograph of a drawn page: for the demo and for tests, never for the signer.

The page hangs on a wall: perspective, folds, uneven light, a shadow, lens blur, sensor noise, JPEG.
"""

import math
import random
from dataclasses import dataclass

import cv2
import numpy as np

SIZE = (3024, 4032)  # width, height: 12 MP, 4:3, held upright
QUALITY = 88


@dataclass(frozen=True)
class Look:
    """How a photograph was taken. Lengths in pixels of a 12 MP photograph, light as a factor."""

    focus: float = 1.0  # sigma of the lens blur
    shake: float = 0.0  # length of the motion blur
    light: float = 1.0  # 1 = paper at about 225 of 255; 0.3 = a dark hall; 1.5 = blown out
    noise: float = 3.0  # sigma at mid grey
    tilt: float = 0.05  # how far corners move, as part of the page's size
    angle: float = 0.0  # camera turned, degrees


GOOD = Look()
BLURRED = Look(focus=3.0, shake=42.0)


def photograph(
    page: np.ndarray, seed: int = 0, look: Look = GOOD, size: tuple[int, int] = SIZE
) -> bytes:
    """JPEG bytes of `page` (uint8 BGR) photographed at `size` = (width, height); seeded.

    Draw the page about 0.8 of the photograph's width wide, so that nothing is magnified.
    """
    rng = np.random.default_rng(seed)
    rnd = random.Random(seed)
    width, height = size
    unit = width / SIZE[0]
    scene = _wall(rng, rnd, width, height)
    to_photo = _pose(page, rnd, look, width, height)
    _shadow(scene, page, to_photo, rnd, unit)
    _hang(scene, _fold(page, rnd), to_photo)
    _tape(scene, page, to_photo, rnd)
    scene = _blur(scene, rnd, look, unit)
    scene = _light(scene, rnd, look)
    _noise(scene, rng, look)
    ok, data = cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not ok:
        raise ValueError("The photograph could not be encoded as JPEG")
    return data.tobytes()


def _wall(rng: np.random.Generator, rnd: random.Random, width: int, height: int) -> np.ndarray:
    """A painted wall: a colour with stains at three sizes."""
    colour = np.array(rnd.choice([(150, 170, 165), (140, 158, 172), (165, 160, 150)]), np.float32)
    stains = np.zeros((height, width), np.float32)
    for cells, strength in ((6, 9.0), (40, 4.0), (300, 3.0)):
        small = rng.normal(0, strength, (cells * 4 // 3, cells)).astype(np.float32)
        stains += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(colour + stains[..., None], 0, 255).astype(np.uint8)


def _pose(page: np.ndarray, rnd: random.Random, look: Look, width: int, height: int) -> np.ndarray:
    """The homography from page pixels to photograph pixels; the whole page stays in the frame."""
    page_h, page_w = page.shape[:2]
    turn = math.radians(look.angle + rnd.gauss(0, 0.8))
    corners = np.array([[0, 0], [page_w, 0], [page_w, page_h], [0, page_h]], np.float64)
    points = (corners - [page_w / 2, page_h / 2]) / page_h
    points += np.array([[rnd.uniform(-1, 1) * look.tilt / 2 for _ in "xy"] for _ in points])
    rotate = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    points = points @ rotate
    low, high = points.min(0), points.max(0)
    scale = min(width / (high[0] - low[0]), height / (high[1] - low[1])) * rnd.uniform(0.92, 0.95)
    points = (points - (low + high) / 2) * scale + [width / 2, height / 2]
    return cv2.getPerspectiveTransform(corners.astype(np.float32), points.astype(np.float32))


def _fold(page: np.ndarray, rnd: random.Random) -> np.ndarray:
    """The sheet was folded twice: a light and a dark line across, a slow swell between."""
    page_h, page_w = page.shape[:2]
    shade = np.ones((page_h, page_w), np.float32)
    for axis, length in ((0, page_h), (1, page_w)):
        at = np.arange(length, dtype=np.float32)
        line = np.ones(length, np.float32)
        for part in (1 / 2, 1 / 4, 3 / 4):
            middle = length * (part + rnd.gauss(0, 0.003))
            spread = length * rnd.uniform(0.001, 0.002)
            depth = rnd.uniform(0.02, 0.07) * rnd.choice((-1, 1))
            line += depth * np.exp(-(((at - middle) / spread) ** 2))
            line += depth * 0.35 * np.exp(-(((at - middle) / (spread * 25)) ** 2))
        shade *= line[:, None] if axis == 0 else line[None, :]
    return _scale(page, shade)


def _shadow(
    scene: np.ndarray, page: np.ndarray, to_photo: np.ndarray, rnd: random.Random, unit: float
) -> None:
    """The sheet's soft shadow on the wall."""
    mask = np.full(page.shape[:2], 90, np.uint8)
    move = np.array(
        [[1, 0, rnd.uniform(8, 22) * unit], [0, 1, rnd.uniform(8, 26) * unit], [0, 0, 1]]
    )
    size = (scene.shape[1] // 4, scene.shape[0] // 4)
    quarter = np.diag([0.25, 0.25, 1.0])
    dark = cv2.warpPerspective(mask, quarter @ move @ to_photo, size)
    dark = cv2.GaussianBlur(dark, (0, 0), 4 * unit)
    dark = cv2.resize(dark, (scene.shape[1], scene.shape[0]), interpolation=cv2.INTER_LINEAR)
    scene[:] = _scale(scene, 1 - dark.astype(np.float32) / 255)


def _hang(scene: np.ndarray, page: np.ndarray, to_photo: np.ndarray) -> None:
    """Put the page into the scene."""
    size = (scene.shape[1], scene.shape[0])
    cv2.warpPerspective(page, to_photo, size, scene, cv2.INTER_AREA, cv2.BORDER_TRANSPARENT)


def _tape(scene: np.ndarray, page: np.ndarray, to_photo: np.ndarray, rnd: random.Random) -> None:
    """Strips of tape over the upper edge and the corners, outside the marks."""
    page_h, page_w = page.shape[:2]
    long, wide = page_w * 0.06, page_w * 0.018
    for x, y in ((0.14, 0), (0.5, 0), (0.86, 0), (0.2, 1), (0.8, 1)):
        cx, cy = page_w * (x + rnd.gauss(0, 0.01)), page_h * y
        lean = rnd.gauss(0, 0.1)
        box = np.array(
            [
                [cx - wide, cy - long / 2],
                [cx + wide, cy - long / 2 + lean * wide],
                [cx + wide, cy + long * 0.28],
                [cx - wide, cy + long * 0.28],
            ],
            np.float32,
        )
        spots = cv2.perspectiveTransform(box[None], to_photo)[0]
        mask = np.zeros(scene.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, np.round(spots).astype(np.int32), 1)
        x0, y0, w, h = cv2.boundingRect(np.round(spots).astype(np.int32))
        y0, x0 = max(0, y0), max(0, x0)
        area = (slice(y0, y0 + h), slice(x0, x0 + w))
        tape = np.array((150, 190, 205), np.float32)
        mixed = scene[area] * 0.55 + tape * 0.45
        scene[area] = np.where(mask[area][..., None] > 0, mixed, scene[area]).astype(np.uint8)


def _blur(scene: np.ndarray, rnd: random.Random, look: Look, unit: float) -> np.ndarray:
    """Lens blur, then the hand's movement along one direction."""
    if look.focus:
        scene = cv2.GaussianBlur(scene, (0, 0), max(0.3, look.focus * unit))
    length = look.shake * unit
    if length >= 2:
        half = int(length / 2) + 1
        kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
        direction = rnd.uniform(0, math.pi)
        for t in np.linspace(-length / 2, length / 2, 4 * half):
            x, y = half + t * math.cos(direction), half + t * math.sin(direction)
            kernel[round(y), round(x)] += 1
        scene = cv2.filter2D(scene, -1, kernel / kernel.sum())
    return scene


def _light(scene: np.ndarray, rnd: random.Random, look: Look) -> np.ndarray:
    """A lamp on one side, vignetting, and the camera's exposure."""
    rows, cols = 48, 36
    y, x = np.mgrid[0:rows, 0:cols].astype(np.float32)
    x, y = x / (cols - 1) - 0.5, y / (rows - 1) - 0.5
    direction = rnd.uniform(0, 2 * math.pi)
    slope = rnd.uniform(0.08, 0.22)
    light = 0.9 + slope * (x * math.cos(direction) + y * math.sin(direction))
    light -= 0.22 * (x * x + y * y)
    factor = cv2.resize(light * look.light, (scene.shape[1], scene.shape[0]))
    warm = (rnd.uniform(0.90, 0.97), 0.985, rnd.uniform(0.98, 1.02))
    return _scale(scene, factor, warm)


def _noise(scene: np.ndarray, rng: np.random.Generator, look: Look) -> None:
    """Sensor noise, in strips to bound the memory."""
    if not look.noise:
        return
    for top in range(0, scene.shape[0], 512):
        strip = scene[top : top + 512]
        grain = rng.standard_normal(strip.shape[:2], np.float32) * look.noise
        noisy = strip + grain[..., None]
        strip[:] = np.clip(noisy, 0, 255).astype(np.uint8)


def _scale(
    image: np.ndarray, factor: np.ndarray, channels: tuple[float, ...] = (1, 1, 1)
) -> np.ndarray:
    """`image` times a map, channel by channel (a float copy of 12 MP in colour is 145 MB)."""
    out = np.empty_like(image)
    for c in range(3):
        out[..., c] = np.clip(image[..., c] * (factor * channels[c]), 0, 255).astype(np.uint8)
    return out
