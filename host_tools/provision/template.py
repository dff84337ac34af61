"""Packages of many stations: what is the same for all is encoded once.

The bytes are those of firmware.cbor and firmware.record over package.content_of, put together from
pieces. `package_run` compares each template with that long way round before it is used.
"""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from firmware import record
from firmware.cbor import encode, head
from host_tools.provision.keys import SoftwareKey
from host_tools.provision.stations import Names, Station

# RFC 6979: the same package has the same bytes, and no nonce is drawn in several processes.
_DETERMINISTIC = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)
_PLACES = (2, 3)  # keys of the content that differ between stations of the same contests
_CONTESTS = 5


def sign(key: SoftwareKey, digest: bytes) -> bytes:
    """64 B r|s, low s, over a 32 B digest; the same for the same digest (RFC 6979)."""
    r, s = decode_dss_signature(key.private.sign(digest, _DETERMINISTIC))
    return record.low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


class Template:
    """Payloads of stations that vote in the same contests.

    `first`: version and election. `content`: what package.content_of says of one such station.
    """

    def __init__(self, first: tuple[int, int], issued: int, content: dict):
        rows = content[_CONTESTS]
        self._before = head(4, 6) + encode(record.PACKAGE) + b"".join(map(encode, first))
        self._issued = encode(issued) + head(5, len(content))
        self._title = encode(1) + encode(content[1]) + encode(_PLACES[0])
        self._offset = encode(4) + encode(content[4]) + encode(_CONTESTS) + head(4, len(rows))
        self._contests = [
            (row[0], head(4, len(row)) + b"".join(map(encode, row[:4])), encode(row[6]))
            for row in rows
        ]
        rest = (number for number in sorted(content) if number > _CONTESTS)
        self._rest = b"".join(encode(number) + encode(content[number]) for number in rest)
        self._regions: tuple[Names | None, bytes] = (None, b"")

    def payload(self, station: Station) -> bytes:
        """The payload's bytes for a station of the template's contests."""
        if self._regions[0] is not station.regions:
            self._regions = (station.regions, encode(list(station.regions)))
        parts = [self._before, head(0, station.code), self._issued, self._title, self._regions[1]]
        parts += [head(0, _PLACES[1]), head(0, station.tps), self._offset]
        for contest, said, pairs in self._contests:
            men, women = station.dpt[contest]
            parts += [said, head(0, men), head(0, women), pairs]
        parts.append(self._rest)
        return b"".join(parts)


class Frame:
    """Signed objects of one key, as record.assemble makes them."""

    def __init__(self, key: SoftwareKey):
        self._key, self._kid = key, key.kid()
        protected = encode({1: -7, 4: self._kid})  # ES256
        self._start = head(6, 18) + head(4, 4) + encode(protected) + encode({})

    def around(self, payload: bytes) -> bytes:
        """The object over the bytes of a payload."""
        signature = sign(self._key, record.signed_digest(self._kid, payload))
        return b"".join((self._start, head(2, len(payload)), payload, encode(signature)))
