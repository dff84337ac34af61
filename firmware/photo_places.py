"""Where photographs lie: on the card, or on flash while the card is gone, full or dead.

Flash takes them only as long as RESERVE stays free for the journal, which comes first. When the
card takes photographs again, those on flash move over: copied, synced, read back, then removed.
"""

import asyncio
import os

from firmware.card import CARD_FULL, TEXTS, CardError, trouble
from firmware.compat import const
from firmware.photos import PhotoError, Photos

NO_ROOM = const(715)
RESERVE = const(1048576)  # bytes of flash
_CHUNK = const(1024)


def free(folder):
    """Free bytes where `folder` is; OSError when it is not there."""
    medium = os.statvfs(folder)
    left = medium[4]
    # littlefs may count blocks twice, and what is then less than nothing comes as a huge number.
    return 0 if left > medium[2] else left * medium[1]


class Reading:
    """A photograph that is being read; until it is closed it is not removed."""

    def __init__(self, place, digest, done):
        self._file = place.open(digest)
        self._done = done
        self.readinto = self._file.readinto
        self.seek = self._file.seek

    def close(self):
        """Let go of the file."""
        self._file.close()
        done, self._done = self._done, None
        if done:
            done()


class PhotoPlaces:
    """As Photos, in `photos/` of two roots. `problem`: what ails the card (CardError), or None."""

    def __init__(self, card, flash, reserve=RESERVE):
        self.problem = None
        self.reserve = reserve
        self._card, self._flash = card, flash
        self._on_card = Photos(card + "/photos")
        self._on_flash = Photos(flash + "/photos")
        self._mover = Photos(card + "/photos", "move.part")
        self._probe = Photos(card + "/photos", "check.part")
        self._place = None  # where the unfinished photograph is
        self._room = 0  # bytes that it may still take on flash
        self._written = 0
        self._wanted = 0  # bytes that a full card had no room for
        self._avoid = False  # the last photograph was lost on the card: the next goes to flash
        self._lent = []  # digests that are being read from flash
        self._buffer = bytearray(_CHUNK)

    def _where(self, digest):
        return self._on_card if self._on_card.has(digest) else self._on_flash

    def has(self, digest):
        """True when the whole photograph is here."""
        return self._where(digest).has(digest)

    def size(self, digest):
        """Bytes of a stored photograph; OSError if it is not here."""
        return self._where(digest).size(digest)

    def open(self, digest):
        """A readable file (readinto, seek, close) of a photograph; OSError if it is not here."""
        place = self._where(digest)
        if place is self._on_card:
            return place.open(digest)
        reading = Reading(place, digest, lambda: self._lent.remove(digest))
        self._lent.append(digest)
        return reading

    async def is_sound(self, digest):
        """True when the file still has its digest; OSError if it is not here."""
        return await self._where(digest).is_sound(digest)

    def begin(self, size=0):
        """Start a new photograph of `size` bytes (0: not known), dropping an unfinished one."""
        self.drop()
        self._written = 0
        self._room = free(self._flash) - self.reserve
        fits = self._room > size
        avoid, self._avoid = self._avoid and fits, False
        if not avoid and self._has_room(size):
            try:
                self._on_card.begin()
                self._place = self._on_card
                return
            except PhotoError as error:
                self._ails(error)
        if not fits:
            self._no_room()
        self._on_flash.begin()
        self._place = self._on_flash

    def write(self, chunk):
        """Store and hash the next bytes (a memoryview is not copied)."""
        if self._place is None:
            raise ValueError("begin a photograph first")
        self._written += len(chunk)
        if self._place is self._on_flash and self._written > self._room:
            self.drop()
            self._no_room()
        try:
            self._place.write(chunk)
        except PhotoError as error:
            self._lost(error)

    def keep(self):
        """Make the photograph durable; returns (sha256 32 B, size)."""
        if self._place is None:
            raise ValueError("begin a photograph first")
        try:
            kept = self._place.keep()
        except PhotoError as error:
            self._lost(error)
        self._place = None
        return kept

    def drop(self):
        """Forget an unfinished photograph."""
        if self._place is not None:
            self._place.drop()
        self._place = None

    def check(self):
        """Raise CardError or PhotoError when the card takes no photographs."""
        try:
            self._probe.check()
        except PhotoError as error:
            raise self._ails(error) from None

    async def move(self):
        """Look at the card again when it failed, and move over what lies on flash."""
        try:
            if self.problem is not None:
                if not self._has_room(self._wanted):
                    return
                self._probe.check()
                self.problem = None
                self._wanted = 0
                if self._place is not self._on_card:
                    self._on_card.drop()  # what was cut off when the card went
            for digest in self._on_flash.digests():
                if self.problem is None and digest not in self._lent:
                    await self._move(digest)
        except PhotoError as error:
            self._ails(error)
        except OSError:
            pass  # flash does not give it back: what is there stays there

    async def _move(self, digest):
        """Move one photograph; PhotoError when the card fails. What is damaged stays."""
        if not await self._is_safe(digest):
            if not self._has_room(self._on_flash.size(digest)):
                return
            if not await self._on_flash.is_sound(digest):
                return
            await self._copy(digest)
            if not await self._is_safe(digest):
                return
        if digest not in self._lent:
            self._on_flash.remove(digest)

    async def _is_safe(self, digest):
        """True when the card has it and gives it back as it was signed."""
        try:
            return self._on_card.has(digest) and await self._on_card.is_sound(digest)
        except OSError as error:
            raise PhotoError(0, "", error) from None

    async def _copy(self, digest):
        view = memoryview(self._buffer)
        self._mover.begin()
        file = self._on_flash.open(digest)
        try:
            n = file.readinto(self._buffer)
            while n:
                self._mover.write(view[:n])
                await asyncio.sleep(0)
                n = file.readinto(self._buffer)
        finally:
            file.close()
        self._mover.keep(digest)

    def _has_room(self, size):
        """True when the card is there and can take `size` bytes; else `problem` says why not."""
        try:
            if free(self._card) > size:
                return True
            self.problem = CardError(CARD_FULL, TEXTS[CARD_FULL])
            self._wanted = size
        except OSError as error:
            self.problem = trouble(error, self._card)
            self._wanted = 0
        return False

    def _no_room(self):
        text = "There is no room for photographs: change the card, or go on without this one."
        raise PhotoError(NO_ROOM, text)

    def _ails(self, error):
        self.problem = trouble(error.cause, self._card)
        return self.problem

    def _lost(self, error):
        """The photograph under way is lost: say so, and keep the next one elsewhere."""
        if self._place is self._on_card:
            self._ails(error)
            self._wanted = self._written
            self._avoid = True
        self._place = None
        raise error
