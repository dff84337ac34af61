"""Keys in a PKCS#11 token (smart card, HSM): used there, never read out. Needs `saksi[token]`.

`TokenKey` is an EllipticCurvePrivateKey, so that `cryptography` builds the TBSCertificate and its
DER and asks the token only for the signature over the SHA-256 of it (CKM_ECDSA, r|s of 64 B).
Every signature is verified with the public key before it is given on.
"""

import hashlib
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from host_tools.provision import asking
from host_tools.provision.keys import CURVE, public_from, to_point64
from host_tools.provision.token_uri import Reference, TokenError, parse

_P256 = bytes.fromhex("06082a8648ce3d030107")  # EC_PARAMS: the curve's OID in DER
# A token is logged in once; a second login of one program is an error of PKCS#11.
_sessions: dict[tuple[str, str], Any] = {}


class TokenKey(ec.EllipticCurvePrivateKey):
    """A P-256 private key that stays in its token."""

    def __init__(self, key: Any, public: ec.EllipticCurvePublicKey, where: str):
        self._key, self._public, self._where = key, public, where

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """DER ECDSA-Sig-Value over `data`, or over a digest with Prehashed; SHA-256 only."""
        algorithm = signature_algorithm.algorithm
        digest = bytes(data)
        if isinstance(algorithm, hashes.SHA256):
            digest = hashlib.sha256(digest).digest()
        elif not isinstance(algorithm, Prehashed) or len(digest) != 32:
            raise TokenError(f"{self._where}: signs ECDSA with SHA-256 only")
        from pkcs11 import Mechanism

        raw = _ask(self._where, lambda: self._key.sign(digest, mechanism=Mechanism.ECDSA))
        half = len(raw) // 2
        r, s = int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        der = encode_dss_signature(r, s)
        try:
            self._public.verify(der, digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        except InvalidSignature as error:
            raise TokenError(f"{self._where}: its private and public keys do not match") from error
        return der

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        return CURVE

    @property
    def key_size(self) -> int:
        return CURVE.key_size

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        self._refuse()

    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        self._refuse()

    def private_bytes(self, encoding: Any, format: Any, encryption_algorithm: Any) -> bytes:
        self._refuse()

    def __copy__(self) -> "TokenKey":
        return self

    def __deepcopy__(self, memo: dict) -> "TokenKey":
        return self

    def _refuse(self) -> NoReturn:
        raise TokenError(f"{self._where}: the key stays in the token; it only signs")


def open_key(uri: str) -> TokenKey:
    """The key that a pkcs11: URI names; raises TokenError.

    The token's PIN is read from the URI's `pin-source`, else typed, once for each token.
    """
    wanted = parse(uri)
    session = _session(wanted)
    from pkcs11 import ObjectClass

    key = _object(session, wanted, ObjectClass.PRIVATE_KEY)
    public = _object(session, wanted, ObjectClass.PUBLIC_KEY)
    return TokenKey(key, _public(public, wanted), str(wanted))


def make_key(uri: str) -> bytes:
    """Make a P-256 key inside the token, under the URI's object name; returns its 64 B X|Y.

    It is marked so that the token never gives it out. Raises TokenError, also when there is one.
    """
    wanted = parse(uri)
    if wanted.label is None:
        raise TokenError("the URI must name the new key: object=...")
    _session(wanted)
    from pkcs11 import Attribute, KeyType, ObjectClass

    def generate() -> Any:
        # The login is the whole program's; this session may write and closes without ending it.
        with _token(wanted).open(rw=True) as session:
            if list(session.get_objects({Attribute.LABEL: wanted.label})):
                raise TokenError(f"{wanted}: holds an object {wanted.label} already")
            curve = session.create_domain_parameters(
                KeyType.EC, {Attribute.EC_PARAMS: _P256}, local=True
            )
            hidden = {Attribute.EXTRACTABLE: False, Attribute.SENSITIVE: True}
            curve.generate_keypair(
                store=True, label=wanted.label, id=wanted.key_id, private_template=hidden
            )
            return _object(session, wanted, ObjectClass.PUBLIC_KEY)[Attribute.EC_POINT]

    return to_point64(_point(_ask(str(wanted), generate), wanted))


def _public(public: Any, wanted: Reference) -> ec.EllipticCurvePublicKey:
    from pkcs11 import Attribute

    def read() -> tuple[bytes, bytes]:
        return public[Attribute.EC_PARAMS], public[Attribute.EC_POINT]

    params, point = _ask(str(wanted), read)
    if bytes(params) != _P256:
        raise TokenError(f"{wanted}: the key is not a P-256 key")
    return _point(point, wanted)


def _point(value: bytes, wanted: Reference) -> ec.EllipticCurvePublicKey:
    """EC_POINT: an OCTET STRING in DER around 04|X|Y; some tokens leave its head away."""
    point = bytes(value).removeprefix(b"\x04\x41") if len(value) == 67 else bytes(value)
    try:
        if len(point) != 65:
            raise ValueError("65 bytes expected")
        return public_from(point)
    except ValueError as error:
        raise TokenError(f"{wanted}: its public key is not a point of P-256") from error


def _object(session: Any, wanted: Reference, kind: Any) -> Any:
    import pkcs11

    what = f"key {wanted.label or (wanted.key_id or b'').hex()}"
    try:
        return session.get_key(object_class=kind, label=wanted.label, id=wanted.key_id)
    except pkcs11.NoSuchKey as error:
        name = "private" if kind == pkcs11.ObjectClass.PRIVATE_KEY else "public"
        raise TokenError(f"{wanted}: has no {name} {what}") from error
    except pkcs11.MultipleObjectsReturned as error:
        raise TokenError(f"{wanted}: has more than one {what}: name its id as well") from error


def _token(wanted: Reference) -> Any:
    try:
        import pkcs11
    except ImportError as error:
        raise TokenError("keys in tokens need python-pkcs11: pip install 'saksi[token]'") from error
    try:
        library = pkcs11.lib(wanted.module)
    except RuntimeError as error:
        raise TokenError(f"{wanted.module}: cannot be used as a PKCS#11 library") from error
    serial = wanted.serial.encode() if wanted.serial else None
    found = _ask(str(wanted), lambda: list(library.get_tokens(token_label=wanted.token)))
    fitting = [token for token in found if serial in (None, token.serial.rstrip())]
    if len(fitting) != 1:
        how = "is not there" if not fitting else "is there more than once: name its serial"
        raise TokenError(f"{wanted}: {how}")
    return fitting[0]


def _session(wanted: Reference) -> Any:
    token = _token(wanted)
    place = (wanted.module, f"{token.label}/{token.serial!r}")
    if place not in _sessions:
        pin = _pin(wanted)
        _sessions[place] = _ask(str(wanted), lambda: token.open(user_pin=pin))
    return _sessions[place]


def _pin(wanted: Reference) -> str:
    if wanted.pin_file is None:
        typed = asking.ask(f"PIN of {wanted}")
        if typed is None:
            raise TokenError(f"{wanted}: its PIN is needed: add ?pin-source=FILE to the URI")
        return typed
    try:
        lines = wanted.pin_file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise TokenError(f"{wanted.pin_file}: cannot be read ({error.strerror})") from error
    if not lines or not lines[0]:
        raise TokenError(f"{wanted.pin_file}: its first line holds no PIN")
    return lines[0]


def _ask(where: str, call: Any) -> Any:
    """The token's answer, or its refusal in one line."""
    import pkcs11

    try:
        return call()
    except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange) as error:
        raise TokenError(f"{where}: the PIN is wrong; after a few more it locks itself") from error
    except pkcs11.PinLocked as error:
        raise TokenError(f"{where}: is locked after too many wrong PINs") from error
    except pkcs11.PKCS11Error as error:
        raise TokenError(f"{where}: refuses ({type(error).__name__})") from error
