"""Good vectors: two published results, a whole small journal, and the authority's objects."""

from firmware import qr_text, record
from tests.vectors import keys

HOST = "TPS.EXAMPLE.ID"
LIVE = 2024
TRAINING = record.TRAINING + LIVE
STATION = 3201012001001
OTHER_STATION = 3201012001002
REGION = 3201
START = 1732665600  # 2024-11-27 07:00 WIB
GENESIS = record.sha256(b"device certificate DER")
FIRMWARE = "0.1.0"
FIRMWARE_DIGEST = record.sha256(b"firmware")

# 590 voters, three invented pairs; the pairs' votes add up to 429, the paper says 427: rule R7.
FIGURES_28 = [290, 300, 590, 205, 215, 420, 2, 1, 3, 4, 3, 7, 211, 219, 430]
FIGURES_28 += [602, 430, 1, 171, 2, 3, 5, 123, 274, 32, 427, 3, 430]
FIGURES_12 = [301, 288, 141, 147, 306, 288, 1, 17, 283, 5, 151, 132]


def page(number: int, size: int, text: str | None = None) -> list:
    """A manifest's page whose photograph is the bytes "page<number>" (or `text`)."""
    return [number, record.sha256((text or f"page{number}").encode()), size]


PUBLISHED_MANIFEST = record.manifest(
    [page(1, 312345), page(2, 287654), page(3, 301122)],
    {
        1: "tps-kit 0.1.0",
        2: bytes.fromhex("c3bf47ea1f4a4a605470313cacb3a44f"),
        3: 1,
        4: [-6595000, 106816000],
        5: 3,
    },
)
PAGES = [page(1, 312345), page(2, 287654), page(3, 301122)]


class Vectors:
    """Collects the vectors in order; `journal` keeps the chain of the kit's small day."""

    def __init__(self):
        self.list: list[dict] = []
        self.seq, self.head, self.time = 0, GENESIS, START

    def add(
        self,
        name: str,
        about: str,
        payload: list,
        key: keys.TestKey = keys.KIT,
        manifest: bytes | None = None,
    ) -> bytes:
        """Sign `payload` and add its vector; returns the entry's bytes."""
        data = record.assemble(payload, key.kid, key.sign)
        vector = {
            "name": name,
            "about": about,
            "kind": payload[0],
            "signer": key.name,
            "hex": data.hex(),
            "rec_id": record.rec_id(data).hex(),
            "signed_digest": record.parse(data).signed_digest().hex(),
            "kid": key.kid.hex(),
            "public_key": key.point.hex(),
            "payload": plain(payload),
        }
        if manifest is not None:
            pages, extra = record.parse_manifest(manifest)
            vector["manifest"] = manifest.hex()
            vector["manifest_value"] = plain([1, pages, extra])
        if payload[0] <= record.EVENT:
            vector["qr"] = qr_text.qr_text(HOST, qr_text.RECORD, data)
        self.list.append(vector)
        return data

    def journal(self, name: str, about: str, head: list, manifest: bytes | None = None) -> bytes:
        """The next entry of the day's chain: `head` is the payload up to seq, prev, time."""
        self.seq, self.time = self.seq + 1, self.time + 600
        data = self.add(name, about, [*head, self.seq, self.head, self.time], manifest=manifest)
        self.head = record.rec_id(data)
        return data

    def event(self, name: str, about: str, number: int, detail: list) -> bytes:
        """The next entry, a device event."""
        return self.journal(name, about, [record.EVENT, LIVE, STATION, number, detail])


