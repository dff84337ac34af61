"""What people answer: one row a screen, by its English title. New questions are added here.

A handler of MENUS gets (officer, note, items) and returns an item's text or None for HAPUS; one of
NUMBERS gets (officer, note, label) and returns the number; one of MESSAGES gets (officer, lines);
one of FAULTS gets (officer). FIGURES says who keys in; PREVIEWS and PROGRESS are titles only.
"""

from tests.power.election import TITLES, form_of
from tests.power.facts import DayOver

DAMAGED = 1  # ballots, on delivery
PINS = {"PIN of the KPPS chair": 123456, "PIN of the second officer": 8}


def _station(officer):
    """What happened, in the contest that the screen is about."""
    return officer.facts.station(officer.knows("contest"))


def figure(officer, who, label):
    """What officer `who` keys in for a label of the sheet on the table."""
    index = officer.knows("contest")
    field = officer.facts.labels[index][label]
    value = officer.facts.sheet(index, officer.knows("correcting", False))[field]
    if who == "second" and [index, field] in officer.plan["typos"]:
        return 1 if value is None else (value + 1) % 1000
    return value


def _after(text, mark):
    """The number behind `mark` in a note."""
    digits = ""
    for c in text[text.index(mark) + len(mark) :].strip():
        if not c.isdigit():
            break
        digits += c
    return int(digits)


def _pair(note):
    return _after(note, "Witness of pair")


def _confirm(officer, true=True):
    """Yes to what is true, unless someone wants to look again."""
    return "No, go back" if officer.planned("doubt") or not true else "Yes"


def _pin(officer, note, label):
    """The PIN of the role that is asked for, or another one."""
    pin = PINS[label]
    return pin + 1 if officer.planned("wrong_pins") else pin


def _slip(officer, number):
    """The number, or a finger beside the key."""
    return number + 1 if officer.planned("slips") else number


# Opening


def _present(officer, note, items):
    if note.endswith("Supervisor"):
        return "Present"
    index = officer.knows("contest")
    there = officer.facts.stand(index, _pair(note)) != "Absent"
    return "Present" if there else "Not present"


def _ballots(officer, note, label):
    received = _station(officer)["ballots_received"]
    return _slip(officer, {"Ballots received": received, "Damaged on delivery": DAMAGED}[label])


def _right(officer, note, items):
    """Numbers read back: the kit must show what was said."""
    facts = _station(officer)
    checks = {
        "Damaged on delivery:": DAMAGED,
        "Ballots received:": facts["ballots_received"],
        "Ballots unused:": facts["ballots_unused"],
        "Users:": facts["users_total_j"],
    }
    for mark, right in checks.items():
        if mark in note and _after(note, mark) != right:
            return _confirm(officer, False)
    return _confirm(officer)


# Voting


def _voting(officer, note, items):
    if officer.knows("exchanged") < officer.plan["exchanges"]:
        return "Exchange a ballot"
    if officer.knows("early") < officer.plan["early_incidents"]:
        return "Incident or objection"
    return "Voting is closed"


def _exchange(officer, note, items):
    count = _after(note, "Exchanged so far:")
    officer.learn("exchanged", count)
    answer = _confirm(officer, count < officer.plan["exchanges"])
    if answer == "Yes":
        officer.learn_later("exchanged", count + 1)
    return answer


def _users(officer, note, label):
    row, _, sex = label.rpartition(" ")
    facts = _station(officer)
    categories = form_of(officer.knows("contest")).categories
    number = categories.index(row.split(" ")[-1]) + 1
    return _slip(officer, facts["users_%d_%s" % (number, sex.lower())])


def _unused(officer, note, label):
    return _slip(officer, _station(officer)["ballots_unused"])


# Photographs


def _about(officer, note, items):
    return items[1 + officer.knows("early") % 2]


def _incidents(officer, note, items):
    count = _after(note, "Photographed so far:")
    if count < officer.plan["incidents"]:
        return "Photograph a sheet"
    return "All sheets are photographed" if count else "Nothing happened (NIHIL)"


def _readable(officer, note, items):
    if officer.planned("retake"):
        return "Photograph again"
    if note.startswith("C.KEJADIAN"):
        # Whether it was recorded is asked of the count that the kit shows later.
        officer.learn("early", officer.knows("early") + 1)
    return "Keep the photograph"


def _not_good(officer, note, items):
    return "Photograph again"


def _failed(officer, note, items):
    if not officer.planned("without"):
        return "Photograph again"
    if note.startswith("C.KEJADIAN"):
        officer.learn("early", officer.knows("early") + 1)
    elif "Page " in note:
        page = [officer.knows("contest"), _after(note, "Page")]
        officer.learn("without a page", officer.knows("without a page", []) + [page])
    return "Go on without a photograph"


# Figures


def _differ(officer, note, items):
    label = note.split(". ")[-1]
    right = figure(officer, "sheet", label)
    shown = "Left empty" if right is None else str(right)
    if officer.planned("rekey") or shown not in items:
        return "Key it in again"
    return shown


def _key_again(officer, note, label):
    return figure(officer, "sheet", label)


