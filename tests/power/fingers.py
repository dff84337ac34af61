"""The same people before the real screens: what they answer is pressed key by key."""

from firmware.screens import Screens


class Keys:
    """Keys role: presses what stands in `waiting`, then `default`."""

    def __init__(self):
        self.waiting = []
        self.default = None

    def read(self):
        """The next key, or None."""
        return self.waiting.pop(0) if self.waiting else self.default

    def stuck(self):
        """None is."""
        return []


class PressedScreens(Screens):
    """Screens whose keys are pressed by `officer` (officer.Officer)."""

    def __init__(self, officer, display, words, on_show):
        self.fingers = Keys()
        super().__init__(display, self.fingers, words, on_show)
        self.officer = officer
        self._inner = False  # this screen was shown by another one
        self._answers = {}

    async def _press(self, keys, screen):
        self.fingers.waiting += keys
        self._inner = True
        answer = await screen
        self._inner = False
        if self.fingers.waiting:
            raise ValueError("keys left over: %r" % self.fingers.waiting)
        return answer

    async def message(self, title, lines, keys=("OK",), *, alarm=False):
        """As Screens."""
        shown = super().message(title, lines, keys, alarm=alarm)
        if self._inner:
            self.fingers.waiting.insert(0, "OK")
            return await shown
        return await self._press([await self.officer.message(title, lines, keys)], shown)

    async def menu(self, title, items, start=0, note=None):
        """As Screens."""
        choice = await self.officer.menu(title, items, start, note)
        keys = ["HAPUS"] if choice is None else [str(choice + 1), "OK"]
        return await self._press(keys, super().menu(title, items, start, note))

    async def number(self, title, label, digits, hidden=False, note="", *, value=None, before=None):
        """As Screens."""
        shown = super().number(title, label, digits, hidden, note, value=value, before=before)
        if self._inner:
            answer = self._answers[label]
        else:
            answer = await self.officer.number(title, label, digits, hidden, note)
        if answer is None:
            keys = ["OK"] if value is None else ["HAPUS", "OK"]
        else:
            text = str(answer)
            keys = list("0" * (digits - len(text)) + text if hidden else text) + ["OK"]
        if self._inner:
            self.fingers.waiting += keys
            return await shown
        return await self._press(keys, shown)

    async def figures(self, title, fields, values, keep=None, digits=3, *, known=None):
        """As Screens."""
        wanted = await self.officer.figures(title, fields, values)
        self._answers = {}
        for label, answer in zip(fields, wanted):  # noqa: B905
            self._answers[label] = answer
        shown = super().figures(title, fields, values, keep, digits, known=known)
        return await self._press([], shown)

    async def review(self, title, labels, values, at=0, digits=3):
        """As Screens."""
        self.fingers.default = "OK"
        answer = await super().review(title, labels, values, at, digits)
        self.fingers.default = None
        return answer

    async def preview(self, title, w, h, gray, note="", wait=None):
        """As Screens."""
        key = await self.officer.preview(title, w, h, gray, note)
        return await self._press([key], super().preview(title, w, h, gray, note, wait))

    async def progress(self, title, done, total, note=""):
        """As Screens."""
        await self.officer.progress(title, done, total, note)
        await super().progress(title, done, total, note)

    async def fault(self, code, sentence, what_to_do="", keys=("OK",)):
        """As Screens."""
        await self.officer.fault(code, sentence, what_to_do, keys)
        return await self._press([], super().fault(code, sentence, what_to_do, keys))
