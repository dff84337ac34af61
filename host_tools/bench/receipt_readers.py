"""What reads a photograph of a receipt: zxing-cpp, the verifier built on it, zxing-wasm in node."""

import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import zxingcpp
from PIL import Image

from host_tools.verify.picture import PictureError, texts_in
from host_tools.verify.web import npm

SCRIPT = Path(__file__).with_name("receipt_wasm.mjs")
PACKAGE = npm.READER.name

Reader = Callable[[Path], list[str]]


class NoReader(Exception):
    """A reader that is not to be had here; the text says what is missing."""


def zxing_cpp(path: Path) -> list[str]:
    """Texts by one look of zxing-cpp."""
    formats = zxingcpp.barcode_formats_from_str("QRCode")
    codes = zxingcpp.read_barcodes(_grey(path), formats=formats)
    return [code.text for code in codes if code.valid]


def saksi(path: Path) -> list[str]:
    """Texts by `saksi verify receipt`: zxing-cpp, looking harder while it finds none."""
    try:
        return texts_in(_grey(path))
    except PictureError:
        return []


def _grey(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes())).convert("L")


@contextmanager
def zxing_wasm() -> Iterator[Reader]:
    """Texts by one look of zxing-wasm in node, the reader of the verification page; NoReader."""
    node = shutil.which("node")
    if node is None:
        raise NoReader("no node: apt install nodejs")
    with tempfile.TemporaryDirectory(prefix="saksi-") as folder:
        package = _unpacked(Path(folder))
        process = subprocess.Popen(
            [node, SCRIPT, package], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdin and process.stdout
        stdin, stdout = process.stdin, process.stdout

        def read(path: Path) -> list[str]:
            stdin.write(f"{path}\n")
            stdin.flush()
            line = stdout.readline()
            if not line:
                raise NoReader(f"{PACKAGE} in node stopped")
            return json.loads(line)

        try:
            yield read
        finally:
            stdin.close()
            process.wait(timeout=30)
            stdout.close()


def _unpacked(folder: Path) -> Path:
    """The npm package, pinned and cached as the verification page's builder fetches it."""
    try:
        data = npm.tarball(npm.READER)
    except (npm.NpmError, OSError) as error:
        raise NoReader(str(error)) from error
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        tar.extractall(folder, filter="data")
    return folder / "package"


@contextmanager
def all_readers() -> Iterator[tuple[dict[str, Reader], list[str]]]:
    """({name: reader}, what is missing)."""
    readers: dict[str, Reader] = {"zxing-cpp": zxing_cpp, "saksi verify": saksi}
    missing = []
    with ExitStack() as stack:
        try:
            readers["zxing-wasm"] = stack.enter_context(zxing_wasm())
        except NoReader as error:
            missing.append(f"zxing-wasm left out: {error}")
        yield readers, missing
