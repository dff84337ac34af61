"""What the gallery shows: every question, message and error that the firmware can put up.

A scene is (name, keys played, what is shown, training). A test compares the titles with those in
the firmware's source. Stations, pairs and figures are invented (CONTOH).
"""

from collections.abc import Callable, Coroutine

import numpy as np

from firmware import selftest
from firmware.day_sheets import INCIDENT_REASONS
from firmware.findings_text import CORRECTION_REASONS, RULE_REASONS
from firmware.quality import assess, verdict
from firmware.screens import Screens
from host_tools.tables import codes

Scene = tuple[str, str, Callable[[Screens], Coroutine], bool]
CONTEST = "Gubernur dan Wakil Gubernur"
OTHER = "Bupati dan Wakil Bupati"
YES_NO = ["No, go back", "Yes"]
SAMPLES = {"%s": "3", "%r": "'x'", "%d": 3, "%04x": 3, "%.1f": 3.0}


def sheet(width: int = 120, height: int = 160) -> bytes:
    """What the camera sees: a pale sheet with a table on a dark board, unevenly lit."""
    y, x = np.mgrid[0:height, 0:width]
    gray = 70 + 20 * x / width
    page = (x > 12) & (x < 108) & (y > 8) & (y < 152)
    gray = np.where(page, 225 - 30 * y / height, gray)
    table = page & (x > 20) & (x < 100) & (y > 40) & (y < 120)
    gray = np.where(table & ((y % 16 == 8) | (x == 70) | (x == 21) | (x == 99)), 40, gray)
    text = page & (x > 24) & (x < 62) & (y > 44) & (y < 118) & (y % 16 > 12) & (x * 7 % 5 > 1)
    gray = np.where(text, 90, gray)
    for left, top in ((16, 12), (98, 12), (16, 142), (98, 142)):
        gray[top : top + 6, left : left + 6] = 20
    return gray.astype(np.uint8).tobytes()


def _figures() -> tuple[list[str], list[int | None]]:
    labels = ["Voters in DPT L", "Voters in DPT P", "Voters in DPT J", "Users DPT L", "Users DPT P"]
    labels += ["Users DPT J", "Ballots received", "Ballots used", "Ballots returned"]
    return labels, [203, 207, 410, 171, 180, 351, 421, 366, None]


def _label(screens: Screens, english: str) -> str:
    """A field's label as firmware.forms makes it: a translated row and L, P or J."""
    if english[-2:] in (" L", " P", " J"):
        row = english[:-2]
        users = row.startswith("Users ")
        row = screens.t(("Users %s", row[6:])) if users else screens.t(row)
        return row + english[-2:]
    return screens.t(english)


def _lines(screens: Screens, *lines) -> list[str]:
    return [screens.t(line) for line in lines]


def _note(screens: Screens, *lines) -> str:
    return ". ".join(_lines(screens, *lines))


def _menu(name: str, title, items, *note, keys: str = "", training: bool = False) -> Scene:
    def show(screens: Screens) -> Coroutine:
        return screens.menu(title, list(items), note=_note(screens, *note) if note else None)

    return name, keys, show, training


def _message(name: str, title, *lines, keys: str = "", training: bool = False) -> Scene:
    return name, keys, lambda s: s.message(title, list(lines)), training


def _number(name: str, title, label, *note, keys: str = "", **options) -> Scene:
    digits = options.pop("digits", 4)

    def show(screens: Screens) -> Coroutine:
        return screens.number(title, label, digits, note=_note(screens, *note), **options)

    return name, keys, show, False


def _pin(name: str, title, role: str, keys: str = "") -> Scene:
    return name, keys, lambda s: s.number(title, role, 6, True), False


def _preview(name: str, title, *note) -> Scene:
    return name, "", lambda s: s.preview(title, 120, 160, sheet(), _note(s, *note)), False


def _progress(name: str, title, done: int, total: int, note="") -> Scene:
    return name, "", lambda s: s.progress(title, done, total, note), False


