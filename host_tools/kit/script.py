"""Day scripts: what the officers press and what must be seen, one step a line.

    photo 1                 lay sheet 1 of the given photographs before the camera
    press OK                press a key (0-9 FOTO OK HAPUS CETAK NAIK TURUN), several in a row too
    press OK until NAME     press it again and again until the screen of that name comes
    keep photograph         keep what was photographed, whatever the quality gate says of it
    key 123                 press digits
    figures 148 152 - x 300 key each figure and OK; - leaves the boxes as they are, x clears them
    expect screen NAME      wait until the kit shows the screen of that (English) name
    expect log PATTERN      wait until the console prints a line that matches
    screenshot NAME         keep the screen as NAME.png
    cut power, power on     as it says
    paper out, paper in     the same for the printer; cover open, cover closed
    no signal, signal       the same for the modem
    card out, card in       the same for the card

Blank lines and what follows # are for the reader.
"""

import re
import shlex
import time
from collections.abc import Callable
from pathlib import Path

from host_tools.kit.machine import VirtualKit

PATIENCE = 60.0  # seconds that an expected screen may take
MOST_PRESSES = 60
FAULT_SCREEN = re.compile(r"E\d{3}$")
FAULT_STAYS = 5.0  # seconds
CONSOLE = 0.05  # seconds until a line that the kit has printed is in its log
SETTLE = 0.8  # seconds until a screenshot: a live picture is drawn anew three times a second


class ScriptError(Exception):
    """A line that cannot be played, or a screen that did not come: 'file:line: what'."""


def parse(text: str, name: str = "script") -> list[tuple[int, list[str]]]:
    """[(line number, words)] of a script; ScriptError names the line that is not understood."""
    steps = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise ScriptError(f"{name}:{number}: {error}") from None
        if not words:
            continue
        verb = words[0]
        if verb not in Player.VERBS:
            known = ", ".join(Player.VERBS)
            raise ScriptError(f"{name}:{number}: unknown step {verb!r}; known are {known}")
        steps.append((number, words))
    return steps


