"""The command as a technician types it: from nothing to a bundle that shows the kit."""

import json
import re
import socket
import threading

import pytest
from typer.testing import CliRunner

from firmware.enrol import read_pins
from firmware.pins import stretch
from host_tools.kit.bench_kit import BenchKit
from host_tools.provision.command import app

STATION = "1607012001001"
CREATE = ("authority", "create", "--no-passphrase")


def run(*words, code=0):
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def office(tmp_path):
    """Keys and sample files in one folder."""
    run(*CREATE, tmp_path / "keys", "--region", 1607, "--name", "Banyuasin")
    run("sample", "copy", tmp_path / "sample")
    return tmp_path


def common(office):
    return ["--authority", office / "keys", "--region", 1607]


def on_the_network(kit) -> str:
    """host:port where `kit` waits for its technician."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        sock, _ = listener.accept()
        kit._run(sock)

    threading.Thread(target=serve, daemon=True).start()
    return f"127.0.0.1:{listener.getsockname()[1]}"


def test_the_ceremony_warns_of_open_keys_and_lists_fingerprints(tmp_path):
    result = run(*CREATE, tmp_path / "a", "--region", 1607, "--name", "X")
    assert "not encrypted" in result.stderr
    shown = json.loads(run("authority", "show", tmp_path / "a", "--json").stdout)
    assert sorted(shown) == [
        "collector.cert.pem",
        "region-1607.cert.pem",
        "root.cert.pem",
        "signing.cert.pem",
    ]
    secret = tmp_path / "secret"
    secret.write_text("correct horse\n")
    words = ["authority", "create", tmp_path / "b", "--region", 1607, "--name", "X"]
    result = run(*words, "--passphrase-file", secret, "--json")
    assert result.stderr == ""
    assert len(json.loads(result.stdout)) == 4


def test_a_kit_is_readied_and_shows_in_the_bundle(office, tmp_path):
    kit = BenchKit(tmp_path / "kit")
    words = ["enrol", office / "sample" / "pilkada" / "election.toml", *common(office)]
    words += ["--station", STATION, "--kit", "KIT-0001", "--register", office / "kits.db"]
    result = run(*words, "--port", on_the_network(kit), "--start", "--json")
    facts = json.loads(result.stdout)
    assert facts["station"] == STATION and facts["serial"] == "0123A1B2C3D4E5F6EE"
    assert "configure and lock the chip" in result.stderr
    assert sorted(facts["pins"]) == ["ketua", "second officer"]
    again = run(*words, "--port", on_the_network(kit), "--keep-pins")
    assert again.stdout == (
        f"kit KIT-0001 (chip 0123A1B2C3D4E5F6EE) is ready for station {STATION}\n"
        "its PINs are unchanged\n"
    )

    build = ["bundle", "build", "--election", 202411, "--version", 1, *common(office)]
    build += ["--register", office / "kits.db", "--out", office / "bundles"]
    run(*build)
    path = office / "bundles" / "bundle-1607-1.cbor"
    pinned = ["--signed-by", office / "keys" / "signing.cert.pem"]
    shown = json.loads(run("bundle", "show", path, *pinned, "--json").stdout)
    (key,) = shown["keys"]
    assert key["station"] == STATION and not key["revoked"] and not shown["stale"]
    assert "raise the version" in run(*build, code=1).stderr

    build[build.index("--version") + 1] = 2
    run(*build, "--revoke", key["kid"])
    path = office / "bundles" / "bundle-1607-2.cbor"
    assert "REVOKED" in run("bundle", "show", path, *pinned).stdout


def test_the_pins_are_shown_before_the_kit_begins_and_kept_nowhere(office, tmp_path):
    kit = BenchKit(tmp_path / "kit")
    words = ["enrol", office / "sample" / "pilkada" / "election.toml", *common(office)]
    words += ["--station", STATION, "--kit", "KIT-0001", "--register", office / "kits.db"]

    def lost(_):
        raise OSError("the cable was pulled as START arrived")

    kit.handlers["START"] = lost
    result = run(*words, "--port", on_the_network(kit), "--start", code=2)
    pins = re.findall(r"PIN of the [a-z ]+: (\d{6})\n", result.stdout)
    assert "write both on its slip" in result.stdout and "cable was pulled" in result.stderr
    table = read_pins(str(kit.folder))
    assert table is not None
    assert [stretch(pins[role - 1], *table[role][:2]) for role in (1, 2)] == [
        table[1][2], table[2][2],
    ]  # fmt: skip
    for path in [*office.rglob("*"), *kit.folder.iterdir()]:
        if path.is_file():
            assert not any(pin.encode() in path.read_bytes() for pin in pins), path
    assert not any(pin in result.stderr for pin in pins)


def test_packages_are_written_for_every_station(office):
    election = office / "sample" / "pilpres" / "election.toml"
    words = ["package", election, *common(office), "--out", office / "packages", "--json"]
    said = json.loads(run(*words, "--issued", 1_700_000_000).stdout)
    digest = said.pop("digest")
    folder = str(office / "packages" / "202402")
    assert said == {
        "election": 202402, "version": 1, "issued": 1_700_000_000, "packages": 13, "folder": folder,
    }  # fmt: skip
    assert json.loads(run(*words, "--training").stdout)["election"] == 1_202_402
    assert len(list((office / "packages").rglob("*.cbor"))) == 26
    log = (office / "keys" / "ceremony.log").read_text()
    assert f"13 packages of election 202402 v1 signed, digest {digest}" in log
    check = ["package", "--check", office / "packages"]
    pinned = ["--signed-by", office / "keys" / "signing.cert.pem"]
    lines = run(*check, *pinned).stdout.splitlines()
    assert [line.partition(": ")[2] for line in lines] == [
        "13 packages are all there, as they were signed"
    ] * 2


def test_an_altered_package_is_told_by_its_file_and_the_check_ends_with_1(office):
    election = office / "sample" / "pilpres" / "election.toml"
    run("package", election, *common(office), "--out", office / "packages")
    path = next((office / "packages").rglob(f"*{STATION}.cbor"))
    path.write_bytes(path.read_bytes().replace(b"CONTOH A", b"CONTOH Z"))
    check = ["package", "--check", office / "packages" / "202402", "--json"]
    said = json.loads(
        run(*check, "--signed-by", office / "keys" / "signing.cert.pem", code=1).stdout
    )
    assert said["faults"] == 1
    assert said["checked"][0]["lines"] == [f"{path}: was altered: not the package that was signed"]


def test_package_says_what_it_wants(office):
    assert run("package", "--out", office / "p", code=2).stdout == ""
    assert not (office / "p").exists()
    assert "--signed-by" in run("package", "--check", office, code=2).stderr


def test_faults_are_one_line_on_stderr_with_the_right_code(office):
    election = office / "sample" / "pilpres" / "election.toml"
    tps = election.parent / "tps.csv"
    tps.write_text(tps.read_text().replace("1607011016002,1,", "1607011016002,2,"))
    words = ["package", election, *common(office), "--out", office / "packages"]
    result = run(*words, code=1)
    assert result.stderr == "tps.csv line 3: contest 2 is not in the election\n"
    assert not (office / "packages").exists()
    result = run("authority", "show", office / "nowhere", code=2)
    assert result.stderr.count("\n") == 1 and "holds no authority" in result.stderr
    rubbish = office / "bundle.cbor"
    rubbish.write_bytes(b"rubbish")
    pinned = ["--signed-by", office / "keys" / "signing.cert.pem"]
    assert "not a signed bundle" in run("bundle", "show", rubbish, *pinned, code=1).stderr
    enrol = ["enrol", office / "sample" / "pilkada" / "election.toml", *common(office)]
    enrol += ["--kit", "K", "--register", office / "kits.db", "--port", "/dev/nowhere"]
    assert "13-digit" in run(*enrol, "--station", "12", code=1).stderr
    assert "/dev/nowhere" in run(*enrol, "--station", STATION, code=2).stderr


def test_the_sample_elections_are_listed():
    assert json.loads(run("sample", "list", "--json").stdout)["pilpres"]["stations"] == 13


def test_help_tells_the_order_of_the_steps():
    text = run("--help").stdout
    assert "In this order" in text
    assert "LOCKED FOR GOOD" in run("enrol", "--help").stdout
