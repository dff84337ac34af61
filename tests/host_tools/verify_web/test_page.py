"""The page in a phone's browser: weight, walls, list, what it sends and what it trusts."""

import hashlib
import json
from pathlib import Path

import pytest

from firmware import qr_parts, record
from host_tools.verify.web import npm
from host_tools.verify.web.build import Settings, build
from tests.host_tools.verify import world
from tests.host_tools.verify_web import paper
from tests.host_tools.verify_web.conftest import FAR, PHONE, Page, Server
from tests.vectors import good, keys

RESULT = world.entry_bytes("result-28-figures")
CORRECTION = world.entry_bytes("correction-28-figures")
AXE = npm.Pinned(
    "axe-core",
    "4.14.1",
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
)
MOST = 1_500_000  # bytes that a first visit may cost


def upload(name: str, data: bytes) -> list[dict]:
    return [{"name": name, "mimeType": "application/octet-stream", "buffer": data}]


def check(phone: Page, *datas: bytes) -> Page:
    """Give receipts by hand, one after the other."""
    for data in datas:
        phone.type(paper.text_of(data))
        short = record.rec_id(data)[:4].hex().upper()
        phone.page.wait_for_function(
            "text => document.querySelector('#results').textContent.includes(text)"
            " || document.querySelector('#results .invalid')",
            arg=f"{short[:4]} {short[4:]}",
        )
    return phone


def test_the_page_with_its_reader_weighs_less_than_the_limit(phone):
    read = {"name": "r.png", "mimeType": "image/png", "buffer": paper.png(paper.printed(RESULT))}
    phone.page.set_input_files("#picture", [read])
    phone.page.wait_for_selector("#results .verdict")
    assert any(url.endswith("zxing_reader.wasm") for url in phone.sizes)
    assert 1_000_000 < sum(phone.sizes.values()) < MOST


def test_everything_that_the_cache_takes_weighs_less_than_the_limit(site):
    assert sum(file.stat().st_size for file in site.iterdir() if file.is_file()) < MOST


def test_a_picture_of_the_whole_paper_is_read(phone):
    picture = {
        "name": "r.png",
        "mimeType": "image/png",
        "buffer": paper.png(paper.printed(CORRECTION)),
    }
    phone.page.set_input_files("#picture", [picture])
    phone.page.wait_for_selector("#results .valid")
    assert "TPS 001 CONTOH DESA" in phone.page.locator("#results").inner_text()


def test_what_is_no_picture_is_told(phone):
    phone.page.set_input_files("#picture", upload("r.jpg", b"\xff\xd8 rubbish"))
    phone.page.wait_for_selector("#scan-problem:not([hidden])")
    assert "Bukan gambar" in phone.page.locator("#scan-problem").inner_text()


def test_a_text_file_with_several_receipts_shows_each(phone):
    text = "\r\n".join(paper.text_of(one) for one in (RESULT, CORRECTION))
    file = {"name": "r.txt", "mimeType": "text/plain", "buffer": text.encode()}
    phone.page.set_input_files("#picture", [file])
    phone.page.wait_for_selector("#results .superseded")
    assert phone.page.locator("#results .card").count() == 2


def test_a_malformed_text_is_found_wanting(phone):
    phone.type(paper.text_of(RESULT)[:-1]).page.wait_for_selector("#results .invalid")
    assert "tidak lengkap" in phone.page.locator("#results").inner_text()


def test_a_hand_scanner_types_the_parts_one_by_one(phone):
    phone.page.locator("#ways").evaluate("(element) => (element.open = true)")
    first, second = (t for t in _parts(CORRECTION))
    phone.page.fill("#text", first)
    phone.page.press("#text", "Enter")
    phone.page.wait_for_selector("#parts .missing")
    phone.page.fill("#text", second)
    phone.page.press("#text", "Enter")
    phone.page.wait_for_selector("#results .valid")


def test_the_phones_own_camera_opens_the_receipt_as_an_address(phone, server):
    text = paper.text_of(CORRECTION)
    phone.page.goto(server.url + text[text.index("#") :])
    phone.page.wait_for_selector("#results .valid")
    assert phone.page.url == server.url
    assert not any("#" in path or text[-40:] in path for path in server.asked)


