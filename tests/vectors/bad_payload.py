"""Bad vectors of the payload (encoding and shape) and of trust (key, role, election, manifest)."""

from firmware import cbor, record
from tests.vectors import good, keys
from tests.vectors.bad import FRAME, OK, REFUSED, SHAPE, Bad, envelope, flip, payload_of


def _encoding(b: Bad) -> None:
    body = b.body
    cases = (
        ("payload-long-head", "Kind 1 in two bytes, signed so", body[:1] + b"\x18" + body[1:]),
        ("payload-trailing-byte", "A byte after the payload's end, signed so", body + b"\0"),
        ("payload-empty", "An empty payload", b""),
        (
            "payload-float",
            "A figure as a float",
            body.replace(bytes.fromhex("19012d"), bytes.fromhex("f95cb4"), 1),
        ),
        (
            "payload-undefined",
            "A figure undefined",
            body.replace(bytes.fromhex("19012d"), b"\xf7", 1),
        ),
        (
            "payload-indefinite",
            "The payload's array without a length",
            b"\x9f" + body[1:] + b"\xff",
        ),
        (
            "payload-bad-utf8",
            "Text that is not UTF-8 in an event",
            cbor.encode(
                [3, good.LIVE, good.STATION, 5, [0, None, 0, "x"], 1, good.GENESIS, 1]
            ).replace(b"\x61x", b"\x61\xff"),
        ),
        (
            "payload-too-deep",
            "An event with arrays in arrays, 20 deep",
            cbor.encode([3, good.LIVE, good.STATION, 99, [0], 1, good.GENESIS, 1]).replace(
                b"\x81\x00", b"\x81" * 20 + b"\x00"
            ),
        ),
        (
            "map-key-twice",
            "A package with the same key twice",
            cbor.encode([37, 1, good.LIVE, good.STATION, 1, {1: "A", 2: "B"}]).replace(
                b"\x02\x61B", b"\x01\x61B"
            ),
        ),
        (
            "map-keys-unsorted",
            "A package whose keys are out of order",
            cbor.encode([37, 1, good.LIVE, good.STATION, 1, {1: "A", 2: "B"}]).replace(
                b"\x01\x61A\x02\x61B", b"\x02\x61B\x01\x61A"
            ),
        ),
    )
    for name, about, changed in cases:
        assert changed != body
        b.add(name, about, payload_of(changed), FRAME, OK)


def _shape(b: Bad) -> None:
    good_one = b.payload

    def changed(at: int, value) -> list:
        return [*good_one[:at], value, *good_one[at + 1 :]]

    cases = (
        ("kind-4", "A kind that does not exist", [4, *good_one[1:]]),
        ("kind-35", "A kind that is kept for later", [35, good.REGION, 1, bytes(32)]),
        ("kind-text", "Kind as text", changed(0, "1")),
        ("kind-true", "Kind true, which some languages take for 1", changed(0, True)),
        ("payload-map", "The payload a map", {1: 2}),
        ("payload-number", "The payload a number", 1),
        ("payload-tagged", "The payload under a tag", cbor.Tag(61, good_one)),
        ("field-missing", "No time", good_one[:-1]),
        ("field-extra", "A field too many", [*good_one, 0]),
        ("election-negative", "Election -1", changed(1, -1)),
        ("station-text", "The station's number as text", changed(2, "3201012001001")),
        ("figures-empty", "No figures", changed(5, [])),
        ("figure-negative", "A figure below zero", changed(5, [-1, *good_one[5][1:]])),
        ("figure-true", "A figure true", changed(5, [True, *good_one[5][1:]])),
        ("figure-text", "A figure as text", changed(5, ["301", *good_one[5][1:]])),
        ("manifest-31-bytes", "A digest of 31 bytes", changed(6, bytes(31))),
        ("seq-zero", "The chain starts at 1", changed(7, 0)),
        ("prev-null", "No prev", changed(8, None)),
        ("time-null", "No time", changed(9, None)),
        (
            "event-detail-map",
            "An event's detail that is no array",
            [3, good.LIVE, good.STATION, 1, {}, 1, good.GENESIS, 1],
        ),
        (
            "bundle-point-64",
            "A bundle with an uncompressed point",
            [32, 1, good.LIVE, good.REGION, 1, 2, [[keys.KIT.point, good.STATION]], []],
        ),
        (
            "ack-root-missing",
            "An acknowledgement without its root",
            [36, bytes(32), 1, None, None],
        ),
        (
            "readiness-outcome-true",
            "A readiness whose outcome is no number",
            [4, bytes(9), "0.1.0", bytes(32), good.LIVE, good.STATION, bytes(32), 1, [[1, True]]],
        ),
        (
            "revocation-without-reason",
            "A revoked key without its reason",
            [33, 1, good.REGION, 1, [[keys.KIT.kid, 1]]],
        ),
        (
            "roster-key-33",
            "A technician's key that is compressed",
            [38, 1, good.REGION, 1, 2, [["TEKNISI CONTOH", keys.KIT.compressed()]], []],
        ),
        (
            "assignment-kid-9",
            "A kit's key id that is too long",
            [39, good.LIVE, good.STATION, bytes(9), None, 2, 1],
        ),
        (
            "release-version-text",
            "A version that is no list of numbers",
            [40, "0.1.0", "esp32s3", 1, bytes(32), 1],
        ),
    )
    for name, about, payload in cases:
        b.add(name, about, payload_of(payload), SHAPE, OK)


def _trust(b: Bad, v: good.Vectors) -> None:
    by_name = {vector["name"]: vector for vector in v.list}
    b.add(
        "foreign-key",
        "A stranger's record, well made, under its own key id",
        payload_of(b.payload, keys.STRANGER),
        "key",
        REFUSED,
    )
    b.add(
        "collector-signs-a-result",
        "The collector's key is not a kit's: no bundle lists it",
        payload_of(b.payload, keys.COLLECTOR),
        "key",
        OK,
        key=keys.COLLECTOR,
    )
    bundle = bytes.fromhex(by_name["bundle"]["hex"])
    b.add(
        "kit-signs-a-bundle",
        "A kit's key may not sign a bundle",
        payload_of(record.parse(bundle).payload),
        "role",
        OK,
    )
    training = [b.payload[0], good.TRAINING, *b.payload[2:]]
    b.add(
        "live-key-in-training",
        "A live kit's record with a training election's number",
        payload_of(training),
        "election",
        OK,
    )
    b.add(
        "training-key-in-live",
        "A training kit's record with the live election's number",
        payload_of(b.payload, keys.TRAINING_KIT),
        "key",
        OK,
        key=keys.TRAINING_KIT,
    )
    b.add(
        "revoked-key",
        "The bundle says that this key is revoked",
        payload_of([*b.payload[:2], good.OTHER_STATION, *b.payload[3:]], keys.REVOKED),
        "revoked",
        OK,
        key=keys.REVOKED,
    )
    manifest = bytes.fromhex(by_name["result-12-figures"]["manifest"])
    at = manifest.index(record.sha256(b"page1"))
    b.add(
        "manifest-of-another",
        "A manifest that the record does not name: one bit of a page's digest turned",
        b.base,
        "manifest",
        OK,
        manifest=flip(manifest, at),
    )


def make(v: good.Vectors) -> Bad:
    """Every bad vector."""
    b = envelope(v)
    _encoding(b)
    _shape(b)
    _trust(b, v)
    return b
