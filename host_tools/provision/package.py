"""Station packages: what one kit has to know, signed by the authority (kind 37).

[37, version, election, station, issued, {1 title, 2 regions, 3 TPS, 4 UTC offset, 5 contests,
 6 forms, 7 collector, 8 receipt host, 9 APN, 11 reserve, 12 SMS number, 13 SHA-256 of its TLS
 key if there are any}]
"""

from pathlib import Path

from firmware import record, serial_link
from firmware.package import Package
from host_tools.provision import keys
from host_tools.provision.authority import Authority
from host_tools.provision.election import Election
from host_tools.provision.template import sign

LONGEST = serial_link.MAX_LINE // 2 - 32  # bytes that a line of the cable carries in hex


class PackageError(Exception):
    """A package that must not be used or cannot be made; the text says why in one line."""


def file_name(election: int, station: int) -> str:
    return f"package-{election}-{station:013d}.cbor"


def build_package(election: Election, station: int, issued: int, authority: Authority) -> bytes:
    """The signed package of one station (13-digit code as a number), issued at Unix seconds.

    The same election, time and keys give the same bytes.
    """
    content = content_of(election, station, authority.collector.public_key())
    head = [record.PACKAGE, election.version, election.number, station, issued]
    key = authority.signing
    data = record.assemble([*head, content], key.kid(), lambda digest: sign(key, digest))
    if len(data) > LONGEST:
        raise PackageError(f"the package of {station:013d} is too big for the cable")
    return data


def content_of(election: Election, station: int, collector_key: bytes) -> dict[int, object]:
    """What the package of one station says; `collector_key`: X|Y of who acknowledges."""
    if station not in election.stations:
        raise PackageError(f"station {station:013d} is not in election {election.number}")
    place = election.stations[station]
    contests = [election.contests[number] for number in sorted(place.dpt)]
    forms = {contest.form[0]: contest.form for contest in contests}
    content: dict[int, object] = {
        1: election.title,
        2: list(place.regions),
        3: place.tps,
        4: election.utc_offset,
        5: [
            [c.number, c.title, c.form[0], c.colour, *place.dpt[c.number], list(c.pairs)]
            for c in contests
        ],
        6: [forms[number] for number in sorted(forms)],
        7: [election.collector_host, election.collector_port, collector_key],
        8: election.receipt_host,
        9: election.apn,
        11: election.reserve_permille,
    }
    if election.collector_sms:
        content[12] = election.collector_sms
    if election.collector_pin:
        content[13] = election.collector_pin
    return content


def verify_package(
    raw: bytes, authority_public_key: bytes, election: int | None = None, station: int | None = None
) -> Package:
    """The Package in `raw` if the authority signed it, for this election and station if given."""
    try:
        entry = record.parse(raw)
        package = Package(raw)
    except record.RecordError as error:
        raise PackageError(error.text) from error
    if entry.kid != record.kid_of(authority_public_key):
        raise PackageError(f"signed by key {entry.kid.hex()}, which is not this authority's")
    if not keys.verify(authority_public_key, entry.signed_digest(), entry.signature):
        raise PackageError("the authority's signature is wrong: the package was altered")
    if election is not None and package.election != election:
        raise PackageError(f"for election {package.election}, not {election}")
    if station is not None and package.station != station:
        raise PackageError(f"for station {package.station:013d}, not {station:013d}")
    return package


def load_package(path: Path, authority_public_key: bytes, **expected: int) -> Package:
    """As verify_package, for a file."""
    try:
        return verify_package(Path(path).read_bytes(), authority_public_key, **expected)
    except OSError as error:
        raise PackageError(f"{path}: cannot be read ({error.strerror})") from error
    except PackageError as error:
        raise PackageError(f"{path}: {error}") from error
