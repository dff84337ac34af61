"""People with keys of their own: technicians open sealed kits, releasers sign software.

    technicians/NAME.pub.pem    the public key that goes on the roster
    technicians/NAME.key.pem    the private key, where the office made it: hand it over
    releasers/NAME...           the same

A name has one role and a key one name: who signs software does not open kits with the same key.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from firmware import record
from host_tools.provision.ceremony import PEM, key_pem, log_line, write_new
from host_tools.provision.keys import SoftwareKey, load_public, public_from

ROLES = {"technician": "technicians", "releaser": "releasers"}
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._'-]{0,62}[A-Za-z0-9.])?")


class PeopleError(Exception):
    """Refused; the text says why in one line."""


@dataclass(frozen=True)
class Person:
    name: str
    role: str
    key: bytes  # 64 B X|Y

    @property
    def kid(self) -> bytes:
        return record.kid_of(self.key)


def people(folder: Path, role: str) -> list[Person]:
    """Everyone of this role, sorted by name; raises KeyFileError."""
    found = sorted((folder / ROLES[role]).glob("*.pub.pem"))
    return [Person(path.name.removesuffix(".pub.pem"), role, load_public(path)) for path in found]


def everyone(folder: Path) -> list[Person]:
    """Technicians, then releasers."""
    return [person for role in ROLES for person in people(folder, role)]


def check_new(folder: Path, role: str, name: str) -> None:
    """PeopleError when nobody of this name can get a key here."""
    if not (folder / "root.cert.pem").exists():
        raise PeopleError(f"{folder}: holds no authority")
    if not _NAME.fullmatch(name):
        raise PeopleError(f"name {name!r}: 1 to 64 letters, digits, spaces and . _ ' - are allowed")
    for other in everyone(folder):
        if other.name.casefold() == name.casefold():
            raise PeopleError(f"{other.name} is a {other.role} already: take another name")


def add_person(
    folder: Path,
    role: str,
    name: str,
    clock: Callable[[], datetime],
    *,
    public: Path | None = None,
    passphrase: bytes | None = None,
) -> Person:
    """Give `name` this role: with a new key under `passphrase`, or with that of file `public`.

    `public` holds a public key or a certificate in PEM. Raises PeopleError, KeyFileError.
    """
    check_new(folder, role, name)
    made = None if public else SoftwareKey.generate()
    person = Person(name, role, made.public_key() if made else load_public(public or Path()))
    _check_unused(folder, person)
    place = folder / ROLES[role]
    place.mkdir(exist_ok=True)
    if made:
        how = "encrypted with a passphrase" if passphrase else "NOT encrypted"
        _write(place / f"{name}.key.pem", key_pem(made, passphrase), 0o600)
        what = f"key of {role} {name} made, {how}"
    else:
        what = f"key of {role} {name} taken over, made elsewhere"
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public_key = public_from(person.key)
    _write(place / f"{name}.pub.pem", public_key.public_bytes(PEM, form), 0o644)
    der = public_key.public_bytes(serialization.Encoding.DER, form)
    what += f", key id {person.kid.hex()}"
    log_line(folder, clock(), what, f"sha256:{hashlib.sha256(der).hexdigest()}")
    return person


def _write(path: Path, data: bytes, mode: int) -> None:
    try:
        write_new(path, data, mode)
    except FileExistsError as error:
        raise PeopleError(
            f"{path}: is there already, of an attempt cut short: move it away"
        ) from error


def _check_unused(folder: Path, person: Person) -> None:
    """A key signs only what its role signs, so no key has two."""
    for other in everyone(folder):
        if other.key == person.key:
            raise PeopleError(f"this is the key of {other.role} {other.name}")
    for path in folder.glob("*.cert.pem"):
        if load_public(path) == person.key:
            raise PeopleError(f"this is the authority's own key ({path.name})")
    if (folder / "issued" / f"{person.kid.hex()}.der").exists():
        raise PeopleError("this is the key of a kit")
