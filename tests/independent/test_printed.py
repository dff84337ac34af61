"""A stranger reads what the kit's code prints: none of this project's code is used to read it.

Papers of every sort come out of the emulated printer (print_papers.py, in a process of its own).
Their codes are read by zxing-cpp; the bytes in them are checked as COSE by pycose (PyPI) and by
cose-js (npm, node/), as are all of tests/vectors. The texts are taken apart after RECORD.md alone.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cbor2
import pytest
import zxingcpp
from PIL import Image
from pycose.keys import EC2Key
from pycose.keys.curves import P256
from pycose.messages import CoseMessage, Sign1Message

QR = zxingcpp.BarcodeFormat.QRCode


HERE = Path(__file__).parent
ROOT = HERE.parent.parent
VECTORS = json.loads((HERE.parent / "vectors" / "vectors.json").read_text())
ALL = VECTORS["good"] + VECTORS["misuse"]["entries"] + VECTORS["bad"]
GOOD = {vector["name"] for vector in VECTORS["good"] + VECTORS["misuse"]["entries"]}
# cose-js encodes the header again instead of taking its bytes as they are.
AGAIN = {"header-long-head"}
DIGITS = {3: 1, 5: 2, 8: 3, 10: 4, 13: 5, 15: 6, 17: 7}  # decimal digits -> bytes

pytestmark = pytest.mark.xdist_group("independent")


@pytest.fixture(scope="module")
def printed(tmp_path_factory) -> tuple[Path, dict]:
    """(folder of pictures, what was printed on each)."""
    folder = tmp_path_factory.mktemp("printed")
    command = [sys.executable, "-m", "tests.independent.print_papers", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=300)
    return folder / "papers", json.loads((folder / "printed.json").read_text())


def bytes_of(digits: str) -> bytes:
    out = b""
    for start in range(0, len(digits), 17):
        group = digits[start : start + 17]
        out += int(group).to_bytes(DIGITS[len(group)], "big")
    return out


def records_on(picture: Path) -> set[bytes]:
    """The records in a paper's codes; those in parts (#3 number count mark digits) put together."""
    records, parts = set(), {}
    with Image.open(picture) as opened:
        codes = zxingcpp.read_barcodes(opened.convert("L"), formats=QR)
    for code in codes:
        address, _, rest = code.text.partition("#")
        assert address.startswith("HTTPS://") and address.endswith("/")
        if rest[0] == "1":
            records.add(bytes_of(rest[1:]))
        elif rest[0] == "3":
            number, count, mark = int(rest[1:3]), int(rest[3:5]), int(rest[5:15])
            parts.setdefault((mark, count), {})[number] = rest[15:]
    for (mark, count), pieces in parts.items():
        assert sorted(pieces) == list(range(1, count + 1))
        data = bytes_of("".join(pieces[number] for number in sorted(pieces)))
        assert hashlib.sha256(data).digest()[:4] == mark.to_bytes(4, "big")
        records.add(data)
    return records


def by_pycose(data: bytes, point: bytes) -> str:
    """ "ok" when pycose decodes the bytes as COSE_Sign1 and verifies them."""
    try:
        message = CoseMessage.decode(data)
        if not isinstance(message, Sign1Message):
            return "refused"
        message.key = EC2Key(crv=P256, x=point[:32], y=point[32:])
        return "ok" if message.verify_signature() else "refused"
    except Exception:  # pycose lets through what its CBOR and key code raise
        return "refused"


def by_cose_js(asked: list[tuple[str, bytes, bytes]]) -> dict[str, str]:
    """{name: "ok" or "refused"} by npm's cose-js."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt install nodejs npm")
    if not (HERE / "node" / "node_modules" / "cose-js").exists():
        pytest.skip("run: npm ci --prefix tests/independent/node --ignore-scripts")
    done = subprocess.run(
        [node, "verify.mjs"],
        cwd=HERE / "node",
        input=json.dumps([[name, data.hex(), point.hex()] for name, data, point in asked]),
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    return json.loads(done.stdout)


def asked(printed) -> list[tuple[str, bytes, bytes]]:
    """(name, record, key) of every record that was read from a paper."""
    folder, told = printed
    return [
        (f"{paper} {i}", data, bytes.fromhex(one["key"]))
        for paper, one in told.items()
        for i, data in enumerate(sorted(records_on(folder / f"{paper}.png")))
    ]


def test_every_paper_gives_back_the_signed_bytes(printed):
    folder, told = printed
    for paper, one in told.items():
        read = records_on(folder / f"{paper}.png")
        assert read == {bytes.fromhex(record) for record in one["records"]}, paper
    kinds = {cbor2.loads(cbor2.loads(data).value[2])[0] for _, data, _ in asked(printed)}
    assert kinds == {1, 2, 3, 36}


def test_a_long_contest_comes_in_several_codes(printed):
    folder, told = printed
    several = [
        paper for paper in told
        if sum("#3" in code.text for code in codes_on(folder / f"{paper}.png")) > 1
    ]  # fmt: skip
    assert len(several) >= 4, several


def codes_on(picture: Path):
    with Image.open(picture) as opened:
        return zxingcpp.read_barcodes(opened.convert("L"), formats=QR)


def test_pycose_verifies_every_printed_record(printed):
    for name, data, point in asked(printed):
        assert by_pycose(data, point) == "ok", name
        bent = data[:-70] + bytes([data[-70] ^ 1]) + data[-69:]
        assert by_pycose(bent, point) == "refused", name


def test_cose_js_verifies_every_printed_record(printed):
    records = asked(printed)
    bent = [
        (f"bent {name}", data[:-70] + bytes([data[-70] ^ 1]) + data[-69:], point)
        for name, data, point in records
    ]
    said = by_cose_js(records + bent)
    assert {said[name] for name, _, _ in records} == {"ok"}
    assert {said[name] for name, _, _ in bent} == {"refused"}


def expected(vector: dict) -> str:
    return vector.get("cose", "ok")


@pytest.mark.parametrize("vector", ALL, ids=lambda vector: vector["name"])
def test_pycose_judges_each_vector_as_it_says(vector):
    if expected(vector) != "differs":
        hexes = vector["hex"], vector["public_key"]
        assert by_pycose(*map(bytes.fromhex, hexes)) == expected(vector)


def test_cose_js_judges_each_vector_as_it_says():
    named = [
        (vector["name"], bytes.fromhex(vector["hex"]), bytes.fromhex(vector["public_key"]))
        for vector in ALL
    ]
    said = by_cose_js(named)
    assert set(said) == {vector["name"] for vector in ALL}
    assert {said[name] for name in GOOD} == {"ok"}
    wrong = [
        vector["name"]
        for vector in ALL
        if expected(vector) != "differs" and said[vector["name"]] != expected(vector)
    ]
    assert set(wrong) <= AGAIN


def test_nothing_of_this_project_was_imported():
    lines = [line.split() for line in Path(__file__).read_text().splitlines()]
    imported = [words[1].split(".")[0] for words in lines if words[:1] in (["import"], ["from"])]
    assert imported and not {"firmware", "host_tools", "tests"} & set(imported)
