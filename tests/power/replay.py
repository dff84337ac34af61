"""A cut at every operation without starting every day anew: the uncut day is kept as a log."""

from tests.power import cutdev
from tests.power.bench import Bench, attempt, to_the_end


class Log:
    """What every operation of the uncut day found and did, so that a cut at any can be replayed.

    The kit does the same up to the operation at which the power goes, so its state there is the
    uncut day's: the world as it was, and the devices after the operations before.
    """

    def __init__(self, world, first, last):
        self.world = world
        self.first = first
        self.last = last
        self.worlds = []  # one an operation, None outside first..last
        self.changes = []  # (device, start, bytes or None for an erase) or None, one an operation

    def begin(self):
        """Before an operation."""
        here = self.first <= len(self.worlds) + 1 <= self.last
        self.worlds.append(self.world.copy() if here else None)
        self.changes.append(None)

    def change(self, device, start, content):
        """What the operation does to a device."""
        self.changes[-1] = (device, start, content)


class Sweep:
    """The uncut day once, then every wanted operation cut, torn with `seed`, and the day ended."""

    def __init__(self, plan, seed, first, last):
        self.seed = seed
        self.bench = Bench(plan)
        self.image = [bytearray(store.data) for store in self.bench.stores]
        self.log = Log(self.bench.world, first, last)
        power = cutdev.Power(0, seed, self.log)
        self.found = attempt(self.bench, self.bench.live, power)
        self.ops = power.ops
        self.kinds = power.kinds

    def replay(self, first, last, step):
        """Yields (n, problems) for n = first, first + step … last."""
        bench = self.bench
        done = 0
        for n in range(first, min(last, self.ops) + 1, step):
            while done < n - 1:
                self.apply(self.log.changes[done])
                done += 1
            for store, data in zip(bench.stores, self.image):  # noqa: B905
                store.data[:] = data
            self.tear(n)
            bench.world = self.log.worlds[n - 1].copy()
            yield n, attempt(bench, to_the_end, bench, self.seed)

    def apply(self, change):
        """The operation as it was done."""
        if change:
            device, start, content = change
            if content is None:
                content = bytes((cutdev.ERASED,)) * self.bench.stores[device].block_size
            self.image[device][start : start + len(content)] = content

    def tear(self, n):
        """Operation `n` as the cut leaves it."""
        change = self.log.changes[n - 1]
        if not change:
            return
        device, start, content = change
        store = self.bench.stores[device]
        random = cutdev.Random(self.seed, n)
        if content is None:
            old = store.data[start : start + store.block_size]
            store.change(start, cutdev.torn_erase(random, old))
        else:
            old = store.data[start : start + len(content)]
            store.change(start, cutdev.torn_write(random, old, content))