def opening() -> list[Scene]:
    """Power on, who is present, ballots."""
    chair = "PIN of the KPPS chair"
    lines = ("Pilkada (CONTOH)", "TPS 004", "1607012001004", "Sungai Rebo", "Banyuasin I")
    return [
        _progress("provisioning", "Waiting for provisioning", 0, 1, "1.0.0"),
        _progress("self-test", "Self-test", 0, 1),
        _message("self-test-passed", "Self-test", "All checks have passed."),
        _message("self-test-failed", "Self-test", *selftest.NAMES.values()),
        _pin("locked", "Kit is locked", chair, "1 2 3"),
        _message("pin-wrong", "Wrong PIN", ("Tries left before the kit waits: %d", 1)),
        _progress("pin-wait", "Too many wrong PINs", 52, 60, "Seconds until the next try"),
        _message("open", "Open the station", *lines, "Journal is empty: no result yet"),
        _menu(
            "present",
            "Who is present?",
            ["Present", "Not present"],
            CONTEST,
            ("Witness of pair %d", 2),
        ),
        _progress("opening-slip", "Opening slip", 0, 1),
        _number("ballots", "Ballots", "Ballots received", CONTEST, keys="4 2 1"),
        _number("ballots-damaged", "Ballots", "Damaged on delivery", CONTEST),
        _menu(
            "ballots-right",
            "Are these numbers right?",
            YES_NO,
            CONTEST,
            ("Expected: %d", 421),
            training=True,
        ),
    ]


def voting() -> list[Scene]:
    """From the first voter until the ballots that are left are struck off."""
    choices = ["State of sending", "Exchange a ballot", "Incident or objection", "Voting is closed"]
    once = "This voter has not exchanged a ballot before."
    exchanged = ("Exchanged so far: %d", 1)
    return [
        _menu("voting", "Voting", choices),
        _menu("which-ballot", "Which ballot?", [CONTEST, OTHER]),
        _menu("exchange", "Exchange the ballot?", YES_NO, CONTEST, once, exchanged),
        _menu("incident-about", "What is it about?", INCIDENT_REASONS),
        _preview("incident", "Incident or objection", "C.KEJADIAN KHUSUS"),
        _menu("voting-close", "Close the voting?", YES_NO, "All who came in time have voted."),
        _number("users", "Who voted?", "Users DPT L", CONTEST, keys="1 7 1"),
        _menu(
            "users-same",
            "Who voted?",
            ["The same as in the first contest", "Other numbers"],
            OTHER,
            ("Users: %d", 366),
        ),
        _number("unused", "Ballots left over", "Ballots unused", ("Expected: %d", 54), value=54),
        _preview("attendance", "Attendance list", "C.DAFTAR HADIR"),
        _menu(
            "incidents",
            "Incidents and objections",
            ["Nothing happened (NIHIL)", "Photograph a sheet"],
            ("Photographed so far: %d", 0),
        ),
    ]


def sheets() -> list[Scene]:
    """The count is done: photographs and figures."""
    labels, values = _figures()
    page = ("Page %d of %d", 1, 3)
    picture = "3024 x 4032, 612 kB"

    def labelled(screens: Screens) -> list[str]:
        return [_label(screens, label) for label in labels]

    def figures(title, keys: str, known: int, name: str, training: bool = False) -> Scene:
        def show(screens: Screens) -> Coroutine:
            return screens.figures(title, labelled(screens), values[:known])

        return name, keys, show, training

    fog = verdict(*assess(48, 64, bytes([120] * 48 * 64)))
    first, second = ("First officer, page %d", 1), ("Second officer, page %d", 1)
    differ = "The two officers differ"
    unseen = "Another officer keys in the same sheet, without the first one's help."
    rule = "R6. Suara sah 427, jumlah suara paslon 429"
    return [
        _message("counting", "Counting", "Press OK when the sheets are filled in."),
        _preview("sheet", "Photograph the sheet", CONTEST, page),
        _menu(
            "readable",
            "Is the whole page readable?",
            ["Keep the photograph", "Photograph again"],
            CONTEST,
            page,
            picture,
        ),
        _menu(
            "not-good",
            "The photograph is not good",
            ["Photograph again", "Keep the photograph"],
            CONTEST,
            page,
            picture,
            *fog,
        ),
        _menu(
            "photograph-failed",
            "The photograph failed",
            ["Photograph again", "Go on without a photograph"],
            CONTEST,
            page,
        ),
        _message("first", "First officer", "Key in what the sheet says."),
        figures(first, "4 2", 6, "figure"),
        figures(first, "TURUN TURUN TURUN", 9, "review"),
        _message("second", "Second officer", unseen),
        _pin("second-pin", "Second officer", "PIN of the second officer", "2 4"),
        figures(second, "3", 0, "figure-second", True),
        (
            "differ",
            "TURUN",
            lambda s: s.menu(differ, ["117", "171", "Key it in again"], note=_label(s, labels[3])),
            True,
        ),
        (
            "figure-struck",
            "3 2 OK",
            lambda s: s.number("Key it in again", _label(s, "Invalid votes"), 3),
            True,
        ),
        _menu("sums", "The sums do not agree", RULE_REASONS.values(), rule),
    ]


