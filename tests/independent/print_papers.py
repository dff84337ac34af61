"""Prints receipts of every sort with the kit's own code, for a stranger to read.

    python -m tests.independent.print_papers FOLDER

leaves papers/*.png as they leave the emulated printer, 58 and 80 mm wide, and printed.json:
{paper: {"records": [hex of each record that its codes hold], "key": hex X|Y of who signed them}}.
Long contests are printed in several codes.
"""

import json
import sys
from pathlib import Path

from firmware import receipt, record
from firmware.language import Words
from firmware.package import Package
from host_tools.bench import receipt_paper
from tests.vectors import good, keys

PAIRS = {"usual": 3, "many": 12, "long": 60, "longer": 120, "longest": 200}
FORM = [1, "C.HASIL-CONTOH", ["DPT", "DPPh", "DPTb"], [
    [1, 101, ["dpt", "users", "ballots", "disabled"]],
    [2, 102, ["votes"]],
    [3, 103, ["totals"]],
]]  # fmt: skip
BEFORE = [281, 288, 569, 214, 213, 427, 2, 1, 3, 3, 4, 7, 219, 218, 437, 584, 437, 2, 145, 1, 2, 3]


def station(pairs: int, training: bool = False) -> Package:
    """The package of the vectors' station with one contest of so many invented pairs."""
    names = [f"CONTOH {number:02d}" for number in range(1, pairs + 1)]
    content = {
        1: "PEMILIHAN CONTOH",
        2: ["PROVINSI CONTOH", "KABUPATEN CONTOH", "CONTOH", "DESA CONTOH"],
        3: 1,
        4: 420,
        5: [[7, "PEMILIHAN CONTOH", 1, "abu-abu", 281, 288, names]],
        6: [FORM],
        7: ["collector.example.id", 443, keys.COLLECTOR.point],
        8: good.HOST,
        9: "internet",
        11: 25,
    }
    election = good.TRAINING if training else good.LIVE
    head = [record.PACKAGE, 1, election, good.STATION, good.START]
    signer = keys.AUTHORITY
    return Package(record.assemble([*head, content], signer.kid, signer.sign))


def result(package: Package, seq: int, kind: int = record.RESULT, empty: bool = False):
    """(entry, manifest) of a result for the package's contest."""
    pairs = len(package.contests[0].pairs)
    votes = [300 + number for number in range(pairs)]  # three bytes each: as long as it gets
    figures: list = [*BEFORE, *votes, 427, 10, 437]
    if empty:
        figures[3:6] = [None, None, None]
    extra = {record.REPLACES: bytes(32), record.REASON: 1} if kind == record.CORRECTION else {}
    manifest = record.manifest([[1, record.sha256(b"page %d" % seq), 312000]], extra)
    payload = [kind, package.election, good.STATION, 7, 1, figures, record.sha256(manifest), seq]
    payload += [record.sha256(b"before %d" % seq), good.START + seq]
    return record.parse(record.assemble(payload, keys.KIT.kid, keys.KIT.sign)), manifest


def event(package: Package, seq: int, number: int, detail: list) -> record.Entry:
    """A device event."""
    payload = [record.EVENT, package.election, good.STATION, number, detail, seq]
    payload += [record.sha256(b"before %d" % seq), good.START + seq]
    return record.parse(record.assemble(payload, keys.KIT.kid, keys.KIT.sign))


def slips():
    """(name, operations, records, key) of every sort of slip."""
    copy = receipt.Copy(receipt.WITNESS, 1, 3, 1)
    kit, seq = keys.KIT, 0
    for name, pairs in PAIRS.items():
        package = station(pairs)
        made = receipt.Receipts(Words("id"), package)
        for kind, what in ((record.RESULT, "result"), (record.CORRECTION, "correction")):
            seq += 1
            entry, manifest = result(package, seq, kind)
            operations = made.result(entry, manifest, copy)
            yield f"{what}-{name}", operations, [entry.data], kit
    for training in (False, True):
        package = station(3, training)
        made = receipt.Receipts(Words("id"), package)
        mode = "-training" if training else ""
        entry, manifest = result(package, 40, empty=True)
        yield f"empty{mode}", made.result(entry, manifest, copy), [entry.data], kit
        opening = event(package, 2, record.OPEN, [[[1, 7, 1]]])
        zero = receipt.Copy(receipt.ZERO)
        yield f"opening{mode}", made.opening(opening, [[1, 7, 1]], zero), [opening.data], kit
        closing = event(package, 41, record.CLOSE, [40, bytes(32)])
        end = receipt.Copy(receipt.CLOSING)
        yield f"closing{mode}", made.closing(closing, end), [closing.data], kit
        payload = [record.ACK, entry.rec_id, good.START, 41, 42, bytes(32)]
        collector = keys.COLLECTOR
        ack = record.parse(record.assemble(payload, collector.kid, collector.sign))
        sent = receipt.Copy(receipt.SENT)
        yield f"sent{mode}", made.sent([(7, ack), (7, ack)], sent), [ack.data], collector


def main(folder: Path) -> None:
    """Print everything into `folder`."""
    (folder / "papers").mkdir(parents=True)
    printed = {}
    for name, operations, records, key in slips():
        listed = list(operations)
        for dots in (384, 576) if name in ("result-usual", "result-longest") else (384,):
            paper = f"{name}-{dots}"
            receipt_paper.slip(listed, dots).save(folder / "papers" / f"{paper}.png")
            printed[paper] = {"records": [one.hex() for one in records], "key": key.point.hex()}
    (folder / "printed.json").write_text(json.dumps(printed, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
