from firmware import cbor, record
from tests.firmware.support import raises

# The published vector of RECORD.md: 12 figures, three pages, made with a fixed key.
STATEMENT = bytes.fromhex(
    "d2844da201260448f612b7838be3f3e9a058758a011907e81b000002e94b2ee8e901038c19012d190120188d18931901"
    "32190120011119011b05189718845820de157d685f21debddcdc80363e0c9f7e2ca960130da618eb47ce424bc19f8859"
    "11582049250821c38419586bd102db47eed3a3f5ed07662aa592a1808a9db4dd970a1d1a6746e7605840c5a4df3db83d"
    "2cd889d58926ee6d4cd28a1d00665c077ff8f37383214df0741c4d8670359acf062c0fd8998455df821bd03b86cafc67"
    "a9102a4b31f457b79dcc"
)
MANIFEST = bytes.fromhex(
    "830183830158204a715ec13f624275bd974bbfde37a3da6cf0e49d28ce3615412ad66d2d6738461a0004c41983025820"
    "b0565940859f253585274b72cccf2499434b6e19f61edc0e27833dbef772d7ee1a000463a683035820fa37ec960fd8ca"
    "0d87917d4d2aa42d3416be4c06b01e1a85c1ee90ae0c7187021a00049842a5016d7470732d6b697420302e312e300250"
    "c3bf47ea1f4a4a605470313cacb3a44f030104823a0064a1b71a065de2000503"
)
KEY = bytes.fromhex(
    "515d59f4cedb40150eee4b00297c94b6ab91b24e52f6aa2a8d941e5431a48c6f"
    "c37a08cdd5ce066657e435b6a70102e6a1240ed11c88b0186d9ee4bf47b58e0d"
)
KID = bytes.fromhex("f612b7838be3f3e9")
DIGEST = bytes.fromhex("1b4b708d687e336c6777c7c457bb1c9dc510de3624f0860efac4cac96cbbf125")
FIGURES = [301, 288, 141, 147, 306, 288, 1, 17, 283, 5, 151, 132]


def test_the_vector_parses_into_its_fields():
    entry = record.parse(STATEMENT)
    assert entry.kid == KID
    assert entry.kind == record.RESULT
    assert entry.payload[1:6] == [2024, 3201012001001, 1, 3, FIGURES]
    assert entry.payload[6] == record.sha256(MANIFEST)
    assert (entry.seq, entry.time) == (17, 0x6746E760)
    assert entry.prev == record.sha256(b"device certificate DER")
    assert entry.rec_id.hex() == "e0455587d56bb38fd0cddbc6fa002971a9bc020cc746364ffb7860a8da2ac641"
    assert entry.signed_digest() == DIGEST


def test_the_vector_is_built_byte_for_byte():
    entry = record.parse(STATEMENT)
    asked = []

    def sign(digest):
        asked.append(digest)
        return entry.signature

    assert record.assemble(entry.payload, KID, sign) == STATEMENT
    assert asked == [DIGEST]


def test_the_key_id_is_the_thumbprint():
    assert record.kid_of(KEY) == KID


def test_a_high_s_signature_is_brought_low_and_refused_when_read():
    entry = record.parse(STATEMENT)
    s = int.from_bytes(entry.signature[32:], "big")
    high = entry.signature[:32] + (record.ORDER - s).to_bytes(32, "big")
    assert not record.is_low_s(high)
    assert record.low_s(high) == entry.signature
    assert record.assemble(entry.payload, KID, lambda digest: high) == STATEMENT
    error = raises(record.RecordError, record.parse, STATEMENT[:-64] + high)
    assert error.code == record.HIGH_S


def test_a_signer_that_gives_rubbish_makes_no_entry():
    entry = record.parse(STATEMENT)
    for signature in (b"", b"\0" * 64, b"\xff" * 64):
        error = raises(record.RecordError, record.assemble, entry.payload, KID, lambda d: signature)
        assert error.code == record.HIGH_S


def test_every_bent_frame_is_refused_with_its_code():
    payload = record.parse(STATEMENT).payload_bytes
    head = STATEMENT[3:16]
    tail = STATEMENT[-64:]

    def frame(protected=head, unprotected=None, body=payload, signature=tail, tag=18):
        unprotected = {} if unprotected is None else unprotected
        return cbor.encode(cbor.Tag(tag, [protected, unprotected, body, signature]))

    assert frame() == STATEMENT
    cases = (
        (STATEMENT[1:], record.BAD_FRAME),
        (STATEMENT + b"\0", record.BAD_FRAME),
        (STATEMENT[:-1], record.BAD_FRAME),
        (frame(tag=17), record.BAD_FRAME),
        (frame(protected=b"\xa1\x01\x26"), record.BAD_HEADER),
        (frame(protected=head[:-1] + b"\0\0"), record.BAD_HEADER),
        (frame(unprotected={1: 2}), record.BAD_HEADER),
        (frame(signature=tail[:-1]), record.BAD_FRAME),
        (frame(signature=b"\0" * 64), record.HIGH_S),
        (frame(body=payload + b"\0"), record.BAD_FRAME),
        (frame(body=cbor.encode([9, 1])), record.BAD_SHAPE),
        (frame(body=cbor.encode([1, 2])), record.BAD_SHAPE),
    )
    for data, code in cases:
        assert raises(record.RecordError, record.parse, data).code == code


def test_fields_of_the_wrong_type_are_refused():
    good = record.parse(STATEMENT).payload
    for at, bad in ((1, -1), (2, "1"), (5, []), (5, [True]), (6, b"x"), (7, 0), (8, None), (9, -1)):
        payload = list(good)
        payload[at] = bad
        assert raises(record.RecordError, record.check_payload, payload).code == record.BAD_SHAPE


def test_a_figure_that_nobody_could_read_is_null():
    payload = list(record.parse(STATEMENT).payload)
    payload[5] = [None, 3]
    record.check_payload(payload)


def test_the_manifest_gives_back_its_bytes():
    pages, extra = record.parse_manifest(MANIFEST)
    assert [page[0] for page in pages] == [1, 2, 3]
    assert pages[0][1] == record.sha256(b"page1")
    assert extra[record.FIRMWARE] == "tps-kit 0.1.0"
    assert record.manifest(pages, extra) == MANIFEST


def test_a_bent_manifest_is_refused():
    for value in ([2, [], {}], [1, [[1, b"x", 2]], {}], [1, [], {"a": 1}], {}, [1, []]):
        error = raises(record.RecordError, record.parse_manifest, cbor.encode(value))
        assert error.code == record.BAD_MANIFEST


def test_training_elections_have_numbers_of_their_own():
    assert record.is_training(1002024)
    assert not record.is_training(2024)
