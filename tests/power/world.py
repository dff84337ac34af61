"""What is there whether or not the kit has power: paper, the collector, what people know."""

from tests.power import relay

START_TIME = 1732665600


class World:
    """What is there whether or not the kit has power. Plain values, so that it can be copied."""

    def __init__(self):
        self.time = START_TIME
        self.count = {"live": 0, "training": 0}
        self.paper = []  # Slip, oldest first
        self.collector = None  # see relay.py
        self.lines = 0  # connections that were opened
        self.accepted = []  # (seq, rec-id) of the entries that the journal said it has
        self.captures = 0
        self.card_out = False
        self.paper_left = None  # lines until the roll ends, None for plenty
        self.finished = 0  # jobs whose end the printer was asked for
        self.people = {}  # what those at the table know and have done
        self.starts = 0
        self.stored = {}  # {path: value} that the power-safe store said it has
        self.storing = {}  # {path: value} that it was last asked to store
        self.resumed = []  # (step saved before, step resumed)

    def copy(self):
        """A World that goes its own way from here."""
        new = World()
        for name, value in self.__dict__.items():
            own = value.copy() if isinstance(value, (list, dict)) else value
            setattr(new, name, own)
        new.collector = relay.copy(self.collector)
        if new.paper:
            new.paper[-1] = new.paper[-1].copy()
        return new


class Slip:
    """What is on one piece of paper."""

    def __init__(self, job):
        self.job = job
        self.lines = []  # the first ones: what paper this is
        self.codes = []  # texts of QR codes
        self.entry = None  # number of the entry that it quotes
        self.done = False  # to its last line, whether or not the printer could say so

    def copy(self):
        """A Slip that goes its own way."""
        new = Slip(self.job)
        new.lines, new.codes, new.done = self.lines.copy(), self.codes.copy(), self.done
        new.entry = self.entry
        return new

    def has(self, text):
        """True when a line contains `text`."""
        return any(text in line for line in self.lines)
