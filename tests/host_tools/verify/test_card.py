"""A card's folder, a littlefs image of card or flash, and what is left of a broken journal."""

import pytest

from firmware import record
from firmware.blockdev import BLOCK, GRAIN, LOOKAHEAD
from host_tools.kit import flash
from host_tools.verify import remains
from host_tools.verify.card import CardError, open_card
from host_tools.verify.journal import JournalFileError, check_card
from host_tools.verify.photo import manifest_in_journal
from host_tools.verify.report import FAILED, SKIPPED, WARNING
from tests.firmware.support import raises
from tests.host_tools.verify import world
from tests.host_tools.verify.day import PHOTOS, Day, certificate
from tests.vectors import good, keys


def check(path, certificate=None, trust=None):
    ((_, report),) = check_card(path, certificate, trust or world.trust(), world.NOW)
    return report


def first_failed(report):
    return next((one.name for one in report.checks if one.status == FAILED), None)


def lines(report, name):
    told = next(one for one in report.checks if one.name == name)
    return told.below(lambda text: text)


@pytest.fixture
def card(tmp_path):
    """A card's folder with a day's journal and its photographs."""
    day = Day(tmp_path).whole()
    folder = tmp_path / "card"
    (folder / "photos").mkdir(parents=True)
    day.path.rename(folder / f"journal-{good.LIVE}")
    (tmp_path / "kit.der").write_bytes(day.der)
    for photo in PHOTOS:
        (folder / "photos" / f"{record.sha256(photo).hex()}.jpg").write_bytes(photo)
    return folder


def image_of(folder, path, blocks=64):
    """A littlefs image, with the kit's geometry, of everything in a folder."""
    from littlefs import LittleFS

    disk = LittleFS(
        block_size=BLOCK,
        block_count=blocks,
        read_size=GRAIN,
        prog_size=GRAIN,
        cache_size=flash.CACHE,
        lookahead_size=LOOKAHEAD,
    )
    for file in sorted(folder.rglob("*")):
        name = str(file.relative_to(folder))
        if file.is_dir():
            disk.mkdir(name)
            continue
        with disk.open(name, "wb") as out:
            out.write(file.read_bytes())
    path.write_bytes(disk.context.buffer)
    return path


def journal_of(card):
    return card / f"journal-{good.LIVE}"


def test_a_card_with_journal_and_photographs_is_valid_without_a_certificate(card):
    report = check(card)
    assert report.exit_code == 0 and report.status("photographs") == "ok"
    assert report.status("certificate") == SKIPPED
    assert report.facts["photographs"] == {"named": 3, "missing": 0, "extra": 0, "altered": False}


def test_an_image_of_the_card_says_the_same(card, tmp_path):
    image = image_of(card, tmp_path / "card.img")
    report = check(image)
    assert report.exit_code == 0 and report.status("photographs") == "ok"
    assert {c.name: c.status for c in report.checks} == {
        c.name: c.status for c in check(card).checks
    }


def test_the_flash_has_the_certificate_and_leaves_the_photographs_to_the_card(card, tmp_path):
    for photo in (card / "photos").iterdir():
        photo.unlink()
    (card / "device-live.der").write_bytes((tmp_path / "kit.der").read_bytes())
    report = check(image_of(card, tmp_path / "flash.img"))
    assert report.status("photographs") == SKIPPED and report.exit_code == 0
    assert report.status("certificate") == "ok"


def test_a_journals_own_file_still_works_and_says_that_photographs_were_not_seen(card):
    report = check(journal_of(card))
    assert report.exit_code == 0 and report.status("photographs") == SKIPPED


def test_a_photograph_that_was_changed_fails_and_is_named(card):
    photo = next((card / "photos").iterdir())
    photo.write_bytes(photo.read_bytes() + b"\0")
    report = check(card)
    assert first_failed(report) == "photographs" and photo.name in lines(report, "photographs")[0]


def test_a_photograph_of_the_same_size_with_another_byte_fails(card):
    photo = next((card / "photos").iterdir())
    photo.write_bytes(b"x" * len(photo.read_bytes()))
    assert first_failed(check(card)) == "photographs"


def test_missing_and_unnamed_photographs_are_warnings(card):
    gone = next((card / "photos").iterdir())
    gone.rename(gone.with_name("ab" * 32 + ".jpg"))
    report = check(card)
    assert report.exit_code == 0 and report.status("photographs") == WARNING
    told = "\n".join(lines(report, "photographs"))
    assert "which is not here" in told and "named by no entry" in told


def test_an_incident_sheet_counts_as_a_photograph(card, tmp_path):
    (tmp_path / "b").mkdir()
    day = Day(tmp_path / "b")
    sheet = b"\xff\xd8 incident"
    day.event(record.INCIDENT, 1, record.sha256(sheet), len(sheet), "CONTOH")
    (tmp_path / "b" / "photos").mkdir()
    name = f"{record.sha256(sheet).hex()}.jpg"
    (tmp_path / "b" / "photos" / name).write_bytes(sheet)
    assert check(tmp_path / "b").facts["photographs"]["named"] == 1
    (tmp_path / "b" / "photos" / name).write_bytes(b"another")
    assert first_failed(check(tmp_path / "b")) == "photographs"


