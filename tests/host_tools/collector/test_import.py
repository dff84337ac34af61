"""A kit's card, and scanned receipts: another way in for the same entries and the same checks."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from firmware import qr_text, record
from firmware.journal import Journal
from host_tools.collector.command import app
from host_tools.kit import flash
from tests.host_tools.collector.world import LIVE, TRAINING, photo, sha256

RUN = CliRunner()


def collect(*options) -> tuple[int, list]:
    done = RUN.invoke(app, [*map(str, options), "--json"])
    return done.exit_code, json.loads(done.stdout) if done.stdout else [done.stderr]


def card_of(kit, folder: Path, photos: list[bytes], damage: bytes | None = None) -> list:
    """A card with the kit's journal of four entries, its photographs and its certificate."""
    (folder / "photos").mkdir(parents=True, exist_ok=True)
    journal = Journal(str(folder / f"journal-{kit.election}"), sha256(kit.certificate))
    made = [kit.event(record.BOOT, ["1.0"]), *[kit.page(data) for data in photos]]
    made.append(kit.result(photos))
    for one in made:
        journal.append(one.data, one.manifest)
    for data in photos:
        stored = data if damage is None else damage
        (folder / "photos" / f"{sha256(data).hex()}.jpg").write_bytes(stored)
    (folder / f"kit-{kit.election}.der").write_bytes(kit.certificate)
    return made


def frames(data: bytes) -> list[bytes]:
    found = []
    while data:
        size = int.from_bytes(data[:2], "big")
        found.append(data[2 : 2 + size])
        data = data[2 + size :]
    return found


@pytest.fixture
def local(world, tmp_path):
    """Options of a collector on its folder, made when all kits are known."""

    def options() -> list[str]:
        folder = tmp_path / "trust"
        folder.mkdir(exist_ok=True)
        return ["--data", str(tmp_path / "data"), *world.files(folder)]

    return options


PHOTOS = [photo(70_000), photo(300_000, 2)]


def test_a_cards_folder_is_taken_in_and_gets_its_acknowledgements(world, local, tmp_path):
    kit = world.kit()
    card = tmp_path / "card"
    made = card_of(kit, card, PHOTOS)
    for new, known in ((4, 0), (0, 4)):
        code, (report,) = collect(*local(), "--import", card)
        assert (code, report["new"], report["known"]) == (0, new, known)
        assert (report["photographs"], report["problems"]) == (2, [])
        assert report["written"] == f"acks-{LIVE}"
    items = frames((card / f"acks-{LIVE}").read_bytes())
    acks = [record.parse(item) for item in items[:4]]
    assert [ack.payload[1] for ack in acks] == [one.rec_id for one in made]
    assert all(ack.kid == world.collector.kid() for ack in acks)
    assert set(items[4:]) == {sha256(data) for data in PHOTOS}
    for data in PHOTOS:
        digest = sha256(data).hex()
        assert (tmp_path / "data" / "photos" / digest[:2] / digest).read_bytes() == data


def test_a_running_collector_takes_a_card_too(world, local, start, tmp_path):
    kit = world.kit()
    made = card_of(kit, tmp_path / "card", PHOTOS)
    collector = start()
    collector.submit(made[0])
    collector.submit(made[1])
    collector.patch(sha256(PHOTOS[0]), 0, PHOTOS[0][:1000])
    code, (report,) = collect("--to", collector.background.url, "--import", tmp_path / "card")
    assert (code, report["new"], report["known"], report["photographs"]) == (0, 2, 2, 2)
    assert collector.state(made[-1].rec_id) == "complete"


def test_an_image_gets_its_acknowledgements_inside(world, local, tmp_path):
    from littlefs import LittleFS

    from firmware.blockdev import BLOCK

    kit = world.kit()
    card_of(kit, tmp_path / "card", PHOTOS[:1])
    image = tmp_path / "flash.img"
    blank = LittleFS(block_size=BLOCK, block_count=256, read_size=256, prog_size=256,
                     cache_size=1024, lookahead_size=32)  # fmt: skip
    blank.mkdir("/photos")
    for path in (tmp_path / "card").rglob("*"):
        if path.is_file():
            with blank.open(str(path.relative_to(tmp_path / "card")), "wb") as file:
                file.write(path.read_bytes())
    image.write_bytes(blank.context.buffer)
    code, (report,) = collect(*local(), "--import", image)
    assert (code, report["new"], report["photographs"]) == (0, 3, 1)
    assert len(frames(flash.files(image)[f"acks-{LIVE}"])) == 4


def test_a_live_journal_goes_before_one_of_training(world, local, tmp_path):
    card = tmp_path / "card"
    card_of(world.kit(election=TRAINING), card, PHOTOS[:1])
    card_of(world.kit(), card, PHOTOS[:1])
    code, reports = collect(*local(), "--import", card)
    assert (code, [one["election"] for one in reports]) == (0, [LIVE, TRAINING])


def test_what_is_not_in_order_is_told_and_holds_up_nothing(world, local, tmp_path):
    card = tmp_path / "card"
    card_of(world.kit(listed=None), card / "stranger", PHOTOS[:1])
    card_of(world.kit(), card / "spoilt", PHOTOS[1:], damage=b"x" * 70_000)
    code, reports = collect(*local(), "--import", card)
    by_name = {one["name"].split("/")[0]: one for one in reports}
    assert code == 1
    assert (by_name["stranger"]["new"], by_name["stranger"]["written"]) == (0, None)
    assert "kid" in by_name["stranger"]["problems"][0]
    assert (by_name["spoilt"]["new"], by_name["spoilt"]["photographs"]) == (3, 0)
    assert "not as it was signed" in by_name["spoilt"]["problems"][0]


def test_a_scanned_receipt_is_a_submission(world, local, start, tmp_path):
    made = world.kit().result(PHOTOS[:1])
    text = qr_text.qr_text("TPS.EXAMPLE.ID", qr_text.RECORD, made.data)
    for new in (True, False):
        code, (report,) = collect(*local(), "--submit", text)
        assert (code, report["new"], report["rec_id"]) == (0, new, made.rec_id.hex())
    collector = start()
    file = tmp_path / "receipt.txt"
    file.write_text(text)
    code, (again,) = collect("--to", collector.background.url, "--submit", file)
    assert (code, again["new"], again["ack"]) == (0, False, report["ack"])
    assert collector.submit(made).status_code == 200
    assert collector.patch(sha256(PHOTOS[0]), 0, PHOTOS[0]).status_code == 204


def test_a_receipt_of_a_stranger_is_found_wanting(world, local):
    made = world.kit(listed=None).result()
    world.kit()
    code, (report,) = collect(
        *local(), "--submit", qr_text.qr_text("TPS.EXAMPLE.ID", qr_text.RECORD, made.data)
    )
    assert code == 1 and report["problem"].startswith("kid:")


def test_what_cannot_be_run_is_told_in_one_line(world, local, tmp_path):
    world.kit()
    for options in (
        ["--import", tmp_path],
        ["--to", "http://127.0.0.1:9", "--submit", "no receipt"],
        [*local(), "--import", tmp_path / "nowhere"],
        [*local(), "--to", "http://127.0.0.1:9"],
    ):
        done = RUN.invoke(app, [str(option) for option in options])
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.stderr