def _parts(data: bytes) -> list[str]:
    return qr_parts.split(good.HOST, data, 320)


def test_the_list_outlives_the_page_and_is_saved_as_csv(phone, tmp_path):
    bent = RESULT[:-1] + bytes([RESULT[-1] ^ 1])
    check(phone, RESULT, CORRECTION, bent)
    phone.page.reload()
    phone.page.wait_for_selector("body[data-ready]")
    phone.view("list")
    words = phone.page.locator("#items b").all_inner_texts()
    assert words == ["TIDAK SAH", "SAH", "SUDAH DIGANTI oleh pembetulan"]
    with phone.page.expect_download() as download:
        phone.page.click("#export")
    path = tmp_path / "list.csv"
    download.value.save_as(path)
    lines = path.read_bytes().decode("utf-8-sig").split("\r\n")
    assert [line.split(",")[1] for line in lines[1:-1]] == ["invalid", "valid", "superseded"]
    assert CORRECTION.hex() in lines[2] and "123 272 32" in lines[2]
    phone.page.click("#items li:nth-child(2) button")
    assert phone.verdict() == "SAH"


def test_emptying_the_list_takes_two_presses(phone):
    check(phone, CORRECTION).view("list")
    phone.page.click("#empty")
    assert phone.page.locator("#items li").count() == 1
    phone.page.click("#empty")
    phone.page.wait_for_selector("#items li", state="detached")


def test_contests_of_the_station_that_are_missing_are_named(phone):
    content = dict(paper.CONTENT)
    content[5] = [*content[5], [2, "Contoh Kedua", 1, "biru", 290, 300, content[5][0][6]]]
    package = world.signed([37, 2, good.LIVE, good.STATION, good.START, content], keys.AUTHORITY)
    phone.view("data").page.set_input_files("#trust-file", upload("p.cbor", package))
    phone.page.wait_for_selector("#trust-result span")
    check(phone.view("scan"), CORRECTION)
    assert (
        "Pemilihan 2 dari 2 belum dipindai: Contoh Kedua"
        in phone.page.locator("#results").inner_text()
    )
    check(phone, world.entry_bytes("result-with-null-figures"))
    assert phone.page.locator("#results .missing").count() == 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (world.entry_bytes("bundle"), "versi 3, padahal versi 4"),
        (
            world.signed(record.parse(world.entry_bytes("bundle")).payload, keys.STRANGER),
            "TIDAK DAPAT DIPERCAYA",
        ),
        (b"hello", "Bukan daftar kunci"),
    ],
)
def test_an_older_a_forged_and_no_bundle_are_not_loaded(phone, data, said):
    phone.view("data").page.set_input_files("#trust-file", upload("b.cbor", data))
    phone.page.wait_for_selector("#trust-result span")
    assert said in phone.page.locator("#trust-result").inner_text()
    check(phone.view("scan"), CORRECTION)
    assert phone.verdict() == "SAH"


def test_a_newer_bundle_that_revokes_the_kit_changes_what_was_scanned_before(phone):
    check(phone, CORRECTION)
    gone = world.bundle_of(
        [(keys.KIT, good.STATION)], revoked=[keys.KIT.kid], version=5, next_issue=FAR
    )
    phone.view("data").page.set_input_files("#trust-file", upload("b.cbor", gone.raw))
    phone.page.wait_for_selector("#trust-result span")
    phone.view("list")
    assert phone.page.locator("#items b").inner_text() == "TIDAK SAH: kunci dicabut"


def _photo(phone: Page, photograph: bytes, manifest: bytes | None = None) -> Page:
    phone.view("photo").page.set_input_files("#photo-file", upload("page.jpg", photograph))
    if manifest is not None:
        phone.page.set_input_files("#photo-manifest", upload("manifest.cbor", manifest))
    phone.page.wait_for_selector("#photo-result .verdict")
    return phone


def _result_with(photograph: bytes) -> tuple[bytes, bytes]:
    """(a correction, its manifest) whose page 2 is this photograph."""
    pages = [good.PAGES[0], [2, hashlib.sha256(photograph).digest(), len(photograph)]]
    listed = record.manifest(pages, {1: "0.1.0", 3: 2, 9: record.rec_id(RESULT), 10: 1})
    payload = record.parse(CORRECTION).payload
    return world.signed([*payload[:6], record.sha256(listed), *payload[7:]]), listed


