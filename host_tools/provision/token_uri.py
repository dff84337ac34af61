"""URIs of keys in a token (RFC 7512): `pkcs11:token=KPU;object=region-1607?pin-source=/media/pin`.

Attributes that are known here: token, serial, object, id and type=private in the path, module-path
and pin-source in the query. Any other is refused: ignoring one could mean another key.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

from host_tools.provision.keys import KeyFileError

MODULE = "PKCS11_MODULE_PATH"  # the environment's word for the token's library, as libp11 has it
_PATH = {"token", "serial", "object", "id", "type"}
_QUERY = {"module-path", "pin-source"}


class TokenError(KeyFileError):
    """A token that cannot be used; the text says why in one line."""


@dataclass(frozen=True)
class Reference:
    """Which key in which token: labels and serial number, the key's id, the library, the PIN's
    file."""

    module: str
    token: str | None
    serial: str | None
    label: str | None
    key_id: bytes | None
    pin_file: Path | None

    def __str__(self) -> str:
        return f"token {self.token or self.serial}"


def parse(uri: str) -> Reference:
    """The Reference that a URI stands for; raises TokenError."""
    scheme, _, rest = uri.partition(":")
    if scheme != "pkcs11":
        raise TokenError(f"{uri}: is no pkcs11: URI")
    path, _, query = rest.partition("?")
    found = _attributes(path, ";", _PATH) | _attributes(query, "&", _QUERY)
    if found.get("type", "private") != "private":
        raise TokenError("the URI's type must be private, or left out")
    if not ({"token", "serial"} & set(found) and {"object", "id"} & set(found)):
        raise TokenError("the URI must name a token or serial, and an object or id")
    module = found.get("module-path") or os.environ.get(MODULE)
    if not module:
        raise TokenError(f"which library? Add ?module-path=/usr/lib/... or set {MODULE}")
    source = found.get("pin-source")
    return Reference(
        module=unquote(module) if "module-path" in found else module,
        token=_text(found.get("token")),
        serial=_text(found.get("serial")),
        label=_text(found.get("object")),
        key_id=unquote_to_bytes(found["id"]) if "id" in found else None,
        pin_file=Path(unquote(source.removeprefix("file:"))) if source else None,
    )


def _text(value: str | None) -> str | None:
    return None if value is None else unquote(value, errors="strict")


def _attributes(text: str, separator: str, known: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(separator) if text else []:
        name, equals, value = part.partition("=")
        if name == "pin-value":
            raise TokenError("a PIN does not belong into a URI: use pin-source, or type it")
        if name not in known or not equals or not value or name in found:
            raise TokenError(f"the URI's part {part!r} is unknown, empty or there twice")
        found[name] = value
    return found
