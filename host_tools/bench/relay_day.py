"""What the relay's bench and kill tests work with: kits with a day's journal, and a collector.

Everything is invented here and thrown away afterwards; the collector and the kit's relay are the
real ones, each in a process of its own, and the kit signs and verifies in an emulated chip.
"""

import datetime
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from firmware import record
from firmware.drivers.atecc608 import ATECC608
from firmware.drivers.atecc608_role import Setup
from firmware.journal import Journal
from firmware.photos import Photos
from firmware.recorder import Recorder
from host_tools.kit.atecc608 import ATECC608Emulator
from host_tools.kit.bus import I2CBus, LinkServer, LocalI2C
from host_tools.kit.process import HEAP, ROOT, find_micropython
from host_tools.provision.bundle import build_bundle
from host_tools.provision.keys import SoftwareKey, public_from

ELECTION, REGION, STATION = 2029, 3201, 3201012003001
FIGURES = [301, 288, 589, 141, 147, 288, 1, 2, 3, 2, 1, 3, 144, 150, 294, 604, 294, 2, 308]
FIGURES += [1, 1, 2, 120, 101, 66, 287, 7, 294]
QUICK = 1000.0  # speed of the chip while a day is made
SCRIPT = Path(__file__).with_name("relay_kit.py")
_PEM, _DER = serialization.Encoding.PEM, serialization.Encoding.DER


def drawn(size: int, mark: int) -> bytes:
    """`size` bytes that stand for a photograph, others for each `mark`."""
    return b"".join(
        hashlib.sha256(b"photograph %d %d" % (mark, n)).digest() for n in range(size // 32 + 1)
    )[:size]


def certificate(key, subject: str, signer: SoftwareKey, ca: bool = False) -> x509.Certificate:
    """A certificate of public `key` (of `cryptography`), by the invented CA."""

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"CONTOH {text}")])

    start = datetime.datetime(2024, 1, 1)
    basics = x509.Extension(x509.BasicConstraints.oid, True, x509.BasicConstraints(ca, None))
    builder = x509.CertificateBuilder(
        name("CA"), name(subject), key, x509.random_serial_number(), start,
        start + datetime.timedelta(days=36500), [basics],
    )  # fmt: skip
    return builder.sign(signer.private, hashes.SHA256())


