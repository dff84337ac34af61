"""The page's icon: a check mark on the dark green of a valid receipt."""

import io

from PIL import Image, ImageDraw

SIZES = (192, 512)
GREEN = (11, 90, 40)


def png(size: int) -> bytes:
    """The icon as a square PNG of `size` pixels; its sign stays inside any round mask."""
    big = size * 4
    picture = Image.new("RGB", (big, big), GREEN)
    line = [(round(x * big), round(y * big)) for x, y in ((0.26, 0.52), (0.43, 0.69), (0.75, 0.33))]
    draw = ImageDraw.Draw(picture)
    width = round(0.1 * big)
    draw.line(line, fill="white", width=width, joint="curve")
    for x, y in (line[0], line[-1]):
        draw.ellipse((x - width // 2, y - width // 2, x + width // 2, y + width // 2), fill="white")
    out = io.BytesIO()
    picture.resize((size, size), Image.Resampling.LANCZOS).quantize(16).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()
