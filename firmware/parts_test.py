"""The kit's parts one by one, for the technician at the cable (verbs TEST and KEYS).

    TEST [part]  ->  [1, what was found…]  or  [0, code, sentence, what was found…]
    KEYS         ->  [all seen 0|1, [seen…], [not yet…], [stuck…]]

    chip       serial, revision (hex)         signature  key ids, live and training (hex)
    random                                    display    width, height
    keys       names of all keys              printer    profile, columns, dots
    camera     width, height, sharpness, paper, bytes of a JPEG, its width, its height
    card       bytes written and read, bytes free
    modem      model, operator, dBm or null   clock      Unix seconds, quality
    memory     bytes free on flash, bytes free of the heap or null

What display and paper show, only a person can say. `TEST keys` begins to look at the keypad, KEYS
tells what it saw; the check has passed when every key was pressed and none is stuck. Nothing that a
part does or raises ends the talk.
"""

import asyncio
import gc
import os

from firmware import cbor, quality, record
from firmware.card import trouble
from firmware.compat import CodedError, const, sync, ticks_diff, ticks_ms
from firmware.jpeg import JpegCheck
from firmware.parts_show import show_picture, strip
from firmware.photo_places import RESERVE, free
from firmware.printing import print_job
from firmware.selftest import CAMERA, CARD, CHIP, CLOCK, EARLIEST, KEYS, PRINTER, RANDOM, SIGNS
from firmware.serial_link import FAILED

# Checks that the boot event does not have; the others have its numbers.
DISPLAY = const(11)
MODEM = const(12)
MEMORY = const(13)

BAD_ARGUMENT = const(885)
BLACK = const(887)
WRONG = const(888)
MISSING = const(889)

_BLACK = 16  # grey level that a tenth of a frame exceeds when there is any light
_LOOKS = 6000  # at the keypad after the last question about it: a minute
_LOOK = 0.01  # s between two
_TICK = 2500  # ms in which a clock of whole seconds must go on
_BLOCK = 4096  # bytes that the card has to give back
_CHUNK = 512


class PartFault(CodedError):
    """A part is not as it should be; `found` is what it did say."""

    def __init__(self, code, text, *found):
        CodedError.__init__(self, code, text)
        self.found = found


def argument(data, length=None):
    """The list in a verb's argument, of `length` items; PartFault when it is none."""
    try:
        value = cbor.decode(data)
    except cbor.CborError:
        value = None
    if not isinstance(value, list) or length not in (None, len(value)):
        raise PartFault(BAD_ARGUMENT, "This is not what the verb wants")
    return value


class KeyWatch:
    """Looks at a Keys role in the background and remembers which keys were pressed."""

    def __init__(self, keys):
        self.keys = keys
        self.stuck = keys.stuck()
        self.seen = []
        self._left = 0
        self._task = None

    def tell(self):
        """[all seen, seen, not yet, stuck]; and look on for a minute."""
        waiting = [name for name in self.keys.names if name not in self.seen]
        if waiting and not self._left:
            self._task = asyncio.create_task(self._run())
        self._left = _LOOKS if waiting else 0
        return [int(not waiting and not self.stuck), self.seen, waiting, self.stuck]

    async def _run(self):
        await asyncio.sleep(0)
        while self._left:
            self._left -= 1
            key = self.keys.read()
            if key == "HAPUS_LAMA":
                key = "HAPUS"
            if key and key not in self.seen:
                self.seen.append(key)
            await asyncio.sleep(_LOOK)

    def stop(self):
        """Leave the keys to others."""
        self._left = 0
        if self._task:
            self._task.cancel()
            self._task = None


