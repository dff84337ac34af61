"""A small signed day in a journal file, with its certificate and photographs."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from firmware import record
from firmware.journal import Journal
from firmware.recorder import Recorder
from tests.vectors import good, keys

PHOTOS = [b"\xff\xd8 page one", b"\xff\xd8 page two", b"\xff\xd8 page three"]
PAGES = [[i + 1, record.sha256(photo), len(photo)] for i, photo in enumerate(PHOTOS)]


class Signer:
    """A published key with the chip's counter beside it."""

    def __init__(self, key: keys.TestKey):
        self.key, self.counted = key, 0

    def public_key(self):
        return self.key.point

    def sign(self, digest):
        return self.key.sign(digest)

    def count(self):
        return self.counted

    def count_up(self):
        self.counted += 1
        return self.counted


def certificate(key: keys.TestKey = keys.KIT) -> bytes:
    """A self-signed certificate of a published key, DER; the bundle vouches for the key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CONTOH kit")])
    begin = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.private.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=9000))
        .sign(key.private, hashes.SHA256())
    )
    return built.public_bytes(Encoding.DER)


class Day:
    """Writes the journal at `folder`/journal entry by entry; `der` is the kit's certificate."""

    def __init__(self, folder: Path, key=keys.KIT, election=good.LIVE, station=good.STATION):
        self.path, self.der, self.clock = folder / "journal", certificate(key), good.START
        self.journal = Journal(str(self.path), record.sha256(self.der))
        self.recorder = Recorder(self.journal, Signer(key), election, station, self.now)
        self.results: list[record.Entry] = []

    def now(self):
        self.clock += 60
        return self.clock

    def event(self, number, *detail):
        return self.recorder.event(number, list(detail))

    def pages(self):
        for number, digest, size in PAGES:
            self.event(record.PAGE, 1, number, digest, size, 1)

    def result(self, **extra):
        """A result, or a correction with replaces=rec-id."""
        listed = {1: "0.1.0", 3: 2, 5: 2}
        if "replaces" in extra:
            listed.update({9: extra["replaces"], 10: 1})
        entry = self.recorder.result(1, 1, good.FIGURES_28, PAGES, listed)
        self.results.append(entry)
        return entry

    def answer(self, entry, key=keys.COLLECTOR):
        payload = [record.ACK, entry.rec_id, self.clock, 1, 2, bytes(32)]
        return self.event(record.ACKNOWLEDGED, record.assemble(payload, key.kid, key.sign))

    def close(self):
        return self.event(record.CLOSE, self.journal.last, self.journal.head)

    def whole(self) -> "Day":
        """The usual day."""
        self.event(record.BOOT, "0.1.0", None, 2, [[1, True]])
        self.event(record.OPEN, [])
        self.pages()
        result = self.result()
        begun = self.event(
            record.RECEIPT_BEGUN, result.rec_id, self.journal.last + 1, 1, 1, 0, 3, 0
        )
        self.event(record.RECEIPT_ENDED, begun.payload[4][1], 1)
        self.answer(result)
        self.result(replaces=result.rec_id)
        self.close()
        return self
