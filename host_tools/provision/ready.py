"""A kit from the carton to the seal: all steps in their order, each of which may be repeated.

The kit itself says how far it is, so after a pulled cable or a power cut the same call goes on.
A kit is never sealed that did not pass all its tests.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from firmware import cbor
from host_tools.provision import enrol as enrolment
from host_tools.provision import readiness
from host_tools.provision.authority import Authority
from host_tools.provision.election import Election
from host_tools.provision.enrol import EnrolError, Enrolled, Said
from host_tools.provision.examine import Examination, Technician, examine
from host_tools.provision.keys import SoftwareKey
from host_tools.provision.link import Link
from host_tools.provision.maintenance import lock_kit, open_kit
from host_tools.provision.reach import reach
from host_tools.provision.readiness import Readiness
from host_tools.provision.software import Software


@dataclass(frozen=True)
class Job:
    """What the kit at `port` is to become.

    `pins` {role: six digits}: None leaves those it has. `roster`: signed bytes, needed for a seal.
    `key`: the technician's own, which opens a kit that is sealed already.
    """

    port: str
    election: Election
    station: int
    kit: str
    software: Software | None = None
    roster: bytes | None = None
    pins: dict[int, str] | None = None
    key: SoftwareKey | None = None


@dataclass(frozen=True)
class Readied:
    """A kit that was readied, tested and has stated so."""

    link: Link
    said: Said
    enrolled: Enrolled
    examination: Examination
    statement: Readiness


def ready(
    job: Job,
    authority: Authority,
    technician: Technician,
    check: Callable[[Said], None] = lambda said: None,
    now: Callable[[], float] = time.time,
) -> Readied:
    """Enrol and test the kit; nothing is sealed or started yet.

    `check` may refuse a kit by what it says of itself, before anything is locked into its chip.
    Raises what reach, enrol and the cable raise, EnrolError when the kit's word does not fit.
    """
    technician.step("find the kit")
    link, first = reach(job.port, job.software, technician.step, technician.copied)
    said = Said(*first)
    check(said)
    if said.sealed:
        if job.key is None:
            raise EnrolError("the kit is sealed: give your technician's key to open it (--key)")
        if job.roster:
            link.request("ROSTER", job.roster)
        technician.step(f"opened for {open_kit(link, job.key)}")
    done = enrolment.enrol(
        link,
        authority,
        job.election,
        job.station,
        job.kit,
        pins=job.pins,
        progress=technician.step,
        now=now,
    )
    if job.roster:
        technician.step("give the kit its roster")
        link.request("ROSTER", job.roster)
    found = examine(link, technician)
    technician.step("let the kit state that it is ready")
    statement = readiness.verify_by_certificate(
        link.request("READY", cbor.encode(found.answers)),
        list(done.certificates.values()),
        authority.regional_certificate,
    )
    if (statement.election, statement.station) != (done.election, done.station):
        raise EnrolError("the kit states another election or station than it was given")
    technician.step("print the test receipt")
    link.request("SLIP", cbor.encode([job.kit]))
    said = Said(*link.hello())
    return Readied(link, said, done, found, statement)


def seal(link: Link, technician: Technician, statement: Readiness) -> None:
    """Seal the kit and let it begin; EnrolError unless all its checks have passed."""
    if not statement.ready:
        left = [readiness.name(check) for check in (*statement.failed, *statement.unseen)]
        raise EnrolError(f"not sealed, since not all is in order: {', '.join(left)}")
    technician.step("seal the kit")
    if Said(*link.hello()).sealed:
        lock_kit(link)
    else:
        link.request("SEAL")
    enrolment.start_kit(link, technician.step)