def _sums(officer, note, items):
    return "As written on the paper" if "R7" in note else "Counted again, the paper is right"


def _signed(officer, note, items):
    return officer.facts.stand(officer.knows("contest"), _pair(note))


# Paper


def _whole(officer, note, items):
    """Whoever stands at the printer compares the last piece of paper with what is asked for."""
    lines = note.split(". ")
    if not lines[-1].startswith("Entry "):
        raise ValueError("which slip? " + note)
    paper = officer.world.paper
    whole = bool(paper) and paper[-1].done and paper[-1].entry == _after(lines[-1], "Entry ")
    # A first print says nothing of a copy: what stands on top may be one of the same slip.
    copy = bool(paper) and paper[-1].has("COPY, ")
    whole = whole and copy == ("COPY, " in note) and all(map(paper[-1].has, lines[:-1]))
    return "Yes, it is whole" if whole else "No, print a copy"


def _new_roll(officer):
    rolls = officer.plan["paper"]
    number = officer.times("rolls")
    officer.world.paper_left = rolls[number] if number < len(rolls) else None


def _again(officer):
    """Nothing to put right: try again."""


def _card_in(officer):
    officer.put_card()


# After signing


def _done(officer, title):
    return [slip for slip in officer.world.paper if slip.done and slip.has(title)]


def _idle(officer, note, items):
    officer.learn("correcting", False)
    corrected = {slip.codes[0] for slip in _done(officer, "CORRECTION RECEIPT")}
    if officer.knows("corrected") < len(corrected):
        officer.learn("corrected", len(corrected))
    if not officer.knows("looked"):
        officer.learn_later("looked", 1)
        return "State of sending"
    if not _done(officer, "PROOF OF SENDING"):
        return "Proof of sending"
    if officer.knows("copied") < officer.plan["copies"]:
        return "Print a copy"
    if len(corrected) < len(officer.plan["corrections"]):
        return "Correct a result"
    return "Close the station"


def _sending(officer, lines):
    text = ". ".join(lines)
    officer.waiting = _after(text, "Entries waiting:") + _after(text, "Photographs waiting:")


def _closed(officer, note, items):
    """They go home when everything is sent and the card is in order, as the kit says."""
    officer.put_card()
    # The kit counts a new entry when the relay comes to it, so they look a second time.
    officer.looks += 1
    if officer.looks <= 2 or officer.waiting != 0 or officer.status.card:
        officer.patience = 100
        return "State of sending"
    raise DayOver()


def _correct(officer, note, items):
    wanted = officer.plan["corrections"][officer.knows("corrected")]
    return next(item for item in items if item.startswith(TITLES[wanted]))


def _why(officer, note, items):
    officer.learn("correcting", True)
    return "Keyed in wrongly"


def _which_receipt(officer, note, items):
    officer.learn_later("copied", officer.knows("copied") + 1)
    return items[officer.knows("copied") % len(items)]


MESSAGES = {
    "Open the station": None,
    "Counting": None,
    "First officer": None,
    "Second officer": None,
    "Check before signing": None,
    "State of sending": _sending,
    "Proof of sending": None,
    "Self-test": None,
    "Wrong PIN": None,
}
MENUS = {
    "Who is present?": _present,
    "Are these numbers right?": _right,
    "Voting": _voting,
    "Which ballot?": lambda officer, note, items: items[0],
    "Exchange the ballot?": _exchange,
    "Close the voting?": lambda officer, note, items: _confirm(officer),
    "Who voted?": lambda officer, note, items: "The same as in the first contest",
    "What is it about?": _about,
    "Incidents and objections": _incidents,
    "Is the whole page readable?": _readable,
    "The photograph is not good": _not_good,
    "The photograph failed": _failed,
    "The two officers differ": _differ,
    "The sums do not agree": _sums,
    "Did the witness sign the sheet?": _signed,
    "Sign this result?": lambda officer, note, items: _confirm(officer),
    "Was this slip printed whole?": _whole,
    "Results are signed": _idle,
    "Station is closed": _closed,
    "Print a copy": lambda officer, note, items: items[-1],
    "Which receipt?": _which_receipt,
    "Correct a result": _correct,
    "Why is it corrected?": _why,
    "Close the station?": lambda officer, note, items: _confirm(officer),
}
NUMBERS = {
    "Kit is locked": _pin,
    "Second officer": _pin,
    "Close the station": _pin,
    "Ballots": _ballots,
    "Who voted?": _users,
    "Ballots left over": _unused,
    "Key it in again": _key_again,
    "Correct a result": _pin,
}
FIGURES = {"First officer, page %d": "first", "Second officer, page %d": "second"}
PREVIEWS = ("Photograph the sheet", "Attendance list", "Incident or objection")
PREVIEWS = {title: None for title in PREVIEWS}
PROGRESS = {
    "Too many wrong PINs": None,
    "Self-test": None,
    "Opening slip": None,
    "Receipts are being printed": None,
    "Proof of sending": None,
    "Closing slip": None,
}
FAULTS = {
    "E201": _new_roll,
    "E206": _again,
    "E711": _again,
    "E715": _card_in,
    "E916": _new_roll,
    "E920": _again,
}