def test_a_photograph_is_found_in_its_record_bit_for_bit(phone):
    photograph = b"\xff\xd8 a photograph of page 2"
    data, listed = _result_with(photograph)
    _photo(check(phone, data), photograph, listed)
    word = phone.page.locator("#photo-result .verdict")
    phone.page.wait_for_selector("#photo-result .verdict.valid")
    assert "YA, foto yang ditandatangani" in word.inner_text() and "halaman 2" in word.inner_text()
    phone.page.set_input_files("#photo-file", upload("page.jpg", photograph + b"\0"))
    phone.page.wait_for_selector("#photo-result .verdict.invalid")
    assert "BUKAN" in word.inner_text()


def test_without_the_list_only_the_printed_fingerprint_is_compared(phone):
    photograph = b"\xff\xd8 a photograph of page 2"
    data, _ = _result_with(photograph)
    _photo(check(phone, data), photograph)
    assert "BELUM DAPAT DIPASTIKAN" in phone.page.locator("#photo-result .verdict").inner_text()
    printed = hashlib.sha256(photograph).hexdigest()[:16].upper()
    phone.page.fill("#photo-printed", " ".join(printed[i : i + 4] for i in range(0, 16, 4)))
    phone.page.wait_for_selector("#photo-result .printed.same")
    phone.page.fill("#photo-printed", printed[:-1] + ("0" if printed[-1] != "0" else "1"))
    phone.page.wait_for_selector("#photo-result .printed.other")


def test_the_language_is_switched_and_remembered(phone):
    check(phone, CORRECTION).language("en")
    assert phone.verdict() == "VALID"
    phone.page.reload()
    phone.page.wait_for_selector("body[data-ready]")
    assert phone.page.locator("#camera").inner_text() == "Scan a receipt"
    assert phone.page.get_attribute("html", "lang") == "en"


@pytest.fixture(scope="session")
def axe() -> str:
    try:
        return npm.member(npm.tarball(AXE), "axe.min.js").decode()
    except npm.NpmError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("language", ["id", "en"])
def test_nobody_is_shut_out(phone, axe, language):
    """axe-core finds no violation in any view, with every kind of verdict on the screen."""
    phone.language(language).page.evaluate(axe)
    bent = RESULT[:-1] + bytes([RESULT[-1] ^ 1])
    seen = [_violations(phone)]
    for data in (RESULT, bent, CORRECTION):
        check(phone, data)
        phone.page.locator("details").evaluate_all("all => all.forEach(one => (one.open = true))")
        seen.append(_violations(phone))
    _photo(phone, b"\xff\xd8 none")
    seen.append(_violations(phone))
    for view in ("list", "data"):
        seen.append(_violations(phone.view(view)))
    assert seen == [[]] * 7


def _violations(phone: Page) -> list:
    found = phone.page.evaluate("() => axe.run({resultTypes: ['violations']})")
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]]


def test_nothing_is_wider_than_the_smallest_phone(phone):
    for view in ("scan", "list", "photo", "data"):
        phone.view(view)
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    check(phone.view("scan"), RESULT)
    phone.page.locator("details").evaluate_all("all => all.forEach(one => (one.open = true))")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_policy_lets_no_script_and_no_request_from_elsewhere_through(browser, server):
    context = browser.new_context(viewport=PHONE)
    page = Page(context, server.url).open()
    asked = page.page.evaluate(
        "() => fetch('https://elsewhere.example/').then(() => 'sent', (error) => error.name)"
    )
    page.page.evaluate(
        "() => { for (const change of [{textContent: 'bad = 1'}, {src: 'data:,bad=2'}]) {"
        " document.head.append(Object.assign(document.createElement('script'), change)); } }"
    )
    page.page.evaluate("() => { setTimeout('window.bad = 3', 0); }")
    page.page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    assert asked == "TypeError" and page.page.evaluate("window.bad") is None
    assert len(page.troubles) >= 4
    assert all("Content Security Policy" in trouble for trouble in page.troubles), page.troubles
    context.close()


