"""What the page's tests share: a built site, node, a server to cut off, a browser with a camera."""

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tools.verify.web import npm
from host_tools.verify.web.build import Settings, build
from tests.host_tools.verify import world
from tests.vectors import good, keys

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def reader() -> Path:
    """The QR reader's npm file in the user's cache; fetched by npm the first time."""
    try:
        npm.tarball(npm.READER)
    except npm.NpmError as error:
        pytest.skip(str(error))
    return npm.cache() / npm.READER.file


FAR = 2**32 - 1  # the page looks at the real clock: the bundle must not get old


def fresh_bundle() -> bytes:
    """The vectors' two kits, the second revoked, in a bundle that is never old."""
    listed = [(keys.KIT, good.STATION), (keys.REVOKED, good.OTHER_STATION)]
    return world.bundle_of(listed, revoked=[keys.REVOKED.kid], next_issue=FAR).raw


@pytest.fixture(scope="session")
def trust_files(tmp_path_factory) -> Path:
    """bundle.cbor, authority.pem and package.cbor of the vectors' election."""
    folder = world.write_files(tmp_path_factory.mktemp("trust"))
    (folder / "bundle.cbor").write_bytes(fresh_bundle())
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory, trust_files, reader) -> Path:
    """A site with bundle, package and pinned authority."""
    out = tmp_path_factory.mktemp("site")
    build(
        out,
        Settings(
            trust_files / "bundle.cbor",
            trust_files / "authority.pem",
            (trust_files / "package.cbor",),
            reader=reader,
        ),
    )
    return out


@pytest.fixture(scope="session")
def judge(site, tmp_path_factory) -> Callable[[list[dict]], list]:
    """judge(tasks) -> answers: the page's modules under node, see judge.mjs."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt install nodejs")
    modules = tmp_path_factory.mktemp("modules")
    shutil.copytree(site, modules, dirs_exist_ok=True)
    (modules / "package.json").write_text('{"type": "module"}')

    def run(tasks: list[dict]) -> list:
        done = subprocess.run(
            [node, HERE / "judge.mjs", modules],
            input=json.dumps(tasks),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


class Quiet(http.server.ThreadingHTTPServer):
    """Says nothing of a browser that closes early."""

    def handle_error(self, request, client_address):
        pass


class Server:
    """A static file server on a free port that can be stopped; keeps what was asked of it."""

    def __init__(self, folder: Path):
        self.asked: list[str] = []
        asked = self.asked

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, format, *args):
                asked.append(self.path)

        handler = functools.partial(Handler, directory=str(folder))
        self.http = Quiet(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/"
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture(scope="module")
def server(site) -> Iterator[Server]:
    one = Server(site)
    yield one
    one.stop()


def chromium() -> str | None:
    """Debian's chromium, or the one that SAKSI_CHROMIUM names."""
    return os.environ.get("SAKSI_CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="module")
def playwright():
    """Stopped after each file: while it is started no other test can run an event loop."""
    if chromium() is None:
        pytest.skip("no chromium: apt install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    with api.sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright):
    """One chromium for all of a file's tests that need no camera picture of their own."""
    started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
    yield started
    started.close()


PHONE = {"width": 320, "height": 640}


class Page:
    """A page on a small phone that notes what must not happen: errors, requests elsewhere."""

    def __init__(self, context, url: str):
        self.context, self.url = context, url
        self.troubles: list[str] = []
        self.page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        context.on("request", self._request)
        self.sizes: dict[str, int] = {}
        self.page.on("response", self._response)

    def _console(self, message) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"{message.type}: {message.text} {message.location}")

    def _request(self, request) -> None:
        ours = (self.url, "blob:", "data:")
        if not request.url.startswith(ours):
            self.troubles.append(f"asked {request.url}")

    def _response(self, response) -> None:
        length = response.headers.get("content-length")
        if length:
            self.sizes[response.url] = int(length)

    def open(self) -> "Page":
        self.page.goto(self.url)
        self.page.wait_for_selector("body[data-ready]")
        return self

    def type(self, *texts: str) -> "Page":
        """Give texts of codes by hand."""
        self.page.locator("#ways").evaluate("(element) => (element.open = true)")
        self.page.fill("#text", "\n".join(texts))
        self.page.click("#typed button")
        return self

    def verdict(self) -> str:
        """The large words of the first card, once it is there."""
        return self.page.locator("#results .verdict .word").first.inner_text()

    def state(self) -> str:
        classes = self.page.locator("#results .verdict").first.get_attribute("class")
        return classes.split()[1]

    def language(self, wanted: str) -> "Page":
        if self.page.get_attribute("html", "lang") != wanted:
            self.page.click("#language")
        return self

    def view(self, name: str) -> "Page":
        self.page.click(f"nav [data-view={name}]")
        return self


@pytest.fixture
def phone(browser, server) -> Iterator[Page]:
    """A fresh phone with the page open from the server."""
    context = browser.new_context(viewport=PHONE, locale="id-ID")
    page = Page(context, server.url).open()
    yield page
    context.close()
    assert page.troubles == []