def plain(value):
    """A payload in JSON: bytes as {"bytes": hex}, maps as {"map": [[key, value]...]} by key."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, dict):
        return {"map": [[key, plain(value[key])] for key in sorted(value)]}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def _published(v: Vectors) -> None:
    digest = record.sha256(PUBLISHED_MANIFEST)
    first = v.add(
        "result-12-figures",
        "The published vector: 12 figures, three pages",
        [1, LIVE, STATION, 1, 3, FIGURES_12, digest, 17, GENESIS, 1732700000],
        manifest=PUBLISHED_MANIFEST,
    )
    # The manifest of this one was not published; only its digest is known.
    digest = bytes.fromhex("41a47f158fc9622835c59db5dd086ae7597c553298b93a0f88b6b962dd2097fc")
    v.add(
        "result-12-figures-second-contest",
        "The published second vector, chained to the first; its manifest is not given",
        [1, LIVE, STATION, 2, 3, FIGURES_12, digest, 18, record.rec_id(first), 1732700600],
    )


def _day(v: Vectors) -> None:
    v.event(
        "event-01-boot",
        "Self-test: firmware, its digest, clock quality, ten checks of which the camera's failed",
        record.BOOT,
        [FIRMWARE, FIRMWARE_DIGEST, 2, [[check, check != 7] for check in range(1, 11)]],
    )
    v.event(
        "event-02-open",
        "Witnesses of pairs 1 and 3 and a supervisor are present",
        record.OPEN,
        [[[1, 1, 1], [1, 1, 3], [2, 0, 0]]],
    )
    v.event(
        "event-03-ballots",
        "Contest 1: 602 received, 602 expected, 1 damaged",
        record.BALLOTS,
        [1, 602, 602, 1],
    )
    v.event(
        "event-11-exchange",
        "Contest 1: the first voter who handed a ballot back for another",
        record.EXCHANGE,
        [1, 1],
    )
    v.event(
        "event-06-voters", "Users by category (L, P, J each)", record.VOTERS, [1, FIGURES_28[3:15]]
    )
    v.event(
        "event-12-unused",
        "Contest 1: 45 ballots left over, as expected, struck off",
        record.UNUSED,
        [1, 45, 45],
    )
    for number, digest, size in PAGES:
        v.event(
            f"event-04-page-{number}",
            f"Page {number} of contest 1 kept, form 1",
            record.PAGE,
            [1, number, digest, size, 1],
        )
    v.event(
        "event-05-incident",
        "An incident sheet photographed, with a line of text",
        record.INCIDENT,
        [1, record.sha256(b"incident"), 204800, "CONTOH: hujan, TPS pindah ke balai desa"],
    )
    v.event(
        "event-05-incident-nihil", "No incident: no photograph", record.INCIDENT, [0, None, 0, ""]
    )
    extra = {1: FIRMWARE, 2: FIRMWARE_DIGEST, 3: 2, 5: 2, 6: [[7, 0]], 7: [[1, 1], [2, 3], [3, 2]]}
    manifest = record.manifest(PAGES, extra)
    result = v.journal(
        "result-28-figures",
        "C.HASIL-PPWP, three pairs; pairs add up to 429, the sheet says 427 (R7), as on the paper",
        [1, LIVE, STATION, 1, 1, FIGURES_28, record.sha256(manifest)],
        manifest,
    )
    rec_id = record.rec_id(result)
    v.event(
        "event-07-receipt-begun",
        "A slip that quotes the result: number 1 of 5, first print, for the witness of pair 1",
        record.RECEIPT_BEGUN,
        [rec_id, v.seq + 1, 1, 5, 0, 1, 1],
    )
    v.event("event-08-receipt-ended", "It was printed", record.RECEIPT_ENDED, [v.seq, 1])
    ack = record.assemble(
        [record.ACK, rec_id, v.time + 600, 7, 8, record.sha256(b"log root")],
        keys.COLLECTOR.kid,
        keys.COLLECTOR.sign,
    )
    v.event("event-09-acknowledgement", "The collector's answer, whole", record.ACKNOWLEDGED, [ack])
    corrected = [*FIGURES_28[:23], 272, *FIGURES_28[24:]]
    manifest = record.manifest(PAGES, {**extra, 6: [], 9: rec_id, 10: 1})
    v.journal(
        "correction-28-figures",
        "Corrects the result: names it in manifest key 9; reason 1 (keyed in wrongly) in key 10",
        [2, LIVE, STATION, 1, 1, corrected, record.sha256(manifest)],
        manifest,
    )
    unread = [None] * 22 + FIGURES_28[22:]
    manifest = record.manifest(PAGES, {1: FIRMWARE, 3: 0, 5: 2})
    v.journal(
        "result-with-null-figures",
        "A page that nobody could read: null, never zero",
        [1, LIVE, STATION, 2, 1, unread, record.sha256(manifest)],
        manifest,
    )
    v.event(
        "event-10-close",
        "The entries before this one, and their head",
        record.CLOSE,
        [v.seq, v.head],
    )


def _authority(v: Vectors) -> None:
    result = record.rec_id(bytes.fromhex(v.list[0]["hex"]))
    points = [
        [keys.KIT.compressed(), STATION],
        [keys.REVOKED.compressed(), OTHER_STATION],
    ]
    v.add(
        "bundle",
        "Two kits of region 3201, the second revoked",
        [32, 3, LIVE, REGION, START - 86400, START + 2592000, points, [keys.REVOKED.kid]],
        keys.AUTHORITY,
    )
    v.add(
        "bundle-training",
        "A bundle of the training election: other keys, other number",
        [32, 1, TRAINING, REGION, START - 86400, START + 2592000]
        + [[[keys.TRAINING_KIT.compressed(), STATION]], []],
        keys.AUTHORITY,
    )
    v.add(
        "ack",
        "Received and in the log",
        [36, result, START + 40000, 41, 42, record.sha256(b"log root")],
        keys.COLLECTOR,
    )
    v.add(
        "ack-not-yet-logged",
        "Received, not yet in the log",
        [36, result, START + 40000, None, None, None],
        keys.COLLECTOR,
    )
    form = [1, "C.HASIL-PPWP", ["DPT", "DPTb", "DPK"]]
    pages = [[1, 101, ["dpt", "users", "ballots", "disabled"]]]
    pages += [[2, 102, ["votes"]], [3, 103, ["totals"]]]
    pairs = ["CONTOH MAWAR - CONTOH MELATI", "CONTOH KENANGA - CONTOH DAHLIA"]
    pairs += ["CONTOH ANGGREK - CONTOH TERATAI"]
    content = {
        1: "Pemilihan CONTOH",
        2: ["CONTOH PROVINSI", "CONTOH KABUPATEN", "CONTOH KECAMATAN", "CONTOH DESA"],
        3: 1,
        4: 420,
        5: [[1, "Presiden dan Wakil Presiden", 1, "abu-abu", 290, 300, pairs]],
        6: [[*form, pages]],
        7: ["collector.example.id", 443, keys.COLLECTOR.point],
        8: HOST,
        9: "internet",
        11: 20,
    }
    v.add(
        "package",
        "Everything one kit has to know for one election",
        [37, 1, LIVE, STATION, START - 86400, content],
        keys.AUTHORITY,
    )
    v.add(
        "readiness",
        "A kit that left the store: its self-test passed, one part was not looked at",
        [4, bytes.fromhex("0123A1B2C3D4E5F6EE"), FIRMWARE, FIRMWARE_DIGEST, LIVE, STATION]
        + [record.sha256(b"package"), START - 7200, [[1, 1], [2, 1], [12, 2]]],
        keys.KIT,
    )
    v.add(
        "revocation",
        "One key was lost an hour after the voting began, one kit is broken",
        [33, 2, REGION, START + 7200]
        + [[[keys.REVOKED.kid, START + 3600, 1], [keys.TRAINING_KIT.kid, START, 2]]],
        keys.AUTHORITY,
    )
    v.add(
        "roster",
        "Who may open a sealed kit in this region, and who signs its software",
        [38, 1, REGION, START - 86400, START + 2592000]
        + [
            [["TEKNISI CONTOH", keys.REVOKED.point]],
            [keys.AUTHORITY.point, keys.COLLECTOR.point],
        ],
        keys.AUTHORITY,
    )
    v.add(
        "assignment",
        "A spare kit takes a broken kit's place",
        [39, LIVE, STATION, keys.REVOKED.kid, keys.KIT.kid, 2, START + 5400],
        keys.AUTHORITY,
    )
    v.add(
        "release",
        "Software for one board: the digest of its list of files",
        [40, [0, 1, 0], "esp32s3", START - 172800, record.sha256(b"list of files"), 171234],
        keys.AUTHORITY,
    )
    manifest = record.manifest(PAGES, {1: FIRMWARE, 3: 2, 5: 2})
    v.add(
        "result-training",
        "LATIHAN: a training election, a training key; counts for nothing",
        [1, TRAINING, STATION, 1, 1, FIGURES_28, record.sha256(manifest), 1, GENESIS, START],
        keys.TRAINING_KIT,
        manifest,
    )


def make() -> Vectors:
    """Every good vector."""
    v = Vectors()
    _published(v)
    _day(v)
    _authority(v)
    return v
