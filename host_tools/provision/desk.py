"""The technician at the terminal: steps, progress and questions of one port."""

import threading

import typer
from rich.console import Console

_ASKING = threading.Lock()  # one question at a time, whatever number of cables there is
_OUT = Console(stderr=True, highlight=False)


class Desk:
    """`name` stands before each line when several kits are readied side by side.

    `assume`: nobody is asked; what eyes and fingers have to tell stays undone.
    """

    def __init__(self, name: str = "", assume: bool = False):
        self.prefix = f"[{name}] " if name else "  "
        self.assume = assume
        self._left: list[str] | None = None
        self._shown = -1

    def step(self, text: str) -> None:
        self._print(text)

    def copied(self, done: int, total: int) -> None:
        tenth = 10 * done // max(total, 1)
        if tenth != self._shown:
            self._shown = tenth
            self._print(f"{done} of {total} files")

    def sees(self, question: str) -> bool | None:
        if self.assume:
            return None
        with _ASKING:
            return typer.confirm(self.prefix + question, err=True)

    def pressed(self, seen: list[str], left: list[str]) -> None:
        if left != self._left:
            self._left = list(left)
            if left:
                self._print(f"press: {' '.join(left)}")

    def waits(self, left: list[str]) -> bool:
        if self.assume:
            return False
        with _ASKING:
            return typer.confirm(f"{self.prefix}{len(left)} keys left; wait on?", err=True)

    def _print(self, text: str) -> None:
        _OUT.print(self.prefix + text, markup=False)
