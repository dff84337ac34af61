"""An update of the software on littlefs, the power cut at its operations: MicroPython only.

    micropython tests/power/update.py [FIRST STRIDE SEED]

Prints JSON: operations of the whole update, cuts made, what ran after them, and problems.
"""

import gc
import json
import sys

import vfs

from firmware.slots import Slots
from tests.firmware.release_bench import content, kit, send, statements
from tests.power.cutdev import FLASH, CutDevice, Power, PowerCut, Store

ROOT = "/kit"
GEOMETRY = {"readsize": 32, "progsize": 32, "lookahead": 256}  # as firmware/blockdev.py
OLD = {"firmware/main.py": b"old main\n" * 700, "firmware/words/id.json": b'{"old": 1}'}
FAILED = {"firmware/main.py": b"failed\n" * 900, "firmware/old/very.py": b"old\n" * 99}
NEW = {
    "firmware/__init__.py": b"new\n",
    "firmware/main.py": b"new main\n" * 1000,
    "firmware/words/id.json": b'{"new": 1}',
    "lib/ssl.py": b"import tls\n" * 90,
}
SIGNED = {version: statements(files, version) for version, files in
          (((1, 0, 0), OLD), ((1, 0, 5), FAILED), ((1, 1, 0), NEW))}  # fmt: skip
PIECE = 3000


class Flash:
    """The kit's flash, mounted at ROOT until the power goes."""

    def __init__(self, store, power, fresh=False):
        self.device = CutDevice(store, power)
        if fresh:
            vfs.VfsLfs2.mkfs(self.device, **GEOMETRY)  # pyright: ignore[reportArgumentType]
        vfs.mount(vfs.VfsLfs2(self.device, **GEOMETRY), ROOT)  # pyright: ignore[reportArgumentType]

    def off(self):
        """Nothing of before reaches the flash any more."""
        self.device.forget()
        vfs.umount(ROOT)
        gc.collect()


def bring(version, files):
    send(kit(ROOT), files, SIGNED[version], PIECE)


def prepare(store):
    """A kit that runs OLD, with the remains of a failed release in its other slot."""
    flash = Flash(store, Power(), fresh=True)
    where = Slots(ROOT)
    bring((1, 0, 0), OLD)
    where.choose()
    where.confirm(ROOT + "/a/firmware")
    bring((1, 0, 5), FAILED)
    where.choose()
    where.choose()
    flash.off()


def update():
    """All of an update, self-test passed."""
    bring((1, 1, 0), NEW)
    where = Slots(ROOT)
    if where.choose() != "b" or not where.confirm(ROOT + "/b/firmware"):
        raise AssertionError("the update did not go through")


def whole(slot):
    """True when all of the slot's software is one of the two."""
    return content(ROOT, slot) == (OLD if slot == "a" else NEW)


def cut(store, power, problems):
    """One cut update, and what there is afterwards; the slot that runs at the next start."""
    flash = Flash(store, power)
    try:
        update()
        problems.append("no cut at %d" % power.cut_at)
    except PowerCut:
        pass
    flash.off()
    flash = Flash(store, Power())
    where = Slots(ROOT)
    first = where.choose()
    for slot in (first, where.choose()):
        if slot not in ("a", "b") or not whole(slot):
            problems.append("cut %d: slot %s is not whole" % (power.cut_at, slot))
    if where.current() == "a":
        update()
    if where.choose() != "b" or not whole("b"):
        problems.append("cut %d: the update did not go on" % power.cut_at)
    flash.off()
    return first


def main(first=1, stride=1, seed=0):
    store = Store(0, FLASH)
    prepare(store)
    image = bytes(store.data)
    power = Power()
    flash = Flash(store, power)
    update()
    flash.off()
    problems, ran = [], {"a": 0, "b": 0}
    for cut_at in range(first, power.ops + 1, stride):
        store.data[:] = image
        ran[cut(store, Power(cut_at, seed), problems)] += 1
    print(json.dumps({"ops": power.ops, "kinds": power.kinds, "ran": ran, "problems": problems}))


if __name__ == "__main__":
    main(*[int(word) for word in sys.argv[1:]])
