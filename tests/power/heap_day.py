"""A whole day in a small heap: peak bytes a step, with the real screens, words, dots and littlefs.

    micropython -X heapsize=1m tests/power/heap_day.py SEED DIR

Flash and card are littlefs images in DIR. Prints one JSON object: {"steps": {step: peak bytes},
"total": bytes of heap, "around": bytes of these that are the test's own people and parts}.
"""

import gc
import json
import sys

import firmware.board_virtual
import firmware.main  # noqa: F401

gc.collect()
before = gc.mem_alloc()

from firmware import blockdev, language, main, printing  # noqa: E402
from tests.power import bench, board, cutdev, fingers, plans  # noqa: E402

gc.collect()
AROUND = gc.mem_alloc() - before


class English(language.Words):
    """Holds the Indonesian words in memory, and answers in English for those who read tables."""

    def __call__(self, sentence):
        self._table.get(sentence)
        return sentence


class HeapBench(bench.Bench):
    """A bench whose flash and card are files, so that they take no heap."""

    def __init__(self, changes, folder):
        self.folder = folder
        self.steps = {}
        super().__init__(changes, ())
        self.draw = self.look

    def mount(self, power, fresh=False):
        """As Bench, on files."""
        self.power = power
        for name, path in (("flash", board.FLASH), ("card", board.CARD)):
            blockdev.mount("%s/%s.img" % (self.folder, name), path)

    def unmount(self):
        """As Bench."""
        for path in (board.FLASH, board.CARD):
            bench.vfs.umount(path)

    def screens(self, officer, *arguments):
        """The real ones."""
        display, _, words, on_show = arguments
        return fingers.PressedScreens(officer, display, words, on_show)

    def on_kit(self, kit):
        """The gauge of the kit itself, with the collections that it asks for."""
        self.gauge = kit.gauge

    def look(self):
        """While dots are printed."""
        self.gauge.look()

    def log(self, line):
        """Keeps what the station says of its heap."""
        super().log(line)
        word, _, rest = line.partition(" ")
        if word == "heap":
            step, peak = rest.split(" ")
            self.steps[step] = max(int(peak), self.steps.get(step, 0))


if __name__ == "__main__":
    seed, folder = int(sys.argv[1]), sys.argv[2]
    board.quicken()
    main.Words = English
    draw_code = printing._print_qr

    async def code_and_dots(printer, text):
        await printer.code(text)
        await draw_code(printer, text)

    printing._print_qr = code_and_dots
    kit = HeapBench(plans.plan_of(seed), folder)
    found = bench.attempt(kit, kit.live, cutdev.Power())
    outcome = {"steps": kit.steps, "total": gc.mem_alloc() + gc.mem_free(), "around": AROUND}
    outcome["problems"] = found
    print(json.dumps(outcome))