def test_a_journal_put_aside_is_told(card):
    (card / f"journal-{good.LIVE}-old-1").write_bytes(b"another kit's")
    assert check(card).status("aside") == WARNING


def test_two_journals_on_one_card_are_both_reported(card, tmp_path):
    (tmp_path / "t").mkdir()
    training = Day(tmp_path / "t", keys.TRAINING_KIT, good.TRAINING).whole()
    training.path.rename(card / f"journal-{good.TRAINING}")
    trust = world.trust(others=(world.bundle("bundle-training"),))
    reports = check_card(card, None, trust, world.NOW)
    assert [one.facts["training"] for _, one in reports] == [True, False]


def test_a_hole_in_the_journal_is_named_and_the_rest_is_still_told(card):
    data = bytearray(journal_of(card).read_bytes())
    start, end, entry = remains.whole_frames(bytes(data))[3]
    data[start:end] = bytes(end - start)
    journal_of(card).write_bytes(data)
    report = check(card)
    assert first_failed(report) == "chain" and report.exit_code == 1
    told = lines(report, "remains")
    assert f"Entry {entry.seq} is missing" in told
    assert f"Bytes {start} to {end - 1} are no entry" in told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f[:2] + f[4:], "Entries 3 to 4 are missing"),
        (lambda f: [*f[:3], f[2], *f[3:]], "Entry 3 is there once more, or out of order"),
        (lambda f: [*f[:2], f[3], f[2], *f[4:]], "Entry 3 is missing"),
    ],
    ids=["cut out", "doubled", "swapped"],
)
def test_entries_cut_out_doubled_or_swapped_are_named(card, change, said):
    data = journal_of(card).read_bytes()
    frames = [data[a:b] for a, b, _ in remains.whole_frames(data)]
    journal_of(card).write_bytes(b"".join(change(frames)))
    report = check(card)
    assert report.exit_code == 1 and said in lines(report, "remains")


def test_entries_of_another_kit_in_the_remains_are_not_counted_as_signed(card, tmp_path):
    (tmp_path / "s").mkdir()
    stranger = Day(tmp_path / "s", keys.STRANGER)
    stranger.event(record.OPEN, [])
    journal_of(card).write_bytes(journal_of(card).read_bytes() + stranger.path.read_bytes())
    report = check(card)
    whole = len(report.facts["whole_entries"])
    assert f"{whole - 1} of {whole} whole entries" in lines(report, "remains")[0]


def test_a_journal_whose_beginning_is_destroyed_is_refused_and_its_rest_told(card):
    data = bytearray(journal_of(card).read_bytes())
    data[0:40] = bytes(40)
    journal_of(card).write_bytes(data)
    report = check(card)
    assert report.exit_code == 1 and "Entry 1 is missing" in lines(report, "remains")


def test_the_certificate_given_has_to_be_the_one_that_the_journal_begins_with(card, tmp_path):
    der = (tmp_path / "kit.der").read_bytes()
    assert check(card, der).status("certificate") == "ok"
    again = certificate(keys.KIT)  # of the same key, made anew
    assert again != der and first_failed(check(card, again)) == "chain"
    assert first_failed(check(card, b"\x30\x03")) == "certificate"


@pytest.mark.parametrize("name", ["nothing", "empty"])
def test_what_holds_no_journal_is_one_line(tmp_path, name):
    (tmp_path / "empty").mkdir()
    error = raises(JournalFileError, check, tmp_path / name)
    assert "\n" not in str(error)


def test_an_image_of_a_fat_card_says_what_to_do(tmp_path):
    path = tmp_path / "sd.img"
    path.write_bytes(bytes(510) + b"\x55\xaa" + bytes(8192))
    assert "mount it" in str(raises(CardError, open_card, path))


def test_a_damaged_image_is_one_line(card, tmp_path):
    image = image_of(card, tmp_path / "card.img")
    image.write_bytes(image.read_bytes()[:BLOCK] + bytes(40 * BLOCK))
    for data in (image.read_bytes(), b"\0" * 8 + b"littlefs" + bytes(2 * BLOCK)):
        image.write_bytes(data)
        try:
            assert check(image).exit_code == 1
        except JournalFileError as error:
            assert "\n" not in str(error)


def test_the_manifest_for_a_photograph_comes_from_folder_or_image(card, tmp_path):
    entries = [e for _, _, e in remains.whole_frames(journal_of(card).read_bytes())]
    result = next(e for e in entries if e.kind == record.RESULT)
    image = image_of(card, tmp_path / "card.img")
    for place in (card, image, journal_of(card)):
        manifest = manifest_in_journal(place, result.rec_id)
        assert record.sha256(manifest) == result.payload[6]


def test_reading_photographs_tells_how_far_it_is(card):
    heard = []
    check_card(
        card, None, world.trust(), world.NOW, lambda done, total: heard.append((done, total))
    )
    assert heard[-1] == (sum(map(len, PHOTOS)),) * 2
