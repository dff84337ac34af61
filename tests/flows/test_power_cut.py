"""Power cuts at the table: the day resumes on its step, nothing is signed or printed twice."""

from firmware import record
from tests.flows.conftest import EMPTY_PAGE, KEYED, LOGIN, MORNING, PAGES, SENT

CUT = "cut power\npower on\n" + LOGIN


def test_the_day_resumes_on_the_step_it_was_on(day):
    day.play(MORNING)
    day.play(CUT + 'expect screen "Photograph the sheet"\n')
    day.player.mark = len(day.log)  # the step was named when the power came back, too
    day.play("photo 1\npress FOTO\nkeep photograph\n")
    day.play('expect log "state sheets"\n' + CUT + 'expect screen "Photograph the sheet"\n')
    assert len(day.events(record.PAGE)) == 1
    day.play(
        'photo 2\npress FOTO\nkeep photograph\nphoto 3\nexpect screen "Photograph the sheet"\n'
    )
    day.play('press FOTO\nkeep photograph\nexpect screen "First officer"\n')
    assert [detail[1] for detail in day.events(record.PAGE)] == [1, 2, 3]
    day.play("press OK\nfigures 1 2 3\n" + CUT + 'expect screen "First officer"\npress OK\n')
    rest = EMPTY_PAGE.replace(" - - -", "", 1)  # three figures were kept
    day.play(rest + 'press OK until "First officer, page 2"\n')


def test_nihil_that_was_signed_before_the_cut_is_not_asked_for_again(day):
    day.play(MORNING.rsplit("expect screen Counting", 1)[0] + "expect screen Counting\n")
    day.play(CUT + "expect screen Counting\n")
    kinds = [detail[0] for detail in day.events(record.INCIDENT)]
    assert kinds == [record.ATTENDANCE, record.NIHIL]


def test_a_result_is_signed_once_and_a_slip_cut_in_mid_print_is_asked_about(day):
    day.play(MORNING + PAGES + KEYED)
    day.kit.printer.speed = 1.0  # slow enough to cut the power in the middle of a slip
    day.play('press OK\nexpect screen "Sign this result?"\npress TURUN OK\n')
    day.play('expect screen "Receipts are being printed"\n')
    begun = day.kit.printer.rows_printed
    while day.kit.printer.rows_printed < begun + 40:
        pass
    day.play("cut power\n")
    day.kit.printer.set_power(False)
    day.kit.printer.set_power(True)
    day.kit.printer.speed = 50.0
    day.play("power on\n" + LOGIN + 'expect screen "Was this slip printed whole?"\npress OK\n')
    day.play('expect screen "Results are signed"\n' + SENT)
    assert len(day.results()) == 1
    begun = [d for d in day.events(record.RECEIPT_BEGUN) if d[0] == day.results()[0].rec_id]
    assert [d[2] for d in begun] == [1, 1, 2, 3, 4, 5]
    assert [d[4] for d in begun] == [0, 1, 0, 0, 0, 0]  # only the repeated one is marked a copy
    ended = [d[1] for d in day.events(record.RECEIPT_ENDED)]
    assert ended == [1, 2, 1, 1, 1, 1, 1]  # opening slip, the cut one not known, then all printed


def test_paper_out_in_mid_receipt_is_a_numbered_screen_and_then_a_marked_copy(day):
    day.play(MORNING + PAGES + KEYED)
    day.kit.printer.set_paper(rows=300)
    day.play('press OK\nexpect screen "Sign this result?"\npress TURUN OK\nexpect screen E201\n')
    day.play("paper in\npress OK\n" + 'expect screen "Results are signed"\n')
    begun = [d for d in day.events(record.RECEIPT_BEGUN) if d[0] == day.results()[0].rec_id]
    assert [(d[2], d[4]) for d in begun][:2] == [(1, 0), (1, 1)]
    ended = dict(map(tuple, day.events(record.RECEIPT_ENDED)))
    assert ended[begun[0][1]] == 2, "its beginning is on paper"
    assert ended[begun[1][1]] == 1


def test_an_unknown_saved_step_is_refused_with_its_code(day, tmp_path):
    from firmware.saved import Saved
    from firmware.station import START

    day.play('expect screen "Kit is locked"\ncut power\n')
    Saved(str(tmp_path / "day")).store({**START, "at": "no_such_step"})
    day.kit.put_flash("day-202402", (tmp_path / "day").read_bytes())
    day.play("power on\n" + LOGIN + 'expect screen E901\nexpect log "fault E901"\n')


def test_a_journal_of_another_chip_signs_nothing(day):
    day.play('expect screen "Kit is locked"\ncut power\n')
    before = day.stage.journal.read_bytes()
    day.kit.chip.core.zones.config[52:60] = b"\xff\xff\xff\xff\x00\x00\x00\x00"
    day.play('power on\nexpect log "fault E"\n')
    assert day.stage.journal.read_bytes() == before


def test_signing_fails_closed_when_the_chip_does(day):
    day.play('expect screen "Kit is locked"\ncut power\n')
    before = day.stage.journal.read_bytes()
    day.kit.chip.dead = True
    day.play('power on\nexpect log "fault E1"\n')
    assert day.stage.journal.read_bytes() == before
