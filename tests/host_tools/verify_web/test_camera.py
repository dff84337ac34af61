"""Receipts before a camera: what the printer printed, filmed, some frames out of focus."""

from contextlib import contextmanager

import pytest

from firmware import record
from tests.host_tools.verify import world
from tests.host_tools.verify_web import paper
from tests.host_tools.verify_web.conftest import PHONE, Page, chromium
from tests.vectors import good, keys

RESULT = world.entry_bytes("result-28-figures")
CORRECTION = world.entry_bytes("correction-28-figures")
PAYLOAD = record.parse(RESULT).payload
FLAGS = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]


@pytest.fixture
def filmed(playwright, server, tmp_path):
    """filmed(paper…): a phone whose camera sees these papers in turn, the page open."""

    @contextmanager
    def start(*papers):
        video = paper.film(tmp_path / "papers.mjpeg", *papers)
        flags = [*FLAGS, f"--use-file-for-fake-video-capture={video}"]
        browser = playwright.chromium.launch(executable_path=chromium(), args=flags)
        page = Page(browser.new_context(viewport=PHONE, locale="id-ID"), server.url).open()
        yield page
        browser.close()
        assert page.troubles == []

    return start


def scan(phone: Page) -> Page:
    phone.page.click("#camera")
    phone.page.wait_for_selector("#results .verdict")
    return phone


def test_a_valid_receipt_is_read_and_its_figures_shown_beside_their_names(filmed):
    with filmed(paper.printed(CORRECTION)) as phone:
        assert scan(phone).verdict() == "SAH" and phone.state() == "valid"
        assert phone.page.locator(".verdict .sign.check").is_visible()
        rows = phone.page.locator(".votes tr").all_inner_texts()
        assert [row.split() for row in rows][1] == [
            "2.",
            *["CONTOH", "KENANGA", "-", "CONTOH", "DAHLIA", "272"],
        ]
        assert not phone.page.locator("#video").is_visible()


def test_a_broken_rule_is_told_in_plain_words(filmed):
    with filmed(paper.printed(RESULT)) as phone:
        assert scan(phone).verdict() == "SAH, dengan perhatian"
        told = phone.page.locator(".mind").inner_text()
        assert "R7: Suara sah 427, tetapi jumlah suara paslon 429" in told
        assert phone.page.locator(".verdict .sign.exclamation").is_visible()
        assert "log publik" in phone.page.locator(".card .open").inner_text()


def test_an_altered_receipt_is_refused_and_its_figures_not_shown(filmed):
    entry = record.parse(RESULT)
    figures = [*PAYLOAD[5][:-1], 431]
    altered = record.assemble(
        [*PAYLOAD[:5], figures, *PAYLOAD[6:]], entry.kid, lambda _: entry.signature
    )
    with filmed(paper.printed(altered)) as phone:
        assert scan(phone).verdict() == "TIDAK SAH" and phone.state() == "invalid"
        assert phone.page.locator(".verdict .sign.cross").is_visible()
        assert "palsu, atau diubah" in phone.page.locator(".why").inner_text()
        assert phone.page.locator(".votes").count() == 0


def test_a_foreign_kit_is_refused(filmed):
    with filmed(paper.printed(world.signed(PAYLOAD, keys.STRANGER))) as phone:
        assert scan(phone).verdict() == "TIDAK SAH"
        assert "tidak ada dalam daftar" in phone.page.locator(".why").inner_text()


def test_a_receipt_of_another_election_is_refused(filmed):
    other = world.signed([1, good.LIVE + 1, *PAYLOAD[2:]])
    with filmed(paper.printed(other, election=good.LIVE + 1)) as phone:
        assert scan(phone).verdict() == "TIDAK SAH"
        assert "padahal daftar kunci untuk 2024" in phone.page.locator(".why").inner_text()


def test_a_revoked_kit_is_refused_and_named_as_revoked(filmed):
    with filmed(paper.printed(world.signed(PAYLOAD, keys.REVOKED))) as phone:
        assert scan(phone).verdict() == "TIDAK SAH: kunci dicabut"
        assert phone.state() == "revoked"


def test_training_is_said_in_the_largest_words(filmed):
    training = world.entry_bytes("result-training")
    with filmed(
        paper.printed(training, paper.manifest("result-training"), record.TRAINING + good.LIVE)
    ) as phone:
        bundle = {"name": "b.cbor", "mimeType": "application/cbor"}
        phone.view("data").page.set_input_files(
            "#trust-file", [bundle | {"buffer": world.entry_bytes("bundle-training")}]
        )
        phone.page.wait_for_selector("#trust-result span")
        assert scan(phone.view("scan")).verdict() == "LATIHAN"
        assert "bukan hasil sebenarnya" in phone.page.locator(".training-strip").inner_text()
        assert "tidak dihitung" in phone.page.locator(".verdict").inner_text()


def test_a_result_whose_correction_was_scanned_before_is_superseded(filmed):
    with filmed(paper.printed(RESULT)) as phone:
        phone.type(paper.text_of(CORRECTION)).page.wait_for_selector("#results .valid")
        phone.page.click("#camera")
        phone.page.wait_for_selector("#results .superseded")
        assert phone.verdict() == "SUDAH DIGANTI oleh pembetulan"
        assert (
            record.rec_id(CORRECTION)[:4].hex().upper()
            in phone.page.locator(".verdict").inner_text()
        )


def test_of_a_receipt_in_two_parts_the_missing_one_is_named_until_it_is_there(filmed):
    first, second = paper.in_parts(CORRECTION)
    with filmed(first) as phone:
        phone.page.click("#camera")
        phone.page.wait_for_selector("#parts .missing")
        assert "Bagian 2 dari 2 belum dipindai" in phone.page.locator("#parts").inner_text()
        assert phone.page.locator("#results .verdict").count() == 0
        picture = {"name": "2.png", "mimeType": "image/png", "buffer": paper.png(second)}
        phone.page.set_input_files("#picture", [picture])
        phone.page.wait_for_selector("#results .verdict")
        assert phone.verdict() == "SAH"
        assert phone.page.locator("#parts").inner_text() == ""


def test_two_parts_in_turn_before_the_camera_make_one_receipt(filmed):
    with filmed(*paper.in_parts(CORRECTION)) as phone:
        assert scan(phone).verdict() == "SAH"


def test_a_camera_that_is_not_allowed_is_told_and_the_rest_goes_on(phone):
    refused = "() => Promise.reject(new DOMException('', 'NotAllowedError'))"
    phone.page.evaluate(f"() => {{ navigator.mediaDevices.getUserMedia = {refused}; }}")
    phone.page.click("#camera")
    phone.page.wait_for_selector("#scan-problem:not([hidden])")
    assert "Kamera tidak diizinkan" in phone.page.locator("#scan-problem").inner_text()
    phone.type(paper.text_of(CORRECTION)).page.wait_for_selector("#results .valid")
