"""The firmware's journal and saved state with a witness beside them: what they said is remembered.

What a call has returned is a promise, and the promise is held against what is found later.
"""

from firmware import cbor, record
from firmware.journal import Journal
from firmware.saved import Saved
from tests.power.cutdev import Defect


def journal(world):
    """A Journal class that tells `world` which entries it has accepted."""

    class Watched(Journal):
        def __init__(self, path, genesis):
            super().__init__(path, genesis)
            ids = [record.rec_id(data) for _, data, _ in self.entries()]
            for seq, rec_id in world.accepted:
                if seq > len(ids) or ids[seq - 1] != rec_id:
                    raise Defect("entry %d was accepted and is lost" % seq)

        def append(self, data, manifest=None):
            super().append(data, manifest)
            world.accepted.append((self.last, record.rec_id(data)))

    return Watched


def saved(world):
    """A Saved class whose value after a start must be the last one stored, or the one under way."""

    class Watched(Saved):
        """Every value stored is remembered, under its path."""

        def load(self, default=None):
            value = super().load()
            found = None if value is None else cbor.encode(value)
            if found not in (world.stored.get(self.path), world.storing.get(self.path)):
                raise Defect("saved %s: neither the old nor the new value" % self.path)
            world.stored[self.path] = world.storing[self.path] = found
            return default if value is None else value

        def store(self, value):
            world.storing[self.path] = cbor.encode(value)
            super().store(value)
            world.stored[self.path] = world.storing[self.path]

    return Watched
