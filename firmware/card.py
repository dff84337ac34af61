"""The journal's copy on the card: a second place from which a technician can read the day.

It follows the flash and never leads: what the card holds instead is put aside under another name,
never read back. A card that is pulled, full or dead stops nothing: it is a `problem` with a code,
and the copy catches up when there is a card again.
"""

import asyncio
import os

from firmware.compat import CodedError, const, exists, sync
from firmware.journal import is_whole

CARD_MISSING = const(712)
CARD_FULL = const(713)
CARD_FAILED = const(714)
TEXTS = {
    CARD_MISSING: "The card is missing: put it in. The day goes on without it.",
    CARD_FULL: "The card is full: put in another one. The day goes on without it.",
    CARD_FAILED: "The card does not work: put in another one. The day goes on without it.",
}
_ENOSPC = const(28)
_CHUNK = const(512)


class CardError(CodedError):
    """The card does not do what it is there for."""


def trouble(error, folder):
    """The CardError that OSError `error` means; `folder` is where the card is mounted."""
    if not exists(folder):
        code = CARD_MISSING
    else:
        code = CARD_FULL if error.errno == _ENOSPC else CARD_FAILED
    return CardError(code, TEXTS[code])


class CardCopy:
    """Copies `journal` (firmware.journal) into `folder` after every append, under the same name.

    `problem` is the CardError that keeps the copy from being whole, or None.
    """

    def __init__(self, journal, folder):
        self.journal = journal
        self.folder = folder
        self.path = folder + "/" + journal.path.rsplit("/", 1)[-1]
        self.problem = None
        self._good = -1  # first bytes of the copy that are the journal's; -1: to be compared
        self._buffer = bytearray(_CHUNK)
        self._other = bytearray(_CHUNK)
        journal.on_append = self.on_append
        self.retry()

    def on_append(self):
        """The journal has grown; a card that has already failed is not waited for."""
        if self.problem is None:
            self.retry()

    def retry(self):
        """Look at the card and bring the copy up to date. Raises nothing: see `problem`."""
        try:
            if self._good != self._found():
                self._good = self._compare()
            self._catch_up()
            self.problem = None
        except OSError as error:
            self._good = -1
            self.problem = trouble(error, self.folder)

    def _found(self):
        """Bytes that the copy has; OSError without a card."""
        os.stat(self.folder)
        return os.stat(self.path)[6] if exists(self.path) else 0

    def _compare(self):
        """How many of the copy's bytes are right; what is another journal is put aside."""
        found = self._found()
        if found == 0:
            return 0
        same = self._same()
        if same < found:
            start, end = self.journal.frame(same)
            # The rest of a torn frame is written over. Anything that is whole is somebody's entry.
            with open(self.path, "rb") as copy:
                torn = found <= end and not is_whole(copy, start, end)
            if not torn:
                self._put_aside()
                return 0
        return same

    def _same(self):
        """Length of what flash and card have in common."""
        same = 0
        if self.journal.size == 0:
            return 0  # its file is made by the first entry
        with open(self.journal.path, "rb") as flash, open(self.path, "rb") as card:
            while same < self.journal.size:
                n = flash.readinto(self._buffer)
                m = card.readinto(self._other)
                for i in range(min(n, m)):
                    if self._buffer[i] != self._other[i]:
                        return same + i
                same += min(n, m)
                if n != m or n == 0:
                    break
        return min(same, self.journal.size)

    def _put_aside(self):
        number = 1
        while exists("%s-old-%d" % (self.path, number)):
            number += 1
        os.rename(self.path, "%s-old-%d" % (self.path, number))

    def _catch_up(self):
        left = self.journal.size - self._good
        if left == 0:
            return
        view = memoryview(self._buffer)
        good = self._good
        mode = "r+b" if good else "wb"
        with open(self.journal.path, "rb") as flash, open(self.path, mode) as card:
            flash.seek(good)
            card.seek(good)
            while left:
                n = flash.readinto(view[: min(left, _CHUNK)])
                card.write(view[:n])
                left -= n
            sync(card)
        self._good = self.journal.size


async def tend(copy, photos, tell, pause=2):
    """For ever: keep the CardCopy up to date and the photographs (PhotoPlaces) on the card.

    `tell(problem)` is called when the card's CardError, or None, is another than before. `pause` is
    in seconds.
    """
    said = None
    while True:
        copy.retry()
        await photos.move()
        problem = copy.problem or photos.problem
        code = problem.code if problem else 0
        if code != said:
            said = code
            tell(problem)
        await asyncio.sleep(pause)
