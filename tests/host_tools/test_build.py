"""Every firmware file compiles for the ESP32-S3, and what a board gets fits a small part of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.provision import release_build

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "firmware").rglob("*.py"))
MOST = 200 * 1024  # bytes of bytecode


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> dict[Path, int]:
    """{source: bytes of its .mpy} by mpy-cross for the Xtensa of the ESP32-S3."""
    folder = tmp_path_factory.mktemp("mpy")
    sizes = {}
    for path in FILES:
        out = folder / (str(path.relative_to(ROOT)).replace("/", "-") + ".mpy")
        command = [sys.executable, "-m", "mpy_cross", "-O2", "-march=xtensawin", "-o", out, path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{path}: {done.stderr}"
        sizes[path] = out.stat().st_size
    return sizes


def test_every_firmware_file_compiles_and_the_whole_is_small(compiled, record_property):
    # Those of the virtual board in the place of the ESP32-S3's; none that only Linux ever runs.
    total = sum(compiled[path] for path in release_build.modules("virtual"))
    record_property("firmware_bytes", total)
    assert len(compiled) == len(FILES) > 40
    assert total < MOST, f"{total} bytes"
