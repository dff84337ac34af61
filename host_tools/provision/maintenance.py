"""A technician's proof to a sealed kit: its challenge, signed by his own key (firmware/seal.py)."""

from typing import Any

from firmware import cbor
from firmware.seal import maintenance_digest
from host_tools.provision.keys import SoftwareKey
from host_tools.provision.link import Link, LinkError


def challenge_of(link: Link) -> tuple[bytes, bytes]:
    """(chip serial 9 B, challenge 32 B) that the kit asks to be signed."""
    value = _decoded(link.request("CHALLENGE"))
    if isinstance(value, list) and len(value) == 2:
        serial, challenge = value
        if isinstance(serial, bytes) and isinstance(challenge, bytes) and len(challenge) == 32:
            return serial, challenge
    raise LinkError("the kit's challenge is not as it should be: update saksi or the kit")


def open_kit(link: Link, key: SoftwareKey) -> str:
    """Open a sealed kit for 15 minutes; the name under which its roster has this technician.

    Raises KitError with the kit's reason: not on the roster, roster out of date, wrong key.
    """
    serial, challenge = challenge_of(link)
    signature = key.sign(maintenance_digest(serial, challenge))
    name = _decoded(link.request("PROVE", cbor.encode([key.kid(), signature])))
    if not isinstance(name, str):
        raise LinkError("the kit did not say whom it opened for: update saksi or the kit")
    return name


def lock_kit(link: Link) -> None:
    """Shut it again before its 15 minutes are over."""
    link.request("LOCK")


def _decoded(data: bytes) -> Any:
    try:
        return cbor.decode(data)
    except cbor.CborError as error:
        raise LinkError("the kit's answer is not CBOR: check the cable") from error
