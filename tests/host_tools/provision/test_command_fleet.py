"""`saksi provision fleet` as a technician types it, with kits on the bench."""

import json

import pytest

from host_tools.kit.atecc608 import SERIAL
from host_tools.kit.bench_kit import BenchKit
from host_tools.provision.assignment import verify_assignment
from host_tools.provision.fleet import Fleet
from host_tools.provision.keys import load_public
from tests.host_tools.provision.fleet_support import enrolled
from tests.host_tools.provision.test_command import STATION, on_the_network, run

OTHER = "1607012001002"


@pytest.fixture
def office(tmp_path):
    run(
        "authority",
        "create",
        tmp_path / "keys",
        "--region",
        1607,
        "--name",
        "Banyuasin",
        "--no-passphrase",
    )
    return tmp_path


@pytest.fixture
def register(office):
    return ["--register", office / "kits.db"]


def signer(office):
    return ["--authority", office / "keys", "--region", 1607]


def sample(office):
    if not (office / "sample").exists():
        run("sample", "copy", office / "sample")
    return office / "sample" / "pilkada" / "election.toml"


def enrol(office, kit, name, *place, code=0):
    words = ["enrol", sample(office), *signer(office), "--kit", name, "--by", "CONTOH A"]
    words += ["--register", office / "kits.db", "--port", on_the_network(kit), *place]
    return run(*words, code=code)


def bench(office, name, number):
    return BenchKit(office / name, SERIAL[:7] + bytes([number]) + SERIAL[8:])


def test_a_broken_kit_is_swapped_for_a_spare_from_the_chip_to_the_bundle(office, register):
    kit, spare = bench(office, "kit", 1), bench(office, "spare", 2)
    enrol(office, kit, "KIT-1", "--station", STATION)
    assert "is ready as a spare" in enrol(office, spare, "SPARE-1", "--spare").stdout
    assert not (office / "spare" / "package.cbor").exists()
    keys = {name: one.signers["live"].public_key() for name, one in (("k", kit), ("s", spare))}
    swap = ["fleet", "swap", "--election", 202411, "--station", STATION, "--from", "KIT-1"]
    swap += ["--to", "SPARE-1", "--reason", "lost", *signer(office), *register]
    swap += ["--out", office / "signed", "--json"]
    facts = json.loads(run(*swap).stdout)
    path = office / "signed" / f"assignment-202411-{STATION}-1.cbor"
    assert facts["assignment"] == str(path)
    raw = path.read_bytes()
    pinned = load_public(office / "keys" / "signing.cert.pem")
    assert verify_assignment(raw, pinned).station == int(STATION)
    path.unlink()
    run(*swap)
    assert path.read_bytes() == raw
    path.write_bytes(b"other")
    assert "exists with another content" in run(*swap, code=1).stderr

    enrol(office, spare, "SPARE-1", "--station", STATION)
    assert (office / "spare" / "package.cbor").exists()
    assert "reported lost" in enrol(office, kit, "KIT-1", "--station", OTHER, code=1).stderr
    build = ["bundle", "build", "--election", 202411, "--version", 1, *signer(office), *register]
    assert json.loads(run(*build, "--out", office / "b", "--json").stdout)["revoked"] == 1
    signed = ["--signed-by", office / "keys" / "signing.cert.pem"]
    shown = run("bundle", "show", office / "b" / "bundle-1607-1.cbor", *signed, "--json").stdout
    listed = {key["kid"]: (key["station"], key["revoked"]) for key in json.loads(shown)["keys"]}
    with Fleet(office / "kits.db") as fleet:
        kids = {row["key"]: row["kid"].hex() for row in fleet.rows("SELECT key, kid FROM keys")}
    assert listed == {kids[keys["k"]]: (STATION, True), kids[keys["s"]]: (STATION, False)}
    story = run("fleet", "show", "KIT-1", *register).stdout
    assert "REVOKED since" in story and "enrolled by CONTOH A" in story
    ceremony = (office / "keys" / "ceremony.log").read_text()
    assert f"kit SPARE-1 assigned to {STATION} for KIT-1, lost" in ceremony


