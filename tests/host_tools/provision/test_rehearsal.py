"""The dress rehearsal: a good election passes, and what would fail on the day fails before it."""

import time
from dataclasses import replace

import pytest
from cryptography import x509

from firmware import record
from host_tools.collector import tls
from host_tools.collector.ack import Acknowledger
from host_tools.collector.reasons import Refused, SetupError
from host_tools.collector.serve import Background, Service
from host_tools.provision import form_files, package_folder, profile, sample
from host_tools.provision import rehearsal_run as rehearsal
from host_tools.provision.bundle import build_bundle
from host_tools.provision.package import build_package, verify_package
from host_tools.provision.package_run import sign_all
from host_tools.provision.rehearsal import Kit, training_twin
from host_tools.provision.rehearsal_line import Line
from host_tools.provision.rehearsal_trust import Trust
from tests.host_tools.collector import tls_files

NOW = 1_700_000_000


def few(election, count=2):
    """The same election with its first stations only."""
    codes = sorted(election.stations)[:count]
    return replace(election, stations={code: election.stations[code] for code in codes})


@pytest.fixture
def election():
    return few(sample.load("pilkada"))


def run(election, authority, **options):
    options = {"processes": 1, **options}
    return rehearsal.run(election, authority, sorted(election.stations), "seed", **options)


def lines(election, authority, **options):
    return [failure.line() for failure in run(election, authority, **options).failures]


@pytest.fixture
def outside(tmp_path):
    """Starts a collector of its own for a rehearsal: (what run() takes, its store)."""
    running = []

    def start(election, collector, stations=None):
        codes = sorted(election.stations) if stations is None else stations
        trust = Trust.make(
            tmp_path / "keys", election.as_training().number, codes, int(time.time())
        )
        service = Service(
            tmp_path / "data", rehearsal._collectors(trust), Acknowledger(collector.collector)
        )
        running.append(Background(service))
        return {"url": running[0].url, "trust": trust}, service.store

    yield start
    for one in running:
        one.stop()


@pytest.mark.parametrize("name", sample.NAMES)
def test_a_good_election_passes_live_and_for_training(name, authority):
    for election in (few(sample.load(name)), few(sample.load(name, training=True), 1)):
        told = []
        outcome = run(election, authority, done=told.append)
        assert outcome.failures == []
        assert outcome.contests == sum(len(s.dpt) for s in election.stations.values())
        assert sum(told) == outcome.stations == len(election.stations)


def test_signed_packages_pass_in_several_processes(authority, tmp_path):
    election = few(sample.load("pilkada"), 6)
    sign_all(election, NOW, authority, tmp_path)
    outcome = run(election, authority, packages=tmp_path, processes=2)
    assert (outcome.stations, outcome.contests, outcome.failures) == (6, 12, [])


def test_the_collector_gets_training_entries_of_training_kits_and_nothing_else(
    election, authority, outside
):
    there, store = outside(election, authority)
    assert lines(election, authority, **there) == []
    entries = list(store.entries())
    assert len(entries) == 8  # a result and a correction of two contests at two stations
    assert {entry.election for entry in entries} == {election.number + record.TRAINING}
    assert [entry.kind for entry in entries] == [record.RESULT, record.CORRECTION] * 4
    assert all(store.complete(entry.rec_id) and not entry.conflict for entry in entries)
    for kid in {entry.kid for entry in entries}:
        assert profile.is_training(x509.load_der_x509_certificate(store.certificate(kid)))


def test_the_corrections_are_taken_with_the_rules_that_they_break(election, authority, outside):
    there, store = outside(election, authority)
    assert lines(election, authority, **there) == []
    for entry in store.entries():
        broken = record.parse_manifest(entry.manifest)[1][record.RULES]
        assert bool(broken) == (entry.kind == record.CORRECTION)


def test_a_rehearsal_cannot_make_a_live_entry(election, authority, outside, tmp_path):
    there, _ = outside(election, authority)
    trust, code = there["trust"], sample.STATION
    raw = build_package(sample.load("pilkada"), code, NOW, authority)
    package = verify_package(raw, authority.signing.public_key())
    line = Line(there["url"], None)
    with pytest.raises(ValueError, match="no live entry"):
        Kit(package, trust, line, tmp_path)
    with pytest.raises(ValueError, match="training only"):
        Trust(trust.folder, election.number)
    # Even if its key is made to sign one, the collector that knows it refuses.
    key = trust.kit(min(election.stations))
    payload = [1, election.number, min(election.stations), 1, 2, [1], bytes(32), 1, bytes(32), NOW]
    with pytest.raises(Refused, match="mode"):
        line.submit(record.assemble(payload, key.kid(), key.sign), None, None)


