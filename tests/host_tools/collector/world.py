"""An invented region for the collector's tests: authority, CA, kits that sign real entries."""

import datetime
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from firmware import cbor, record
from host_tools.collector.ack import Acknowledger
from host_tools.collector.trust import Trust
from host_tools.provision.bundle import build_bundle, verify_bundle
from host_tools.provision.keys import SoftwareKey

LIVE, TRAINING = 2029, 1_002_029
REGION = 3201
STATION, OTHER_STATION = 3201012003001, 3201012003002


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def photo(size: int, mark: int = 0) -> bytes:
    """Bytes that stand for a photograph; not a JPEG, the collector must not care."""
    seed = sha256(b"photo %d %d" % (size, mark))
    return (seed * (size // 32 + 1))[:size]


@dataclass
class Made:
    """One entry that a kit made, with what a submission of it carries."""

    data: bytes
    manifest: bytes | None = None
    certificate: bytes | None = None

    @property
    def rec_id(self) -> bytes:
        return sha256(self.data)

    def submission(self) -> bytes:
        return cbor.encode([self.data, self.manifest, self.certificate, []])


def frame(payload_bytes: bytes, key: SoftwareKey, kid: bytes | None = None) -> bytes:
    """A signed entry around any payload bytes, right or wrong."""
    kid = kid or key.kid()
    protected = cbor.encode({1: -7, 4: kid})
    signature = key.sign(record.signed_digest(kid, payload_bytes))
    return cbor.encode(cbor.Tag(18, [protected, {}, payload_bytes, signature]))


class Kit:
    """Signs a chain as a kit does: `seq` and `prev` go on from one entry to the next."""

    def __init__(self, certificate: bytes, key: SoftwareKey, station: int, election: int):
        self.certificate = certificate
        self.key = key
        self.station = station
        self.election = election
        self.seq = 0
        self.prev = sha256(certificate)

    def _sign(self, payload: list, manifest: bytes | None = None) -> Made:
        self.seq += 1
        payload = [*payload, self.seq, self.prev, 1_700_000_000 + self.seq]
        made = Made(record.assemble(payload, self.key.kid(), self.key.sign), manifest)
        if self.seq == 1:
            made.certificate = self.certificate
        self.prev = made.rec_id
        return made

    def result(self, photos=(), figures=(10, 20, 30), contest=1) -> Made:
        manifest = self._manifest(photos, {1: "saksi 0.1"})
        payload = [1, self.election, self.station, contest, 1, list(figures), sha256(manifest)]
        return self._sign(payload, manifest)

    def correction(self, extra: dict, figures=(10, 21, 31)) -> Made:
        manifest = self._manifest((), extra)
        payload = [2, self.election, self.station, 1, 1, list(figures), sha256(manifest)]
        return self._sign(payload, manifest)

    def _manifest(self, photos, extra: dict) -> bytes:
        pages = [[no + 1, sha256(data), len(data)] for no, data in enumerate(photos)]
        return record.manifest(pages, extra)

    def event(self, number: int, detail: list) -> Made:
        return self._sign([3, self.election, self.station, number, detail])

    def page(self, data: bytes, number: int = 1) -> Made:
        return self.event(record.PAGE, [1, number, sha256(data), len(data), 1])


class World:
    """Everything signed and listed; `files(folder)` writes what the command takes."""

    def __init__(self):
        self.authority = SoftwareKey.generate()
        self.collector = SoftwareKey.generate()
        self.ca = SoftwareKey.generate()
        self.ca_certificate = _certificate("CA", self.ca, "CA", self.ca, ca=True)
        self.listed: dict[int, list[tuple[bytes, int]]] = {LIVE: [], TRAINING: []}
        self.revoked: list[bytes] = []
        self.version = 1

    def kit(self, station: int = STATION, election: int = LIVE, *, listed: int | None = -1) -> Kit:
        """A new kit; `listed` is the station in the bundle (-1: its own, None: in no bundle)."""
        key = SoftwareKey.generate()
        if listed is not None:
            place = station if listed == -1 else listed
            self.listed[election].append((key.public_key(), place))
        der = _certificate("kit", key, "CA", self.ca).public_bytes(serialization.Encoding.DER)
        return Kit(der, key, station, election)

    def bundles(self) -> list[bytes]:
        return [
            build_bundle(
                version=self.version,
                election=election,
                region=REGION,
                issued=1,
                next_issue=2**40,
                entries=listed,
                revoked=self.revoked,
                signer=self.authority,
            )
            for election, listed in self.listed.items()
        ]

    def trust(self) -> Trust:
        public = self.authority.public_key()
        return Trust([verify_bundle(raw, public) for raw in self.bundles()], [self.ca_certificate])

    def acknowledger(self) -> Acknowledger:
        return Acknowledger(self.collector)

    def files(self, folder: Path) -> list[str]:
        """Write the trust files; the options of `saksi collect` that name them."""
        options = []
        for number, raw in enumerate(self.bundles()):
            path = folder / f"bundle-{number}.cbor"
            path.write_bytes(raw)
            options += ["--bundle", str(path)]
        pem = serialization.Encoding.PEM
        public = self.authority.private.public_key().public_bytes(
            pem, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        private = _private_pem(self.collector)
        named = {"authority": public, "key": private, "ca": self.ca_certificate.public_bytes(pem)}
        for name, data in named.items():
            path = folder / f"{name}.pem"
            path.write_bytes(data)
            options += [f"--{name}", str(path)]
        return options


def _private_pem(key: SoftwareKey) -> bytes:
    return key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _certificate(
    subject: str, key: SoftwareKey, issuer: str, signer: SoftwareKey, *, ca: bool = False
) -> x509.Certificate:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"CONTOH {text}")])

    start = datetime.datetime(2020, 1, 1)
    builder = x509.CertificateBuilder(
        name(issuer),
        name(subject),
        key.private.public_key(),
        x509.random_serial_number(),
        start,
        start + datetime.timedelta(days=36500),
        [x509.Extension(x509.BasicConstraints.oid, True, x509.BasicConstraints(ca, None))],
    )
    return builder.sign(signer.private, hashes.SHA256())


def foreign_certificate(kit: Kit) -> bytes:
    """A certificate for this kit's key from a CA that nobody here knows."""
    stranger = SoftwareKey(ec.generate_private_key(ec.SECP256R1()))
    made = _certificate("kit", kit.key, "CA", stranger)
    return made.public_bytes(serialization.Encoding.DER)
