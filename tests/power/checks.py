"""What must hold after any day, however often the power went; a function yields what does not."""

import os
from binascii import hexlify

from firmware import cbor, record
from firmware.journal import Journal
from firmware.qr_text import bytes_of
from tests.power import election
from tests.power.parts import CERTIFICATES

PRINTED, NOT_KNOWN, FAILED = 1, 2, 3


class Day:
    """What is found after the day: the journal read anew, the card, the world, the facts."""

    def __init__(self, flash, card, world, facts):
        self.flash = flash
        self.card = card
        self.world = world
        self.facts = facts
        number = election.election(facts.plan["training"])
        self.mode = "training" if facts.plan["training"] else "live"
        self.state_path = "%s/day-%d" % (flash, number)
        self.name = "journal-%d" % number
        genesis = record.sha256(CERTIFICATES[self.mode])
        self.journal = Journal("%s/%s" % (flash, self.name), genesis)
        self.entries = []
        self.manifests = {}
        for _, data, manifest in self.journal.entries():
            entry = record.parse(data)
            self.entries.append(entry)
            if manifest is not None:
                self.manifests[entry.rec_id] = manifest
        self.ids = {entry.rec_id for entry in self.entries}
        # [contest index, page] that could not be photographed
        self.without = world.people.get("without a page", [])

    def events(self, number):
        """Events of that number, in order."""
        return [e for e in self.entries if e.kind == record.EVENT and e.payload[3] == number]

    def details(self, number):
        """Their details."""
        return [e.payload[4] for e in self.events(number)]

    def results(self, index=None):
        """Results and corrections, of one contest or all."""
        found = [e for e in self.entries if e.kind != record.EVENT]
        return found if index is None else [e for e in found if e.payload[3] == index + 1]


def problems(day):
    """Everything that does not hold, as sentences."""
    found = []
    for check in CHECKS:
        for text in check(day):
            found.append("%s: %s" % (check.__name__, text))
    return found


def accepted(day):
    """No accepted entry lost: what append returned, what was sent, what the counter says."""
    if day.journal.dropped:
        yield "%d bytes of an unfinished entry are still there" % day.journal.dropped
    held = [e.rec_id for e in day.entries]
    for seq, rec_id in day.world.accepted:
        if seq > len(held) or held[seq - 1] != rec_id:
            yield "entry %d was accepted and is not in the journal" % seq
    if len(day.world.accepted) < len(held) - day.world.starts:
        yield "%d entries, %d accepted" % (len(held), len(day.world.accepted))
    count = day.world.count[day.mode]
    if not len(held) <= count <= len(held) + 1:
        yield "counter %d, entries %d" % (count, len(held))
    other = "live" if day.mode == "training" else "training"
    if day.world.count[other]:
        yield "the key of the other mode was used"


def sent(day):
    """The collector has the journal and every signed photograph, and nothing else."""
    collector = day.world.collector
    for text in collector.complaints:
        yield "the collector complains: " + text
    for rec_id in collector.entries:
        if rec_id not in day.ids:
            yield "an entry was sent and is not in the journal"
    if len(collector.entries) != len(day.ids):
        yield "%d entries of %d were sent" % (len(collector.entries), len(day.ids))
    for digest, size in signed_photographs(day):
        data = collector.uploads.get(digest, b"")
        if len(data) != size or record.sha256(data) != digest:
            yield "a photograph arrived with %d bytes of %d" % (len(data), size)


def signed_photographs(day):
    """[[SHA-256, size]…] of every photograph that an entry names."""
    pages = [d[2:4] for d in day.details(record.PAGE)]
    return pages + [d[1:3] for d in day.details(record.INCIDENT) if d[1] is not None]


def once(day):
    """None doubled and none left out: what a day has once, and what it has once a contest."""
    plan = day.facts.plan
    contests = range(len(election.TITLES))
    for name, number in (("opening", record.OPEN), ("closing", record.CLOSE)):
        if len(day.events(number)) != 1:
            yield "%d entries for the %s" % (len(day.events(number)), name)
    for number in (record.BALLOTS, record.VOTERS, record.UNUSED):
        told = [detail[0] for detail in day.details(number)]
        if told != [i + 1 for i in contests]:
            yield "event %d for contests %s" % (number, told)
    exchanged = day.details(record.EXCHANGE)
    if exchanged != [[1, i + 1] for i in range(plan["exchanges"])]:
        yield "exchanges %s" % exchanged
    kinds = sorted([detail[0] for detail in day.details(record.INCIDENT)])
    sheets = [kind for kind in kinds if kind in (record.INCIDENT_SHEET, record.OBJECTION)]
    if kinds.count(record.ATTENDANCE) != 1:
        yield "%d attendance lists" % kinds.count(record.ATTENDANCE)
    if len(sheets) != plan["incidents"] or kinds.count(record.NIHIL) != (not sheets):
        yield "incidents %s, wanted %d" % (kinds, plan["incidents"])
    if not 1 <= len(day.events(record.BOOT)) <= day.world.starts:
        yield "%d starts in the journal of %d" % (len(day.events(record.BOOT)), day.world.starts)
    for index in contests:
        corrections = plan["corrections"].count(index)
        kinds = [e.kind for e in day.results(index)]
        if kinds != [record.RESULT] + [record.CORRECTION] * corrections:
            yield "contest %d has entries of kinds %s" % (index + 1, kinds)
        for page in election.PAGES:
            kept = [d for d in day.details(record.PAGE) if d[:2] == [index + 1, page]]
            most = 1 + corrections
            if not most - day.without.count([index, page]) <= len(kept) <= most:
                yield "page %d of contest %d is there %d times" % (page, index + 1, len(kept))
    acks = [record.parse(d[0]).payload[1] for d in day.details(record.ACKNOWLEDGED)]
    if sorted(acks) != sorted([e.rec_id for e in day.results()]):
        yield "%d acknowledgements of %d results" % (len(acks), len(day.results()))


