"""Is the frame sharp and well lit? A light gate before a photograph is kept; no decoding, no model.

Works on the whole frame in grey, about 256 pixels on its long side (the camera's focus frame).
Sharpness is a share, not a power: across every strong edge, how much of the rise happens in one
step? A sharp edge gives all of it, a blurred one spreads it. So neither the amount of text nor the
light changes the number, and noise changes it little; a variance of the Laplacian fails here, it
ranks a shaken photograph full of noise and sharpening above three soft but readable ones. Rows and
columns are measured apart and the worse one counts: a shaken hand blurs one direction only.
"""

from firmware.compat import const

_SPAN = const(4)  # pixels over which an edge must rise
_STEP = const(2)  # every second row, every second column
_FEWEST = const(60)  # edges in each direction, else there is nothing to judge by

# How the thresholds were found, on frames of 192 x 256. Four real photographs: the readable ones
# give 765, 777 and 795, the shaken one 687. 70 drawn ones (host_tools/sheet), blur in pixels of a
# 12 MP photograph: lens blur up to 4 and shake up to 14: 780..950; lens blur 6: 740..760, shake
# 20: 735..825 (both still let through: people can read them); lens blur 9, shake 30: 625..665.
# Paper is at 205..230 on all well-lit ones and nothing is clipped; a drawn hall at a quarter of the
# light gives 55..66, one over-exposed by half clips 450..640.
# tests/host_tools/kit/test_camera.py holds the code to both sets.
SHARP_ENOUGH = const(730)  # per mille of an edge's rise in one step
DARKEST = const(80)  # grey of the paper; a sheet lit so weakly drowns in noise
MOST_CLIPPED = const(250)  # per mille of the frame at 250 or above: the pen's thin strokes vanish

BLURRED = "Too blurred"
DARK = "Too dark"
BRIGHT = "Too bright"


def assess(w, h, gray):
    """(sharpness, paper, clipped) of a w x h frame, one byte a pixel (bytes or bytearray).

    sharpness: 0..1000 per mille, 0 when the frame has too few edges to tell. paper: grey level that
    a tenth of the frame exceeds. clipped: per mille of the frame at 250 or above.
    """
    paper, clipped = _light(gray, w * h)
    edge = max(paper // 4, 8)
    across = _rise(gray, range(0, w * h, _STEP * w), (w - _SPAN), 1, edge)
    down = _rise(gray, range(0, w, _STEP), w * (h - _SPAN), w, edge)
    return min(across, down), paper, clipped


def verdict(sharpness, paper, clipped):
    """The reasons (English sentences) to ask for another photograph; empty when it is good."""
    reasons = []
    if paper < DARKEST:
        reasons.append(DARK)
    if clipped > MOST_CLIPPED:
        reasons.append(BRIGHT)
    # Without light nothing has edges: blur is not the reason then.
    if sharpness < SHARP_ENOUGH and (sharpness or not reasons):
        reasons.append(BLURRED)
    return reasons


def _light(gray, size):
    """(level that a tenth of the pixels exceed, per mille at 250 or above); every fifth counts."""
    counts = [0] * 256
    for i in range(0, size, 5):
        counts[gray[i]] += 1
    total = (size + 4) // 5
    clipped = sum(counts[250:]) * 1000 // total
    above = 0
    level = 255
    while level > 0 and above * 10 < total:
        above += counts[level]
        level -= 1
    return level, clipped


def _rise(gray, starts, length, step, edge):
    """Mean share, per mille, of the steepest step within each rise of more than `edge`.

    Lines begin at `starts`, run for `length` in strides of `step`.
    """
    step2 = 2 * step
    step3 = 3 * step
    step4 = _SPAN * step
    fall = -edge
    total = 0
    edges = 0
    for start in starts:
        for i in range(start, start + length, step):
            rise = gray[i + step4] - gray[i]
            if rise > edge or rise < fall:
                a, b, c = gray[i], gray[i + step], gray[i + step2]
                d, e = gray[i + step3], gray[i + step4]
                best = max(abs(b - a), abs(c - b), abs(d - c), abs(e - d))
                total += best * 1000 // abs(rise)
                edges += 1
    return total // edges if edges >= _FEWEST else 0