def test_the_twin_differs_in_number_and_title_only(authority, outside, election):
    there, _ = outside(election, authority)
    raw = build_package(election, min(election.stations), NOW, authority)
    live = verify_package(raw, authority.signing.public_key())
    twin = training_twin(live, there["trust"])
    assert twin.training and twin.title == f"LATIHAN: {live.title}"
    ours, theirs = (record.parse(one.data).payload for one in (live, twin))
    ours[5].pop(1), theirs[5].pop(1)
    ours[2] += record.TRAINING
    assert ours == theirs
    assert training_twin(twin, there["trust"]) is twin


def test_a_form_that_has_no_room_for_the_pairs_is_found(election, authority):
    contest = election.contests[1]
    pairs = (*contest.pairs, "CONTOH I", "CONTOH J", "CONTOH K")
    contests = {**election.contests, 1: replace(contest, pairs=pairs)}
    assert lines(replace(election, contests=contests), authority) == [
        f"{code}, contest 1, form: C.HASIL-KWK-GUBERNUR has room for 1 to 5 pairs"
        for code in sorted(election.stations)
    ]


def test_a_form_that_is_not_the_drawn_one_is_found(election, authority):
    contest = election.contests[2]
    number, code, categories, pages = contest.form
    for form, reason in (
        ([9, code, categories, pages], "is not the form that its file describes"),
        ([number, "C.HASIL-X", categories, pages], "is not known"),
        ([number, code, categories, pages[::-1]], "has not the pages of its file"),
        (
            [number, code, categories, [[*pages[0][:2], pages[0][2][::-1]], *pages[1:]]],
            "has not the figures of its file",
        ),
    ):
        contests = {**election.contests, 2: replace(contest, form=form)}
        found = lines(few(replace(election, contests=contests), 1), authority)
        assert len(found) == 1 and reason in found[0] and "contest 2, form" in found[0]


def test_figures_that_do_not_fit_the_boxes_are_found(election, authority):
    code = min(election.stations)
    station = replace(election.stations[code], dpt={1: (300, 300), 2: (495, 495)})
    (line,) = lines(replace(election, stations={code: station}), authority)
    assert line == (
        f"{code}, contest 2, figures: ballots_received is 1015: it does not fit the three boxes"
        " of the form"
    )


def test_stations_with_nobody_and_with_many_voters_pass(election, authority):
    code = min(election.stations)
    station = replace(election.stations[code], dpt={1: (0, 0), 2: (450, 450)})
    assert lines(replace(election, stations={code: station}), authority) == []


def test_a_name_that_the_printer_cannot_print_is_found(election, authority):
    code = min(election.stations)
    place = election.stations[code]
    station = replace(place, regions=(*place.regions[:3], "Désa CONTOH"), dpt={1: (10, 10)})
    (line,) = lines(replace(election, stations={code: station}), authority)
    assert line.startswith(f"{code}, contest 1, receipt: ") and "prints as ?" in line


def test_a_collector_with_the_wrong_key_is_found(election, authority, stranger, outside):
    there, _ = outside(election, stranger)
    kid = authority.collector.kid().hex()
    assert lines(election, authority, **there) == [
        f"{code}, contest {n}, acknowledgement: is not signed by the collector of the package"
        f" (key {kid})"
        for code in sorted(election.stations)
        for n in (1, 2)
    ]


def test_a_collector_that_does_not_know_a_kit_is_found(election, authority, outside):
    first, second = sorted(election.stations)
    there, _ = outside(election, authority, [first])
    trust = there["trust"]
    both = build_bundle(
        version=1, election=trust.election, region=1607, issued=NOW, next_issue=2**40,
        entries=[(trust.kit(code).public_key(), code) for code in (first, second)],
        revoked=[], signer=trust.authority,
    )  # fmt: skip
    trust.files()[0].write_bytes(both)  # after the collector read it
    name = trust.kit(second).kid().hex()
    assert lines(election, authority, **there) == [
        f"{second}, contest {n}, collector: refuses: kid: Key {name} is in no trust bundle of this"
        " collector."
        for n in (1, 2)
    ]


def test_a_collector_that_is_not_there_ends_it_at_once(election, authority, outside):
    there, _ = outside(election, authority)
    with pytest.raises(SetupError, match="cannot be reached"):
        lines(election, authority, **{**there, "url": "http://127.0.0.1:1"})


def test_keys_are_used_with_one_collector_once(election, authority, outside):
    there, _ = outside(election, authority)
    assert lines(election, authority, **there) == []
    with pytest.raises(FileExistsError):
        lines(election, authority, **there)


