"""People at the kit: they answer what a screen asks, whenever it is asked.

`Officer` has the methods of firmware.screens.Screens. Which answer belongs to which question stands
in the tables of people.py, by the screen's English title; a title that is in no table ends the day
with its name, nothing is guessed. What people remember over a power cut is in `world.people`; what
they were about to remember when it went dark is lost.
"""

import asyncio

from firmware.language import english
from tests.power import people
from tests.power.cutdev import PowerCut
from tests.power.facts import Status

LONGEST = 4000  # screens between two starts; a day has a few hundred


class Unknown(BaseException):
    """A screen that the tables do not know: add it to people.py."""


class Officer:
    """Answers on behalf of everybody at the table. `facts`: facts.Facts of the day."""

    BACK = "BACK"

    def __init__(self, facts, world, power, pull, put):
        self.facts = facts
        self.plan = facts.plan
        self.world = world
        self.power = power
        self.status = Status()
        self.pull_card = pull
        self.put_card = put
        self.screens = 0
        self.patience = 1  # turns of the other tasks before the next screen is looked at
        self.waiting = None  # entries and photographs that wait, as the kit said since the start
        self.looks = 0  # how often the closed station was seen, since the start
        self._later = []

    # What people know

    def knows(self, name, default=0):
        """Something remembered."""
        return self.world.people.get(name, default)

    def learn(self, name, value):
        """Remember it from now on."""
        self.world.people[name] = value

    def learn_later(self, name, value):
        """Remember it when the next screen shows that the kit has gone on."""
        self._later.append((name, value))

    def times(self, name):
        """How often this has happened, this time included."""
        self.learn(name, self.knows(name) + 1)
        return self.knows(name)

    def planned(self, name):
        """True when the plan's list `name` holds the number of this occasion."""
        return self.times(name) in self.plan[name]

    async def _look(self, title, table):
        """The handler of a title in `table`; the relay has its turn meanwhile."""
        for _ in range(self.patience):
            await asyncio.sleep(0)
        self.patience = 1
        if self.power.off:
            raise PowerCut()
        for name, value in self._later:
            self.learn(name, value)
        self._later = []
        title = title[0] if isinstance(title, tuple) else title
        self.screens += 1
        if self.screens > LONGEST:
            raise Unknown("the day does not end: " + title)
        self._card()
        if title not in table:
            raise Unknown(title)
        return table[title]

    def _card(self):
        """Somebody plays with the card."""
        screen = self.times("screens")
        for out, still in self.plan["card"]:
            if screen == out:
                self.pull_card()
            if screen == out + still:
                self.put_card()

    # The methods of Screens

    def t(self, item):
        """Everything is read in English."""
        return english(item)

    async def message(self, title, lines, keys=("OK",), *, alarm=False):
        """A key of `keys`."""
        handler = await self._look(title, people.MESSAGES)
        if handler:
            handler(self, [english(line) for line in lines])
        first = keys[0]
        return first[0] if isinstance(first, tuple) else first

    async def menu(self, title, items, start=0, note=None):
        """Index of the answer's text in `items`, or None for HAPUS."""
        handler = await self._look(title, people.MENUS)
        texts = [english(item) for item in items]
        lines = note if isinstance(note, list) else [note] if note else []
        note = ". ".join([english(line) for line in lines])
        self._hear(note)
        if self.planned("back"):
            return None
        answer = handler(self, note, texts)
        if answer is None:
            return None
        if answer not in texts:
            raise Unknown("%s: no %r among %r" % (english(title), answer, texts))
        return texts.index(answer)

    async def number(self, title, label, digits, hidden=False, note="", *, value=None, before=None):
        """A number, None when left empty, BACK."""
        handler = await self._look(title, people.NUMBERS)
        self._hear(english(note))
        answer = handler(self, english(note), english(label))
        if isinstance(answer, int) and len(str(answer)) > digits:
            raise Unknown("%s: %d has more than %d digits" % (english(title), answer, digits))
        return answer

    async def figures(self, title, fields, values, keep=None, digits=3, *, known=None):
        """The list of figures, kept one by one as Screens does, or BACK."""
        who = await self._look(title, people.FIGURES)
        values = list(values)
        if self.planned("figures_back"):
            return self.BACK
        labels = [english(field) for field in fields]
        for label in labels[len(values) :]:
            values.append(people.figure(self, who, label))
            if keep:
                keep(list(values))
            await asyncio.sleep(0)
        return values

    async def preview(self, title, w, h, gray, note="", wait=None):
        """FOTO, when the sheet lies under the camera, or HAPUS."""
        await self._look(title, people.PREVIEWS)
        self._hear(english(note))
        if len(gray) != w * h:
            raise Unknown("picture of %d bytes" % len(gray))
        return "HAPUS" if self.planned("leave") else "FOTO"

    async def progress(self, title, done, total, note=""):
        """Nothing to answer."""
        await self._look(title, people.PROGRESS)

    async def fault(self, code, sentence, what_to_do="", keys=("OK",)):
        """What the numbered screen says is put right; then the first key."""
        handler = await self._look("E%d" % code, people.FAULTS)
        handler(self)
        return keys[0]

    def _hear(self, note):
        """People know which contest's sheet is on the table: the one last named on the screen."""
        for index, title in enumerate(self.facts.titles):
            if note.startswith(title):
                self.learn("contest", index)
