"""An office's files: the samples load, and every fault is one line that names its place."""

import shutil
from dataclasses import replace

import pytest

from firmware.forms import Form
from host_tools.provision import form_files, sample
from host_tools.provision.election import ElectionError, load_election


@pytest.fixture
def office(tmp_path):
    """A copy of the sample elections that a test may spoil."""
    folder = tmp_path / "office"
    shutil.copytree(sample.FOLDER, folder)
    return folder


def faults(path) -> list[str]:
    with pytest.raises(ElectionError) as caught:
        load_election(path)
    return str(caught.value).splitlines()


def spoil(office, name, line, text, election="pilkada"):
    """Put `text` at `line` (from 1) of a file and return the faults it causes."""
    path = office / election / name
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[line - 1] = text
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return faults(office / election / "election.toml")


def setting(office, old, new, election="pilkada"):
    path = office / election / "election.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return faults(path)


def test_the_samples_hold_what_their_readme_says():
    pilpres, pilkada = sample.load("pilpres"), sample.load("pilkada")
    assert [c.form[1] for c in pilpres.contests.values()] == ["C.HASIL-PPWP"]
    assert [c.form[1] for c in pilkada.contests.values()] == [
        "C.HASIL-KWK-GUBERNUR",
        "C.HASIL-KWK-BUPATI",
    ]
    assert pilkada.contests[2].pairs == ("CONTOH G / CONTOH H", "KOLOM KOSONG")
    for election in (pilpres, pilkada):
        assert election.warnings == ()
        assert not election.training
        assert sample.STATION in election.stations
        for contest in election.contests.values():
            assert all("CONTOH" in pair or pair == "KOLOM KOSONG" for pair in contest.pairs)
    assert all(sum(s.dpt[1]) <= 300 for s in pilpres.stations.values())
    assert pilkada.stations[sample.STATION].regions == (
        "Sumatera Selatan",
        "Kabupaten Banyuasin",
        "Banyuasin I",
        "Sungai Rebo",
    )


def test_a_training_election_has_its_own_number_and_says_so():
    training = sample.load("pilpres", training=True)
    assert training.number == 1_202_402
    assert training.training
    assert training.title.startswith("LATIHAN")
    assert training.as_training() == training


def test_the_forms_have_their_figures_pages_and_tags():
    counts = {}
    for code in form_files.codes():
        form = Form(form_files.load_form(code), ["A", "B", "C"])
        counts[code] = len(form.fields)
        assert [page[0] for page in form.pages] == [1, 2, 3]
    assert counts == {
        "C.HASIL-PPWP": 28,
        "C.HASIL-KWK-GUBERNUR": 28,
        "C.HASIL-KWK-BUPATI": 28,
    }
    tags = [page[1] for code in form_files.codes() for page in form_files.load_form(code)[3]]
    assert sorted(tags) == [101, 102, 103, 111, 112, 113, 121, 122, 123]
    assert form_files.load_form("C.HASIL-PPWP")[2] == ["DPT", "DPTb", "DPK"]
    assert form_files.load_form("C.HASIL-KWK-BUPATI")[2] == ["DPT", "DPPh", "DPTb"]
    with pytest.raises(form_files.FormFileError, match="not known"):
        form_files.load_form("C.HASIL-DPD")


def test_bad_station_lines_are_named_by_file_and_line(office):
    cases = [
        ("1607012001,1,10,10", "is not a 13-digit code"),
        ("1607012001000,1,10,10", "is not a 13-digit code"),
        ("160701200100A,1,10,10", "is not a 13-digit code"),
        ("1607999001001,1,10,10", "village 1607999001"),
        ("1607012001009,3,10,10", "contest 3 is not in the election"),
        ("1607012001009,,10,10", "contest  is not in the election"),
        ("1607012001009,1,-1,10", "DPT must be numbers"),
        ("1607012001009,1,10,1e2", "DPT must be numbers"),
        ("1607012001009,1,500,500", "sum is at most 999"),
        ("1607011016001,1,10,10", "already has contest 1"),
        ("1607012001009,1,10", "3 values, 4 expected"),
        ("1607012001009,1,10,10,", "5 values, 4 expected"),
        ("1607012001009, 1,10,10", "a space around it"),
        ("1607012001009,1,10,٣", "DPT must be numbers"),
        ("", "0 values, 4 expected"),
    ]
    for text, reason in cases:
        (line,) = spoil(office, "tps.csv", 4, text)
        assert line.startswith("tps.csv line 4: "), text
        assert reason in line, (text, line)


