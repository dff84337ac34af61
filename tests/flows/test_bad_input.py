"""Bad input at the kit: one clear line with a code, nothing lost, and the day goes on."""

import os
import socket
import subprocess
import threading
from contextlib import contextmanager

import pytest

from firmware import record
from tests.flows.conftest import KEYED, MORNING, PAGES, REST_OF_MORNING, SENT, SIGNED


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


def fill(folder) -> None:
    """Leave no room at all."""
    with (folder / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass


def test_a_photograph_that_is_none_is_refused_and_the_page_taken_again(day, tmp_path):
    good = day.player.photographs[0].read_bytes()
    cases = {
        "empty": (b"", "Photograph is empty"),
        "text": (b"this is not a photograph" * 100, "Not a JPEG photograph"),
        "cut": (good[: len(good) // 2], "Photograph is cut off"),
    }
    day.play(MORNING)
    before = len(day.entries())
    for name, (data, sentence) in cases.items():
        path = tmp_path / f"{name}.jpg"
        path.write_bytes(data)
        day.play(f"photo {path}\npress FOTO\nexpect screen E401\npress OK\n")
        assert any("E401" in line and day.kit.process for line in day.log)
        day.play('expect screen "Photograph the sheet"\n')
        assert sentence in english(day, "E401")
    assert len(day.entries()) == before
    assert list((day.kit.card / "photos").iterdir()) == []
    day.play(PAGES)
    assert len(day.events(record.PAGE)) == 3


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
    from host_tools.demo.stage import Stage
    from host_tools.provision import sample
    from tests.flows.conftest import Day

    with (
        small_disk(tmp_path / "kit/card", "2m") as card,
        Stage(tmp_path, sample.load("pilpres"), speed=50) as stage,
    ):
        stage.start_collector()
        stage.start_kit()
        day = Day(stage, photographs)
        day.play(MORNING)
        fill(card)
        before = len(day.entries())
        day.play("photo 1\npress FOTO\nexpect screen E711\npress OK\n")
        day.play('expect screen "Photograph the sheet"\n')
        assert len(day.entries()) == before
        (card / "ballast").unlink()
        day.play(PAGES)
        assert len(day.events(record.PAGE)) == 3


def test_a_full_flash_keeps_the_journal_and_the_day_goes_on(tmp_path, photographs):
    from host_tools.demo.stage import Stage
    from host_tools.provision import sample
    from tests.flows.conftest import Day

    with (
        small_disk(tmp_path / "kit/flash", "1m") as flash,
        Stage(tmp_path, sample.load("pilpres"), speed=50) as stage,
    ):
        stage.start_collector()
        stage.start_kit()
        day = Day(stage, photographs)
        day.play('expect screen "Open the station"\n')
        before = stage.journal.read_bytes()
        fill(flash)
        day.play('press OK OK OK OK OK\nexpect log "fault E"\n')
        assert stage.journal.read_bytes().startswith(before)
        day.entries()  # the chain holds
        (flash / "ballast").unlink()
        day.play("cut power\npower on\n")
        # Where the fault struck decides on which step the day goes on.
        stage.kit.process.wait_for("screen (Open the station|Ballots)")
        day.play(MORNING if day.player.screen() == "Open the station" else REST_OF_MORNING)
        assert stage.journal.read_bytes().startswith(before)
        assert len(day.events(record.OPEN)) == 1


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
