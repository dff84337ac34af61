"""Flow tests read like the day at the TPS: a real MicroPython kit, emulated parts, a collector."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from firmware import record
from host_tools.demo.stage import Stage
from host_tools.kit.script import Player, parse
from host_tools.provision import sample

# How the day begins until the viewfinder: witnesses and supervisor present, ballots counted.
LOGIN = """
expect screen "Kit is locked"
key 135790
press OK
"""
SECOND_LOGIN = """
press OK
key 246801
press OK
"""
OPENING = f"""
{LOGIN}
expect screen "Open the station"
press OK
press OK OK OK OK
"""
REST_OF_MORNING = """
expect screen Ballots
figures 248 0
expect screen "Are these numbers right?"
press TURUN OK
expect screen Voting
"""
VOTED = """
press 4 OK
expect screen "Close the voting?"
press TURUN OK
expect screen "Who voted?"
figures 110 98 1 2 2 1
expect screen "Are these numbers right?"
press TURUN OK
expect screen "Ballots left over"
press OK
expect screen "Are these numbers right?"
press TURUN OK
photo 1
expect screen "Attendance list"
press FOTO
keep photograph
expect screen "Incidents and objections"
press OK
expect screen Counting
press OK
expect screen "Photograph the sheet"
"""
MORNING = OPENING + REST_OF_MORNING + VOTED
PAGES = """
photo 1
press FOTO
keep photograph
photo 2
expect screen "Photograph the sheet"
press FOTO
keep photograph
photo 3
expect screen "Photograph the sheet"
press FOTO
keep photograph
expect screen "First officer"
"""
EMPTY_PAGE = "figures - - - - - - - - - - - - - - - - - - - - - -\n"
CLEARED_PAGE = "figures x x x x x x x x x x x x x x x x x x x - - -\n"
KEYED = f"""
press OK
{CLEARED_PAGE}
press OK until "First officer, page 2"
figures 123 274 30
press OK until "First officer, page 3"
figures 427 3 430
press OK until "Second officer"
{SECOND_LOGIN}
{EMPTY_PAGE}
press OK until "Second officer, page 2"
figures 123 274 30
press OK until "Second officer, page 3"
figures 427 3 430
press OK until "Did the witness sign the sheet?"
press OK OK OK
expect screen "Check before signing"
"""
SIGNED = """
press OK
expect screen "Sign this result?"
press TURUN OK
expect screen "Results are signed"
"""
SENT = 'expect log "relay 0 waiting, 0 photographs"\n'


class Day:
    """A stage and the player of its kit: `play` takes script text."""

    def __init__(self, stage: Stage, photographs: list[Path]):
        self.stage = stage
        self.kit = stage.kit
        self.player = Player(stage.kit, photographs, stage.out / "screens", patience=90)

    def play(self, text: str) -> None:
        self.player.play(parse(text))

    @property
    def log(self) -> list[str]:
        assert self.kit.process is not None
        return self.kit.process.log

    def entries(self) -> list[record.Entry]:
        """Every entry of the kit's journal, parsed, the chain checked."""
        from firmware.journal import Journal

        genesis = record.sha256(self.stage.certificate.read_bytes())
        journal = Journal(str(self.stage.journal), genesis)
        return [record.parse(data) for _, data, _ in journal.entries()]

    def events(self, number: int) -> list[list]:
        """Details of the journal's events of that number."""
        found = [e for e in self.entries() if e.kind == record.EVENT and e.payload[3] == number]
        return [e.payload[4] for e in found]

    def results(self) -> list[record.Entry]:
        return [e for e in self.entries() if e.kind != record.EVENT]


@pytest.fixture(scope="session")
def photographs(tmp_path_factory) -> list[Path]:
    """Three small sharp photographs: what they show does not matter to these flows."""
    folder = tmp_path_factory.mktemp("photographs")
    paths = []
    for number in (1, 2, 3):
        picture = np.full((1600, 1200, 3), 225, np.uint8)
        for row in range(40, 1600, 60):
            cv2.putText(picture, f"HALAMAN {number}", (60, row), 0, 1.6, (10, 10, 10), 3)
            cv2.putText(picture, f"{row}", (800, row), 0, 1.6, (10, 10, 10), 3)
        ok, data = cv2.imencode(".jpg", picture)
        assert ok
        paths.append(folder / f"page-{number}.jpg")
        paths[-1].write_bytes(data.tobytes())
    return paths


@pytest.fixture
def day(tmp_path, photographs):
    """A kit at its first screen of the day, the collector up."""
    with Stage(tmp_path, sample.load("pilpres"), speed=50) as stage:
        stage.start_collector()
        stage.start_kit()
        yield Day(stage, photographs)
