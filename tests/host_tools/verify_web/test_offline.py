"""After one visit the page needs no network; from a stick it needs no server at all."""

import pytest

from tests.host_tools.verify import world
from tests.host_tools.verify_web import paper
from tests.host_tools.verify_web.conftest import PHONE, Page, Server

CORRECTION = world.entry_bytes("correction-28-figures")


def read_picture(phone: Page) -> None:
    """A picture of the paper: this needs the reader too."""
    picture = {
        "name": "r.png",
        "mimeType": "image/png",
        "buffer": paper.png(paper.printed(CORRECTION)),
    }
    phone.page.set_input_files("#picture", [picture])
    phone.page.wait_for_selector("#results .verdict")
    assert phone.verdict() == "SAH"


@pytest.mark.parametrize("where", ["", "?from=home", "index.html"])
def test_after_the_first_visit_the_page_works_with_the_network_cut(browser, site, where):
    server = Server(site)
    context = browser.new_context(viewport=PHONE, locale="id-ID")
    phone = Page(context, server.url).open()
    phone.page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    server.stop()
    context.set_offline(True)
    phone.troubles.clear()
    phone.page.goto(server.url + where)
    phone.page.wait_for_selector("body[data-ready]")
    assert "Kunci wilayah 3201" in phone.page.locator("#trust-line").inner_text()
    read_picture(phone)
    # What lies beside the page is asked for and not had; that is all that may be said.
    assert [one for one in phone.troubles if ".cbor" not in one] == []
    context.close()


def test_the_first_visit_has_everything_in_the_cache(browser, site):
    server = Server(site)
    context = browser.new_context(viewport=PHONE)
    phone = Page(context, server.url).open()
    phone.page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    names = phone.page.evaluate(
        "async () => { const [name] = await caches.keys();"
        " const kept = await (await caches.open(name)).keys();"
        " return kept.map((one) => new URL(one.url).pathname.slice(1)); }"
    )
    here = {path.name for path in site.iterdir() if path.is_file()} - {"index.html", "sw.js"}
    assert set(names) == here | {""}
    context.close()
    server.stop()


def test_a_new_build_replaces_the_old_one(browser, site, tmp_path):
    import shutil

    shutil.copytree(site, tmp_path / "site")
    server = Server(tmp_path / "site")
    context = browser.new_context(viewport=PHONE)
    phone = Page(context, server.url).open()
    phone.page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    worker = tmp_path / "site" / "sw.js"
    old = phone.page.evaluate("() => caches.keys()")
    worker.write_text(worker.read_text().replace('"saksi-verify-" + "', '"saksi-verify-" + "new'))
    phone.page.evaluate(
        "() => navigator.serviceWorker.getRegistration().then((one) => one.update())"
    )
    phone.page.wait_for_function(
        "old => caches.keys().then((now) => now.length === 1 && now[0] !== old)", arg=old[0]
    )
    context.close()
    server.stop()


def test_from_a_stick_it_works_without_any_server(browser, site):
    context = browser.new_context(viewport=PHONE, locale="id-ID")
    phone = Page(context, site.as_uri() + "/index.html")
    phone.url = site.as_uri()
    phone.page.goto(site.as_uri() + "/index.html")
    phone.page.wait_for_selector("body[data-ready]")
    read_picture(phone)
    assert "TPS 001 CONTOH DESA" in phone.page.locator("#results").inner_text()
    phone.page.reload()
    phone.page.wait_for_selector("body[data-ready]")
    phone.view("list")
    assert phone.page.locator("#items b").all_inner_texts() == ["SAH"]
    assert phone.troubles == []
    context.close()
