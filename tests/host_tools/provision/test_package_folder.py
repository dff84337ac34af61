"""Packages of a whole election: the same bytes each time, whole or visibly unfinished."""

import hashlib
import json
import shutil
import subprocess
from dataclasses import replace

import pytest

from firmware import record
from host_tools.bench import package_election
from host_tools.provision import package as packages
from host_tools.provision import package_folder as folders
from host_tools.provision import package_run, sample
from host_tools.provision.authority import Authority
from host_tools.provision.election import load_election
from host_tools.provision.package_run import sign_all

NOW = 1_700_000_000
COUNT = 400  # stations: six subdistricts and a part of the seventh


@pytest.fixture(scope="session")
def election(tmp_path_factory):
    return load_election(package_election.write(tmp_path_factory.mktemp("office"), COUNT))


@pytest.fixture(scope="session")
def signed(election, authority, tmp_path_factory):
    out = tmp_path_factory.mktemp("signed")
    sign_all(election, NOW, authority, out)
    return out / str(election.number)


@pytest.fixture
def folder(signed, tmp_path):
    """A copy of the signed packages that a test may spoil."""
    return shutil.copytree(signed, tmp_path / "packages")


def everything(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != folders.LOCK)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def lines(folder, authority) -> list[str]:
    said = folders.check(folder, authority.signing.public_key())[1].all()
    return [line.removeprefix(f"{folder}/") for line in said]


def refused(folder, key, reason):
    with pytest.raises(packages.PackageError, match=reason):
        folders.read_index(folder, key)


def one(folder):
    return sorted(folder.rglob("*.cbor"))[7]


def test_every_package_is_the_one_that_enrolment_would_give(election, authority, signed):
    for code in sorted(election.stations)[::37]:
        path = folders.path_of(signed.parent, election.number, code)
        assert path.read_bytes() == packages.build_package(election, code, NOW, authority)


def test_stations_with_fewer_contests_get_only_theirs(authority, tmp_path):
    election = sample.load("pilkada")
    stations = dict(election.stations)
    station = stations[sample.STATION]
    stations[station.code] = replace(station, dpt={2: station.dpt[2]})
    election = replace(election, stations=stations, collector_sms="", collector_pin=bytes(32))
    assert sign_all(election, NOW, authority, tmp_path).packages == 13
    for code in stations:
        path = folders.path_of(tmp_path, election.number, code)
        assert path.read_bytes() == packages.build_package(election, code, NOW, authority)


def test_several_processes_write_the_same_bytes_as_one(election, authority, signed, tmp_path):
    told = []
    sign_all(election, NOW, authority, tmp_path, processes=2, done=told.append)
    assert everything(tmp_path / str(election.number)) == everything(signed)
    assert sum(told) == COUNT


def test_a_folder_as_it_was_signed_is_good(authority, folder):
    assert lines(folder, authority) == []
    index = folders.read_index(folder, authority.signing.public_key())
    assert (index.packages, index.version, index.issued) == (COUNT, 1, NOW)
    assert max(len(list(place.iterdir())) for place in folder.rglob("*/")) < 2000


def test_the_listings_are_those_of_sha256sum(folder):
    for listing in folder.rglob(folders.LISTING):
        command = ["sha256sum", "--strict", "-c", listing.name]
        subprocess.run(command, cwd=listing.parent, check=True, capture_output=True)


def test_altered_missing_and_strange_packages_are_named(authority, folder):
    files = sorted(folder.rglob("*.cbor"))
    altered, missing, swapped = files[3], files[200], files[300]
    data = altered.read_bytes()
    altered.write_bytes(data.replace(b"CONTOH A", b"CONTOH Z"))
    missing.unlink()
    swapped.write_bytes(files[301].read_bytes())  # signed, but another station's
    (folder / "1199" / "119901").mkdir(parents=True)
    strange = folder / "1199" / "119901" / files[3].name
    strange.write_bytes(data)
    (files[3].parent / "package-202499-1101012001999.cbor").write_bytes(data)

    def named(path):
        return path.relative_to(folder).as_posix()

    told = dict(line.split(": ", 1) for line in lines(folder, authority))
    assert told == {
        named(altered): "was altered: not the package that was signed",
        named(missing): "cannot be read (No such file or directory)",
        named(swapped): "was altered: not the package that was signed",
        named(strange): "does not belong to these packages",
        named(files[3].parent / "package-202499-1101012001999.cbor"): (
            "does not belong to these packages"
        ),
    }


