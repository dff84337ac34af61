"""The vectors against code that is not ours, and against being changed in silence."""

import json
import shutil
import subprocess
from pathlib import Path

import cbor2
import pytest
import zcbor
from pycose.keys import EC2Key
from pycose.keys.curves import P256
from pycose.messages import CoseMessage, Sign1Message
from zcbor.zcbor.zcbor import CddlValidationError, DataTranslator

from firmware import record
from host_tools.provision import keys
from tests.vectors import make_vectors

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "vectors.json").read_text())
ENTRIES = VECTORS["good"] + VECTORS["misuse"]["entries"]
ALL = ENTRIES + VECTORS["bad"]


def expected(vector: dict) -> str:
    return vector.get("cose", "ok")


def name(vector: dict) -> str:
    return vector["name"]


def test_making_the_vectors_again_gives_the_same_bytes():
    assert make_vectors.text() == (HERE / "vectors.json").read_text()


def test_names_are_unique_and_every_kind_and_event_is_there():
    names = [vector["name"] for vector in ALL]
    assert len(names) == len(set(names))
    assert {vector["kind"] for vector in ENTRIES} == {1, 2, 3, 4, 32, 33, 36, 37, 38, 39, 40}
    events = {vector["payload"][3] for vector in ENTRIES if vector["kind"] == 3}
    assert events == set(range(1, 13))
    assert {len(v["payload"][5]) for v in ENTRIES if v["kind"] == 1} >= {12, 28}
    reasons = {vector["reason"] for vector in VECTORS["bad"]}
    assert reasons >= {"frame", "header", "low-s", "shape", "key", "signature", "role", "revoked"}


@pytest.mark.parametrize("vector", ENTRIES, ids=name)
def test_our_own_verifier_accepts_every_good_signature(vector):
    entry = record.parse(bytes.fromhex(vector["hex"]))
    key = bytes.fromhex(vector["public_key"])
    assert keys.verify(key, entry.signed_digest(), entry.signature)


def by_pycose(vector: dict) -> str:
    """ "ok" when pycose decodes the bytes as COSE_Sign1 and verifies them."""
    point = bytes.fromhex(vector["public_key"])
    try:
        message = CoseMessage.decode(bytes.fromhex(vector["hex"]))
        if not isinstance(message, Sign1Message):
            return "refused"
        message.key = EC2Key(crv=P256, x=point[:32], y=point[32:])
        return "ok" if message.verify_signature() else "refused"
    except Exception:  # pycose lets through what its CBOR and key code raise
        return "refused"


@pytest.mark.parametrize("vector", ALL, ids=name)
def test_pycose_judges_each_signature_as_the_vector_says(vector):
    if expected(vector) != "differs":
        assert by_pycose(vector) == expected(vector)


@pytest.fixture(scope="module")
def by_auth0() -> dict[str, str]:
    """What npm's @auth0/cose makes of each entry."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt install nodejs npm")
    if not (HERE / "node" / "node_modules" / "@auth0" / "cose").exists():
        pytest.skip("run: npm ci --prefix tests/vectors/node --ignore-scripts")
    done = subprocess.run(
        [node, "verify.mjs"], cwd=HERE / "node", capture_output=True, check=True, text=True
    )
    return json.loads(done.stdout)


def test_auth0_cose_judges_each_signature_as_the_vector_says(by_auth0):
    assert set(by_auth0) == {vector["name"] for vector in ALL}
    wrong = [
        vector["name"]
        for vector in ALL
        if expected(vector) != "differs" and by_auth0[vector["name"]] != expected(vector)
    ]
    assert wrong == []


# zcbor reads `uint` as any integer; these are refused by record.py alone.
NEGATIVE = {"election-negative", "figure-negative", "page-negative", "negative-key"}
# The bytes are not deterministic, which is no matter of CDDL.
ENCODING = {"long-head", "trailing-byte"}


@pytest.fixture(scope="module")
def cddl():
    """record.cddl as checks by rule name: cddl("payload", data) -> bool."""
    prelude = Path(zcbor.__file__).parent / "zcbor" / "prelude.cddl"
    text = (HERE.parent.parent / "firmware" / "record.cddl").read_text()
    types = DataTranslator.from_cddl(
        cddl_string=text + "\n" + prelude.read_text(), default_max_qty=10**6
    ).my_types

    def check(rule: str, data: bytes) -> bool:
        try:
            types[rule].validate_str(data)
        except CddlValidationError:
            return False
        return True

    return check


def test_the_cddl_accepts_every_good_payload_and_manifest(cddl):
    for vector in ENTRIES:
        entry = record.parse(bytes.fromhex(vector["hex"]))
        assert cddl("payload", entry.payload_bytes), vector["name"]
        if "manifest" in vector:
            assert cddl("manifest", bytes.fromhex(vector["manifest"])), vector["name"]


def test_the_cddl_refuses_every_payload_and_manifest_of_a_wrong_shape(cddl):
    accepted = {
        vector["name"]
        for vector in VECTORS["bad"]
        if vector["reason"] == "shape"
        and cddl("payload", cbor2.loads(bytes.fromhex(vector["hex"])).value[2])
    }
    accepted |= {
        vector["name"]
        for vector in VECTORS["manifests"]
        if cddl("manifest", bytes.fromhex(vector["hex"]))
    }
    assert accepted == NEGATIVE | ENCODING


def test_the_cddl_refuses_an_event_whose_detail_is_bent(cddl):
    for vector in ENTRIES:
        if vector["kind"] != record.EVENT:
            continue
        payload = record.parse(bytes.fromhex(vector["hex"])).payload
        detail = payload[4]
        bent = [detail[:-1], [*detail, 0]]
        for at in range(len(detail)):
            bent += [[*detail[:at], wrong, *detail[at + 1 :]] for wrong in ({}, 1.5, [[[]]])]
        for one in bent:
            assert not cddl("payload", cbor2.dumps([*payload[:4], one, *payload[5:]])), one
