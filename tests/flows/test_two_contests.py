"""A training day of Pilkada: two contests, KOLOM KOSONG, a correction, LATIHAN everywhere."""

import time

import pytest

from firmware import record
from firmware.qr_text import bytes_of
from host_tools.demo.stage import Stage
from host_tools.kit.script import Player
from host_tools.provision import sample
from host_tools.verify import trust as trusts
from host_tools.verify.receipt import check_receipt
from tests.flows.conftest import PAGES, SECOND_LOGIN, SENT, Day
from tests.papers import qr_codes

CLEARED = "figures x x x x x x x x x x x x x x x x x x x - - -\n"
EMPTY = "figures - - - - - - - - - - - - - - - - - - - - - -\n"


def keyed(votes: str, totals: str) -> str:
    """Both officers key the same sheet, page 1 left empty."""
    once = f"""
        {EMPTY}
        press OK until "%s, page 2"
        figures {votes}
        press OK until "%s, page 3"
        figures {totals}
    """
    first = CLEARED + once.replace(EMPTY, "") % ("First officer", "First officer")
    second = once % ("Second officer", "Second officer")
    return f'press OK\n{first}\npress OK until "Second officer"\n{SECOND_LOGIN}\n{second}\n'


@pytest.fixture
def training_day(tmp_path, photographs):
    with Stage(tmp_path, sample.load("pilkada", training=True), speed=50) as stage:
        stage.start_collector()
        stage.start_kit()
        yield Day(stage, photographs)


@pytest.mark.slow
def test_a_training_day_with_two_contests_and_a_correction(training_day):
    day = training_day
    day.play(
        """
        expect screen "Kit is locked"
        key 111111
        press OK
        expect screen "Wrong PIN"
        press OK
        key 135790
        press OK
        expect screen "Open the station"
        press OK
        press OK OK OK             # witnesses of three pairs for governor
        press OK TURUN OK          # for regent: pair 1 is there, nobody for KOLOM KOSONG
        press OK                   # supervisor
        expect screen Ballots
        figures 250 0
        expect screen "Are these numbers right?"
        press TURUN OK
        expect screen Ballots
        figures 250 1
        expect screen "Are these numbers right?"
        press TURUN OK
        expect screen Voting
        press 2 OK                 # a voter exchanges the regent's ballot
        expect screen "Which ballot?"
        press TURUN OK
        expect screen "Exchange the ballot?"
        press TURUN OK
        expect screen Voting
        press 3 OK                 # an objection, photographed
        expect screen "What is it about?"
        press TURUN OK
        photo 1
        expect screen "Incident or objection"
        press FOTO
        keep photograph
        expect screen Voting
        press 4 OK
        expect screen "Close the voting?"
        press TURUN OK
        expect screen "Who voted?"
        figures 100 90 5 4 3 3
        expect screen "Are these numbers right?"
        press TURUN OK
        expect screen "Who voted?"
        press OK                   # the same people for regent
        expect screen "Ballots left over"
        press OK
        expect screen "Are these numbers right?"
        press TURUN OK
        expect screen "Ballots left over"
        press OK
        expect screen "Are these numbers right?"
        press TURUN OK
        expect screen "Attendance list"
        press FOTO
        keep photograph
        expect screen "Incidents and objections"
        press TURUN OK             # all are photographed
        expect screen Counting
        press OK
        expect screen "Photograph the sheet"
        """
    )
    day.play(PAGES + keyed("100 80 20", "200 5 205"))
    day.play(
        """
        press OK until "Did the witness sign the sheet?"
        press OK
        press TURUN OK             # pair 2 refused
        press TURUN TURUN OK       # pair 3 is absent
        expect screen "Check before signing"
        press OK
        expect screen "Sign this result?"
        press TURUN OK
        expect screen "Photograph the sheet"
        """
    )
    day.play(PAGES + keyed("150 50", "200 5 205"))
    day.play(
        """
        press OK until "Did the witness sign the sheet?"
        press OK OK
        expect screen "Check before signing"
        press OK
        expect screen "Sign this result?"
        press TURUN OK
        expect screen "Results are signed"
        press TURUN TURUN TURUN OK # correct a result
        expect screen "Correct a result"
        press OK                   # the governor's
        key 135790
        press OK
        expect screen "Why is it corrected?"
        press OK                   # keyed in wrongly
        expect screen "Photograph the sheet"
        """
    )
    day.play(PAGES + keyed("101 79 20", "200 5 205"))
    day.play(
        """
        press OK until "Did the witness sign the sheet?"
        press OK OK OK
        expect screen "Check before signing"
        press OK
        expect screen "Sign this result?"
        press TURUN OK
        expect screen "Results are signed"
        """
        + SENT
    )
    governor, regent, correction = day.results()
    assert [e.kind for e in (governor, regent, correction)] == [1, 1, 2]
    assert [e.payload[3] for e in (governor, regent, correction)] == [1, 2, 1]
    assert regent.payload[5][-5:] == [150, 50, 200, 5, 205]
    store = day.stage.collector.store
    manifest = store.entry(correction.rec_id).manifest
    extra = record.parse_manifest(manifest)[1]
    assert extra[record.REPLACES] == governor.rec_id and extra[record.REASON] == 1
    assert store.entry(governor.rec_id) is not None, "the corrected result stays"
    stands = record.parse_manifest(store.entry(governor.rec_id).manifest)[1][record.STANDS]
    assert stands == [[1, 1], [2, 2], [3, 3]]
    assert day.events(record.EXCHANGE) == [[2, 1]]
    assert day.events(record.UNUSED) == [[1, 45, 45], [2, 44, 44]]
    assert day.events(record.VOTERS)[0][1] == day.events(record.VOTERS)[1][1]
    assert [d[0] for d in day.events(record.INCIDENT)] == [record.OBJECTION, record.ATTENDANCE]
    assert all(record.is_training(e.payload[1]) for e in day.entries())
    assert len([line for line in day.log if line.startswith("acknowledged")]) == 3
    check_papers(day, len(day.events(record.RECEIPT_BEGUN)))


def check_papers(day: Day, count: int) -> None:
    """Every slip says LATIHAN to the verifier, and no live bundle would take it."""
    held = trusts.load(day.stage.bundle, day.stage.authority_pem)
    papers = day.kit.printer.papers
    assert len(papers) == count == 1 + 4 + 4 + 5
    for paper in papers:
        codes = qr_codes(paper)
        assert len(codes) == 1
        report = check_receipt(bytes_of(codes[0].text), held, int(time.time()))
        assert report.exit_code == 0
        assert report.facts["training"] is True


@pytest.mark.slow
def test_the_same_firmware_runs_the_morning_on_cpython(tmp_path, photographs):
    with Stage(tmp_path, sample.load("pilpres"), speed=50, runtime="cpython") as stage:
        stage.start_collector()
        stage.start_kit()
        day = Day(stage, photographs)
        from tests.flows.conftest import KEYED, MORNING, SIGNED

        day.play(MORNING + PAGES + KEYED + SIGNED + SENT)
        assert "runtime cpython" in day.log
        assert isinstance(day.player, Player) and len(day.results()) == 1
