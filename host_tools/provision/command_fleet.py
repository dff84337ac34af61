"""`saksi provision fleet ...`: which kits there are, where they serve, and what became of them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from host_tools.provision import fleet_csv
from host_tools.provision.assignment import file_name, verify_assignment
from host_tools.provision.authority import Authority
from host_tools.provision.ceremony import write_new
from host_tools.provision.console import (
    AsJson,
    By,
    ElectionFile,
    Folder,
    KitRegister,
    Region,
    Secret,
    Training,
    faults,
    read_election,
    read_passphrase,
    read_station,
    report,
    who,
)
from host_tools.provision.fleet import Fleet, FleetError
from host_tools.provision.fleet_count import Count
from host_tools.provision.fleet_count import count as count_stations

app = typer.Typer(no_args_is_help=True, help="The register of kits: where each is, and its story.")
Kit = Annotated[str, typer.Argument(help="The kit's id, as on its label.")]
File = Annotated[Path, typer.Argument(help="The CSV file.")]


def _known(register: Path) -> Fleet:
    """The register, which must be there: a slip of the pen must not make an empty one."""
    return Fleet(register, create=False)


@app.command("list")
def fleet_list(
    register: KitRegister,
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the kits with their state and the place they are readied for."""
    with faults(), _known(register) as fleet:
        rows = [dict(row) for row in fleet.kits() if state in (None, row["state"])]
    lines = [
        f"{row['id']}  {row['serial']}  {row['state']:<7}{_place(row)}  {row['label']}".rstrip()
        for row in rows
    ]
    report(as_json, {"kits": rows}, "\n".join([*lines, f"{len(rows)} kits"]))


@app.command("show")
def fleet_show(kit: Kit, register: KitRegister, as_json: AsJson = False) -> None:
    """Tell one kit's whole story: keys, places, reports, and every change with time and name."""
    with faults(), _known(register) as fleet:
        story = fleet.story(kit)
    facts = {name: [_plain(row) for row in rows] for name, rows in story.items()}
    (it,) = facts.pop("kits")
    lines = [f"kit {kit}, chip {it['serial']}: {it['state']}{_place(it)}  {it['label']}".rstrip()]
    for key in facts["keys"]:
        gone = f", REVOKED since {_when(key['revoked'])}" if key["revoked"] is not None else ""
        lines.append(f"key {key['kid']} {key['mode']}{gone}")
    for event in facts["events"]:
        detail = " ".join(f"{name}={value}" for name, value in event["json"].items())
        who_did = f" by {event['who']}" if event["who"] else ""
        lines.append(f"{_when(event['time'])}  {event['what']}{who_did}  {detail}".rstrip())
    report(as_json, {**it, **facts}, "\n".join(lines))


@app.command()
def count(
    election_file: ElectionFile,
    register: KitRegister,
    training: Training = False,
    as_json: AsJson = False,
) -> None:
    """Count the stations by subdistrict: ready, sealed, missing."""
    with faults(), _known(register) as fleet:
        result = count_stations(fleet, read_election(election_file, training))
    report(as_json, result.as_dict(), _counted(result))


@app.command()
def swap(
    *,
    election: Annotated[int, typer.Option(help="Election number (training: + 1000000).")],
    station: Annotated[str, typer.Option(help="The 13-digit code of the TPS.")],
    kit: Annotated[str, typer.Option("--from", help="The kit that is broken or lost.")],
    spare: Annotated[str, typer.Option("--to", help="The spare that takes its place.")],
    reason: Annotated[str, typer.Option(help="broken, or lost: then its key is revoked.")],
    authority: Folder,
    region: Region,
    register: KitRegister,
    out: Annotated[Path, typer.Option(help="Folder for the signed assignment.")],
    by: By = "",
    passphrase_file: Secret = None,
    as_json: AsJson = False,
) -> None:
    """Let a spare serve in a kit's place, by an assignment that the authority signs.

    Then ready the spare (enrol) for the station, and build the next bundle. Broken off? Run the
    same command again: it signs nothing twice.
    """
    with faults():
        code = read_station(station)
        if not station.startswith(str(region)):
            raise FleetError(f"station {station} is not in region {region}")
        signer = Authority(authority, region, read_passphrase(passphrase_file))
        out.mkdir(parents=True, exist_ok=True)
        with _known(register) as fleet:
            number, data = fleet.swap(election, code, kit, spare, reason, signer.signing, who(by))
        # It comes from a file that others write to: read it as any reader would.
        verify_assignment(data, signer.signing.public_key())
        path = out / file_name(election, code, number)
        if not path.exists():
            write_new(path, data, 0o644)
            signer.log(f"kit {spare} assigned to {station} for {kit}, {reason}")
        elif path.read_bytes() != data:
            raise FleetError(f"{path}: exists with another content; give another --out")
    facts = {"assignment": str(path), "kit": spare, "station": station, "replaces": kit}
    text = f"{path}: kit {spare} serves at station {station} for {kit} ({reason})"
    text += "\nnow ready it for the station: saksi provision enrol; then the next bundle"
    report(as_json, {**facts, "reason": reason}, text)


