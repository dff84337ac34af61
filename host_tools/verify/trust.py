"""What a verifier trusts: a bundle of kit keys, the authority's key it is signed with, a package.

An authority key that is taken from beside the bundle proves only that the two belong together; the
report then says so, with the key's fingerprint to compare.
"""

from dataclasses import dataclass
from pathlib import Path

from firmware import cbor, record
from firmware.package import Package
from host_tools.provision import keys
from host_tools.provision.bundle import Bundle, BundleError, verify_bundle
from host_tools.verify.report import CANNOT, WANTING

BESIDE = "authority.pem"


class TrustError(Exception):
    """Nothing can be verified with these files. `code` is the exit code: 1 forged, 2 unusable."""

    def __init__(self, code: int, text: str):
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Trust:
    """A verified bundle (and station package), and where the authority's key came from."""

    bundle: Bundle
    authority: bytes
    pinned: bool = True
    package: Package | None = None

    @property
    def fingerprint(self) -> str:
        """The authority key's COSE thumbprint (RFC 9679) in groups of four hex digits."""
        key = {1: 2, -1: 1, -2: self.authority[:32], -3: self.authority[32:]}
        text = record.sha256(cbor.encode(key)).hex()
        return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def load(bundle: Path, authority: Path | None = None, package: Path | None = None) -> Trust:
    """Read and verify bundle and package; raises TrustError with one line that says what to do."""
    try:
        return _load(Path(bundle), authority, package)
    except TrustError:
        raise
    except Exception as error:  # a key of an odd kind, a file of an odd kind: not to be trusted
        text = f"{bundle}: cannot be used as trust ({type(error).__name__})"
        raise TrustError(CANNOT, text) from error


def _load(bundle: Path, authority: Path | None, package: Path | None) -> Trust:
    raw = _read(bundle, "trust bundle")
    beside = bundle.parent / BESIDE
    if authority is None and not beside.exists():
        raise TrustError(
            CANNOT, f"no {BESIDE} beside {bundle}: give the authority's key, --authority"
        )
    try:
        key = keys.load_public(authority or beside)
    except keys.KeyFileError as error:
        raise TrustError(CANNOT, str(error)) from error
    _kind(raw, record.BUNDLE, bundle, "a trust bundle")
    try:
        verified = verify_bundle(raw, key)
    except BundleError as error:
        raise TrustError(WANTING, f"{bundle}: {error}") from error
    station = None if package is None else _package(package, key, verified.election)
    return Trust(verified, key, authority is not None, station)


def _read(path: Path, what: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise TrustError(CANNOT, f"{path}: {what} cannot be read ({error.strerror})") from error


def _kind(raw: bytes, kind: int, path: Path, what: str) -> record.Entry:
    """The parsed object; what is not even of that kind is a wrong file, not a forgery."""
    try:
        entry = record.parse(raw)
    except record.RecordError as error:
        raise TrustError(CANNOT, f"{path}: not {what} ({error.text})") from error
    if entry.kind != kind:
        raise TrustError(CANNOT, f"{path}: a signed object of kind {entry.kind}, not {what}")
    return entry


def _package(path: Path, key: bytes, election: int) -> Package:
    raw = _read(path, "station package")
    entry = _kind(raw, record.PACKAGE, path, "a station package")
    signed = entry.kid == record.kid_of(key)
    if not (signed and keys.verify(key, entry.signed_digest(), entry.signature)):
        raise TrustError(WANTING, f"{path}: the station package is not signed by this authority")
    try:
        package = Package(raw)
    except record.RecordError as error:
        raise TrustError(CANNOT, f"{path}: {error.text}") from error
    if package.election != election:
        text = f"is for election {package.election}, the bundle for {election}"
        raise TrustError(CANNOT, f"{path}: {text}")
    return package
