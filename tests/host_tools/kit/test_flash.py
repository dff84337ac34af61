"""Images of the kit's flash: MicroPython writes, littlefs-python reads, and the other way round."""

import os
import subprocess

import pytest
from littlefs import LittleFSError

from firmware.blockdev import BLOCK, BLOCKS
from host_tools.kit import flash
from host_tools.kit.process import ROOT, NoRuntime, find_micropython

LARGE = bytes(range(256)) * 60
KIT_WRITES = """
def put(name, data):
    with open("/flash/" + name, "wb") as file:
        file.write(data)
os.mkdir("/flash/photos")
put("small", b"in the directory")
put("photos/large", bytes(range(256)) * 60)
put("gone", b"x" * 9000)
os.remove("/flash/gone")
"""


def on_kit(image, text: str) -> str:
    """What MicroPython prints when it runs `text` with the image mounted at /flash."""
    try:
        binary = find_micropython()
    except NoRuntime as error:
        pytest.skip(str(error))
    mount = f"import os\nfrom firmware import blockdev\nblockdev.mount({str(image)!r}, '/flash')\n"
    done = subprocess.run(
        [binary, "-X", "heapsize=1m", "-c", mount + text],
        env={**os.environ, "MICROPYPATH": f".frozen:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture
def image(tmp_path):
    """An image that the kit made."""
    path = tmp_path / "flash.img"
    on_kit(path, KIT_WRITES)
    return path


def test_what_the_kit_wrote_is_read(image, tmp_path):
    found = flash.files(image)
    assert found == {"small": b"in the directory", "photos/large": LARGE}
    flash.extract(image, tmp_path / "out")
    assert (tmp_path / "out/photos/large").read_bytes() == LARGE
    assert image.stat().st_size == BLOCK * BLOCKS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flash.img", "out"]


def test_what_is_put_there_is_read_by_the_kit(image):
    for size in (0, 1, 127, 128, 129, 512, 5000):  # around what lies in a directory
        flash.put(image, f"of-{size}", b"p" * size)
    flash.put(image, "small", b"replaced")
    sizes = on_kit(image, "print([(n, s) for n, _, _, s in sorted(os.ilistdir('/flash'))])\n")
    assert "('of-129', 129)" in sizes and "('of-0', 0)" in sizes and "('small', 8)" in sizes
    check = "for n in (0, 1, 127, 128, 129, 512, 5000):\n"
    check += "    print(n, open('/flash/of-%d' % n).read() == 'p' * n)\n"
    assert on_kit(image, check).count("True") == 7


def test_a_full_flash_takes_nothing_until_the_ballast_is_gone(image):
    write = "f = open('/flash/more', 'wb'); f.write(b'm' * 9000); f.close()\n"
    attempt = f"try:\n    {write}except OSError as error:\n    print(error.errno)\n"
    flash.fill(image)
    assert on_kit(image, attempt) == "28"
    assert flash.files(image)["small"] == b"in the directory"
    flash.remove(image, flash.BALLAST)
    assert on_kit(image, attempt) == ""
    assert flash.files(image)["more"] == b"m" * 9000


def test_what_is_no_littlefs_is_refused(tmp_path):
    path = tmp_path / "flash.img"
    path.write_bytes(b"\xff" * BLOCK * 8)
    with pytest.raises(LittleFSError):
        flash.files(path)
    with pytest.raises(OSError):
        flash.files(tmp_path / "none.img")
