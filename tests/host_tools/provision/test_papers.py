"""The readiness report and the carton labels, read back from the finished pages."""

import io
import json
from dataclasses import fields, replace

import pytest
import zxingcpp
from PIL import Image
from pypdf import PdfReader

from firmware import csr, qr_text, record
from host_tools.provision import keys, label, papers, parts, readiness, report, sample
from host_tools.provision.label import Label
from host_tools.provision.papers import PaperError
from host_tools.provision.report import Report
from tests.host_tools.provision.test_readiness import ALL, LIVE, NOW, SERIAL, signed

HOST = "TPS.EXAMPLE.ID"
REGIONS = ("PROVINSI CONTOH", "KABUPATEN CONTOH", "KECAMATAN CONTOH", "DESA CONTOH")
LONGEST = (
    "KEPULAUAN CONTOH YANG PALING PANJANG NAMANYA",
    "KABUPATEN ADMINISTRASI KEPULAUAN CONTOH",
    "KECAMATAN CONTOH YANG NAMANYA TIDAK MUAT SEBARIS",
    "DESA CONTOH YANG NAMANYA JUGA TIDAK MUAT SEBARIS PUN",
)


@pytest.fixture(scope="module")
def kit(authority):
    """{mode: key} and {mode: certificate} of a kit."""
    made = {mode: keys.SoftwareKey.generate() for mode in ("live", "training")}
    certificates = {}
    for mode, key in made.items():
        training = mode == "training"
        chip = SERIAL.hex().upper()
        request = csr.csr(chip, "KIT-0001", training, key.public_key(), key.sign)
        certificates[mode] = authority.issue_device(request, "KIT-0001", training)
    return made, certificates


def report_of(chips, results=ALL, **changes) -> Report:
    made, certificates = chips
    training = changes.pop("training", False)
    key = made["training" if training else "live"]
    election = LIVE + record.TRAINING if training else LIVE
    facts = {
        "statement": readiness.parse(signed(key, results=results, election=election)),
        "kit": "KIT-0001",
        "board": "virtual",
        "keys": {mode: one.public_key() for mode, one in made.items()},
        "certificates": certificates,
        "title": "PEMILIHAN CONTOH 2026",
        "regions": REGIONS,
        "tps": 1,
        "offset": 420,
        "package_version": 3,
        "host": HOST,
        "technician": "CONTOH TEKNISI",
        "place": "GUDANG CONTOH",
        "details": {7: "2592 x 1944, ketajaman 842"},
        **changes,
    }
    return Report(**facts)


def text_of(pdf: bytes) -> str:
    """The PDF's text by another library, its line ends as spaces."""
    reader = PdfReader(io.BytesIO(pdf))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def codes_on(png: bytes) -> list[bytes]:
    """The signed records in the QR codes of a page."""
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(png)))
    return [qr_text.parse_qr(one.text)[1] for one in found]


def test_the_report_names_kit_station_keys_checks_and_people(kit, tmp_path):
    made = report_of(kit)
    pdf, told = report.write(tmp_path, made)
    text = text_of(pdf.read_bytes())
    said = made.statement
    for words in (
        "Laporan Kesiapan Alat", "SIAP DIGUNAKAN", "KIT-0001", "0123 A1B2 C3D4 E5F6 EE",
        "saksi 0.1.0", "TPS 001", f"{sample.STATION:013d}", *REGIONS, "PEMILIHAN CONTOH 2026",
        "versi 3", "2026-11-27 15:04 WIB", "CONTOH TEKNISI", "GUDANG CONTOH", "Petugas KPU",
        "ketajaman 842", "Kamera melihat", "Camera sees",
    ):  # fmt: skip
        assert words in text, words
    squeezed = text.replace(" ", "")
    for mode, key in made.keys.items():
        assert report.fingerprint(key).replace(" ", "") in squeezed
        assert report.certificate_serial(made.certificates[mode]) in squeezed
    assert said.package.hex().upper() in squeezed and said.digest.hex().upper() in squeezed
    facts = json.loads(told.read_text())
    assert facts["verdict"] == "ready" and len(facts["results"]) == len(ALL)
    assert bytes.fromhex(facts["statement"]) == said.data
    assert qr_text.parse_qr(facts["code"])[1] == said.data
    assert facts["keys"]["live"].replace(" ", "")[:16].lower() == said.kid.hex()


def test_the_reports_code_is_read_from_the_page(kit):
    made = report_of(kit)
    (page,) = papers.pages(report.TEMPLATE, report.data(made), NOW)
    assert codes_on(page) == [made.statement.data]


def test_a_failed_and_an_unseen_check_are_told_as_such(kit):
    results = [[check, {7: 0, 12: 2}.get(check, 1)] for check, _ in ALL]
    text = text_of(papers.pdf(report.TEMPLATE, report.data(report_of(kit, results)), NOW))
    assert "TIDAK SIAP" in text and "gagal" in text and "belum diperiksa" in text
    assert "SIAP DIGUNAKAN" not in text
    unseen = [[check, 2 if check == 12 else 1] for check, _ in ALL]
    text = text_of(papers.pdf(report.TEMPLATE, report.data(report_of(kit, unseen)), NOW))
    assert "BELUM SELESAI DIPERIKSA" in text and "TIDAK SIAP" not in text


def test_a_check_that_the_statement_lacks_is_on_the_report_as_not_looked_at(kit):
    facts = report.as_json(report_of(kit, ALL[:-1]))
    assert facts["verdict"] == "unseen"
    assert [row["outcome"] for row in facts["results"]][-1] == "not looked at"
    assert len(facts["results"]) == len(ALL)


