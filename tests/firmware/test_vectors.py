"""The published vectors (tests/vectors) through the kit's own code, on both runtimes."""

import json

from firmware import qr_parts, qr_text, record
from tests.firmware.support import raises

FOLDER = __file__.rsplit("/", 2)[0] + "/vectors/"
with open(FOLDER + "vectors.json") as file:
    VECTORS = json.load(file)


def plain(value):
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, dict):
        return {"map": [[key, plain(value[key])] for key in sorted(value)]}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def entries():
    for vector in VECTORS["good"] + VECTORS["misuse"]["entries"]:
        yield vector, record.parse(bytes.fromhex(vector["hex"]))


def test_every_good_vector_parses_into_the_expected_fields():
    count = 0
    for vector, entry in entries():
        assert entry.kind == vector["kind"], vector["name"]
        assert plain(entry.payload) == vector["payload"], vector["name"]
        assert entry.kid.hex() == vector["kid"]
        assert entry.rec_id.hex() == vector["rec_id"]
        assert entry.signed_digest().hex() == vector["signed_digest"]
        assert record.kid_of(bytes.fromhex(vector["public_key"])) == entry.kid
        count += 1
    assert count >= 20


def test_every_good_vector_is_built_again_byte_for_byte():
    for vector, entry in entries():
        asked = []

        def sign(digest, entry=entry, asked=asked):
            asked.append(digest)
            return entry.signature

        assert record.assemble(entry.payload, entry.kid, sign) == entry.data, vector["name"]
        assert asked[0].hex() == vector["signed_digest"]


def test_every_manifest_is_the_one_its_entry_names():
    count = 0
    for vector, entry in entries():
        if "manifest" in vector:
            data = bytes.fromhex(vector["manifest"])
            pages, extra = record.parse_manifest(data)
            assert plain([1, pages, extra]) == vector["manifest_value"]
            assert record.manifest(pages, extra) == data
            assert record.sha256(data) == entry.payload[6]
            count += 1
    assert count >= 4


def test_every_bad_vector_is_refused_with_its_code_or_parses_when_it_has_none():
    for vector in VECTORS["bad"]:
        data = bytes.fromhex(vector["hex"])
        if vector["code"] is None:
            record.parse(data)
        else:
            error = raises(record.RecordError, record.parse, data)
            assert error.code == vector["code"], vector["name"]


def test_every_bad_manifest_is_refused():
    for vector in VECTORS["manifests"]:
        error = raises(record.RecordError, record.parse_manifest, bytes.fromhex(vector["hex"]))
        assert error.code == vector["code"], vector["name"]


def test_the_days_entries_form_one_chain():
    by_name = {vector["name"]: entry for vector, entry in entries()}
    head = bytes.fromhex(VECTORS["chain"]["genesis"])
    for i, name in enumerate(VECTORS["chain"]["entries"]):
        entry = by_name[name]
        assert (entry.seq, entry.prev) == (i + 1, head), name
        head = entry.rec_id


def test_qr_texts_hold_the_record_and_bent_ones_are_refused():
    for vector, entry in entries():
        if "qr" in vector:
            assert qr_text.qr_text("TPS.EXAMPLE.ID", qr_text.RECORD, entry.data) == vector["qr"]
            assert qr_text.bytes_of(vector["qr"]) == entry.data
    for vector in VECTORS["qr"]:
        if vector["hex"] is None:
            error = raises(record.RecordError, qr_text.bytes_of, vector["text"])
            assert error.code == vector["code"], vector["name"]
        else:
            assert qr_text.bytes_of(vector["text"]).hex() == vector["hex"], vector["name"]


def test_a_long_record_is_cut_into_the_parts_of_the_vectors():
    vector = VECTORS["parts"][0]
    data = bytes.fromhex(vector["hex"])
    assert qr_parts.split("TPS.EXAMPLE.ID", data, 300) == vector["texts"]


def test_one_place_in_the_chain_taken_twice_is_seen():
    a, b = (record.parse(bytes.fromhex(x["hex"])) for x in VECTORS["misuse"]["entries"])
    assert (a.kid, a.seq) == (b.kid, b.seq) and a.rec_id != b.rec_id