def signing() -> list[Scene]:
    """The result is signed and leaves on paper."""

    def summary(screens: Screens) -> Coroutine:
        votes = {("Votes for pair %s", n): count for n, count in ((1, 117), (2, 171), (3, 65))}
        votes |= {"Valid votes": 353, "Invalid votes": 13}
        lines = [CONTEST, *(f"{screens.t(label)}: {count}" for label, count in votes.items())]
        return screens.message("Check before signing", [*lines, ("Rules broken: %d", 1)])

    return [
        _menu(
            "stands",
            "Did the witness sign the sheet?",
            ["Signed", "Refused to sign", "Absent"],
            CONTEST,
            ("Witness of pair %d", 2),
        ),
        ("check", "", summary, False),
        _menu("sign", "Sign this result?", YES_NO, CONTEST),
        _progress("print", "Receipts are being printed", 2, 5),
        _menu(
            "whole",
            "Was this slip printed whole?",
            ["No, print a copy", "Yes, it is whole"],
            ("Receipt %d of %d", 2, 5),
        ),
    ]


def afterwards() -> list[Scene]:
    """Sending, copies, corrections, closing."""
    chair = "PIN of the KPPS chair"
    choices = ["State of sending", "Proof of sending", "Print a copy", "Correct a result"]
    end = "From now on only corrections, reprints and sending."
    results = [f"{CONTEST} (14)", f"{OTHER} (31)"]
    return [
        _menu(
            "idle",
            "Results are signed",
            [*choices, "Self-test", "Carry for another station", "Close the station"],
        ),
        _message(
            "sending",
            "State of sending",
            ("Entries acknowledged: %d", 12),
            ("Entries waiting: %d", 3),
            ("Photographs waiting: %d", 2),
            ("For other stations: %d waiting, %d sent", 34, 0),
            "There is no connection: the kit tries again by itself.",
            training=True,
        ),
        (
            "sending-refused",
            "",
            lambda s: s.message(
                "State of sending",
                [("Entries acknowledged: %d", 11), ("Refused by the collector: %d", 1)],
                ("OK", ("CETAK", "send again")),
            ),
            False,
        ),
        _message(
            "no-proof", "Proof of sending", "The collector has not acknowledged a result yet."
        ),
        _menu("copy", "Print a copy", results),
        _menu("copy-which", "Which receipt?", [("Receipt %d of %d", n, 3) for n in (1, 2, 3)]),
        _menu("correct", "Correct a result", results),
        _pin("correct-pin", "Correct a result", chair),
        _menu("correct-why", "Why is it corrected?", CORRECTION_REASONS.values()),
        (
            "carry",
            "",
            lambda s: s.message(
                "Carry for another station",
                ["Put the cable into both kits. Keys are pressed on this one only."],
                ("OK", "HAPUS"),
            ),
            False,
        ),
        _progress("carrying", "Carry for another station", 21, 34),
        _message(
            "carried",
            "Carry for another station",
            "TPS 012",
            ("Entries taken over: %d", 34),
            ("Acknowledgements handed back: %d", 0),
            ("Entries waiting: %d", 34),
            "When they are sent, connect the cable again.",
        ),
        _menu("close", "Close the station?", YES_NO, end),
        _pin("close-pin", "Close the station", chair),
        _progress("closing-slip", "Closing slip", 0, 1),
        _menu("closed", "Station is closed", choices, training=True),
    ]


def errors() -> list[Scene]:
    """Every numbered screen, and those of the self-test."""
    scenes = []

    def fault(code: int, sentence, advice: str) -> Scene:
        return f"E{code}", "", lambda s: s.fault(code, sentence, advice), False

    for code, (_, sentences) in codes().items():
        advice = "Switch off and on. If it comes again, call for help."
        scenes.append(fault(code, _filled(sentences[0]), advice))
    for number, name in selftest.NAMES.items():
        scenes.append(fault(910 + number, name, "Put it right, or go on without."))
    return scenes


def _filled(sentence: str):
    """A sentence with samples in the places of its values."""
    found = sorted((sentence.find(place), place) for place in SAMPLES if place in sentence)
    values = []
    rest = sentence
    while found:
        places = [(rest.find(place), place) for _, place in found if place in rest]
        if not places:
            break
        at, place = min(places)
        values.append(SAMPLES[place])
        rest = rest[at + len(place) :]
    return (sentence, *values) if values else sentence


def scenes() -> list[Scene]:
    """Every scene of the gallery, in the order of the day."""
    return [*opening(), *voting(), *sheets(), *signing(), *afterwards(), *errors()]
