"""What a verifier trusts: bundles of kit keys, the authority's key they are signed with, a package.

An authority key that is taken from beside the bundle proves only that the two belong together; the
report then says so, with the key's fingerprint to compare.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec

from firmware import cbor, record
from firmware.package import Package
from host_tools.provision import keys
from host_tools.provision.bundle import Bundle, BundleError, verify_bundle
from host_tools.verify.report import CANNOT, WANTING

if TYPE_CHECKING:
    from host_tools.verify.certificate import Certificates

BESIDE = "authority.pem"


class TrustError(Exception):
    """Nothing can be verified with these files. `code` is the exit code: 1 forged, 2 unusable."""

    def __init__(self, code: int, text: str):
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Known:
    """A kit's key as one bundle lists it, ready to verify with."""

    key: ec.EllipticCurvePublicKey
    point: bytes
    bundle: Bundle
    station: int
    revoked: bool
    # What is said of it, and of its records by (election, station): see receipt.py.
    said: dict = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Trust:
    """Verified bundles (and station package), and where the authority's key came from.

    `bundle` is the first; `others` are of other regions or elections, each the newest given.
    """

    bundle: Bundle
    authority: bytes
    pinned: bool = True
    package: Package | None = None
    others: tuple[Bundle, ...] = ()
    older: tuple[Bundle, ...] = ()  # given too, and replaced by a newer version
    certificates: "Certificates | None" = None
    said: dict = field(default_factory=dict, compare=False)  # of bundles: see receipt.py
    _known: dict[tuple[bytes, int], Known | None] = field(default_factory=dict, compare=False)

    def known(self, kid: bytes, election: int) -> Known | None:
        """The key `kid`, from the bundle of that election if it lists it, else from any.

        Made once a key: decompressing a point costs a quarter of a verification.
        """
        try:
            return self._known[kid, election]
        except KeyError:
            return self._known.setdefault((kid, election), self._find(kid, election))

    def _find(self, kid: bytes, election: int) -> Known | None:
        listing = [b for b in (self.bundle, *self.others) if b.key(kid) is not None]
        if not listing:
            return None
        bundle = next((b for b in listing if b.election == election), listing[0])
        point, station = bundle.key(kid), bundle.station(kid)
        assert point is not None and station is not None
        # A key that any of the bundles revokes is revoked.
        revoked = any(b.revoked(kid) for b in (self.bundle, *self.others))
        return Known(keys.public_from(point), point, bundle, station, revoked)

    @property
    def fingerprint(self) -> str:
        """The authority key's COSE thumbprint (RFC 9679) in groups of four hex digits."""
        key = {1: 2, -1: 1, -2: self.authority[:32], -3: self.authority[32:]}
        text = record.sha256(cbor.encode(key)).hex()
        return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def load(
    bundle: Path | Sequence[Path],
    authority: Path | None = None,
    package: Path | None = None,
    certificates: "Certificates | None" = None,
) -> Trust:
    """Read and verify bundles (files, or folders of `bundle*.cbor`) and package.

    Raises TrustError with one line that says what to do.
    """
    given = [bundle] if isinstance(bundle, str | Path) else list(bundle)
    try:
        return _load(_files(map(Path, given)), authority, package, certificates)
    except TrustError:
        raise
    except Exception as error:  # a key of an odd kind, a file of an odd kind: not to be trusted
        text = f"{given[0]}: cannot be used as trust ({type(error).__name__})"
        raise TrustError(CANNOT, text) from error


def _files(given: Iterable[Path]) -> list[Path]:
    found = []
    for path in given:
        inside = sorted(path.glob("bundle*.cbor")) if path.is_dir() else [path]
        if not inside:
            raise TrustError(CANNOT, f"{path}: holds no bundle*.cbor; give the region's bundle")
        found += inside
    return found


def _load(
    files: list[Path],
    authority: Path | None,
    package: Path | None,
    certificates: "Certificates | None",
) -> Trust:
    raws = [_read(path, "trust bundle") for path in files]
    beside = files[0].parent / BESIDE
    if authority is None and not beside.exists():
        raise TrustError(
            CANNOT, f"no {BESIDE} beside {files[0]}: give the authority's key, --authority"
        )
    try:
        key = keys.load_public(authority or beside)
    except keys.KeyFileError as error:
        raise TrustError(CANNOT, str(error)) from error
    verified = []
    for path, raw in zip(files, raws, strict=True):
        _kind(raw, record.BUNDLE, path, "a trust bundle")
        try:
            verified.append(verify_bundle(raw, key))
        except BundleError as error:
            raise TrustError(WANTING, f"{path}: {error}") from error
    newest, older = _newest(verified)
    elections = {one.election for one in newest}
    station = None if package is None else _package(package, key, elections)
    return Trust(
        newest[0], key, authority is not None, station, tuple(newest[1:]), older, certificates
    )


def _newest(bundles: list[Bundle]) -> tuple[list[Bundle], tuple[Bundle, ...]]:
    """(of each region and election the newest, the rest): an old one may list revoked keys."""
    newest: dict[tuple[int, int], Bundle] = {}
    older = []
    for bundle in bundles:
        place = (bundle.region, bundle.election)
        held = newest.get(place)
        if held is None or bundle.version > held.version:
            newest[place] = bundle
            older += [held] if held is not None else []
        else:
            older.append(bundle)
    return list(newest.values()), tuple(older)


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


def _package(path: Path, key: bytes, elections: set[int]) -> Package:
    raw: Any = _read(path, "station package")
    entry = _kind(raw, record.PACKAGE, path, "a station package")
    signed = entry.kid == record.kid_of(key)
    if not (signed and keys.verify(key, entry.signed_digest(), entry.signature)):
        raise TrustError(WANTING, f"{path}: the station package is not signed by this authority")
    try:
        package = Package(raw)
    except record.RecordError as error:
        raise TrustError(CANNOT, f"{path}: {error.text}") from error
    if package.election not in elections:
        named = ", ".join(str(election) for election in sorted(elections))
        text = f"is for election {package.election}, the bundle for {named}"
        raise TrustError(CANNOT, f"{path}: {text}")
    return package
