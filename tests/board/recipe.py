"""Builds MicroPython for the RP2040, with lwIP, PPP and Mbed TLS, from Debian's sources.

    .venv/bin/python -m tests.board.recipe

The result lies in $XDG_CACHE_HOME/saksi/board/<hash of this recipe>: firmware.uf2, mpy-cross of the
same version, and figures.json. Nothing is fetched but the five files below, each with its SHA-256.
"""

import fcntl
import hashlib
import json
import os
import shutil
import struct
import subprocess
import tarfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
PORT = HERE / "port"
VERSION = "1.25.0"  # of MicroPython, Debian 13 (trixie)
POOL = "https://deb.debian.org/debian/pool/main"
SOURCES = {
    "m/micropython/micropython_1.25.0+ds.orig.tar.xz": (
        "7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea"
    ),
    "m/mbedtls/mbedtls_3.6.6.orig.tar.bz2": (
        "8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a"
    ),
    "l/lwip/lwip_2.2.1+dfsg1.orig.tar.xz": (
        "83729c274c499d3348e9fbbe043a3113f3fa8953e7efddc7c21c7fcbb1f2b7b1"
    ),
    "t/tinyusb/tinyusb-source_0.18.0+dfsg-1_all.deb": (
        "01ce2c645df68f14a8a7dcfc8fb355713152543757955820479a87949a61154e"
    ),
    "p/pico-sdk/pico-sdk-source_2.1.1-1_all.deb": (
        "507a3ca37636641bc90239d7c04dc9dc28c5008087a8162102ea94d2273153d3"
    ),
}
# Debian's MicroPython comes without its submodules: where each lies among the sources above.
SUBMODULES = {
    "mbedtls": "mbedtls-3.6.6",
    "lwip": "lwip-2.2.1",
    "tinyusb": "usr/src/tinyusb",
    "pico-sdk": "usr/src/pico-sdk",
}
TOOLS = {
    "cmake": "cmake",
    "make": "make",
    "gcc": "gcc",
    "dpkg-deb": "dpkg",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
}
LIBRARIES = {
    "/usr/include/stdio.h": "libc6-dev",
    "/usr/lib/arm-none-eabi/newlib": "libnewlib-arm-none-eabi",
    "/usr/include/newlib/c++": "libstdc++-arm-none-eabi-newlib",
}
UF2_PAYLOAD = 256
FLASH_START = 0x10000000
RP2040_FAMILY = 0xE48BFF56


class MissingError(Exception):
    """A part that this machine lacks; the text says what to install."""


def cache() -> Path:
    """Folder of this recipe's results, outside the repository."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "saksi" / "board"


def fingerprint() -> str:
    """Changes when this recipe or a file of the port changes."""
    h = hashlib.sha256()
    for path in sorted([Path(__file__), *PORT.glob("*.*")]):
        h.update(path.name.encode() + b"\0" + path.read_bytes())
    return h.hexdigest()[:16]


def build() -> Path:
    """Folder with firmware.uf2, mpy-cross and figures.json; builds them when they are not there.

    Raises MissingError where a part cannot be had, RuntimeError when the build fails. Several
    processes may ask at once: one builds, the others wait.
    """
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / fingerprint()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (done / "figures.json").exists():
            make_tools()
            work = folder / "work"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            result = compile_all(folder, work)
            shutil.rmtree(done, ignore_errors=True)
            result.rename(done)
            shutil.rmtree(work)
    return done


def make_tools() -> None:
    """Install missing compilers, as root; MissingError tells others what to install."""
    missing = [package for tool, package in TOOLS.items() if not shutil.which(tool)]
    missing += [package for place, package in LIBRARIES.items() if not Path(place).exists()]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise MissingError(f"the board's firmware needs: apt install {' '.join(missing)}")
    try:
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing)
    except RuntimeError as error:
        raise MissingError(str(error)) from None


def run(*command: str | Path) -> None:
    """Run a command; RuntimeError with the end of its output when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout[-4000:]}")