def test_a_package_altered_together_with_its_listing_shows(authority, folder):
    path = one(folder)
    old = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes().replace(b"CONTOH A", b"CONTOH Z"))
    listing = path.parent / folders.LISTING
    new = hashlib.sha256(path.read_bytes()).hexdigest()
    listing.write_text(listing.read_text().replace(old, new))
    (line,) = lines(folder, authority)
    assert line.endswith("packages.sha256: is missing or was altered")


def test_a_package_dropped_together_with_its_line_shows(authority, folder):
    path = one(folder)
    path.unlink()
    listing = path.parent / folders.LISTING
    kept = [line for line in listing.read_text().splitlines(True) if path.name not in line]
    listing.write_text("".join(kept))
    (line,) = lines(folder, authority)
    assert line.endswith("packages.sha256: is missing or was altered")


def test_an_index_that_was_altered_or_is_a_strangers_is_refused(authority, stranger, folder):
    path = folder / folders.INDEX
    good, key = path.read_text(), authority.signing.public_key()
    said = json.loads(good)
    for name, value in (("packages", COUNT - 1), ("version", 2), ("digest", "00"), ("more", 1)):
        path.write_text(json.dumps({**said, name: value}))
        refused(folder, key, "index was altered")
    path.write_text(good)
    other = stranger.signing
    folders.write_index(folder, folders.read_index(folder, key), other)
    refused(folder, key, "not this authority's")
    forged = {**json.loads(path.read_text()), "kid": said["kid"]}
    path.write_text(json.dumps(forged))
    refused(folder, key, "index was altered")
    for rubbish in ("", "[]", "{}", '{"kid": 1, "signature": "zz"}', '{"kid": 1, "signature": 1}'):
        path.write_text(rubbish)
        refused(folder, key, "not an index|not this authority's")
    path.unlink()
    refused(folder, key, "not finished")


def test_the_signature_of_an_index_is_none_of_a_record(authority, folder):
    said = json.loads((folder / folders.INDEX).read_text())
    parts = [b"\xa2\x01\x26\x04\x48" + authority.signing.kid(), {}, b"\x80"]
    forged = [*parts, bytes.fromhex(said["signature"])]
    from firmware import cbor

    with pytest.raises(record.RecordError):
        record.parse(cbor.encode(cbor.Tag(18, forged)))


class Cut(Exception):
    """The power goes."""


def test_a_run_that_was_cut_looks_unfinished_and_the_next_one_goes_on(
    election, authority, signed, tmp_path
):
    seen = []

    def cut(count):
        seen.append(count)
        if len(seen) == 3:
            raise Cut

    folder = tmp_path / str(election.number)
    with pytest.raises(Cut):
        sign_all(election, NOW, authority, tmp_path, done=cut)
    assert 0 < len(list(folder.rglob("*.cbor"))) < COUNT
    refused(folder, authority.signing.public_key(), "not finished")
    first = one(folder)
    (first.with_name(first.name + folders.PART)).write_bytes(b"half a pack")
    first.write_bytes(b"torn")
    untouched = sorted(folder.rglob("*.cbor"))[20]
    before = untouched.stat().st_ino
    sign_all(election, NOW, authority, tmp_path)
    assert everything(folder) == everything(signed)
    assert untouched.stat().st_ino == before


