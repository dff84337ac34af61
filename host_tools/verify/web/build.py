"""Writes the verification page as a folder of static files: for a web server, or for a stick.

OUT/index.html, *.js, style.css      the page, as in page/
OUT/settings.js                      authority's key, collector, names of the packages
OUT/data.js                          forms and words, from the files that the other tools use
OUT/zxing_reader.js, .wasm           the QR reader (zxing-wasm)
OUT/bundle.cbor, package-*.cbor      what is trusted; checked here before it is written
OUT/usb/                             the same for file://, where a browser can fetch nothing
OUT/sw.js                            keeps all of it in the browser, so that it opens off line
"""

import base64
import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from host_tools.provision import form_files, keys
from host_tools.verify import trust
from host_tools.verify.web import icon, npm
from host_tools.verify.web.flatten import flatten

HERE = Path(__file__).parent
PAGE = HERE / "page"
WORDS = HERE / "words" / "id.json"
_KITS_WORDS = HERE.parents[2] / "firmware" / "words" / "id.json"
_KEPT_APART = ("index.html", "sw.js")


class BuildError(Exception):
    """The site cannot be written; the text says why in one line."""


@dataclass(frozen=True)
class Settings:
    """What a site is built with; `authority` None takes authority.pem beside the bundle."""

    bundle: Path | None = None
    authority: Path | None = None
    packages: tuple[Path, ...] = ()
    collector: str | None = None
    reader: Path | None = None


def build(out: Path, settings: Settings) -> list[Path]:
    """Write the site into `out` (made if needed) and return its files; BuildError."""
    collector = None if settings.collector is None else _address(settings.collector)
    held = _trust(settings)
    try:
        package = npm.tarball(npm.READER, settings.reader)
        script = npm.member(package, "dist/iife/reader/index.js")
        wasm = npm.member(package, "dist/reader/zxing_reader.wasm")
    except npm.NpmError as error:
        raise BuildError(str(error)) from error
    files: dict[str, bytes] = {
        path.name: path.read_bytes()
        for path in sorted(PAGE.iterdir())
        if path.is_file() and path.name not in _KEPT_APART
    }
    files["zxing_reader.js"], files["zxing_reader.wasm"] = _without_source_map(script), wasm
    for size in icon.SIZES:
        files[f"icon-{size}.png"] = icon.png(size)
    files["data.js"] = _assign("SAKSI_DATA", {"forms": _forms(), "words": _words()})
    trusted = held.files
    files["settings.js"] = _assign(
        "SAKSI_SETTINGS",
        {
            "authority": None if held.authority is None else held.authority.hex(),
            "pinned": held.pinned,
            "collector": collector,
            "packages": [name for name in trusted if name.startswith("package-")],
        },
    )
    files["index.html"] = _index(collector)
    kept = sorted(["./", *(name for name in files if name != "index.html")])
    digest = hashlib.sha256(b"".join(name.encode() + files[name] for name in sorted(files)))
    files.update(trusted)
    files["sw.js"] = _worker(digest.hexdigest()[:16], kept, sorted(trusted))
    files["usb/page.js"] = flatten(PAGE, "app").encode()
    files["usb/reader_wasm.js"] = _assign("SAKSI_READER", _base64(wasm))
    files["usb/trust.js"] = _assign(
        "SAKSI_TRUST", {name: _base64(data) for name, data in trusted.items()}
    )
    return _write(out, files)


def _write(out: Path, files: dict[str, bytes]) -> list[Path]:
    try:
        if (out / "usb").exists():
            shutil.rmtree(out / "usb")
        (out / "usb").mkdir(parents=True)
        for name, data in files.items():
            (out / name).write_bytes(data)
    except OSError as error:
        raise BuildError(f"{out}: cannot be written ({error.strerror})") from error
    return [out / name for name in files]


@dataclass(frozen=True)
class _Held:
    """What the site trusts: the authority's key (64 B or None) and files that it signed."""

    authority: bytes | None
    pinned: bool
    files: dict[str, bytes]


def _trust(settings: Settings) -> _Held:
    """Bundle and packages, verified here before they are written; BuildError."""
    if settings.bundle is None:
        if settings.packages:
            raise BuildError("a package needs its bundle: give it too, --bundle")
        return _without_bundle(settings.authority)
    try:
        held = trust.load(settings.bundle, settings.authority)
        files = {"bundle.cbor": held.bundle.raw}
        for path in settings.packages:
            package = trust.load(settings.bundle, settings.authority, path).package
            assert package is not None
            files[f"package-{package.station:013d}.cbor"] = package.data
    except trust.TrustError as error:
        raise BuildError(str(error)) from error
    return _Held(held.authority, held.pinned, files)


def _without_bundle(authority: Path | None) -> _Held:
    """The authority's key alone: bundles are loaded into the page later."""
    if authority is None:
        return _Held(None, False, {})
    try:
        return _Held(keys.load_public(authority), True, {})
    except keys.KeyFileError as error:
        raise BuildError(str(error)) from error


def _address(text: str) -> str:
    """The collector's address without a slash at its end; https, or http on this machine."""
    parts = urlsplit(text)
    local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
    plain = not (parts.query or parts.fragment or parts.username)
    if not (parts.hostname and plain and (parts.scheme == "https" or local)):
        raise BuildError(f"{text}: not an address of a collector; give https://HOST[:PORT]")
    if re.search(r"[\s;,'\"<>]", text):
        raise BuildError(f"{text}: not an address; it holds a blank or a quote")
    return text.rstrip("/")


def _index(collector: str | None) -> bytes:
    """index.html; its content security policy lets the page reach the collector, nobody else."""
    text = (PAGE / "index.html").read_text()
    origin = "" if collector is None else " {0.scheme}://{0.netloc}".format(urlsplit(collector))
    return text.replace("connect-src 'self'", f"connect-src 'self'{origin}").encode()


def _worker(version: str, kept: list[str], trusted: list[str]) -> bytes:
    text = (PAGE / "sw.js").read_text()
    text = text.replace('"VERSION"', json.dumps(version))
    return text.replace('["FILES"]', json.dumps(kept + trusted)).encode()


def _without_source_map(script: bytes) -> bytes:
    return re.sub(rb"\n//# sourceMappingURL=.*\s*$", b"\n", script)


def _forms() -> list:
    """[[the form's array, reserve per mille]...] in the order in which the command tries them."""
    return [
        [form_files.load_form(code), form_files.reserve_permille(code)]
        for code in form_files.codes()
    ]


def _words() -> dict[str, str]:
    """English sentence -> Indonesian: the page's own, the verifier's, and what it takes of the kit.

    Of both only those that the page says.
    """
    said = "".join(path.read_text() for path in PAGE.iterdir() if path.suffix in (".js", ".html"))
    table: dict[str, str] = {}
    for path in (_KITS_WORDS, HERE.parent / "words" / "id.json", WORDS):
        table.update(json.loads(path.read_text()))
    return {english: table[english] for english in sorted(table) if english in said}


def _assign(name: str, value) -> bytes:
    """A plain script: unlike JSON it can be had from file:// too."""
    return f"window.{name} = {json.dumps(value, ensure_ascii=False, indent=1)};\n".encode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