def fetch(folder: Path, name: str, digest: str) -> Path:
    """The file of Debian's pool, from the cache if it was fetched before; its digest is checked."""
    kept = folder / "sources" / Path(name).name
    kept.parent.mkdir(exist_ok=True)
    if not kept.exists():
        part = kept.with_suffix(".part")
        try:
            with urllib.request.urlopen(f"{POOL}/{name}", timeout=60) as reply:
                part.write_bytes(reply.read())
        except OSError as error:
            raise MissingError(f"{name} cannot be had from Debian's pool: {error}") from error
        part.rename(kept)
    if hashlib.sha256(kept.read_bytes()).hexdigest() != digest:
        kept.unlink()
        raise RuntimeError(f"{name}: its SHA-256 is not the pinned one")
    return kept


def unpack(work: Path, archive: Path) -> None:
    if archive.suffix == ".deb":
        run("dpkg-deb", "-x", archive, work)
    else:
        with tarfile.open(archive) as tar:
            tar.extraction_filter = lambda member, _path: member  # pinned, so trusted
            tar.extractall(work)


def compile_all(folder: Path, work: Path) -> Path:
    """Fetch, unpack and compile; the folder with the results."""
    start = time.monotonic()
    archives = [fetch(folder, name, digest) for name, digest in SOURCES.items()]
    for archive in archives:
        unpack(work, archive)
    used = os.times()
    unpacked = time.monotonic()
    top = work / f"micropython-{VERSION}"
    for module, place in SUBMODULES.items():
        empty = top / "lib" / module
        if empty.exists():
            empty.rmdir()
        empty.symlink_to(work / place)
    (top / "lib" / "micropython-lib").mkdir(exist_ok=True)
    (top / "lib" / "micropython-lib" / "README.md").touch()  # its absence means "not fetched"
    jobs = f"-j{os.cpu_count() or 1}"
    run("make", "-C", top / "mpy-cross", jobs)
    out = work / "out"
    run(
        "cmake",
        *("-S", top / "ports" / "rp2", "-B", work / "build", "-DMICROPY_BOARD=SAKSI"),
        *(f"-DMICROPY_BOARD_DIR={PORT}", "-DPICO_NO_PICOTOOL=1"),
    )
    run("make", "-C", work / "build", jobs)
    out.mkdir()
    image = work / "firmware.bin"
    run("arm-none-eabi-objcopy", "-O", "binary", work / "build" / "firmware.elf", image)
    (out / "firmware.uf2").write_bytes(uf2(image.read_bytes()))
    shutil.copy(top / "mpy-cross" / "build" / "mpy-cross", out)
    figures = {
        "fetch_and_unpack_s": round(unpacked - start, 1),
        "compile_s": round(time.monotonic() - unpacked, 1),
        "compile_cpu_s": round(sum(os.times()[2:4]) - sum(used[2:4]), 1),
        "fetched_bytes": sum(archive.stat().st_size for archive in archives),
        "firmware_bytes": image.stat().st_size,
    }
    (out / "figures.json").write_text(json.dumps(figures))
    return out


def uf2(image: bytes) -> bytes:
    """`image` in blocks of 256 bytes (https://github.com/microsoft/uf2), for flash at its start."""
    blocks = []
    total = -(-len(image) // UF2_PAYLOAD)
    for number in range(total):
        at = number * UF2_PAYLOAD
        head = struct.pack(
            "<8I",
            *(0x0A324655, 0x9E5D5157, 0x2000),
            *(FLASH_START + at, UF2_PAYLOAD, number, total, RP2040_FAMILY),
        )
        part = image[at : at + UF2_PAYLOAD].ljust(476, b"\0")
        blocks.append(head + part + struct.pack("<I", 0x0AB16F30))
    return b"".join(blocks)


if __name__ == "__main__":
    began = time.monotonic()
    result = build()
    print(result)
    print((result / "figures.json").read_text())
    print(f"this run: {time.monotonic() - began:.1f} s")