class Region:
    """Authority, CA and collector of an invented region; kits are listed as they are made."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.authority, self.ca, self.collector = (SoftwareKey.generate() for _ in range(3))
        self.listed: list[tuple[bytes, int]] = []

    def options(self) -> list[str]:
        """Write the trust files; the options of `saksi collect` that name them."""
        issued = int(time.time())
        bundle = build_bundle(
            version=1, election=ELECTION, region=REGION, issued=issued, next_issue=issued + 86400,
            entries=self.listed, revoked=[], signer=self.authority,
        )  # fmt: skip
        public = self.authority.private.public_key().public_bytes(
            _PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        private = self.collector.private.private_bytes(
            _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        ca = certificate(self.ca.private.public_key(), "CA", self.ca, True).public_bytes(_PEM)
        options = []
        files = {"bundle": bundle, "authority": public, "key": private, "ca": ca}
        for name, data in files.items():
            path = self.folder / name
            path.write_bytes(data)
            options += [f"--{name}", str(path)]
        return options


class Station:
    """One kit after its day: two contests, six pages. `pages` gives the photographs' bytes."""

    def __init__(self, region: Region, folder: Path, number: int, pages: list[bytes]):
        self.folder = folder
        self.region = region
        self.pages = pages
        folder.mkdir(parents=True)
        self.chip = ATECC608Emulator(folder / "chip.json", speed=QUICK)
        self._bus = I2CBus(self.chip)
        signer = ATECC608(LocalI2C(self._bus))
        Setup(signer).configure()
        key, place = signer.public_key(), STATION + number
        region.listed.append((key, place))
        der = certificate(public_from(key), f"kit {number}", region.ca).public_bytes(_DER)
        (folder / "kit.der").write_bytes(der)
        journal = Journal(str(folder / "journal"), record.sha256(der))
        self._day(Recorder(journal, signer, ELECTION, place, lambda: int(time.time())))
        self.entries = journal.last  # before anything was acknowledged
        self.bytes = journal.size + len(der)
        self.server = LinkServer()
        self.server.add_i2c("i2c-chip", self._bus)

    def _day(self, recorder: Recorder) -> None:
        """The entries of a day with two contests, as the station makes them."""
        photos = Photos(str(self.folder / "photos"))
        zero = bytes(32)
        recorder.event(record.BOOT, ["1.0.0", zero, 2, [[n, True] for n in range(1, 12)]])
        recorder.event(record.OPEN, [[[1, 1], [1, 2], [2, 0]]])
        self._receipt(recorder, zero, 1, 0)
        for contest in (1, 2):
            recorder.event(record.BALLOTS, [contest, 604, 604, 2])
            recorder.event(record.VOTERS, [contest, FIGURES[:9]])
        half = len(self.pages) // 2 or 1
        for contest, own in ((1, self.pages[:half]), (2, self.pages[half:])):
            listed = []
            for number, data in enumerate(own, 1):
                photos.begin()
                photos.write(data)
                digest, size = photos.keep()
                recorder.event(record.PAGE, [contest, number, digest, size, contest])
                listed.append([number, digest, size])
            extra = {1: "1.0.0", 2: zero, 3: 2, 5: 1, 7: [[1, 1], [2, 1], [3, 3]]}
            result = recorder.result(contest, contest, FIGURES, listed, extra)
            for number in (1, 2, 3):
                self._receipt(recorder, result.rec_id, number, 1)

    @staticmethod
    def _receipt(recorder: Recorder, quoted: bytes, number: int, purpose: int) -> None:
        begun = recorder.event(record.RECEIPT_BEGUN, [quoted, number, number, 3, 0, purpose])
        recorder.event(record.RECEIPT_ENDED, [begun.seq, 1])

    @property
    def payload(self) -> int:
        """Bytes that have to reach the collector: entries, manifests, certificate, photographs."""
        return self.bytes + sum(map(len, self.pages))

    def journal(self) -> Journal:
        """The journal as it is now."""
        first = record.sha256((self.folder / "kit.der").read_bytes())
        return Journal(str(self.folder / "journal"), first)

    def start(self, port: int, wait: float = 2.0, timeout: float = 30.0) -> "Kit":
        """The kit's relay in a process, toward the collector on 127.0.0.1:`port`."""
        key = self.region.collector.public_key().hex()
        arguments = [str(self.server.port), str(self.folder), "127.0.0.1", str(port), key]
        return Kit([*arguments, str(wait), str(timeout)])

    def close(self) -> None:
        """Let go of the chip's port."""
        self.server.close()


class Kit:
    """A running relay_kit.py. `said`: (time.monotonic(), line) of all that it printed."""

    def __init__(self, arguments: list[str]):
        self.said: list[tuple[float, str]] = []
        self._grown = threading.Condition()
        self.process = subprocess.Popen(
            [find_micropython(), "-X", f"heapsize={HEAP}", str(SCRIPT), *arguments],
            env={**os.environ, "MICROPYPATH": f".frozen:{ROOT}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._grown:
                self.said.append((time.monotonic(), line.rstrip()))
                self._grown.notify_all()
        with self._grown:
            self._grown.notify_all()

    def when(self, wanted: Callable[[str], bool], limit: float = 600) -> float | None:
        """When a line was printed that is `wanted`; None when the kit ended without. Waits."""
        end = time.monotonic() + limit
        at = 0
        while True:
            with self._grown:
                for moment, line in self.said[at:]:
                    if wanted(line):
                        return moment
                at = len(self.said)
                if not self._reader.is_alive():
                    return None
                if time.monotonic() > end:
                    raise TimeoutError("\n".join(line for _, line in self.said[-8:]))
                self._grown.wait(0.2)

    def count(self, word: str) -> int:
        """How many lines begin with `word`."""
        return sum(line.startswith(word + " ") for _, line in self.said)

    def kill(self) -> None:
        """SIGKILL: the power is cut between two instructions."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._reader.join(5)


class Collector:
    """`saksi collect` in a process of its own; `before`: Python that it runs first."""

    def __init__(self, data: Path, options: list[str], port: int = 0, before: str = ""):
        program = f"{before}from host_tools.collector.command import app; app()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, "--data", str(data), "--port", str(port), *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if "listening on " not in line:
            raise RuntimeError(f"the collector did not start: {line}")
        self.url = line.split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def kill(self) -> None:
        """SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and wait; its exit code."""
        self.process.terminate()
        return self.process.wait()
