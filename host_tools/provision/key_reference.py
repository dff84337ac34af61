"""Where an authority's private key is: a PKCS#8 file, or a token named by a URI (RFC 7512).

In a folder, `<name>.key.pem` is the key itself and `<name>.key.uri` one line that says in which
token it is. Wherever a command takes a key's file it takes the URI as well.
"""

from collections.abc import Iterable
from pathlib import Path

from host_tools.provision import asking
from host_tools.provision.keys import KeyFileError, SoftwareKey, load_private

SCHEME = "pkcs11:"


def is_uri(reference: Path | str) -> bool:
    """True when `reference` names a key in a token."""
    return str(reference).startswith(SCHEME)


def open_key(reference: Path | str, passphrase: bytes | None = None) -> SoftwareKey:
    """The private key of a file, a pkcs11: URI or a file with one; raises KeyFileError.

    Without `passphrase`, an encrypted file's is asked for where there is a terminal.
    """
    if is_uri(reference):
        from host_tools.provision import token

        return SoftwareKey(token.open_key(str(reference)))
    path = Path(reference)
    if path.suffix == ".uri":
        return open_key(_read_uri(path))
    if passphrase is None and _is_encrypted(path):
        passphrase = _asked(path.name)
    return load_private(path, passphrase)


def open_keys(
    folder: Path, names: Iterable[str], passphrase: bytes | None = None
) -> list[SoftwareKey]:
    """The keys with these names in `folder`, under one passphrase that is asked for once."""
    places = [_place(folder, name) for name in names]
    closed = [place for place in places if isinstance(place, Path) and _is_encrypted(place)]
    if passphrase is None and closed:
        passphrase = _asked(f"the keys in {folder.name}")
    return [open_key(place, passphrase) for place in places]


def _place(folder: Path, name: str) -> Path | str:
    file, uri = folder / f"{name}.key.pem", folder / f"{name}.key.uri"
    if not uri.exists():
        return file
    if file.exists():
        raise KeyFileError(f"{uri}: {file.name} is there too; only one can be the key")
    return _read_uri(uri)


def _read_uri(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path}: cannot be read ({error})") from error
    if not is_uri(text) or "\n" in text:
        raise KeyFileError(f"{path}: is not one {SCHEME} URI")
    return text


def _is_encrypted(path: Path) -> bool:
    try:
        return b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in path.read_bytes()
    except OSError:
        return False


def _asked(what: str) -> bytes | None:
    typed = asking.ask(f"Passphrase of {what}")
    return None if typed is None else typed.encode()
