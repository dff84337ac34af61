"""`saksi bench device`: what the kit's own work costs on MicroPython, against emulated parts."""

import json
import os
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from firmware.drivers.atecc608 import ATECC608
from firmware.drivers.atecc608_role import Setup
from host_tools.kit.atecc608 import ATECC608Emulator
from host_tools.kit.bus import I2CBus, LinkServer, LocalI2C
from host_tools.kit.process import HEAP, ROOT, find_micropython

SCRIPT = Path(__file__).with_name("on_device.py")


@dataclass(frozen=True)
class Row:
    """One benchmark: `figure` and `yardstick` in `unit`; `ratio` is figure / yardstick."""

    name: str
    figure: float
    yardstick: float
    unit: str
    yardstick_is: str

    @property
    def ratio(self) -> float:
        return self.figure / self.yardstick

    def as_dict(self) -> dict:
        return {**asdict(self), "ratio": round(self.ratio, 3)}


UNITS = {
    "hash while storing": ("MB/s", "hashlib alone on the same MicroPython"),
    "build and encode an entry": ("us", "json.dumps of the same fields there"),
    "signature over the bus": ("ms", "the chip's Info command over the same bus"),
    "key to screen, 95th percentile": ("ms", "the goal: what feels at once"),
    "last page kept to the receipt's first byte": ("ms", "the goal, without chip and printer"),
    "check of a PIN": ("ms", "its hashes alone on the same MicroPython"),
}


def software_signature() -> float:
    """Milliseconds of one P-256 signature by `cryptography`: what the emulated chip computes."""
    key = ec.generate_private_key(ec.SECP256R1())
    times = []
    for _ in range(20):
        start = time.perf_counter()
        key.sign(b"bench", ec.ECDSA(hashes.SHA256()))
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def run(speed: float = 1.0) -> list[Row]:
    """Run all device benchmarks; `speed` 1 keeps the chip's own execution times."""
    with tempfile.TemporaryDirectory() as folder:
        chip = ATECC608Emulator(Path(folder) / "chip.json", speed=speed)
        bus = I2CBus(chip)
        Setup(ATECC608(LocalI2C(bus))).configure()
        server = LinkServer()
        server.add_i2c("i2c-chip", bus)
        try:
            done = subprocess.run(
                [find_micropython(), "-X", f"heapsize={HEAP}", str(SCRIPT)]
                + [str(server.port), f"{folder}/photos"],
                env={**os.environ, "MICROPYPATH": f".frozen:{ROOT}"},
                capture_output=True,
                text=True,
                check=True,
            )
        finally:
            server.close()
    rows = []
    for line in done.stdout.splitlines():
        result = json.loads(line)
        unit, yardstick_is = UNITS[result["name"]]
        rows.append(Row(result["name"], result["figure"], result["yardstick"], unit, yardstick_is))
        if result["name"] == "signature over the bus":
            software = "the same by `cryptography`, no chip, no bus"
            rows.append(Row(result["name"], result["figure"], software_signature(), unit, software))
    return rows
