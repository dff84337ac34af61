"""The card at the table: pulled before, during and after photographs, and changed for another.

The day goes on, and whatever the card missed is on it once it is back.
"""

import shutil
import time

import pytest

from firmware import record
from host_tools.demo.stage import Stage
from host_tools.kit import flash
from host_tools.provision import sample
from tests.flows.conftest import KEYED, LOGIN, MORNING, PAGES, SENT, SIGNED, Day

AWAY = 'expect log "card E712"\n'
READY = 'expect log "card ready"\n'


def assert_card_is_whole(day: Day, count: int) -> None:
    """The card has the journal byte for byte and all photographs; flash has none of them left."""
    name = day.stage.journal.name
    # An acknowledgement may be on its way to the card; a photograph that is read moves later.
    for _ in range(100):
        on_flash = day.kit.flash_files()
        same = (day.kit.card / name).read_bytes() == on_flash[name]
        left = [path for path in on_flash if path.startswith("photos/")]
        if same and not left:
            break
        time.sleep(0.1)
    assert same and not left
    stored = list((day.kit.card / "photos").iterdir())
    assert len(stored) == count
    for path in stored:
        assert record.sha256(path.read_bytes()).hex() == path.stem


def photographs_signed(day: Day) -> set[bytes]:
    """Digests of the photographs that the journal names."""
    pages = {detail[2] for detail in day.events(record.PAGE)}
    return pages | {d[1] for d in day.events(record.INCIDENT) if d[1] is not None}


def test_the_flash_is_a_littlefs_with_the_same_journal_as_on_the_card(day):
    day.play(MORNING)
    assert day.kit.flash.read_bytes()[8:16] == b"littlefs"
    found = flash.files(day.kit.flash)
    name = day.stage.journal.name
    assert found[name] == (day.kit.card / name).read_bytes() and len(day.entries()) > 3
    flash.extract(day.kit.flash, day.stage.out / "extracted")
    assert (day.stage.out / "extracted" / name).read_bytes() == found[name]


@pytest.mark.slow
def test_a_day_without_a_card_is_whole_on_the_card_that_comes_in_the_end(tmp_path, photographs):
    with Stage(tmp_path, sample.load("pilpres"), speed=50) as stage:
        stage.start_collector()
        stage.kit.pull_card()
        stage.start_kit()
        day = Day(stage, photographs)
        day.play("expect screen E920\npress OK\n" + AWAY)
        day.play(MORNING + PAGES + KEYED + SIGNED + SENT)
        assert not day.kit.card.exists()
        signed = photographs_signed(day)
        on_flash = [name for name in day.kit.flash_files() if name.startswith("photos/")]
        assert len(on_flash) == len(signed)
        assert len(day.results()) == 1
        day.play("card in\n" + READY)
        assert_card_is_whole(day, len(signed))
        store = stage.collector.store
        assert store.complete(day.results()[0].rec_id)


def test_a_card_pulled_after_a_photograph_is_missed_by_the_relay_and_told(day):
    day.play(MORNING)
    day.stage.stop_collector()
    day.play("photo 2\npress FOTO\nkeep photograph\n" + 'expect log "state sheets"\n')
    day.play("card out\n" + AWAY)
    day.stage.start_collector()
    day.play('expect log "relay 0 waiting, . photographs, A photograph is on a card"\n')
    day.play("photo 3\npress FOTO\nkeep photograph\n" + 'expect log "state sheets"\n')
    since = day.player.mark
    day.play("card in\n" + READY)
    day.kit.process.wait_for(SENT.split('"')[1], since)  # before "card ready" or after it
    assert_card_is_whole(day, len(photographs_signed(day)))


def test_a_card_pulled_in_mid_photograph_costs_that_one_and_no_more(day):
    day.play(MORNING)
    pull_in_mid_capture(day.kit)
    day.play("photo 1\npress FOTO\nexpect screen E711\npress OK\n")
    day.play('expect screen "The photograph failed"\npress OK\n')
    day.play('expect screen "Photograph the sheet"\n' + PAGES.lstrip())
    assert len(day.events(record.PAGE)) == 3
    since = day.player.mark
    day.play(SENT)
    day.player.mark = since  # the card was missed before it or after it
    day.play(AWAY + "card in\n" + READY)
    assert_card_is_whole(day, len(photographs_signed(day)))


def pull_in_mid_capture(kit) -> None:
    """The next capture stops halfway until its beginning is on the card, which is then pulled."""
    capture = kit.camera.capture
    part = kit.card / "photos/new.part"

    def once():
        kit.camera.capture = capture
        stream = capture()
        fill, total = stream.readinto, [0]

        def readinto(buf):
            if total[0] >= 64 * 1024 and kit.card.exists():
                while not (part.exists() and part.stat().st_size > 0):
                    pass
                kit.pull_card()
            n = fill(buf)
            total[0] += n
            return n

        stream.readinto = readinto
        return stream

    kit.camera.capture = once


def test_a_power_cut_with_another_card_in_changes_nothing_but_the_card(day, tmp_path):
    day.play(MORNING)
    name = day.stage.journal.name
    other = tmp_path / "other-card"
    other.mkdir()
    foreign = b"the journal of another day\n" * 99
    (other / name).write_bytes(foreign)
    shutil.copyfile(day.kit.card / name, other / "untouched")
    before = day.kit.flash_files()[name]
    day.play("cut power\ncard out\n")
    day.kit.insert_card(other)
    day.play("power on\n" + LOGIN + 'expect screen "Photograph the sheet"\n')
    assert day.kit.flash_files()[name].startswith(before)
    assert (day.kit.card / f"{name}-old-1").read_bytes() == foreign
    day.play(PAGES)
    assert (day.kit.card / name).read_bytes() == day.kit.flash_files()[name]
    assert len(day.events(record.PAGE)) == 3


@pytest.mark.parametrize("what", ["card sideways", "card"])
def test_a_script_says_what_to_do_with_the_card(day, what):
    from host_tools.kit.script import ScriptError

    with pytest.raises(ScriptError):
        day.play(what + "\n")
    assert day.kit.card.exists()