class TestCollector:
    """A receipt handed on: only on a press, only to the collector of the settings."""

    @pytest.fixture
    def sending(self, browser, trust_files, reader, tmp_path):
        settings = Settings(
            trust_files / "bundle.cbor",
            trust_files / "authority.pem",
            (trust_files / "package.cbor",),
            "https://collector.example.id/",
            reader,
        )
        build(tmp_path / "site", settings)
        server = Server(tmp_path / "site")
        context = browser.new_context(viewport=PHONE, locale="id-ID")
        page = Page(context, server.url)
        self.bodies: list[tuple[str, bytes, dict]] = []
        self.answer: dict = {}

        def collect(route):
            request = route.request
            self.bodies.append((request.url, request.post_data_buffer or b"", request.headers))
            page.troubles.clear()  # the one request elsewhere that is meant
            route.fulfill(headers={"access-control-allow-origin": "*"}, **self.answer)

        context.route("https://collector.example.id/**", collect)
        yield page.open()
        context.close()
        server.stop()

    def press(self, phone: Page, status: int, body: bytes, said: str) -> None:
        self.answer = {"status": status, "body": body}
        phone.page.click(".send")
        phone.page.wait_for_function(
            "said => document.querySelector('.answer').textContent.includes(said)", arg=said
        )

    def test_sends_the_scanned_bytes_as_a_submission(self, sending):
        from firmware import cbor

        check(sending, CORRECTION)
        assert self.bodies == []
        reply = cbor.encode([record.rec_id(CORRECTION), []])
        self.press(sending, 201, reply, "sudah menerima")
        url, body, headers = self.bodies[0]
        assert url == "https://collector.example.id/v1/records"
        assert cbor.decode(body) == [CORRECTION, None, None, []]
        assert headers["content-type"] == "application/cbor" and "cookie" not in headers
        self.press(sending, 200, reply, "sudah memiliki")
        self.press(sending, 200, cbor.encode([bytes(32), []]), "bukan tentang struk ini")
        self.press(
            sending, 422, b"The manifest is missing.", "menolak (422): The manifest is missing."
        )
        self.press(sending, 503, b"", "sibuk (503)")

    def test_sends_the_list_of_photographs_along_when_it_is_at_hand(self, sending):
        from firmware import cbor

        photograph = b"\xff\xd8 a photograph of page 2"
        data, listed = _result_with(photograph)
        _photo(check(sending, data), photograph, listed)
        sending.page.wait_for_selector("#photo-result .verdict.valid")
        sending.view("scan")
        self.press(sending, 201, cbor.encode([record.rec_id(data), []]), "sudah menerima")
        assert cbor.decode(self.bodies[0][1]) == [data, listed, None, []]

    def test_offers_nothing_for_an_invalid_receipt(self, sending):
        check(sending, RESULT[:-1] + bytes([RESULT[-1] ^ 1]))
        assert sending.page.locator(".send").count() == 0


def test_without_a_collector_nothing_can_be_sent(phone):
    assert check(phone, CORRECTION).page.locator(".send").count() == 0


def test_a_bundle_of_another_authority_beside_the_page_is_not_believed(browser, site, tmp_path):
    import shutil

    shutil.copytree(site, tmp_path / "site")
    payload = record.parse(world.entry_bytes("bundle")).payload
    (tmp_path / "site" / "bundle.cbor").write_bytes(world.signed(payload, keys.STRANGER))
    server = Server(tmp_path / "site")
    context = browser.new_context(viewport=PHONE)
    phone = Page(context, server.url).open()
    phone.type(paper.text_of(CORRECTION)).page.wait_for_selector("#results .unknown")
    assert phone.verdict() == "BELUM DAPAT DIPASTIKAN"
    assert "TIDAK DAPAT DIPERCAYA" in phone.view("data").page.locator("#trust-result").inner_text()
    context.close()
    server.stop()


def test_every_sentence_of_the_page_has_its_indonesian(site):
    data = json.loads((site / "data.js").read_text().split(" = ", 1)[1].rstrip(";\n"))
    ours = json.loads((Path(npm.__file__).parent / "words" / "id.json").read_text())
    assert set(ours) == set(ours) & set(data["words"])