def figures(day):
    """Every result says what its sheet says, with its own photographs."""
    for index in range(len(election.TITLES)):
        before = 0
        for entry in day.results(index):
            corrected = entry.kind == record.CORRECTION
            if entry.payload[5] != day.facts.figures(index, corrected):
                yield "entry %d: figures %s" % (entry.seq, entry.payload[5])
            pages, extra = record.parse_manifest(day.manifests[entry.rec_id])
            photographed = [e for e in day.events(record.PAGE) if before < e.seq < entry.seq]
            before = entry.seq
            signed = [e.payload[4][1:4] for e in photographed if e.payload[4][0] == index + 1]
            if pages != signed:
                yield "entry %d: not the photographs of its pages" % entry.seq
            numbers = [page[0] for page in pages]
            missing = [page for page in election.PAGES if page not in numbers]
            if numbers != [page for page in election.PAGES if page not in missing]:
                yield "entry %d: pages %s" % (entry.seq, numbers)
            if not all([index, page] in day.without for page in missing):
                yield "entry %d is without pages %s" % (entry.seq, missing)
            if extra[record.KEYED_ROUNDS] < 2:
                yield "entry %d: keyed %d times" % (entry.seq, extra[record.KEYED_ROUNDS])
            if corrected and extra[record.REPLACES] not in day.ids:
                yield "entry %d replaces what is not there" % entry.seq


def photographs(day):
    """Whole or absent, and those that are signed are there."""
    kept = {}
    for root in (day.card, day.flash):
        for name in names(root + "/photos"):
            data = read("%s/photos/%s" % (root, name))
            if name != hexlify(record.sha256(data)).decode() + ".jpg":
                yield "file %s of %d bytes is no whole photograph" % (name, len(data))
            kept[name] = len(data)
    for digest, size in signed_photographs(day):
        name = hexlify(digest).decode() + ".jpg"
        if kept.get(name) != size:
            yield "%s is signed with %d bytes, there are %s" % (name, size, kept.get(name))


def card(day):
    """The card has the same journal as the flash."""
    if day.name not in names(day.card):
        yield "there is no journal on the card"
    elif read("%s/%s" % (day.card, day.name)) != read("%s/%s" % (day.flash, day.name)):
        yield "its journal is another"


def names(folder):
    """What is in a folder, nothing when there is none."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def read(path):
    """The bytes of a file."""
    with open(path, "rb") as file:
        return file.read()


def paper(day):
    """No paper without its entry, no second print without the mark, nothing owed left unprinted."""
    begun = {e.seq: e.payload[4] for e in day.events(record.RECEIPT_BEGUN)}
    ended = [tuple(d) for d in day.details(record.RECEIPT_ENDED)]
    seen = {}
    for slip in day.world.paper:
        detail = begun.get(slip.job)
        if detail is None or detail[1] != slip.job:
            yield "slip of job %s has no entry" % slip.job
            continue
        quoted, _, number, of, again = detail[:5]
        marked = slip.has("COPY, print no. %d" % (again + 1)) if again else slip.has("COPY, ")
        if slip.done and marked != (again > 0):
            yield "slip of job %d: copy %d, marked %s" % (slip.job, again, marked)
        if (slip.done or slip.codes) and seen.get((quoted, number), -1) >= again:
            yield "slip %d of %d is on paper twice as print %d" % (number, of, again + 1)
        seen[(quoted, number)] = max(seen.get((quoted, number), -1), again)
        for code in slip.codes:
            if record.rec_id(bytes_of(code)) != quoted and detail[5] != 4:
                yield "slip of job %d quotes another record" % slip.job
    jobs = [job for job, _ in ended]
    for job in begun:
        if jobs.count(job) != 1:
            yield "print %d began once and ended %d times" % (job, jobs.count(job))
    whole = {(begun[s.job][0], begun[s.job][2]) for s in day.world.paper if s.done}
    for entry in day.results():
        _, extra = record.parse_manifest(day.manifests[entry.rec_id])
        there = [pair for pair, stand in extra[record.STANDS] if stand != 3]
        for number in range(1, len(there) + 3):
            if (entry.rec_id, number) not in whole:
                yield "receipt %d of entry %d was never whole on paper" % (number, entry.seq)


def ended(day):
    """The day was closed, and the saved state says so."""
    raw = day.world.stored.get(day.state_path)
    state = cbor.decode(raw) if raw else {}
    if state.get("at") != "idle" or not state.get("closed"):
        yield "the day ended on step %r" % state.get("at")
    for before, after in day.world.resumed:
        if before != after:
            yield "saved on %r, resumed on %r" % (before, after)


CHECKS = (accepted, sent, once, figures, photographs, card, paper, ended)