class PartsTest:
    """Tests the parts of `board` (see board_virtual.Board); `words`: firmware.language.Words.

    `outcomes` {check: 0 or 1} are the last ones of the checks made since power came.
    """

    def __init__(self, board, words, settings):
        self.board = board
        self.words = words
        self.settings = settings
        self.outcomes = {}
        self.watch = None
        self._printer = None
        self._job = 0
        self._checks = {
            "chip": (CHIP, self._chip),
            "random": (RANDOM, self._random),
            "signature": (SIGNS, self._signature),
            "display": (DISPLAY, self._display),
            "keys": (KEYS, self._keys),
            "printer": (PRINTER, self._strip),
            "camera": (CAMERA, self._camera),
            "card": (CARD, self._card),
            "modem": (MODEM, self._modem),
            "clock": (CLOCK, self._clock),
            "memory": (MEMORY, self._memory),
        }

    def handlers(self):
        """{verb: function(bytes) -> bytes or a coroutine} for serial_link.serve."""
        return {"TEST": self.test, "KEYS": self.keys}

    async def test(self, data):
        """Try one part; see the head of this file."""
        (name,) = argument(data, 1)
        if not isinstance(name, str) or name not in self._checks:
            raise PartFault(BAD_ARGUMENT, "There is no such part; there are: %s" % self._names())
        number, check = self._checks[name]
        self.outcomes[number] = 0
        try:
            found = check()
            if hasattr(found, "send"):  # a coroutine
                found = await found
        except Exception as error:  # whatever it is, it belongs to this part
            code = getattr(error, "code", FAILED)
            text = getattr(error, "text", "The kit failed: " + str(error))
            return cbor.encode([0, code, text] + list(getattr(error, "found", ())))
        if number == KEYS:
            del self.outcomes[KEYS]  # it has only begun
        else:
            self.outcomes[number] = 1
        return cbor.encode([1] + found)

    def keys(self, _):
        """What the keypad has shown since TEST keys."""
        if self.watch is None:
            raise PartFault(BAD_ARGUMENT, "Begin with TEST keys")
        told = self.watch.tell()
        if told[0]:
            self.outcomes[KEYS] = 1
        return cbor.encode(told)

    def stop(self):
        """Leave the keypad to the day."""
        if self.watch:
            self.watch.stop()

    async def print(self, make):
        """Print make(printer)'s operations; PartError or PartFault unless they are on paper."""
        profile = self.settings.get("printer")
        if self._printer is None or self._printer[0] != profile:
            self._printer = (profile, self.board.printer(profile))
        printer = self._printer[1]
        self._job += 1
        if not await print_job(printer, make(printer), self._job):
            raise PartFault(WRONG, "The printer did not say that it printed.")
        return [profile, printer.columns, printer.dots]

    def _names(self):
        return " ".join(sorted(self._checks))

    def _part(self, name):
        part = getattr(self.board, name, None)
        if part is None:
            raise PartFault(MISSING, "This board has no such part")
        return part

    def _chip(self):
        signer = self._part("signers")["live"]
        return [_hex(signer.serial()), _hex(signer.revision())]

    def _random(self):
        signer = self._part("signers")["live"]
        if not signer.random_is_live() or signer.random(32) == signer.random(32):
            raise PartFault(WRONG, "The chip's random numbers are not random: change the kit")
        return []

    def _signature(self):
        kids = []
        for mode in ("live", "training"):
            signer = self._part("signers")[mode]
            digest = signer.random(32)
            other = bytes([digest[0] ^ 1]) + digest[1:]
            key, signature = signer.public_key(), signer.sign(digest)
            right = signer.verify(key, digest, signature) is True
            if not right or signer.verify(key, other, signature):
                raise PartFault(WRONG, "The chip's signatures do not hold: change the kit")
            kids.append(_hex(record.kid_of(key)))
        return kids

    def _display(self):
        display = self._part("display")
        show_picture(display, self.words)
        return list(display.size)

    def _keys(self):
        keys = self._part("keys")
        self.stop()
        self.watch = KeyWatch(keys)
        if self.watch.stuck:
            text = "A key is stuck: let it go, switch off and on, and test again"
            raise PartFault(WRONG, text, *self.watch.stuck)
        self.watch.tell()
        return list(keys.names)

    async def _strip(self):
        serial = _hex(self._part("signers")["live"].serial())
        return await self.print(lambda printer: strip(printer.dots // 8, serial, self.words))

    async def _camera(self):
        camera = self._part("camera")
        w, h, gray = await camera.focus()
        sharpness, paper, _ = quality.assess(w, h, gray)
        if paper < _BLACK:
            text = "The camera's picture is black: take its cap off, check its cable"
            raise PartFault(BLACK, text, w, h, sharpness, paper)
        del gray
        check = JpegCheck()
        size = 0
        view = memoryview(bytearray(_BLOCK))
        stream = await camera.capture()
        try:
            n = stream.readinto(view)
            while n:
                check.feed(view[:n])
                size += n
                await asyncio.sleep(0)
                n = stream.readinto(view)
            width, height = check.finish()
        except ValueError as error:
            raise PartFault(WRONG, str(error), w, h, sharpness, paper, size) from None
        finally:
            stream.close()
        return [w, h, sharpness, paper, size, width, height]

    def _card(self):
        folder = self._part("card")
        path = folder + "/test.part"
        want = b"".join([record.sha256(bytes((i,))) for i in range(_CHUNK // 32)])
        same = 0
        try:
            with open(path, "wb") as file:
                for _ in range(_BLOCK // _CHUNK):
                    file.write(want)
                sync(file)
            with open(path, "rb") as file:
                for _ in range(_BLOCK // _CHUNK):
                    same += _CHUNK if file.read(_CHUNK) == want else 0
            os.remove(path)
            left = free(folder)
        except OSError as error:
            raise trouble(error, folder) from None
        if same != _BLOCK:
            raise PartFault(WRONG, "The card gives back other bytes: change it", same)
        return [_BLOCK, left]

    async def _modem(self):
        modem = self.board.modem("", self.settings.get("sim_pin"))
        if modem is None:
            raise PartFault(MISSING, "This board has no such part")
        return list(await modem.examine())

    async def _clock(self):
        clock = self._part("clock")
        start, first = ticks_ms(), clock.now()
        if first <= EARLIEST:
            raise PartFault(WRONG, "The clock was not set", first)
        while clock.now() == first:
            if ticks_diff(ticks_ms(), start) > _TICK:
                raise PartFault(WRONG, "The clock stands still", first)
            await asyncio.sleep(0.02)
        return [clock.now(), clock.quality]

    def _memory(self):
        gc.collect()
        heap = gc.mem_free() if hasattr(gc, "mem_free") else None
        left = free(self._part("flash"))
        if left < RESERVE:
            raise PartFault(WRONG, "The kit's memory is nearly full: change the kit", left, heap)
        return [left, heap]


def _hex(data):
    return "".join(["%02X" % byte for byte in data])
