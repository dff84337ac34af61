"""A stranger's check of what `saksi demo` left behind: none of this project's code is used.

Takes a folder with pictures of printed slips (papers/*.png), a trust bundle (bundle*.cbor) and the
authority's public key (authority.pem), at any depth; reads the QR codes with zxing-cpp, CBOR with
cbor2 and checks signatures with `cryptography`, after firmware/RECORD.md alone; then with the COSE
libraries pycose and cose-js.
"""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import cbor2
import pytest
import zxingcpp
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from PIL import Image
from pycose.keys import EC2Key
from pycose.keys.curves import P256
from pycose.messages import CoseMessage, Sign1Message

QR = zxingcpp.BarcodeFormat.QRCode


ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
NODE = Path(__file__).parent / "node"
DIGITS = {3: 1, 5: 2, 8: 3, 10: 4, 13: 5, 15: 6, 17: 7}  # decimal digits -> bytes
RESULT, CORRECTION, EVENT, BUNDLE = 1, 2, 3, 32
BEFORE_VOTES, AFTER_VOTES = 22, 3  # C.HASIL-PPWP: figures before and after the pairs' votes


pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def folder(request) -> Path:
    """The demo's output: SAKSI_DEMO_OUT, else what the demo makes for these tests."""
    named = os.environ.get("SAKSI_DEMO_OUT")
    return Path(named) if named else request.getfixturevalue("demo_out") / "out"


def bytes_of(text: str) -> bytes | None:
    """The record in a receipt's QR text; None for any other text."""
    address, mark, rest = text.upper().partition("#")
    if not (mark and address.startswith("HTTPS://") and rest.startswith("1")):
        return None
    digits, out = rest[1:], b""
    for start in range(0, len(digits), 17):
        group = digits[start : start + 17]
        out += int(group).to_bytes(DIGITS[len(group)], "big")
    return out


def taken_apart(data: bytes) -> tuple[bytes, bytes, bytes, list]:
    """(protected header, payload bytes, signature, payload) of a tagged COSE_Sign1."""
    message = cbor2.loads(data)
    assert isinstance(message, cbor2.CBORTag) and message.tag == 18
    protected, unprotected, payload, signature = message.value
    assert unprotected == {} and len(signature) == 64
    header = cbor2.loads(protected)
    assert header == {1: -7, 4: header[4]} and len(header[4]) == 8
    # Canonical: written again, it is the same bytes.
    assert cbor2.dumps(message, canonical=True) == data
    assert cbor2.dumps(cbor2.loads(payload), canonical=True) == payload
    assert int.from_bytes(signature[32:], "big") <= ORDER // 2
    return protected, payload, signature, cbor2.loads(payload)


def verify(key: ec.EllipticCurvePublicKey, data: bytes) -> list:
    """The payload of `data` if `key` signed it; InvalidSignature otherwise."""
    protected, payload, signature, value = taken_apart(data)
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    return value


def kid(key: ec.EllipticCurvePublicKey) -> bytes:
    """First 8 bytes of the COSE key thumbprint (RFC 9679)."""
    numbers = key.public_numbers()
    x, y = (n.to_bytes(32, "big") for n in (numbers.x, numbers.y))
    return hashlib.sha256(cbor2.dumps({1: 2, -1: 1, -2: x, -3: y}, canonical=True)).digest()[:8]


@pytest.fixture(scope="module")
def authority(folder: Path) -> ec.EllipticCurvePublicKey:
    pem = one_of(folder, "authority.pem").read_bytes()
    if b"BEGIN CERTIFICATE" in pem:
        key = x509.load_pem_x509_certificate(pem).public_key()
    else:
        key = serialization.load_pem_public_key(pem)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def one_of(folder: Path, pattern: str) -> Path:
    found = sorted(folder.rglob(pattern))
    assert found, f"{folder} holds no {pattern}"
    return found[0]


