"""The little of an X.509 certificate that a pinned connection needs (RFC 5280, DER).

No chain is followed: the pin names the key, TLS proves that the peer has it. ValueError for
anything that is not a certificate.
"""

import hashlib

from firmware.compat import const

_SEQUENCE = const(0x30)
# SubjectPublicKeyInfo of a P-256 key up to its 64 bytes (RFC 5480): no other form is in use.
_P256 = (
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
    b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04"
)
_SAN = b"\x06\x03\x55\x1d\x11"  # OID 2.5.29.17 subjectAltName
_DNS = const(0x82)


def _tlv(data, at):
    """(tag, start of the content, end) of the DER element at `at`."""
    if at + 2 > len(data):
        raise ValueError("certificate is cut off")
    size, start = data[at + 1], at + 2
    if size >= 0x80:
        count = size & 0x7F
        if not 1 <= count <= 2 or start + count > len(data):
            raise ValueError("certificate has an odd length")
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + size > len(data):
        raise ValueError("certificate is cut off")
    return data[at], start, start + size


def _inside(data, at, tag=_SEQUENCE):
    """[(tag, element start, content start, end)…] of what the element at `at` holds."""
    found, at, end = _tlv(data, at)
    if found != tag:
        raise ValueError("certificate has an odd element")
    parts = []
    while at < end:
        inner, start, stop = _tlv(data, at)
        parts.append((inner, at, start, stop))
        at = stop
    return parts


def _unix(tag, text):
    """Unix seconds of a UTCTime (0x17) or GeneralizedTime (0x18)."""
    text = text.decode()
    if tag == 0x17:
        text = ("19" if text[:2] >= "50" else "20") + text
    if len(text) != 15 or text[14] != "Z":
        raise ValueError("certificate has an odd date")
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    # Days after Howard Hinnant's days_from_civil: epochs differ between runtimes.
    year -= month <= 2
    days = year * 365 + year // 4 - year // 100 + year // 400 - 719468
    days += (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return days * 86400 + int(text[8:10]) * 3600 + int(text[10:12]) * 60 + int(text[12:14])


class Certificate:
    """`pin`: SHA-256 of the SubjectPublicKeyInfo (RFC 7469 2.4); `key`: 64 B (P-256) or None;
    `start`, `end`: Unix seconds of its validity; `names`: its DNS names in lower case."""

    def __init__(self, der):
        _, at, _ = _tlv(der, 0)
        body = _inside(der, at)
        if not body or body[0][0] != 0xA0:
            raise ValueError("certificate is not of version 3")
        if len(body) < 7:
            raise ValueError("certificate is cut off")
        _, at, _, end = body[6]
        info = bytes(der[at:end])
        self.pin = hashlib.sha256(info).digest()
        self.key = info[-64:] if info[:-64] == _P256 else None
        dates = _inside(der, body[4][1])
        self.start, self.end = (_unix(tag, bytes(der[a:b])) for tag, _, a, b in dates[:2])
        self.names = []
        for tag, _, start, _ in body[7:]:
            if tag == 0xA3:
                self._extensions(der, start)

    def _extensions(self, der, at):
        for _, start, _, _ in _inside(der, at):
            parts = _inside(der, start)
            if bytes(der[parts[0][1] : parts[0][3]]) == _SAN:
                for tag, _, a, b in _inside(der, parts[-1][2]):
                    if tag == _DNS:
                        self.names.append(bytes(der[a:b]).decode().lower())
