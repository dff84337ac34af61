"""Flash and card in memory for VfsLfs2, and the power that is cut at the n-th operation.

One counter for both devices: every write and every erase is an operation, and so is what the other
parts do to the world (the chip counts, the printer prints a line). The operation at which the power
goes is torn: a seeded part of its bytes is written, an erase is half done. From then on everything
raises PowerCut until `reboot()`.

Flash rules, checked strictly: a write may only touch erased bytes (0xFF), since flash cannot turn a
0 into a 1 without an erase.
"""

ERASED = 0xFF
FLASH = (4096, 256)  # block size, blocks: the data partition of an ESP32
CARD = (512, 2048)  # a card's sectors

_INIT, _DEINIT, _SYNC, _COUNT, _SIZE, _ERASE = range(1, 7)
_EIO = -5  # what a device without power answers to a finaliser of the time before


class PowerCut(BaseException):
    """The power is off. No `except Exception` of the firmware may see it: nothing runs any more."""


class Defect(BaseException):
    """The file system or the firmware did what the parts do not allow."""


class Random:
    """A small seeded generator, the same in every process."""

    def __init__(self, *seeds):
        self.state = 0x2545F491
        for seed in seeds:
            self.state = (self.state ^ (seed & 0xFFFFFFFF) * 0x9E3779B1) & 0xFFFFFFFF
            self.below(2)

    def below(self, n):
        """A number from 0 to n - 1."""
        x = self.state or 1
        x = (x ^ (x << 13)) & 0xFFFFFFFF
        x ^= x >> 17
        self.state = (x ^ (x << 5)) & 0xFFFFFFFF
        return (self.state >> 4) % n


class Power:
    """Counts operations; cuts at number `cut_at` (0: never). `log` keeps them for a replay."""

    def __init__(self, cut_at=0, seed=0, log=None):
        self.cut_at = cut_at
        self.seed = seed
        self.log = log
        self.ops = 0
        self.kinds = {}
        self.off = False
        self.devices = []

    def tick(self, kind):
        """Count an operation; True when it is the one that the cut tears. Raises when off."""
        if self.off:
            raise PowerCut()
        self.ops += 1
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if self.log is not None:
            self.log.begin()
        return self.ops == self.cut_at

    def cut(self):
        """The lights go out."""
        self.off = True
        for device in self.devices:
            device.down = True
        raise PowerCut()

    def act(self, kind):
        """An operation that happens whole or not at all: PowerCut before it happens."""
        if self.tick(kind):
            self.cut()

    def random(self):
        """The generator that decides what the torn operation leaves."""
        return Random(self.seed, self.ops)


def torn_write(random, old, new):
    """What is there after a write of `new` over `old` (erased) was torn."""
    size = len(new)
    how = random.below(4)
    if how == 0:  # nothing yet
        return bytes(old)
    if how == 1:  # all of it, but nobody was told
        return bytes(new)
    if how == 2:  # the first bytes, the last of them with some of its bits
        at = random.below(size)
        half = new[at] | random.below(256)
        return bytes(new[:at]) + bytes((half,)) + bytes(old[at + 1 :])
    kept = bytearray(old)  # here and there, as a controller with several planes may
    for at in range(size):
        if random.below(2):
            kept[at] = new[at]
    return bytes(kept)


def torn_erase(random, old):
    """What is there after the erase of a block that held `old` was torn."""
    size = len(old)
    how = random.below(4)
    if how == 0:
        return bytes(old)
    if how == 1:
        return bytes((ERASED,)) * size
    at = random.below(size)
    if how == 2:
        return bytes((ERASED,)) * at + bytes(old[at:])
    # Cells between two states read as anything.
    return bytes((ERASED,)) * at + bytes([random.below(256) for _ in range(size - at)])


class Store:
    """The bytes of one device: they outlive the power."""

    def __init__(self, number, geometry):
        self.number = number
        self.block_size, self.blocks = geometry
        self.data = bytearray(self.block_size * self.blocks)
        self.wipe()

    def wipe(self):
        """As delivered."""
        blank = bytes((ERASED,)) * self.block_size
        for start in range(0, len(self.data), self.block_size):
            self.change(start, blank)

    def change(self, start, content):
        """Put `content` at byte `start`."""
        self.data[start : start + len(content)] = content


class CutDevice:
    """A block device of MicroPython's extended interface on `store`, fed by `power`."""

    def __init__(self, store, power):
        self.store = store
        self.power = power
        self.size = store.block_size
        self.down = False
        self.forgotten = False  # its mount belongs to the time before a reboot, or the card is out
        self._view = memoryview(store.data)
        self._blank = memoryview(bytes((ERASED,)) * store.block_size)
        power.devices.append(self)

    def forget(self):
        """After a reboot: a finaliser that still asks gets an error, and changes nothing."""
        self.down = self.forgotten = True

    def _refuse(self):
        if self.forgotten:
            return _EIO
        raise PowerCut()

    def readblocks(self, block, buf, off=0):
        """Fill `buf` from byte `off` of `block`. Called most of all: no allocation, few steps."""
        if self.down:
            return self._refuse()
        start = block * self.size + off
        buf[:] = self._view[start : start + len(buf)]
        return 0

    def writeblocks(self, block, buf, off=0):
        """Program `buf` at byte `off` of `block`, which must be erased there."""
        if self.down:
            return self._refuse()
        power, store, size = self.power, self.store, len(buf)
        start = block * self.size + off
        torn = power.tick("write")
        old = self._view[start : start + size]
        if off + size > self.size or old != self._blank[:size]:
            raise Defect("write to block %d at %d: not erased" % (block, off))
        if power.log is not None:
            power.log.change(store.number, start, bytes(buf))
        if torn:
            store.change(start, torn_write(power.random(), old, buf))
            power.cut()
        store.change(start, buf)
        return 0

    def ioctl(self, op, arg):
        """Size, count and erase; sync is no operation, since every write is durable at once."""
        if op == _COUNT:
            return self.store.blocks
        if op == _SIZE:
            return self.size
        if op == _ERASE:
            return self._erase(arg)
        return 0

    def _erase(self, block):
        if self.down:
            return self._refuse()
        power, store = self.power, self.store
        start = block * self.size
        torn = power.tick("erase")
        if power.log is not None:
            power.log.change(store.number, start, None)
        if torn:
            store.change(start, torn_erase(power.random(), self._view[start : start + self.size]))
            power.cut()
        store.change(start, self._blank)
        return 0
