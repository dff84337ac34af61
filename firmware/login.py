"""Asks an officer for the PIN of a role; after wrong ones the kit counts down to the next try."""

import asyncio

from firmware.pins import DIGITS, KETUA, SECOND

_TEXTS = {KETUA: "PIN of the KPPS chair", SECOND: "PIN of the second officer"}
_POLL = 0.1  # seconds between looks at the wait


class Login:
    """`pins`: firmware.pins.Pins, or None on a training kit that was given no PINs."""

    KETUA = KETUA
    SECOND = SECOND

    def __init__(self, screens, pins):
        self.screens = screens
        self.pins = pins

    async def ask(self, role, title):
        """True when the role's PIN was given, False when the officer went back with HAPUS."""
        while self.pins is not None:
            await self._sit_out(role)
            pin = await self.screens.number(title, _TEXTS[role], DIGITS, hidden=True)
            if pin == self.screens.BACK:
                return False
            if await self.pins.check(role, "%06d" % pin):
                return True
            if self.pins.wait(role) == 0:
                left = ("Tries left before the kit waits: %d", self.pins.left(role))
                await self.screens.message("Wrong PIN", [left])
        return True

    async def _sit_out(self, role):
        """Count the role's wait down on the screen; no key ends it."""
        whole = left = self.pins.wait(role)
        shown = None
        while left > 0:
            if left != shown:
                note = "Seconds until the next try"
                await self.screens.progress("Too many wrong PINs", left, whole, note)
                shown = left
            await asyncio.sleep(_POLL)
            left = self.pins.wait(role)
