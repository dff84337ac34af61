"""Bad input at the kit: one clear line with a code, nothing lost, and the day goes on."""

import os
import socket
import subprocess
import threading
from contextlib import contextmanager

import pytest

from firmware import record
from firmware.blockdev import BLOCK
from host_tools.demo.stage import Stage
from host_tools.kit import flash
from host_tools.kit.script import ScriptError
from host_tools.provision import sample
from tests.flows.conftest import KEYED, LOGIN, MORNING, PAGES, SENT, SIGNED, Day


@contextmanager
def small_disk(folder, size: str):
    """A tiny file system at `folder`, as a full card or flash is."""
    if os.geteuid() != 0:
        pytest.skip("a small disk needs root to be mounted")
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "saksi", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_photograph_that_is_none_is_refused_and_the_page_taken_again(day, tmp_path):
    good = day.player.photographs[0].read_bytes()
    cases = {
        "empty": (b"", "Photograph is empty"),
        "text": (b"this is not a photograph" * 100, "Not a JPEG photograph"),
        "cut": (good[: len(good) // 2], "Photograph is cut off"),
    }
    day.play(MORNING)
    before = len(day.entries())
    stored = sorted((day.kit.card / "photos").iterdir())
    for name, (data, sentence) in cases.items():
        path = tmp_path / f"{name}.jpg"
        path.write_bytes(data)
        day.play(f"photo {path}\npress FOTO\nexpect screen E401\npress OK\n")
        day.play('expect screen "The photograph failed"\npress OK\n')
        assert any("E401" in line and day.kit.process for line in day.log)
        day.play('expect screen "Photograph the sheet"\n')
        assert sentence in english(day, "E401")
    assert len(day.entries()) == before
    assert sorted((day.kit.card / "photos").iterdir()) == stored
    day.play(PAGES)
    assert len(day.events(record.PAGE)) == 3


def test_a_camera_that_fails_stops_nobody_from_sending_what_the_paper_says(day, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"this is not a photograph" * 100)
    without = (
        'expect screen E401\npress OK\nexpect screen "The photograph failed"\npress TURUN OK\n'
    )
    day.play(MORNING)
    day.play(f"photo 1\npress FOTO\nkeep photograph\nphoto {broken}\n")
    for _ in range(2):
        day.play('expect screen "Photograph the sheet"\npress FOTO\n' + without)
    day.play('expect screen "First officer"\n' + KEYED + SIGNED + SENT)
    assert [detail[1] for detail in day.events(record.PAGE)] == [1]
    (entry,) = day.results()
    assert day.stage.collector.store.complete(entry.rec_id)
    from firmware.journal import Journal

    genesis = record.sha256(day.stage.certificate.read_bytes())
    manifest = Journal(str(day.stage.journal), genesis).entry(entry.seq)[1]
    assert manifest is not None
    assert [page[0] for page in record.parse_manifest(manifest)[0]] == [1]


def english(day, name: str) -> str:
    """Sentences that the kit can show, in English, for what its last screen `name` said."""
    import json
    from pathlib import Path

    words = json.loads((Path(__file__).parents[2] / "firmware/words/id.json").read_text())
    back = {indonesian: key for key, indonesian in words.items()}
    line = [line for line in day.log if line.startswith(f"screen {name}")][-1]
    said = " ".join(part.strip() for part in line.split("|")[1:])
    return " ".join(key for text, key in back.items() if text in said)


def test_a_full_card_stops_no_day(tmp_path, photographs):
    with (
        small_disk(tmp_path / "kit/card", "2m") as card,
        Stage(tmp_path, sample.load("pilpres"), speed=50) as stage,
    ):
        stage.start_collector()
        stage.start_kit()
        day = Day(stage, photographs)
        day.play(MORNING)
        ballast = stage.kit.fill_card()
        day.play(PAGES + 'expect log "card E713"\n')
        assert len(day.events(record.PAGE)) == 3
        on_flash = [name for name in stage.kit.flash_files() if name.startswith("photos/")]
        assert len(on_flash) == 3
        ballast.unlink()
        day.play('expect log "card ready"\n')
        for _, _, digest, size, *_ in day.events(record.PAGE):
            assert (card / f"photos/{digest.hex()}.jpg").stat().st_size == size


def test_a_flash_without_any_room_signs_nothing_and_keeps_the_journal(day):
    kit, stage = day.kit, day.stage
    day.play('expect screen "Kit is locked"\ncut power\n')
    before = stage.journal.read_bytes()
    flash.fill(kit.flash)
    day.play('power on\nexpect log "fault E703"\ncut power\n')
    assert stage.journal.read_bytes() == before
    flash.remove(kit.flash, flash.BALLAST)
    day.play("power on\n" + MORNING)
    assert stage.journal.read_bytes().startswith(before)
    assert len(day.events(record.OPEN)) == 1


def test_a_flash_that_fills_up_in_mid_day_loses_no_entry_and_the_day_goes_on(day):
    kit = day.kit
    day.play('expect screen "Kit is locked"\ncut power\n')
    flash.fill(kit.flash, leave=2)  # enough until the journal needs another block
    with pytest.raises(ScriptError):
        day.play("power on\n" + MORNING + PAGES + KEYED + SIGNED)
    assert any(line.startswith("fault E7") for line in day.log)
    accepted = [line.split()[-1] for line in day.log if line.startswith("entry ")]
    day.play("cut power\n")
    journal = [entry.rec_id.hex() for entry in day.entries()]
    assert set(accepted) <= set(journal)
    flash.remove(kit.flash, flash.BALLAST)
    day.play("power on\n" + LOGIN + 'expect log "^state "\n')
    assert [entry.rec_id.hex() for entry in day.entries()][: len(journal)] == journal


def test_a_flash_that_cannot_be_read_is_told_and_left_as_it_is(day):
    day.play('expect screen "Kit is locked"\ncut power\n')
    image = bytearray(day.kit.flash.read_bytes())
    image[: 2 * BLOCK] = b"\0" * 2 * BLOCK  # where a littlefs begins
    day.kit.flash.write_bytes(image)
    day.play('power on\nexpect screen E723\nexpect log "fault E723"\ncut power\n')
    assert day.kit.flash.read_bytes() == image


@pytest.mark.slow
def test_the_relay_goes_on_when_the_collector_comes_back_from_down_and_from_rubbish(day):
    day.stage.stop_collector()
    day.play(MORNING + PAGES + KEYED + SIGNED)
    assert not any(line.startswith("acknowledged") for line in day.log)
    rubbish = socket.create_server(("127.0.0.1", 0))

    def babble():
        while True:
            try:
                sock, _ = rubbish.accept()
            except OSError:
                return
            with sock:
                sock.sendall(b"\x00\xff no such protocol \r\n" * 50)

    threading.Thread(target=babble, daemon=True).start()
    day.stage.route(rubbish.getsockname()[1])
    day.kit.process.wait_for(r"relay \d+ waiting, \d photographs, \S", timeout=90)
    results = day.results()
    rubbish.close()
    day.stage.start_collector()
    day.play('expect log "^acknowledged"\n' + SENT)
    store = day.stage.collector.store
    assert store.entry(results[0].rec_id) is not None
    assert store.complete(results[0].rec_id)
    assert {e.rec_id for e in day.entries()} >= {e.rec_id for e in store.entries()}