@app.command()
def lost(kit: Kit, register: KitRegister, by: By = "", as_json: AsJson = False) -> None:
    """Report a kit lost FOR GOOD: the next bundle lists its keys as revoked."""
    with faults(), _known(register) as fleet:
        fleet.lost(kit, who(by))
        kids = [row["kid"].hex() for row in fleet.story(kit)["keys"]]
    text = f"kit {kit} is lost; revoked from the next bundle on: {' '.join(kids)}"
    report(as_json, {"kit": kit, "state": "lost", "revoked": kids}, text)


@app.command()
def broken(kit: Kit, register: KitRegister, by: By = "", as_json: AsJson = False) -> None:
    """Report a kit broken; repaired, it is enrolled again."""
    with faults(), _known(register) as fleet:
        fleet.broken(kit, who(by))
    report(as_json, {"kit": kit, "state": "broken"}, f"kit {kit} is broken")


@app.command()
def label(
    kit: Kit,
    text: Annotated[str, typer.Argument(help='What its carton bears; "" for nothing.')],
    register: KitRegister,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Note what is written on a kit's carton."""
    with faults(), _known(register) as fleet:
        fleet.label(kit, text, who(by))
    report(as_json, {"kit": kit, "label": text}, f"kit {kit} is labelled {text}")


@app.command("export")
def fleet_export(path: File, register: KitRegister, as_json: AsJson = False) -> None:
    """Write the register's present state as a new CSV file, one line a key and election."""
    with faults(), _known(register) as fleet:
        found = fleet_csv.lines(fleet)
        if path.exists():
            raise FleetError(f"{path}: exists; give a new file")
        write_new(path, fleet_csv.to_csv(found).encode(), 0o644)
    report(as_json, {"file": str(path), "lines": len(found)}, f"{path}: {len(found)} lines")


@app.command("import")
def fleet_import(path: File, register: KitRegister, by: By = "", as_json: AsJson = False) -> None:
    """Take in a CSV file of `export`, or the register of an earlier version; all or nothing."""
    with faults(), Fleet(register) as fleet:
        facts = fleet_csv.take_in(fleet, path, who(by))
    text = f"{path}: {facts['lines']} lines, {facts['kits']} new kits in {register}"
    report(as_json, facts, text)


def _when(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%SZ}"


def _place(row: dict[str, Any]) -> str:
    if row["election"] is None:
        return ""
    where = f"{row['station']:013d}" if row["station"] else "spare"
    return f"  {row['election']} {where}"


def _plain(row) -> dict[str, Any]:
    """A row for JSON: bytes in hex, what is JSON already as itself."""
    facts = {name: value.hex() if isinstance(value, bytes) else value for name, value in
             dict(row).items()}  # fmt: skip
    if "json" in facts:
        facts["json"] = json.loads(facts["json"])
    return facts


def _counted(result: Count) -> str:
    head = f"{'':<8}{'subdistrict':<24}{'stations':>9}{'ready':>7}{'sealed':>7}{'missing':>8}"
    lines = [head]
    for code, one in [*result.subdistricts.items(), ("", result.total)]:
        numbers = f"{one.stations:>9}{one.ready:>7}{one.sealed:>7}{one.missing:>8}"
        lines.append(f"{code:<8}{one.name:<24}{numbers}")
    lines.append(f"spares: {result.spares}")
    shown = list(result.why.items())[:20]
    lines += [f"missing {station}: {why}" for station, why in shown]
    if len(shown) < len(result.why):
        lines.append(f"... and {len(result.why) - len(shown)} more (--json lists all)")
    for station, kit in result.elsewhere.items():
        lines.append(f"kit {kit} is at station {station}, which the election does not have")
    return "\n".join(lines)