@pytest.fixture(scope="module")
def trusted(folder: Path, authority) -> dict[bytes, tuple[ec.EllipticCurvePublicKey, int, int]]:
    """{kid: (key, station, election)} of every bundle, each signed by the authority."""
    keys = {}
    for path in sorted(folder.rglob("bundle*.cbor")):
        kind, _, election, _, _, _, points, revoked = verify(authority, path.read_bytes())
        assert kind == BUNDLE
        for point, station in points:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            if kid(key) not in revoked:
                keys[kid(key)] = (key, station, election)
    assert keys, f"{folder} holds no bundle with a key"
    return keys


@pytest.fixture(scope="module")
def records(folder: Path) -> list[bytes]:
    """Every record in the QR codes of the pictures."""
    found = {}
    for path in sorted(folder.rglob("papers/*.png")):
        with Image.open(path) as opened:
            picture = opened.convert("L")
        for code in zxingcpp.read_barcodes(picture, formats=QR):
            data = bytes_of(code.text)
            if data is not None:
                found[data] = None
    assert found, f"no picture in {folder} holds a receipt"
    return list(found)


@pytest.fixture(scope="module")
def payloads(records, trusted) -> list[list]:
    """Payloads of the kits' records, each verified with its key of the bundle."""
    listed = []
    for data in records:
        protected, _, _, value = taken_apart(data)
        if value[0] > EVENT:
            continue  # the collector's answer on a proof of sending
        key, station, election = trusted[cbor2.loads(protected)[4]]
        assert verify(key, data) == value
        assert value[1] == election and station in (0, value[2])
        listed.append(value)
    return listed


def test_every_printed_record_is_signed_by_a_kit_of_the_bundle(payloads):
    assert any(value[0] == RESULT for value in payloads)


def test_the_receipt_shows_that_427_was_written_where_the_pairs_make_429(payloads):
    sums = set()
    for value in payloads:
        if value[0] in (RESULT, CORRECTION) and len(value[5]) > BEFORE_VOTES + AFTER_VOTES:
            votes, valid = value[5][BEFORE_VOTES:-AFTER_VOTES], value[5][-AFTER_VOTES]
            if None not in votes:
                sums.add((valid, sum(votes)))
    assert (427, 429) in sums


def test_two_cose_libraries_verify_every_printed_record_too(records, trusted):
    asked = []
    for data in records:
        protected, _, _, value = taken_apart(data)
        if value[0] > EVENT:
            continue  # the collector's answer on a proof of sending
        numbers = trusted[cbor2.loads(protected)[4]][0].public_numbers()
        x, y = (n.to_bytes(32, "big") for n in (numbers.x, numbers.y))
        message = CoseMessage.decode(data)
        assert isinstance(message, Sign1Message)
        message.key = EC2Key(crv=P256, x=x, y=y)
        assert message.verify_signature()
        asked.append([data.hex()[-16:], data.hex(), (x + y).hex()])
    node = shutil.which("node")
    if node is None or not (NODE / "node_modules" / "cose-js").exists():
        pytest.skip("run: npm ci --prefix tests/independent/node --ignore-scripts")
    done = subprocess.run(
        [node, "verify.mjs"], cwd=NODE, input=json.dumps(asked), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert asked and set(json.loads(done.stdout).values()) == {"ok"}


def test_one_turned_bit_is_refused(records, trusted):
    for data in records:
        protected, payload, _, value = taken_apart(data)
        if value[0] > EVENT:
            continue
        key = trusted[cbor2.loads(protected)[4]][0]
        at = data.index(payload) + len(payload) - 1  # inside prev or time: still well-formed
        bent = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(InvalidSignature):
            verify(key, bent)


def test_nothing_of_this_project_was_imported():
    source = Path(__file__).read_text()
    ours = ("firmware", "host_tools", "tests")
    lines = [line.split() for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert lines and not [words for words in lines if words[1].split(".")[0] in ours]