class Player:
    """Plays a script on a kit. `photographs` are what `photo N` refers to, from 1."""

    VERBS = (
        "photo",
        "press",
        "keep",
        "key",
        "figures",
        "expect",
        "screenshot",
        "cut",
        "power",
        "paper",
        "cover",
        "no",
        "signal",
        "card",
    )

    def __init__(self, kit: VirtualKit, photographs: list[Path], out: Path, patience=PATIENCE):
        self.kit = kit
        self.photographs = photographs
        self.out = out
        self.patience = patience
        self.shots: list[Path] = []
        self.mark = 0  # console lines before it were already looked at by `expect log`

    def play(
        self,
        steps: list[tuple[int, list[str]]],
        name: str = "script",
        on_step: Callable[[int, int], None] | None = None,
    ) -> None:
        """Play every step; `on_step(done, total)` is told the progress."""
        for done, (number, words) in enumerate(steps):
            try:
                getattr(self, "do_" + words[0])(*words[1:])
            except TypeError:
                raise ScriptError(f"{name}:{number}: wrong words after {words[0]!r}") from None
            except (TimeoutError, ValueError, KeyError, AssertionError, OSError) as error:
                raise ScriptError(f"{name}:{number}: {' '.join(words)}: {error}") from None
            if on_step:
                on_step(done + 1, len(steps))

    def do_photo(self, which: str) -> None:
        if which.isdigit():
            number = int(which)
            if not 1 <= number <= len(self.photographs):
                raise ValueError(f"there are {len(self.photographs)} photographs")
            self.kit.camera.load(self.photographs[number - 1])
        else:
            self.kit.camera.load(Path(which))

    def do_press(self, *keys: str) -> None:
        if keys[-2:-1] == ("until",):
            self._press_until(keys[:-2], keys[-1])
            return
        for key in keys:
            self.kit.press(key)

    def _press_until(self, keys: tuple[str, ...], name: str) -> None:
        for _ in range(MOST_PRESSES):
            # What the keys before asked for is not what this press brings.
            self.kit.matrix.settle()
            time.sleep(CONSOLE)
            before = len(self.screens())
            self.do_press(*keys)
            self._wait(lambda before=before: len(self.screens()) > before, "another screen")
            if self.screen() == name:
                return
        raise TimeoutError(f"the kit shows {self.screen()!r}")

    def _wait(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until `holds()`; TimeoutError says what the kit shows instead of `what`."""
        started = time.monotonic()
        while not holds():
            process = self.kit.process
            assert process is not None, "the power is off"
            waited = time.monotonic() - started
            # A fault that stays is not what the script foresaw: no use in waiting on.
            if waited > FAULT_STAYS and FAULT_SCREEN.match(self.screen()):
                raise TimeoutError(f"the kit shows a fault: {self.shown()}")
            if waited > self.patience or process.process.poll() is not None:
                tail = "\n".join(process.log[-8:])
                ended = "" if process.process.poll() is None else ", its process has ended"
                faults = "".join(f"\nfault on the bus: {fault}" for fault in self.kit.bus.faults)
                raise TimeoutError(
                    f"waiting for {what}, the kit shows {self.screen()!r}{ended}; "
                    f"its last lines:\n{tail}{faults}"
                )
            time.sleep(0.005)

    def do_keep(self, what: str) -> None:
        if what != "photograph":
            raise ValueError("keep photograph")
        good, bad = "Is the whole page readable?", "The photograph is not good"
        self._wait(lambda: self.screen() in (good, bad), "the photograph's screen")
        self.do_press(*(["TURUN", "OK"] if self.screen() == bad else ["OK"]))

    def do_key(self, digits: str) -> None:
        for digit in digits:
            self.kit.press(digit)

    def do_figures(self, *figures: str) -> None:
        for figure in figures:
            if figure == "x":
                self.kit.press("HAPUS")
            elif figure != "-":
                self.do_key(figure)
            self.kit.press("OK")

    def do_expect(self, what: str, *words: str) -> None:
        text = " ".join(words)
        if what == "log":
            assert self.kit.process is not None, "the power is off"
            self.mark, _ = self.kit.process.wait_for(text, self.mark, self.patience)
            self.mark += 1
        elif what == "screen":
            self._expect_screen(text)
        else:
            raise ValueError("expect screen NAME or expect log PATTERN")

    def _expect_screen(self, name: str) -> None:
        self._wait(lambda: self.screen() == name, repr(name))

    def screens(self) -> list[str]:
        """English names of the screens shown since power on, in order."""
        log = self.kit.process.log if self.kit.process else []
        return [line[7:].split(" | ")[0] for line in log if line.startswith("screen ")]

    def shown(self) -> str:
        """Name and lines of the screen that the kit shows now, in its language."""
        log = self.kit.process.log if self.kit.process else []
        lines = [line[7:] for line in log if line.startswith("screen ")]
        return " ".join((lines or [""])[-1].replace("|", " ").split())

    def screen(self) -> str:
        """English name of the screen that the kit shows now."""
        return (self.screens() or [""])[-1]

    def do_screenshot(self, name: str) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        time.sleep(SETTLE)
        path = self.out / f"{name}.png"
        self.kit.display.save_png(path)
        self.shots.append(path)

    def do_cut(self, what: str) -> None:
        if what != "power":
            raise ValueError("cut power")
        self.kit.power_off()

    def do_power(self, what: str) -> None:
        if what != "on":
            raise ValueError("power on")
        self.kit.power_on()
        self.mark = 0

    def do_paper(self, state: str) -> None:
        self.kit.printer.set_paper({"out": False, "in": True}[state])

    def do_cover(self, state: str) -> None:
        self.kit.printer.set_cover({"open": True, "closed": False}[state])

    def do_card(self, state: str) -> None:
        {"out": self.kit.pull_card, "in": self.kit.insert_card}[state]()

    def do_no(self, what: str) -> None:
        if what != "signal":
            raise ValueError("no signal")
        self.kit.modem.set_network(2, 99)  # searching, strength unknown

    def do_signal(self) -> None:
        self.kit.modem.set_network(1, 20)
