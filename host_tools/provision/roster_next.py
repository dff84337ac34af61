"""The authority's own rosters: the next version from the people in its folder.

`rosters/left-out-<region>` lists who was left out, a name a line: who was dismissed must not come
back because somebody forgot to say it again.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from host_tools.provision import people
from host_tools.provision.ceremony import replace_file
from host_tools.provision.roster import Roster, RosterError, build_roster, load_roster
from host_tools.provision.series import Series

if TYPE_CHECKING:
    from host_tools.provision.authority import Authority

STEM = "roster"


def latest(folder: Path, region: int, signing_key: bytes) -> Roster | None:
    """The region's newest roster, verified; RosterError when it does not hold."""
    found = Series(folder / "rosters", STEM, region).latest()
    return None if found is None else load_roster(found[1], signing_key, region, found[0])


def left_out(folder: Path, region: int) -> set[str]:
    """Names of the people who are not to be on this region's rosters."""
    path = folder / "rosters" / f"left-out-{region}"
    return set(path.read_text(encoding="utf-8").splitlines()) if path.exists() else set()


def next_roster(
    authority: "Authority",
    until: int,
    leave_out: Iterable[str] = (),
    take_back: Iterable[str] = (),
) -> tuple[Roster, Path, list[str]]:
    """Sign and keep the region's next roster; returns it, its path, and the names left out.

    Everybody with a key in the folder is on it but those in `leave_out`, now or earlier, and those
    whose key is revoked. `until`: Unix seconds. Raises RosterError, RevocationError, KeyFileError.
    """
    folder, region, signer = authority.folder, authority.region, authority.signing
    out = list(leave_out)
    back = list(take_back)
    known = people.everyone(folder)
    for name in [*out, *back]:
        if name not in [person.name for person in known]:
            raise RosterError(f"{name} is neither a technician nor a releaser here")
    if set(out) & set(back):
        raise RosterError("the same person is left out and taken back")
    gone = (left_out(folder, region) | set(out)) - set(back)
    revoked = authority.revoked_kids()
    listed = [p for p in known if p.name not in gone and p.kid not in revoked]
    held = latest(folder, region, signer.public_key())
    version = held.version + 1 if held else 1
    raw = build_roster(
        version=version,
        region=region,
        issued=int(authority.clock().timestamp()),
        until=until,
        technicians=[(p.name, p.key) for p in listed if p.role == "technician"],
        releasers=[p.key for p in listed if p.role == "releaser"],
        signer=signer,
    )
    series = Series(folder / "rosters", STEM, region)
    series.folder.mkdir(exist_ok=True)
    names = "".join(f"{name}\n" for name in sorted(gone))
    replace_file(series.folder / f"left-out-{region}", names.encode())
    path = series.add(version, raw)
    authority.log(f"roster of region {region} v{version} signed, {len(listed)} people")
    missing = sorted(person.name for person in known if person not in listed)
    return load_roster(path, signer.public_key(), region, version), path, missing
