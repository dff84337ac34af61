"""A picture of every screen in every language, and a sheet of them all.

    python -m host_tools.kit.gallery OUT [--hashes FILE]

writes OUT/LANGUAGE/NN-NAME.png and OUT/LANGUAGE.png; --hashes also writes what the tests compare:
the SHA-256 of each picture's points. The screens are the firmware's own, on its own display driver,
shown by the emulated display; what they show is in scenes.py.
"""

import argparse
import asyncio
import hashlib
import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw

from firmware.drivers.display_st7789 import ST7789
from firmware.language import Words
from firmware.screens import Screens
from host_tools.kit.bus import LocalPin, LocalSPI
from host_tools.kit.scenes import scenes
from host_tools.kit.st7789 import ST7789Emulator

LANGUAGES = ("id", "en")
COLUMNS = 8
STATUS = {"clock": "13.05", "tps": "TPS 004", "signal": -87, "waiting": 3, "sent": 12}


class Typed:
    """Keys role that plays the given keys and then rests."""

    def __init__(self, keys: str = ""):
        self.waiting = keys.split()
        self.rested = False

    def read(self) -> str | None:
        if self.waiting:
            return self.waiting.pop(0)
        self.rested = True
        return None


async def _show(screens: Screens, keys: Typed, show) -> None:
    """Run a scene until it rests waiting for a key, or is done."""
    task = asyncio.ensure_future(show(screens))
    while not keys.rested and not task.done():
        await asyncio.sleep(0.001)
    task.cancel()
    (result,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(result, Exception):
        raise result


def gallery(out: Path, language: str, titles: set[str] | None = None) -> list[Path]:
    """Write the pictures of one language and their sheet; returns the pictures' paths.

    The screens' English names are added to `titles`.
    """
    panel, dc = ST7789Emulator(), LocalPin()
    display = ST7789(LocalSPI(panel, dc), dc)
    folder = out / language
    folder.mkdir(parents=True, exist_ok=True)
    paths = []

    def on_show(name: str, _lines: list[str]) -> None:
        if titles is not None:
            titles.add(name)

    for number, (name, typed, show, training) in enumerate(scenes(), 1):
        keys = Typed(typed)
        screens = Screens(display, keys, Words(language), on_show)
        for attribute, value in {**STATUS, "training": training}.items():
            setattr(screens.status, attribute, value)
        asyncio.run(_show(screens, keys, show))
        paths.append(folder / f"{number:03d}-{name}.png")
        panel.save_png(paths[-1])
    contact_sheet(paths).save(out / f"{language}.png")
    return paths


def hashes(folder: Path) -> dict[str, str]:
    """{"LANGUAGE NAME": first 16 hex digits of the SHA-256 of its points} of a gallery."""
    found = {}
    for language in LANGUAGES:
        for path in sorted((folder / language).glob("*.png")):
            points = Image.open(path).convert("RGB").tobytes()
            found[f"{language} {path.stem}"] = hashlib.sha256(points).hexdigest()[:16]
    return found


def contact_sheet(paths: list[Path], columns: int = COLUMNS) -> Image.Image:
    """The pictures side by side with a thin frame around each."""
    rows = -(-len(paths) // columns)
    result = Image.new("RGB", (columns * 256 + 16, rows * 336 + 16), (214, 217, 222))
    draw = ImageDraw.Draw(result)
    for i, path in enumerate(paths):
        x, y = 16 + i % columns * 256, 16 + i // columns * 336
        draw.rectangle((x - 2, y - 2, x + 241, y + 321), fill=(60, 64, 72))
        result.paste(Image.open(path), (x, y))
    return result


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("gallery", description="Pictures of every screen.")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--hashes", type=Path, help="also write the hashes that the tests keep")
    options = parser.parse_args(arguments)
    for language in LANGUAGES:
        paths = gallery(options.out, language)
        print(f"{len(paths)} screens in {options.out / language}")
    if options.hashes:
        options.hashes.write_text(json.dumps(hashes(options.out), indent=0) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
