"""A picture of every kind of screen in every language, and a sheet of them all.

    python -m host_tools.kit.gallery OUT

writes OUT/LANGUAGE/NN-NAME.png and OUT/LANGUAGE.png. The screens are the firmware's own, on its own
display driver, shown by the emulated display. Stations, pairs and figures are invented (CONTOH).
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from firmware.drivers.display_st7789 import ST7789
from firmware.language import Words
from firmware.screens import Screens
from host_tools.kit.bus import LocalPin, LocalSPI
from host_tools.kit.st7789 import ST7789Emulator

LANGUAGES = ("id", "en")
COLUMNS = 4
STATUS = {"clock": "13.05", "tps": "TPS 004", "signal": -87, "waiting": 3, "sent": 12}
Scene = Callable[[Screens], Coroutine]


class Typed:
    """Keys role that plays the given keys and then rests."""

    def __init__(self, keys: str = ""):
        self.waiting = keys.split()

    def read(self) -> str | None:
        return self.waiting.pop(0) if self.waiting else None


def sheet(width: int = 120, height: int = 160) -> bytes:
    """What the camera sees: a pale sheet with a table on a dark board, unevenly lit."""
    y, x = np.mgrid[0:height, 0:width]
    gray = 70 + 20 * x / width
    page = (x > 12) & (x < 108) & (y > 8) & (y < 152)
    gray = np.where(page, 225 - 30 * y / height, gray)
    table = page & (x > 20) & (x < 100) & (y > 40) & (y < 120)
    gray = np.where(table & ((y % 16 == 8) | (x == 70) | (x == 21) | (x == 99)), 40, gray)
    text = page & (x > 24) & (x < 62) & (y > 44) & (y < 118) & (y % 16 > 12) & (x * 7 % 5 > 1)
    gray = np.where(text, 90, gray)
    for left, top in ((16, 12), (98, 12), (16, 142), (98, 142)):
        gray[top : top + 6, left : left + 6] = 20
    return gray.astype(np.uint8).tobytes()


def _figures() -> tuple[list[str], list[int | None]]:
    labels = ["Voters in DPT L", "Voters in DPT P", "Voters in DPT J", "Users DPT L", "Users DPT P"]
    labels += ["Users DPT J", "Ballots received", "Ballots used", "Ballots returned"]
    return labels, [203, 207, 410, 171, 180, 351, 421, 366, None]


def scenes() -> list[tuple[str, str, Scene, bool]]:
    """(name, keys played, what is shown, training) of every picture."""
    labels, values = _figures()
    contest = "Gubernur dan Wakil Gubernur"

    def labelled(screens: Screens) -> list[str]:
        return [_label(screens, label) for label in labels]

    def summary(screens: Screens) -> list[str]:
        votes = {("Votes for pair %s", n): count for n, count in ((1, 117), (2, 171), (3, 65))}
        votes |= {"Valid votes": 353, "Invalid votes": 13}
        return [contest, *(f"{screens.t(label)}: {count}" for label, count in votes.items())]

    return [
        (
            "present",
            "",
            lambda s: s.menu(
                "Who is present?",
                ["Present", "Not present"],
                note=[contest, ("Witness of pair %d", 2)],
            ),
            False,
        ),
        ("pin", "1 2 3", lambda s: s.number("Open the station", "PIN", 6, True), False),
        (
            "sheet",
            "",
            lambda s: s.preview(
                "Photograph the sheet",
                120,
                160,
                sheet(),
                f"{contest}. {s.t(('Page %d of %d', 1, 3))}",
            ),
            False,
        ),
        (
            "figure",
            "4 2",
            lambda s: s.figures(("First officer, page %d", 1), labelled(s), values[:6]),
            False,
        ),
        (
            "figure-struck",
            "3 2 OK",
            lambda s: s.number("Key it in again", _label(s, "Invalid votes"), 3),
            True,
        ),
        (
            "review",
            "TURUN TURUN TURUN",
            lambda s: s.figures(("First officer, page %d", 1), labelled(s), values),
            False,
        ),
        (
            "differ",
            "TURUN",
            lambda s: s.menu(
                "The two officers differ",
                ["117", "171", "Key it in again"],
                note=_label(s, "Users DPT L"),
            ),
            True,
        ),
        (
            "sign",
            "",
            lambda s: s.message("Check before signing", summary(s)),
            False,
        ),
        ("print", "", lambda s: s.progress("Receipts are being printed", 2, 5), False),
        (
            "fault",
            "",
            lambda s: s.fault(
                201, "Paper is out: put in a new roll", "Put it right, then press OK."
            ),
            False,
        ),
        (
            "idle",
            "",
            lambda s: s.menu(
                "Results are signed",
                [
                    "State of sending",
                    "Proof of sending",
                    "Print a copy",
                    "Correct a result",
                    "Close the station",
                ],
            ),
            True,
        ),
        (
            "sending",
            "",
            lambda s: s.message(
                "State of sending",
                [
                    ("Entries acknowledged: %d", 12),
                    ("Entries waiting: %d", 3),
                    ("Photographs waiting: %d", 2),
                    "",
                    "There is no connection: the kit tries again by itself.",
                ],
            ),
            True,
        ),
    ]


def _label(screens: Screens, english: str) -> str:
    """A field's label as firmware.forms makes it: a translated row and L, P or J."""
    if english[-2:] in (" L", " P", " J"):
        row = english[:-2]
        users = row.startswith("Users ")
        row = screens.t(("Users %s", row[6:])) if users else screens.t(row)
        return row + english[-2:]
    return screens.t(english)


async def _show(screens: Screens, scene: Scene) -> None:
    """Run a scene until it rests waiting for a key, or is done."""
    task = asyncio.ensure_future(scene(screens))
    while isinstance(screens.keys, Typed) and screens.keys.waiting and not task.done():
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def gallery(out: Path, language: str) -> list[Path]:
    """Write the pictures of one language and their sheet; returns the pictures' paths."""
    panel, dc = ST7789Emulator(), LocalPin()
    display = ST7789(LocalSPI(panel, dc), dc)
    folder = out / language
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, (name, keys, scene, training) in enumerate(scenes(), 1):
        screens = Screens(display, Typed(keys), Words(language))
        for attribute, value in {**STATUS, "training": training}.items():
            setattr(screens.status, attribute, value)
        asyncio.run(_show(screens, scene))
        paths.append(folder / f"{number:02d}-{name}.png")
        panel.save_png(paths[-1])
    contact_sheet(paths).save(out / f"{language}.png")
    return paths


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
    if len(arguments) != 1:
        print("usage: python -m host_tools.kit.gallery OUT", file=sys.stderr)
        return 2
    for language in LANGUAGES:
        paths = gallery(Path(arguments[0]), language)
        print(f"{len(paths)} screens in {Path(arguments[0]) / language}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
