"""A certificate request (PKCS#10, RFC 2986, DER) for a key that never leaves the chip.

Subject: C=ID, O=KPU, (OU=LATIHAN for training,) serialNumber=<chip serial hex>, CN=<kit id>.
"""

import hashlib

# The attribute types are 2.5.4.x; country and serial number are PrintableString (X.520).
_UTF8 = 0x0C
_PRINTABLE = 0x13
_EC_KEY_P256 = (
    b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
)
_ECDSA_SHA256 = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"


def tlv(tag, *parts):
    """One DER element: tag, definite length, the parts joined (up to 65,535 B)."""
    body = b"".join(parts)
    n = len(body)
    if n < 0x80:
        return bytes((tag, n)) + body
    if n < 0x100:
        return bytes((tag, 0x81, n)) + body
    return bytes((tag, 0x82, n >> 8, n & 0xFF)) + body


def _attribute(kind, string_type, text):
    oid = bytes((0x06, 0x03, 0x55, 0x04, kind))
    return tlv(0x31, tlv(0x30, oid, tlv(string_type, text.encode())))


def name(serial_hex, kit_id, training):
    """The subject's DER."""
    parts = [_attribute(6, _PRINTABLE, "ID"), _attribute(10, _UTF8, "KPU")]
    if training:
        parts.append(_attribute(11, _UTF8, "LATIHAN"))
    parts.append(_attribute(5, _PRINTABLE, serial_hex))
    parts.append(_attribute(3, _UTF8, kit_id))
    return tlv(0x30, *parts)


def _integer(raw):
    """A positive INTEGER of big-endian bytes: no leading zeros, but one before a high bit."""
    start = 0
    while start < len(raw) - 1 and raw[start] == 0:
        start += 1
    pad = b"\x00" if raw[start] & 0x80 else b""
    return tlv(0x02, pad, bytes(raw[start:]))


def signature_der(signature):
    """r|s (64 B) as the DER that X.509 wants (RFC 3279 section 2.2.3)."""
    return tlv(0x30, _integer(signature[:32]), _integer(signature[32:]))


def csr(serial_hex, kit_id, training, public_key, sign):
    """The request's DER. `public_key`: X|Y 64 B; `sign(digest 32 B) -> r|s 64 B`."""
    key = tlv(0x30, _EC_KEY_P256, tlv(0x03, b"\x00\x04", bytes(public_key)))
    info = tlv(0x30, b"\x02\x01\x00", name(serial_hex, kit_id, training), key, b"\xa0\x00")
    signature = signature_der(sign(hashlib.sha256(info).digest()))
    return tlv(0x30, info, _ECDSA_SHA256, tlv(0x03, b"\x00", signature))