def test_all_faults_come_at_once_up_to_a_readable_number(office):
    path = office / "pilkada" / "tps.csv"
    path.write_text("tps,contest,dpt_l,dpt_p\n" + "1,1,1,1\n" * 200)
    lines = faults(office / "pilkada" / "election.toml")
    assert lines[0].startswith("tps.csv line 2: ")
    assert lines[19].startswith("tps.csv line 21: ")
    assert lines[20:] == ["... and 180 more, 200 in all"]


def test_a_wrong_header_is_named_first(office):
    for text in ("tps;contest;dpt_l;dpt_p", "TPS,contest,dpt_l,dpt_p", "tps,contest,dpt_l"):
        assert spoil(office, "tps.csv", 1, text) == [
            "tps.csv line 1: the header must be tps,contest,dpt_l,dpt_p"
        ]


def test_bad_pair_lines_are_named(office):
    cases = [
        ("1,3,CONTOH C / CONTOH D", "pair 3 is out of order: 2 comes next"),
        ("1,1,CONTOH C / CONTOH D", "pair 1 is out of order"),
        ("7,1,CONTOH", "contest 7 is not in the election"),
        ("1,2,", "1 to 60 characters"),
        (f"1,2,{'A' * 61}", "1 to 60 characters"),
        ("1,2,CONTOH A / CONTOH B", "is already a pair of contest 1"),
        ('1,2,"CONTOH\x07"', "control character"),
        ('1,2,"open', "not CSV"),
    ]
    for text, reason in cases:
        first = spoil(office, "pairs.csv", 3, text)[0]
        assert first.startswith("pairs.csv line "), text
        assert reason in first, (text, first)


def test_a_contest_with_one_pair_needs_kolom_kosong(office):
    path = office / "pilkada" / "pairs.csv"
    path.write_text(path.read_text().replace("2,2,KOLOM KOSONG\n", ""))
    assert faults(office / "pilkada" / "election.toml") == [
        "pairs.csv: contest 2 needs two pairs (or KOLOM KOSONG)"
    ]


def test_bad_region_lines_are_named(office):
    path = office / "regions.csv"
    good = path.read_text()
    cases = [
        ("160,Short", "is not of 2, 4, 6 or 10 digits"),
        ("16x1,Letters", "is not of 2, 4, 6 or 10 digits"),
        ("16,Again", "was already given"),
        ("1699,", "has no name"),
        ("1607999001,Orphan", "without it"),
    ]
    for text, reason in cases:
        path.write_text(good + text + "\n")
        (line,) = faults(office / "pilkada" / "election.toml")
        assert line.startswith(f"regions.csv line {good.count(chr(10)) + 1}: "), text
        assert reason in line


def test_bad_settings_are_named_by_their_key(office):
    cases = [
        ("number = 202411", "number = 0", "number must be"),
        ("number = 202411", "number = 1202411", "only they, have numbers from 1000000"),
        ("number = 202411", "number = true", "number must be"),
        ('mode = "live"', 'mode = "test"', 'must be "live" or "training"'),
        ("utc_offset_minutes = 420", "utc_offset_minutes = 400", "420 WIB"),
        ('"TPS.EXAMPLE.ID"', '"tps.example.id"', "receipt_host must be upper case"),
        ('apn = "internet"', "", "apn is missing"),
        ('apn = "internet"', 'apn = "internet"\npin = 1', "pin is not a setting"),
        ("port = 8443", "port = 70000", "port must be"),
        ("number = 2\n", "number = 1\n", "number 1 is used twice"),
        ("C.HASIL-KWK-BUPATI", "C.HASIL-DPD", "form must be one of"),
        ("colour", "color", "color is not a setting"),
    ]
    for old, new, reason in cases:
        lines = setting(office, old, new)
        assert any(line.startswith("election.toml") and reason in line for line in lines), lines
        shutil.copy(sample.FOLDER / "pilkada" / "election.toml", office / "pilkada")