def test_a_chip_that_the_register_knows_is_refused_before_it_is_touched(office, register):
    with Fleet(office / "kits.db") as fleet:
        known = bench(office, "kit", 1).signers["live"].serial().hex().upper()
        fleet.add(enrolled("KIT-1", int(STATION), serial=known))
    kit = BenchKit(office / "kit")
    result = enrol(office, kit, "KIT-2", "--station", OTHER, code=1)
    assert "is already that of kit KIT-1" in result.stderr
    result = enrol(office, kit, "KIT-1", "--station", OTHER, code=1)
    assert f"already at station {STATION}" in result.stderr
    assert kit.setup.locked() == (False, False)


def test_enrol_wants_a_station_or_a_spare_and_not_both(office):
    kit = BenchKit(office / "kit")
    for place in ([], ["--station", STATION, "--spare"], ["--spare", "--start"]):
        assert "either --station or --spare" in enrol(office, kit, "K", *place, code=1).stderr
    assert not (office / "kits.db").exists()


def test_the_fleet_is_listed_counted_marked_and_exported(office, register):
    with Fleet(office / "kits.db") as fleet:
        fleet.add(enrolled("KIT-1", int(STATION)), {"outcome": "passed"})
        fleet.add(enrolled("KIT-2", int(OTHER)))
        fleet.add(enrolled("SPARE-1", 0))
        fleet.seal("KIT-1")
    assert run("fleet", "list", *register).stdout.endswith("3 kits\n")
    rows = json.loads(run("fleet", "list", *register, "--state", "sealed", "--json").stdout)
    assert [row["id"] for row in rows["kits"]] == ["KIT-1"]
    counted = json.loads(run("fleet", "count", sample(office), *register, "--json").stdout)
    assert counted["total"] | {"stations": 0, "missing": 0} == {
        "name": "total", "stations": 0, "ready": 1, "sealed": 1, "missing": 0,
    }  # fmt: skip
    assert counted["spares"] == 1
    assert "spares: 1\n" in run("fleet", "count", sample(office), *register).stdout
    run("fleet", "label", "KIT-2", "RAK 3", *register)
    assert "RAK 3" in run("fleet", "list", *register).stdout
    run("fleet", "broken", "KIT-2", *register, "--by", "CONTOH B")
    assert "revoked from the next" in run("fleet", "lost", "SPARE-1", *register).stdout
    shown = json.loads(run("fleet", "show", "KIT-2", *register, "--json").stdout)
    assert (shown["state"], shown["label"]) == ("broken", "RAK 3")
    assert shown["events"][-1]["who"] == "CONTOH B"

    out = office / "kits.csv"
    run("fleet", "export", out, *register)
    assert "exists; give a new file" in run("fleet", "export", out, *register, code=1).stderr
    copy = ["--register", office / "copy.db"]
    run("fleet", "import", out, *copy)
    run("fleet", "export", office / "again.csv", *copy)
    assert (office / "again.csv").read_bytes() == out.read_bytes()


def test_faults_are_one_line_with_the_right_code(office, register):
    for words in (["list"], ["show", "K"], ["lost", "K"], ["broken", "K"]):
        result = run("fleet", *words, *register, code=1)
        assert result.stderr.count("\n") == 1 and "there is no register" in result.stderr
    Fleet(office / "kits.db").close()
    assert "K is not in the register" in run("fleet", "show", "K", *register, code=1).stderr
    swap = ["fleet", "swap", "--election", 202411, "--from", "A", "--to", "B", "--reason", "lost"]
    swap += [*signer(office), *register, "--out", office / "signed"]
    assert "not in region" in run(*swap, "--station", "3201012001001", code=1).stderr
    assert "has no kit, not A" in run(*swap, "--station", STATION, code=1).stderr
    build = ["bundle", "build", "--election", 202411, "--version", 1, *signer(office), *register]
    assert "has no kit for election" in run(*build, "--out", office / "b", code=1).stderr
