"""The benchmark of packages measures what it says, on the real command."""

import json

from typer.testing import CliRunner

from host_tools.bench import package_election
from host_tools.bench.command import app
from host_tools.provision.election import load_election


def test_the_benchmark_signs_as_many_packages_as_there_are_stations():
    result = CliRunner().invoke(app, ["package", "--stations", "40", "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["stations"] == 40 and said["processes"] >= 1
    assert min(said[name] for name in ("sign", "check", "bare", "memory", "ratio")) > 0
    table = CliRunner().invoke(app, ["package", "--stations", "7"]).stdout
    assert "saksi bench package" in table and "sign / bare" in table


def test_the_invented_election_is_the_same_each_time_and_has_no_real_names(tmp_path):
    paths = [package_election.write(tmp_path / name, 1389) for name in "ab"]
    files = ("election.toml", "regions.csv", "tps.csv", "pairs.csv")
    for name in files:
        assert (paths[0].parent / name).read_bytes() == (paths[1].parent / name).read_bytes()
    election = load_election(paths[0])
    assert len(election.stations) == 1389 and election.warnings == ()
    for station in election.stations.values():
        assert all(name.startswith("CONTOH ") and name[7:].isdigit() for name in station.regions)


def test_the_invented_country_has_codes_of_the_right_length(tmp_path):
    villages = -(-package_election.NATION // package_election.STATIONS)
    last = None
    for code, _parents in package_election._villages(villages):
        assert last is None or code > last
        last = code
    assert last is not None and len(last) == 10