def test_toml_faults_name_their_line(office):
    (line,) = setting(office, "version = 1", "version = ")
    assert "election.toml" in line and "line 3" in line


def test_missing_and_misencoded_files_are_named(office):
    path = office / "pilkada" / "tps.csv"
    path.write_bytes(b"tps,contest,dpt_l,dpt_p\n1607012001001,1,1,\xff\n")
    assert faults(office / "pilkada" / "election.toml") == [
        "tps.csv: is not UTF-8; save it as CSV UTF-8"
    ]
    path.unlink()
    (line,) = faults(office / "pilkada" / "election.toml")
    assert line.startswith("tps.csv: cannot be read")
    (line,) = faults(office / "nowhere.toml")
    assert "cannot be read" in line


def test_an_election_without_stations_is_refused(office):
    (office / "pilkada" / "tps.csv").write_text("tps,contest,dpt_l,dpt_p\n")
    assert faults(office / "pilkada" / "election.toml") == ["tps.csv: names no station"]


def test_a_spreadsheets_byte_order_mark_is_passed_over(office):
    path = office / "pilkada" / "tps.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_election(office / "pilkada" / "election.toml") == sample.load("pilkada")


def test_odd_but_lawful_figures_are_warnings(office):
    path = office / "pilkada" / "tps.csv"
    text = "tps,contest,dpt_l,dpt_p\n1607012001001,1,310,310\n1607012001001,2,310,309\n"
    path.write_text(text)
    toml = office / "pilkada" / "election.toml"
    toml.write_text(toml.read_text().replace("reserve_permille = 25", "reserve_permille = 20"))
    warnings = "\n".join(load_election(toml).warnings)
    assert "tps.csv line 2: DPT of TPS 1607012001001 is above 600" in warnings
    assert "tps.csv line 3: TPS 1607012001001 has another DPT in another contest" in warnings
    assert "C.HASIL-KWK-BUPATI is used with a reserve of 25" in warnings


def test_warnings_are_counted_and_not_listed_to_their_end(office):
    path = office / "pilkada" / "tps.csv"
    rows = "".join(f"1607012001{n:03d},1,310,310\n" for n in range(1, 31))
    path.write_text("tps,contest,dpt_l,dpt_p\n" + rows)
    warnings = load_election(office / "pilkada" / "election.toml").warnings
    assert len(warnings) == 21 and warnings[-1] == "... and 10 more, 30 in all"


def test_the_rows_of_a_station_may_stand_anywhere(office):
    path = office / "pilkada" / "tps.csv"
    header, *rows = path.read_text().splitlines(keepends=True)
    path.write_text(header + "".join(sorted(rows, key=lambda row: (row[14], row[:13]))))
    assert load_election(office / "pilkada" / "election.toml") == sample.load("pilkada")


def test_a_station_is_the_same_however_often_it_is_asked_for():
    stations = sample.load("pilkada").stations
    station = stations[sample.STATION]
    assert station == stations[sample.STATION] and station.tps == 1
    assert sample.STATION in stations and sample.STATION + 900 not in stations
    assert len(list(stations)) == len(stations) == 13
    with pytest.raises(KeyError):
        stations[1]


def test_the_collectors_address_can_be_replaced():
    election = replace(sample.load("pilpres"), collector_host="127.0.0.1", collector_port=1)
    assert election.collector_host == "127.0.0.1"
