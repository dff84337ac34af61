"""`saksi bench package`: signing the packages of a whole election, as the command does it.

Yardstick in the same run: as many bare ECDSA signatures by `cryptography`, over digests made ready,
by as many processes, each with its own key.
"""

import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from host_tools.bench import package_election
from host_tools.bench.device import ROOT
from host_tools.provision.authority import Authority

REGION = 1101  # invented, the first of package_election
_SAKSI = (sys.executable, "-c", "from host_tools.cli import main; main()")
_LOOK = 0.05  # s between looks at the memory
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Figures:
    """Seconds of the steps, the most memory of all processes together (MiB), the yardstick's s."""

    stations: int
    processes: int
    sign: float
    memory: float
    check: float
    bare: float

    def as_dict(self) -> dict:
        """For --json, with what follows from it."""
        rates = {"packages_a_second": self.stations / self.sign}
        rates |= {"bare_a_second": self.stations / self.bare, "ratio": self.sign / self.bare}
        return asdict(self) | {name: round(value, 3) for name, value in rates.items()}


def run(stations: int, tell: Callable[[str], None] = lambda line: None) -> Figures:
    """Make the election, sign it, check the folder, sign bare; RuntimeError, OSError."""
    with tempfile.TemporaryDirectory(prefix="saksi-bench-") as tmp:
        folder = Path(tmp)
        tell(f"an invented election of {stations} stations")
        election = package_election.write(folder / "election", stations)
        keys = Authority.create(folder / "keys", REGION, "CONTOH").folder
        tell("checking it and signing its packages")
        words = ["provision", "package", str(election), "--authority", str(keys)]
        words += ["--region", str(REGION), "--out", str(folder / "packages"), "--json"]
        sign, memory, said = _command(words)
        if json.loads(said)["packages"] != stations:
            raise RuntimeError(f"not every station has a package: {said}")
        tell("checking the folder of packages")
        words = ["provision", "package", "--check", str(folder / "packages"), "--json"]
        check, _, _ = _command([*words, "--signed-by", str(keys / "signing.cert.pem")])
        processes = len(os.sched_getaffinity(0))
        tell("the same number of bare signatures")
        bare = _bare(stations, processes)
        tell("removing the election and its packages")
    return Figures(stations, processes, sign, memory, check, bare)


def _command(words: list[str]) -> tuple[float, float, str]:
    """(seconds, most MiB of the process and its children at one moment, what it printed)."""
    start, most = time.perf_counter(), 0
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (
        subprocess.Popen([*_SAKSI, *words], env=environment, stdout=subprocess.PIPE) as process,
        ThreadPoolExecutor(1) as reader,
    ):
        output = reader.submit(process.communicate)
        while process.poll() is None:
            most = max(most, sum(map(_resident, _family(process.pid))))
            time.sleep(_LOOK)
        said = output.result()[0].decode()
    if process.returncode:
        raise RuntimeError(f"saksi {' '.join(words[:2])} ended with {process.returncode}")
    return time.perf_counter() - start, most / 2**20, said


def _family(pid: int) -> list[int]:
    """The process and all that it started (Linux)."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [pid, *(one for child in text.split() for one in _family(int(child)))]


def _resident(pid: int) -> int:
    """Bytes in memory (RSS); shared pages count in each process."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0


def _bare(count: int, processes: int) -> float:
    """Seconds for `count` signatures by so many processes, which are ready when it starts."""
    context = multiprocessing.get_context("spawn")
    begin, share = context.Barrier(processes + 1), -(-count // processes)
    workers = [context.Process(target=_sign, args=(share, begin)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    begin.wait()
    start = time.perf_counter()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise RuntimeError("a process of the yardstick failed")
    return time.perf_counter() - start


def _sign(count: int, begin) -> None:
    key, algorithm = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(Prehashed(hashes.SHA256()))
    digest = hashlib.sha256(b"bench").digest()
    begin.wait()
    for _ in range(count):
        key.sign(digest, algorithm)