@pytest.fixture
def signed(election, authority, tmp_path):
    sign_all(election, NOW, authority, tmp_path / "signed")
    return tmp_path / "signed"


def one_line(election, authority, signed):
    (line,) = lines(election, authority, packages=signed)
    code = min(election.stations)
    assert line.startswith(f"{code}, package: ")
    return line


def test_an_altered_package_is_found(election, authority, signed):
    path = package_folder.path_of(signed, election.number, min(election.stations))
    path.write_bytes(path.read_bytes().replace(b"CONTOH A", b"CONTOH Z"))
    assert "did not sign this package" in one_line(election, authority, signed)


def test_a_strangers_package_is_found(election, authority, stranger, signed):
    code = min(election.stations)
    path = package_folder.path_of(signed, election.number, code)
    path.write_bytes(build_package(election, code, NOW, stranger))
    assert "did not sign this package" in one_line(election, authority, signed)


def test_rubbish_in_the_place_of_a_package_is_found(election, authority, signed):
    path = package_folder.path_of(signed, election.number, min(election.stations))
    path.write_bytes(b"rubbish")
    assert "Not a record" in one_line(election, authority, signed)


def test_a_package_of_another_election_or_station_is_found(election, authority, signed):
    first, second = sorted(election.stations)
    path = package_folder.path_of(signed, election.number, first)
    path.write_bytes(build_package(sample.load("pilpres"), first, NOW, authority))
    assert "for election 202402" in one_line(election, authority, signed)
    path.write_bytes(build_package(election, second, NOW, authority))
    assert f"station {second}, not for" in one_line(election, authority, signed)


def test_a_missing_package_is_found(election, authority, signed):
    package_folder.path_of(signed, election.number, min(election.stations)).unlink()
    assert "is not there" in one_line(election, authority, signed)


def _voters(election, code, dpt):
    return replace(election.stations[code], dpt={1: dpt, 2: dpt})


def test_packages_that_the_office_has_overtaken_are_found(election, authority, signed):
    code = min(election.stations)
    stations = {**election.stations, code: _voters(election, code, (1, 2))}
    changed = replace(election, stations=stations)
    assert "not what election.toml says (content 5)" in one_line(changed, authority, signed)
    newer = few(replace(election, version=2), 1)
    assert "(version 1): sign the packages again" in one_line(newer, authority, signed)


def test_a_sample_holds_every_contest_form_and_subdistrict():
    election = sample.load("pilkada")
    code = max(election.stations)
    only = replace(election.stations[code], dpt={2: election.stations[code].dpt[2]})
    stations = {
        one: replace(station, dpt={1: station.dpt[1]}) for one, station in election.stations.items()
    }
    election = replace(election, stations={**stations, code: only})
    districts = {one // 10**7 for one in stations}
    for seed in "abcdef":
        drawn = rehearsal.draw(election, 1, seed)
        assert code in drawn and {one // 10**7 for one in drawn} == districts
        assert len(drawn) <= len(districts) + 1
        assert drawn == rehearsal.draw(election, 1, seed) == sorted(set(drawn))
        assert len(rehearsal.draw(election, 9, seed)) == 9
    assert rehearsal.draw(election, 99, "a") == sorted(stations)
    assert len({tuple(rehearsal.draw(election, 9, str(n))) for n in range(20)}) > 1


def test_a_collector_that_speaks_tls_is_known_by_the_pinned_key_only(election, authority, tmp_path):
    files = tls_files.make(tmp_path)
    secure = tls.load(files.certificate, files.key)
    trust = Trust.make(
        tmp_path / "keys", election.as_training().number, sorted(election.stations),
        int(time.time()),
    )  # fmt: skip
    service = Service(
        tmp_path / "data", rehearsal._collectors(trust), Acknowledger(authority.collector)
    )
    with Background(service, secure) as collector:
        there = {"url": collector.url, "trust": trust}
        with pytest.raises(SetupError, match="is not the one pinned"):
            Line(collector.url, bytes(32))
        with pytest.raises(SetupError, match="is not the one pinned"):
            Line(collector.url, None)
        assert lines(replace(election, collector_pin=secure.pin), authority, **there) == []


def test_every_form_that_has_a_file_is_drawn_as_it_is_recorded():
    from firmware.forms import Form
    from host_tools.provision.rehearsal_sheet import check_form

    for code in form_files.codes():
        form = form_files.load_form(code)
        for pairs in range(1, form_files.sheet(code).most_pairs + 1):
            check_form(Form(form, [str(n) for n in range(pairs)]))
