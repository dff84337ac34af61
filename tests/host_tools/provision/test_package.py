"""Station packages: the kit reads what the office wrote, and nothing altered passes."""

from dataclasses import replace

import pytest

from firmware import record
from host_tools.provision import package as packages
from host_tools.provision import sample
from host_tools.provision.election import Contest

NOW = 1_700_000_000


def build(authority, name="pilkada", training=False):
    election = sample.load(name, training)
    return packages.build_package(election, sample.STATION, NOW, authority)


def refused(raw, authority, reason, **expected):
    with pytest.raises(packages.PackageError, match=reason):
        packages.verify_package(raw, authority.signing.public_key(), **expected)


def test_a_package_says_what_the_election_says(authority):
    election = sample.load("pilkada")
    raw = packages.build_package(election, sample.STATION, NOW, authority)
    read = packages.verify_package(raw, authority.signing.public_key(), election.number)
    assert (read.election, read.station, read.version, read.issued) == (
        202411,
        sample.STATION,
        1,
        NOW,
    )
    assert read.regions[3] == "Sungai Rebo"
    assert (read.tps, read.offset, read.reserve, read.apn) == (1, 420, 25, "internet")
    assert read.collector_key == authority.collector.public_key()
    assert (read.collector_host, read.collector_port) == ("collector.example.id", 8443)
    assert (read.collector_sms, read.collector_pin) == ("+62811000000", None)
    assert read.receipt_host == "TPS.EXAMPLE.ID"
    assert not read.training
    for contest in read.contests:
        assert contest.pairs == election.contests[contest.number].pairs
        men, women = election.stations[sample.STATION].dpt[contest.number]
        assert (contest.dpt_l, contest.dpt_p, contest.dpt) == (men, women, men + women)
    assert [contest.form.code for contest in read.contests] == [
        "C.HASIL-KWK-GUBERNUR",
        "C.HASIL-KWK-BUPATI",
    ]


def test_a_training_package_is_known_as_one(authority):
    raw = build(authority, "pilpres", training=True)
    assert packages.verify_package(raw, authority.signing.public_key()).training


def test_a_station_gets_only_its_own_contests(authority):
    election = sample.load("pilkada")
    station = election.stations[sample.STATION]
    station = replace(station, dpt={1: station.dpt[1]})
    election = replace(election, stations={sample.STATION: station})
    raw = packages.build_package(election, sample.STATION, NOW, authority)
    read = packages.verify_package(raw, authority.signing.public_key())
    assert [contest.number for contest in read.contests] == [1]


def test_the_same_election_time_and_keys_give_the_same_bytes(authority):
    assert build(authority) == build(authority)


def test_a_package_for_another_election_or_station_is_refused(authority):
    raw = build(authority)
    refused(raw, authority, "for election 202411, not 202402", election=202402)
    refused(raw, authority, "for station 1607012001001, not 1607012001002", station=1607012001002)


def test_an_altered_or_strangers_package_is_refused(authority, stranger):
    raw = build(authority)
    refused(raw.replace(b"CONTOH A", b"CONTOH Z"), authority, "was altered")
    refused(build(stranger), authority, "not this authority's")
    payload = record.parse(raw).payload
    forged = record.assemble(payload, authority.signing.kid(), stranger.signing.sign)
    refused(forged, authority, "was altered")
    refused(b"rubbish", authority, "Not a record")


def test_another_signed_object_is_no_package(authority):
    signing = authority.signing
    ack = record.assemble([record.ACK, bytes(32), 1, None, None, None], signing.kid(), signing.sign)
    refused(ack, authority, "not a station package")


def test_an_unknown_station_has_no_package(authority):
    with pytest.raises(packages.PackageError, match="1607012001999 is not in election 202402"):
        packages.build_package(sample.load("pilpres"), 1607012001999, NOW, authority)


def test_a_package_that_the_cable_cannot_carry_is_not_made(authority):
    election = sample.load("pilpres")
    first = election.contests[1]
    many = tuple(f"CONTOH {n:03d} / {'X' * 45}" for n in range(80))
    huge = Contest(first.number, first.title, first.form, first.colour, many)
    with pytest.raises(packages.PackageError, match="too big for the cable"):
        packages.build_package(
            replace(election, contests={1: huge}), sample.STATION, NOW, authority
        )


def test_a_package_file_is_named_when_it_is_wrong(authority, tmp_path):
    path = tmp_path / packages.file_name(202411, sample.STATION)
    assert path.name == "package-202411-1607012001001.cbor"
    key = authority.signing.public_key()
    with pytest.raises(packages.PackageError, match="cannot be read"):
        packages.load_package(path, key)
    path.write_bytes(build(authority))
    assert packages.load_package(path, key, election=202411).tps == 1
    with pytest.raises(packages.PackageError, match=path.name):
        packages.load_package(path, key, election=202402)


def test_the_key_of_the_collectors_tls_and_no_number_reach_the_kit(authority):
    election = replace(sample.load("pilkada"), collector_pin=bytes(range(32)), collector_sms="")
    raw = packages.build_package(election, sample.STATION, NOW, authority)
    read = packages.verify_package(raw, authority.signing.public_key(), election.number)
    assert (read.collector_sms, read.collector_pin) == ("", bytes(range(32)))
