"""`saksi bench verify`: receipts a second on one core, and how soon the command answers.

Yardsticks in the same run: the bare P-256 verification of the same signatures by `cryptography`,
with keys, signatures and digests made ready beforehand; an empty Python; one that imports
`cryptography`.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from firmware import qr_text, record
from host_tools.bench import receipt_paper
from host_tools.bench.device import Row
from host_tools.provision.bundle import build_bundle, verify_bundle
from host_tools.verify import many, quick
from host_tools.verify.receipt import check_receipts
from host_tools.verify.trust import Trust

KITS, RECEIPTS = 50, 1000
ROUNDS, STARTS = 25, 9
QUICK = (50, 2, 2)  # receipts, rounds, starts
START = 1795766640
REGION, STATION = 1607, 1607012001001
GOAL_SHARE, GOAL_START = 0.70, 0.6
BROKEN_EVERY = 20  # one receipt in so many has a sum that does not hold
_PREHASHED = ec.ECDSA(Prehashed(hashes.SHA256()))


def make(count: int) -> tuple[bytes, bytes, list[bytes]]:
    """(bundle, authority's key X|Y, receipts) of a region of KITS kits, the same every time."""
    authority = receipt_paper.key(0)
    kits = [receipt_paper.key(1 + i) for i in range(KITS)]
    bundle = build_bundle(
        version=1,
        election=2024,
        region=REGION,
        issued=START,
        next_issue=START + 30 * 86400,
        entries=[(kit.public_key(), STATION + i) for i, kit in enumerate(kits)],
        revoked=[],
        signer=authority,
    )
    receipts = []
    for i in range(count):
        figures = list(receipt_paper.FIGURES)
        if i % BROKEN_EVERY == 0:
            figures[-3] += 1
        digests = [hashlib.sha256(b"%s %d" % (what, i)).digest() for what in (b"pages", b"before")]
        payload = [record.RESULT, 2024, STATION + i % KITS, 1, 1, figures, digests[0]]
        payload += [1 + i, digests[1], START + i]
        kit = kits[i % KITS]
        receipts.append(record.assemble(payload, kit.kid(), kit.sign))
    return bundle, authority.public_key(), receipts


def throughput(receipts: int = RECEIPTS, rounds: int = ROUNDS) -> list[Row]:
    """Receipts a second of the verifier from bytes and from the QR text; in turns, best of each."""
    raw, authority, datas = make(receipts)
    held = Trust(verify_bundle(raw, authority), authority)
    bare = []
    for data in datas:
        entry = record.parse(data)
        r, s = (
            int.from_bytes(half, "big") for half in (entry.signature[:32], entry.signature[32:])
        )
        known = held.known(entry.kid, 2024)
        assert known is not None
        bare.append((known.key, encode_dss_signature(r, s), entry.signed_digest()))
    texts = [qr_text.qr_text("TPS.EXAMPLE.ID", qr_text.RECORD, data) for data in datas]

    def alone():
        for key, signature, digest in bare:
            key.verify(signature, digest, _PREHASHED)

    def whole():
        if any(report.exit_code for report in check_receipts(datas, held, START)):
            raise RuntimeError("a receipt of the benchmark does not verify")

    def from_text():
        read = [quick.text(text)[1] for text in texts]
        if any(report.exit_code for report in check_receipts(read, held, START)):
            raise RuntimeError("a receipt of the benchmark does not verify")

    many.seldom_collect()
    best = _best((alone, whole, from_text), rounds)
    alone_rate, whole_rate, text_rate = (receipts / seconds for seconds in best)
    yardstick = "bare P-256 verification by `cryptography`"
    return [
        Row("receipts on one core", whole_rate, alone_rate, "/s", yardstick),
        Row("the same from the QR code's text", text_rate, alone_rate, "/s", yardstick),
    ]


def _best(works: tuple[Callable[[], None], ...], rounds: int) -> list[float]:
    """Least CPU seconds of each, measured in turns: what other work disturbs least."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for i, work in enumerate(works):
            start = time.process_time()
            work()
            best[i] = min(best[i], time.process_time() - start)
    return best


def cold_start(starts: int = STARTS) -> list[Row]:
    """Seconds from nothing to the verdict on one receipt, by text and by picture; median."""
    raw, authority, datas = make(1)
    imports = "from cryptography.hazmat.primitives.asymmetric import ec"
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp)
        (folder / "bundle.cbor").write_bytes(raw)
        (folder / "authority.pem").write_bytes(_pem(authority))
        text = qr_text.qr_text("TPS.EXAMPLE.ID", qr_text.RECORD, datas[0])
        picture = folder / "receipt.png"
        receipt_paper.picture(text).save(picture)
        command = [sys.executable, "-c", "from host_tools.cli import main; main()"]
        command += ["verify", "receipt", "--trust", str(folder / "bundle.cbor")]
        runs = {
            "nothing": [sys.executable, "-c", "pass"],
            "cryptography": [sys.executable, "-c", imports],
            "text": [*command, text],
            "picture": [*command, str(picture)],
        }
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(starts):
            for name, run in runs.items():
                times[name].append(_seconds(run))
    middle = {name: sorted(listed)[len(listed) // 2] for name, listed in times.items()}
    rows = []
    for name, what in (("text", "the QR code's text"), ("picture", "a picture")):
        label = f"cold start, {what}"
        rows.append(Row(label, middle[name], middle["nothing"], "s", "python -c pass"))
        is_ = "python that imports `cryptography`'s P-256"
        rows.append(Row(label, middle[name], middle["cryptography"], "s", is_))
    return rows


def _seconds(command: list[str]) -> float:
    root = str(Path(__file__).parents[2])
    start = time.perf_counter()
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} ended with {done.returncode}: {done.stderr}")
    return seconds


def _pem(point: bytes) -> bytes:
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + point)
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def run(quick: bool = False) -> list[Row]:
    """All of it; `quick` is for tests, its figures mean nothing."""
    if not quick:
        return throughput() + cold_start()
    receipts, rounds, starts = QUICK
    return throughput(receipts, rounds) + cold_start(starts)
