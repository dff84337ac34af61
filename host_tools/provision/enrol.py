"""Enrolment of one kit over its cable: configure the chip, certify its keys, give it its station.

Every step may be repeated: after a pulled cable the same call goes on where it stopped.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from firmware import cbor
from firmware.enrol import MODES, NO_CLOCK, PINS_IN_USE
from host_tools.provision import profile
from host_tools.provision.authority import Authority, read_request
from host_tools.provision.bundle import SPARE
from host_tools.provision.election import Election
from host_tools.provision.keys import to_point64
from host_tools.provision.link import KitError, Link, LinkError, Stream
from host_tools.provision.package import build_package
from host_tools.provision.pins import pin_table

__all__ = (
    "MODES", "EnrolError", "Enrolled", "KitError", "Link", "LinkError", "Said", "enrol", "start_kit"
)  # fmt: skip


class EnrolError(Exception):
    """Enrolment was stopped by the host; the text says why in one line."""


@dataclass(frozen=True)
class Said:
    """What a kit says of itself (HELLO); keys and counts are None before its chip is locked."""

    firmware: str
    board: str
    serial: bytes
    config_locked: bool
    data_locked: bool
    enrolled: list[str]
    counts: list[int | None]
    keys: list[bytes | None]
    package: list[int] | None  # election, version, station
    sealed: bool = False
    roster: int = 0  # version of the one that it keeps

    @property
    def locked(self) -> bool:
        return self.config_locked and self.data_locked


@dataclass(frozen=True)
class Enrolled:
    """A kit that was enrolled: what the register and the trust bundles need to know.

    `pins` are those that it took, for its officers' slip; they are not printed with the rest.
    """

    kit_id: str
    serial: str
    board: str
    firmware: str
    election: int
    station: int
    keys: dict[str, bytes]
    certificates: dict[str, bytes]
    pins: dict[int, str] | None = field(default=None, repr=False)

    def entry(self, mode: str) -> tuple[bytes, int]:
        """(64 B key, station) for the trust bundle of this mode's election."""
        return self.keys[mode], self.station


def _quiet(step: str) -> None:
    pass


def enrol(
    stream: Stream | Link,
    authority: Authority,
    election: Election,
    station: int,
    kit_id: str,
    *,
    modes: Iterable[str] = MODES,
    pins: dict[int, str] | None = None,
    start: bool = False,
    progress: Callable[[str], None] = _quiet,
    now: Callable[[], float] = time.time,
    issued: int | None = None,
) -> Enrolled:
    """Ready the kit at the other end of `stream` for `station` in `election`; returns Enrolled.

    Station 0 readies a spare: chip and certificates, no package yet and no PINs.
    `modes`: which of the chip's keys are certified. `pins`: {role: six digits}, None leaves the kit
    those it has. `start` ends the talk and lets the kit begin. `issued`: Unix seconds of the
    package; the same value gives a repeatable package.
    Raises EnrolError, AuthorityError, PackageError, PinsError, KitError, LinkError: one line each.
    """
    link = stream if isinstance(stream, Link) else Link(stream)
    modes = tuple(modes)
    wanted = "training" if election.training else "live"
    if wanted not in modes:
        raise EnrolError(f"election {election.number} needs a key of mode {wanted}")
    # Built first: nothing is locked into a chip for a station that does not exist.
    moment = int(now()) if issued is None else issued
    spare = station == SPARE
    package = b"" if spare else build_package(election, station, moment, authority)
    if spare and (pins is not None or start):
        raise EnrolError("a spare has no station yet: it takes no PINs and does not start")
    table = None if pins is None else pin_table(pins)
    progress("hello")
    said = Said(*link.hello())
    if not said.locked:
        progress("configure and lock the chip")
        link.request("CONFIGURE")
        said = Said(*link.hello())
        if not said.locked:
            raise EnrolError("the chip is not locked after its setup: use another kit")
    keys: dict[str, bytes] = {}
    certificates: dict[str, bytes] = {}
    for mode in modes:
        progress(f"certify the {mode} key")
        keys[mode] = _key(said, mode)
        certificates[mode] = _certify(link, authority, said, kit_id, mode)
    if not spare:
        progress("give the kit its station")
        link.request("PACKAGE", package)
    if table is not None:
        progress("give the officers their PINs")
        if not _accepted(link, "PINS", cbor.encode(table), PINS_IN_USE):
            progress("the kit has begun its day: it keeps the PINs that it has")
            pins = None
    progress("set the clock")
    if not _accepted(link, "TIME", cbor.encode(int(now())), NO_CLOCK):
        progress("no clock on this board: it takes the network's time")
    if start:
        start_kit(link, progress)
    return Enrolled(
        kit_id=kit_id,
        serial=said.serial.hex().upper(),
        board=said.board,
        firmware=said.firmware,
        election=election.number,
        station=station,
        keys=keys,
        certificates=certificates,
        pins=pins,
    )


def start_kit(link: Link, progress: Callable[[str], None] = _quiet) -> None:
    """End the talk and let the kit begin; KitError when something is missing still."""
    progress("start")
    link.request("START")


def _accepted(link: Link, verb: str, argument: bytes, harmless: int) -> bool:
    """False when the kit refuses with the code `harmless`."""
    try:
        link.request(verb, argument)
    except KitError as error:
        if error.code != harmless:
            raise
        return False
    return True


def _key(said: Said, mode: str) -> bytes:
    key = said.keys[MODES.index(mode)]
    if key is None or len(key) != 64:
        raise EnrolError(f"the kit reports no {mode} key although its chip is locked")
    if said.keys[0] == said.keys[1]:
        raise EnrolError("the kit reports one key for both modes: use another kit")
    return key


def _certify(link: Link, authority: Authority, said: Said, kit_id: str, mode: str) -> bytes:
    request_der = link.request("CSR", cbor.encode([mode, kit_id]))
    request = read_request(request_der)
    # The request proves possession of a key; it must be the one that the chip itself reported.
    if to_point64(request.public_key()) != _key(said, mode):  # type: ignore[arg-type]
        raise EnrolError("the request is for another key than the chip's: do not use this kit")
    if profile.chip_serial(request.subject) != said.serial.hex().upper():
        raise EnrolError("the request names another chip than the kit's: do not use this kit")
    certificate = authority.issue_device(request_der, kit_id, mode == "training")
    link.request("ENROL", cbor.encode([mode, certificate, authority.signing.public_key()]))
    return certificate