def test_a_cut_while_newer_packages_are_signed_leaves_no_complete_folder(
    election, authority, signed, tmp_path
):
    shutil.copytree(signed, tmp_path / signed.name)

    def cut(_):
        raise Cut

    with pytest.raises(Cut):
        sign_all(replace(election, version=2), NOW, authority, tmp_path, done=cut)
    refused(tmp_path / signed.name, authority.signing.public_key(), "not finished")


def test_older_packages_do_not_take_the_place_of_newer_ones(election, authority, signed, tmp_path):
    folder = shutil.copytree(signed, tmp_path / signed.name)
    with pytest.raises(packages.PackageError, match="newer than these"):
        sign_all(election, NOW - 1, authority, tmp_path)
    assert lines(folder, authority) == []
    newer = replace(election, version=2)
    assert sign_all(newer, NOW - 1, authority, tmp_path).version == 2
    with pytest.raises(packages.PackageError, match="raise the version"):
        sign_all(election, NOW, authority, tmp_path)


def test_packages_of_stations_that_are_no_more_are_taken_away(election, authority, tmp_path):
    sign_all(election, NOW, authority, tmp_path)
    codes = sorted(election.stations)
    few = replace(election, stations={code: election.stations[code] for code in codes[1:70]})
    sign_all(few, NOW + 1, authority, tmp_path)
    folder = tmp_path / str(election.number)
    assert len(list(folder.rglob("*.cbor"))) == 69
    assert lines(folder, authority) == []


def test_nothing_is_signed_when_one_package_is_too_big_for_the_cable(authority, tmp_path):
    election = sample.load("pilkada")
    stations = dict(election.stations)
    last = stations[max(stations)]
    stations[last.code] = replace(last, regions=(*last.regions[:3], "X" * 4000))
    election = replace(election, stations=stations)
    with pytest.raises(packages.PackageError, match=f"{last.code} is too big for the cable"):
        sign_all(election, NOW, authority, tmp_path)
    assert list(tmp_path.rglob("*.cbor")) == []


def test_the_size_that_is_refused_is_the_one_that_enrolment_refuses(authority, tmp_path):
    election = sample.load("pilkada")
    station = election.stations[sample.STATION]
    size = len(packages.build_package(election, station.code, NOW, authority))
    name = station.regions[3]
    for more, fits in ((packages.LONGEST - size - 2, True), (packages.LONGEST - size - 1, False)):
        place = replace(station, regions=(*station.regions[:3], name + "x" * more))
        made = replace(election, stations={station.code: place})
        outcomes = []
        for build in (
            lambda made=made: packages.build_package(made, station.code, NOW, authority),
            lambda made=made: sign_all(made, NOW, authority, tmp_path),
        ):
            try:
                outcomes.append(bool(build()))
            except packages.PackageError:
                outcomes.append(False)
        assert outcomes == [fits, fits], more


def test_two_runs_do_not_sign_into_one_folder(election, authority, tmp_path):
    def second(_):
        sign_all(election, NOW, authority, tmp_path)

    with pytest.raises(packages.PackageError, match="another run"):
        sign_all(election, NOW, authority, tmp_path, done=second)


def test_an_encrypted_key_serves_several_processes(election, tmp_path):
    folder = tmp_path / "keys"
    Authority.create(folder, 1101, "CONTOH", b"secret")
    opened = Authority(folder, 1101, b"secret")
    index = sign_all(election, NOW, opened, tmp_path / "out", processes=2)
    assert index.packages == COUNT
    assert lines(tmp_path / "out" / str(election.number), opened) == []
    assert not any(b"PRIVATE KEY" in data for data in everything(tmp_path / "out").values())


def test_a_template_that_says_something_else_signs_nothing(
    election, authority, tmp_path, monkeypatch
):
    monkeypatch.setattr(package_run.Template, "payload", lambda self, station: b"\x80")
    with pytest.raises(packages.PackageError, match="sign nothing"):
        sign_all(election, NOW, authority, tmp_path)
    assert list(tmp_path.rglob("*.cbor")) == []
