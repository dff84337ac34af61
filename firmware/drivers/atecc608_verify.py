"""Verifying a signature in an ATECC608 while the kit does something else.

The chip needs up to 125 ms: 20 to load the digest, 105 for the signature. Nobody has to wait for
it, but its result is lost when the watchdog puts the chip to sleep, 0.7 to 1.7 s after it woke.
"""

from firmware.drivers import PartError, const
from firmware.drivers.atecc608_link import E_REFUSED, OK, OP_NONCE, OP_VERIFY, fault, until

NONCE_TO_DIGEST_BUFFER = const(0x43)
_VERIFY_DIGEST_BUFFER = const(0x22)
_KEY_P256 = const(4)


class Check:
    """One signature in the woken chip behind `link`: the digest is loaded, then it is verified."""

    def __init__(self, link, key, digest, signature):
        self.link = link
        self._loading = True
        self._parts = (signature, key)
        link.start(OP_NONCE, NONCE_TO_DIGEST_BUFFER, 0, digest)

    def look(self):
        """None while the chip works, then whether the signature holds. Raises PartError."""
        answer = self.link.answer(1)
        if answer is None:
            return None
        good = answer[0] == OK
        if not self._loading:
            return good
        if not good:
            raise fault(E_REFUSED)
        self._loading = False
        self.link.start(OP_VERIFY, _VERIFY_DIGEST_BUFFER, _KEY_P256, *self._parts)
        return None


class Verification:
    """`chip.verify(*arguments)` in the background, from now on; `chip` must be at rest.

    Whatever else is asked of the chip meanwhile settles it first. What goes wrong in the
    background, or comes too late for the watchdog, is done again by poll(), which waits then.
    """

    def __init__(self, chip, *arguments):
        self._chip = chip
        self._link = chip.link
        self._arguments = arguments
        self._result = None
        self._link.under_way = self
        try:
            self._link.wake()
            self._check = Check(self._link, *arguments)
        except PartError:
            self._end()

    def poll(self):
        """None while the chip works, then True or False. Raises PartError."""
        if self._link.under_way is self and not self._look():
            return None
        if self._result is None:
            self._result = self._chip.verify(*self._arguments)
        return self._result

    def settle(self):
        """Wait until the chip is at rest; the result is kept for poll()."""
        until(self._look)

    def _look(self):
        """True when the chip is done with it, well or not; else None."""
        try:
            self._result = self._check.look()
            if self._result is None:
                return None
        except PartError:
            pass
        self._end()
        return True

    def _end(self):
        self._link.under_way = None
        self._link.sleep()