def test_a_training_kits_papers_say_so(kit):
    made = report_of(kit, training=True)
    assert "LATIHAN" in text_of(papers.pdf(report.TEMPLATE, report.data(made), NOW))
    one = label.data([Label.of(made)], False)
    assert "LATIHAN" in text_of(papers.pdf(label.TEMPLATE, one, NOW))
    live = label.data([Label.of(report_of(kit))], False)
    assert "LATIHAN" not in text_of(papers.pdf(label.TEMPLATE, live, NOW))


def test_the_same_report_gives_the_same_bytes_and_another_is_not_written_over_it(kit, tmp_path):
    made = report_of(kit)
    first = [path.read_bytes() for path in report.write(tmp_path, made)]
    again = [path.read_bytes() for path in report.write(tmp_path, made)]
    elsewhere = [path.read_bytes() for path in report.write(tmp_path / "other", made)]
    assert first == again == elsewhere
    with pytest.raises(PaperError, match="something else"):
        report.write(tmp_path, replace(made, technician="CONTOH LAIN"))
    assert sorted(path.suffix for path in tmp_path.glob("KIT*")) == [".json", ".pdf"]


def test_names_that_are_long_or_odd_stay_on_the_paper(kit):
    made = report_of(
        kit, regions=LONGEST, kit="W" * 32, title="PEMILIHAN CONTOH #1 *tebal* $x$ \\ <a> " * 3
    )  # fmt: skip
    assert "#1 *tebal* $x$" in text_of(papers.pdf(report.TEMPLATE, report.data(made), NOW))
    drawn = papers.pages(label.TEMPLATE, label.data([Label.of(made)], False), NOW, 300)
    assert len(drawn) == 1 and codes_on(drawn[0]) == [made.statement.data]


def test_a_kits_id_never_leads_out_of_the_folder(kit, tmp_path):
    folder = tmp_path / "in"
    for name in ("../../escape", "/etc/kit", "..", "a b/c", "\0"):
        for path in report.write(folder / str(len(name)), report_of(kit, kit=name)):
            assert path.parent == folder / str(len(name)) and path.exists()
    assert list(tmp_path.iterdir()) == [folder]


def test_neither_paper_has_a_place_for_a_secret(kit, tmp_path):
    for kind in (Report, Label):
        names = {field.name for field in fields(kind)}
        assert names.isdisjoint({"pins", "pin", "secret", "passphrase", "private"})
    made = report_of(kit)
    pdf, told = report.write(tmp_path, made)
    assert "PIN" not in text_of(pdf.read_bytes()) and "pin" not in told.read_text().lower()


def test_a_label_is_100_by_60_mm_and_its_code_is_read_from_it(kit, tmp_path):
    one = Label.of(report_of(kit))
    pdf = label.write(tmp_path, one)
    box = PdfReader(pdf).pages[0].mediabox
    assert [round(float(side) / 72 * 25.4, 1) for side in (box.width, box.height)] == [100, 60]
    text = text_of(pdf.read_bytes())
    for words in ("KIT-0001", "TPS 001", f"{sample.STATION:013d}", *REGIONS, "SIAP"):
        assert words in text, words
    (page,) = papers.pages(label.TEMPLATE, label.data([one], False), NOW, 203)
    assert codes_on(page) == [one.statement.data]


def test_a_kit_that_is_not_ready_has_a_label_that_says_so(kit):
    results = [[check, int(check != 7)] for check, _ in ALL]
    one = Label.of(report_of(kit, results))
    assert "BELUM SIAP" in text_of(papers.pdf(label.TEMPLATE, label.data([one], False), NOW))


def test_sheets_hold_eight_labels_each_and_every_code_is_read(kit, tmp_path):
    labels = [Label.of(report_of(kit, kit=f"KIT-{number:04d}")) for number in range(1, 11)]
    path = label.sheet(labels, tmp_path / "labels.pdf")
    pages = PdfReader(path).pages
    assert [round(float(side) / 72 * 25.4) for side in pages[0].mediabox[2:]] == [210, 297]
    assert [page.extract_text().count("TPS 001") for page in pages] == [8, 2]
    drawn = papers.pages(label.TEMPLATE, label.data(labels, True), NOW, 200)
    signed_by_all = [one.statement.data for one in labels]
    assert [sorted(codes_on(page)) for page in drawn] == [
        sorted(signed_by_all[:8]),
        sorted(signed_by_all[8:]),
    ]
    with pytest.raises(PaperError, match="no label"):
        label.sheet([], tmp_path / "none.pdf")


def test_a_folder_that_cannot_be_written_is_told_in_one_line(kit, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PaperError, match="cannot be written"):
        label.write(tmp_path / "file", Label.of(report_of(kit)))


@pytest.mark.parametrize(
    ("part", "answer", "line"),
    [
        ("chip", [1, "0123A1B2C3D4E5F6EE", "00006002"], "0123A1B2C3D4E5F6EE, rev. 00006002"),
        ("random", [1], ""),
        ("keys", [1, "1", "2", "3"], "3 tombol"),
        ("camera", [1, 192, 256, 842, 210, 99, 1944, 2592], "1944 x 2592, ketajaman 842"),
        ("card", [1, 4096, 3 << 20], "3.0 MiB kosong"),
        ("modem", [1, "SIM7600", "CONTOH", -73], "SIM7600, CONTOH, -73 dBm"),
        ("modem", [1, "SIM7600", "", None], "SIM7600, tanpa jaringan"),
        ("printer", [0, 202, "The printer's cover is open: close it"],
         "E202 Tutup printer terbuka: tutup kembali"),
    ],
)  # fmt: skip
def test_what_a_part_answered_is_a_line_of_the_report(part, answer, line):
    assert parts.describe(part, answer) == line
