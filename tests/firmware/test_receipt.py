from firmware import forms, package, qr, receipt, record, slip
from firmware.figures import Finding
from firmware.findings_text import sentence
from firmware.record import RecordError
from tests.firmware.support import raises

# RECORD.md's test vector: the statement and its QR text.
STATEMENT = bytes.fromhex(
    "d2844da201260448f612b7838be3f3e9a058758a011907e81b000002e94b2ee8e901038c19012d190120188d1893"
    "190132190120011119011b05189718845820de157d685f21debddcdc80363e0c9f7e2ca960130da618eb47ce424b"
    "c19f885911582049250821c38419586bd102db47eed3a3f5ed07662aa592a1808a9db4dd970a1d1a6746e7605840"
    "c5a4df3db83d2cd889d58926ee6d4cd28a1d00665c077ff8f37383214df0741c4d8670359acf062c0fd8998455df"
    "821bd03b86cafc67a9102a4b31f457b79dcc"
)
QR = (
    "HTTPS://TPS.EXAMPLE.ID/#15925521407457024420536758571863011686552942288266250704556788455833"
    "86566633442174592339433989581766944069105361276767220703811138624537707605427543508056092513"
    "83134412577626962011196104300355306398452123503841800654016066213235141847985520908762265378"
    "90600713409450913671167223745616217958120039982152116775090913658739773519957649353262500628"
    "36781316102281601049703412727863887543434058329570073471671029232326822165919963145827210649"
    "32867882417112292577984657135467443792459054925513432524"
)
FORM = [
    1,
    "C.HASIL-CONTOH",
    ["DPT", "DPPh", "DPTb"],
    [
        [1, 101, ["dpt", "users", "ballots", "disabled"]],
        [2, 102, ["votes"]],
        [3, 103, ["totals"]],
    ],
]
PAIRS = ["CONTOH SATU - CONTOH DUA", "CONTOH TIGA - CONTOH EMPAT", "KOLOM KOSONG"]
FIGURES = [281, 288, 569, 214, 213, 427, 2, 1, 3, 3, 4, 7, 219, 218, 437, 584, 437, 2, 145]
FIGURES += [1, 2, 3, 151, 146, 132, 427, 10, 437]
TIME = 1795766640  # 2026-11-27 15:04 WIB
KID = b"\xf6\x12\xb7\x83\x8b\xe3\xf3\xe9"


def words(english):
    return english


def sign(digest):
    return digest + b"\x01" * 32


def station(training=False, title="PEMILIHAN CONTOH", regions=None):
    content = {
        1: "PILKADA CONTOH 2026",
        2: regions or ["SUMATERA SELATAN", "BANYUASIN", "CONTOH", "DESA CONTOH"],
        3: 5,
        4: 420,
        5: [[7, title, 1, "maroon", 281, 288, PAIRS]],
        6: [FORM],
        7: ["collector.example.id", 443, b"\x00" * 64],
        8: "TPS.EXAMPLE.ID",
        9: "internet",
        11: 25,
    }
    election = 1000900 if training else 900
    payload = [record.PACKAGE, 1, election, 1607012003005, TIME, content]
    return package.Package(record.assemble(payload, KID, sign))


def result(figures=None, extra=None, kind=record.RESULT):
    pages = [[1, b"\x4a\x71\x5e\xc1\x3f\x62\x42\x75" + b"\x00" * 24, 312000]]
    manifest = record.manifest(pages, extra or {})
    payload = [kind, 900, 1607012003005, 7, 1, figures or FIGURES, record.sha256(manifest)]
    payload += [23, b"\x11" * 32, TIME]
    return record.parse(record.assemble(payload, KID, sign)), manifest


def printed(operations):
    """The lines of a slip, as one text."""
    return "\n".join(op[1] for op in operations if op[0] == "text")


def receipt_of(columns=32, training=False, copy=None, **how):
    entry, manifest = result(**how)
    made = receipt.Receipts(words, station(training), columns)
    return list(made.result(entry, manifest, copy or receipt.Copy(receipt.WITNESS, 3, 8, 2)))


def test_qr_text_of_the_vector_is_the_published_one():
    assert receipt.qr_text("TPS.EXAMPLE.ID", receipt.RECORD, STATEMENT) == QR
    assert receipt.parse_qr(QR) == (receipt.RECORD, STATEMENT)


def test_qr_text_of_every_length_comes_back():
    for size in range(1, 30):
        for data in (b"\x00" * size, b"\xff" * size, bytes(range(7, 7 + size))):
            text = receipt.qr_text("A-1.ID", receipt.CREDENTIAL, data)
            assert receipt.parse_qr(text) == (receipt.CREDENTIAL, data)


def test_reader_takes_the_part_from_the_hash_and_any_letter_case():
    assert receipt.bytes_of(QR[QR.index("#") :]) == STATEMENT
    assert receipt.bytes_of(" " + QR.lower() + "\n") == STATEMENT


def test_reader_refuses_what_is_no_receipt():
    top = "#1" + "9" * 17  # 10^17 - 1 is more than 7 bytes hold
    for text, why in (
        (top, "does not fit"),
        ("#1256", "does not fit"),
        ("#1" + "0" * 17 + "65536", "does not fit"),
        ("#112", "not complete"),
        ("#1" + "0" * 18, "not complete"),
        ("#1", "digits only"),
        ("#112 ", "not complete"),
        ("#1 12", "digits only"),
        ("#1-12", "digits only"),
        ("#3123", "unknown type"),
        ("#", "unknown type"),
        ("1123", "no #"),
        ("HTTP://TPS.EXAMPLE.ID/#1123", "address"),
        ("HTTPS://TPS.EXAMPLE.ID#1123", "address"),
        ("HTTPS:///#1123", "host"),
        ("HTTPS://A_B/#1123", "host"),
    ):
        error = raises(RecordError, receipt.bytes_of, text)
        assert error.code == 812
        assert why in error.text, (text, error.text)


def test_maker_refuses_a_host_that_is_not_upper_case():
    assert raises(RecordError, receipt.qr_text, "tps.id", 1, b"x").code == 812


def test_segments_join_to_the_text():
    segments = receipt.segments_of(QR)
    assert "".join(text for _, text in segments) == QR
    assert [mode for mode, _ in segments] == [2, 4, 1]


def test_receipt_of_28_figures_fits_58_mm_paper_at_five_dots_a_module():
    codes = [op[1] for op in receipt_of() if op[0] == "qr"]
    assert len(codes) == 1
    matrix = qr.encode(receipt.segments_of(codes[0]))
    assert len(FIGURES) == 28
    assert (matrix.size + 8) * 5 <= 384
    entry, _ = result()
    assert receipt.bytes_of(codes[0]) == entry.data


def test_receipt_says_station_copy_time_record_and_every_figure():
    text = printed(receipt_of())
    entry, _ = result()
    for part in (
        "TPS 005",
        "1607012003005",
        "BANYUASIN",
        "PEMILIHAN CONTOH",
        "C.HASIL-CONTOH",
        "3 of 8",
        "for witness of pair 2",
        "2026-11-27 15:04 WIB (+07:00)",
        "4A71 5EC1 3F62 4275",
        "F612 B783 8BE3 F3E9",
        slip.groups(entry.rec_id[:4]),
        "KOLOM KOSONG",
        "C.Hasil remains",
        "tps.example.id",
    ):
        assert part in text, part
    for figure in FIGURES:
        assert " %d" % figure in text


def test_receipt_shows_the_broken_rule_with_its_numbers_and_the_explanation():
    text = printed(receipt_of(extra={record.RULES: [[7, 1]]})).replace("\n", " ")
    assert "R7 Valid votes 427, but the pairs add up to 429" in text
    assert "Counted again, the" in text


def test_receipt_without_broken_rules_says_so():
    figures = list(FIGURES)
    figures[24] = 130
    assert "All sums agree." in printed(receipt_of(figures=figures))


def test_empty_figure_prints_as_dashes_and_its_rules_are_named():
    figures = list(FIGURES)
    figures[22] = None
    text = printed(receipt_of(figures=figures))
    assert "No. 1        ---" in text
    assert "empty: R7" in text.replace("\n", " ")


def test_witness_stands_are_printed():
    text = printed(receipt_of(extra={record.STANDS: [[1, 1], [2, 2], [3, 3]]}))
    assert "signed" in text
    assert "refused to sign" in text
    assert "absent" in text


def test_training_is_the_first_and_the_last_word():
    lines = [op[1] for op in receipt_of(training=True) if op[0] == "text"]
    assert lines[0] == "TRAINING"
    assert lines[-2] == "TRAINING"
    assert "TRAINING" not in printed(receipt_of())


def test_reprint_is_marked_and_the_first_print_is_not():
    copy = receipt.Copy(receipt.PPS, 8, 8, 0, 1)
    lines = [op for op in receipt_of(copy=copy) if op[0] == "text"]
    assert ("text", "COPY", True, 2, 1) in lines
    assert ("text", "COPY, print no. 2", True, 1, 1) in lines
    assert lines[0][1] == "Tear off above this line"
    assert "COPY" not in printed(receipt_of())
    assert "Tear off" not in printed(receipt_of())


def test_mode_is_on_every_slip():
    assert (
        next(line for line in printed(receipt_of()).split("\n") if "Mode" in line)[-8:]
        == "official"
    )
    training = printed(receipt_of(training=True)).split("\n")
    assert next(line for line in training if "Mode" in line)[-8:] == "TRAINING"


def test_result_too_long_for_one_code_is_in_parts_with_their_numbers():
    big = station()
    names = ["PARTAI CONTOH %d" % number for number in range(1, 301)]
    big.contests[0].form = forms.Form(FORM, names)
    figures = [1000 + number for number in range(25 + 300)]
    for columns in (32, 48):
        entry, manifest = result(figures=figures)
        made = receipt.Receipts(words, big, columns)
        slip_ = list(made.result(entry, manifest, receipt.Copy(receipt.PPS)))
        codes = [op[1] for op in slip_ if op[0] == "qr"]
        assert len(codes) > 1
        for i, text in enumerate(codes):
            part = text.partition("#")[2]
            assert part[:5] == "3%02d%02d" % (i + 1, len(codes))
            assert int(part[5:15]) == int.from_bytes(entry.rec_id[:4], "big")
            matrix = qr.encode(receipt.segments_of(text), "M")
            assert (matrix.size + 8) * 5 <= columns * 12
            assert "Code %d of %d" % (i + 1, len(codes)) in printed(slip_)
        digits = "".join(text.partition("#")[2][15:] for text in codes)
        assert receipt.bytes_of("#1" + digits) == entry.data
        assert "Scan all %d codes" % len(codes) in printed(slip_)
        assert "300 PARTAI CONTOH 300 " in printed(slip_)  # small print, else metres of paper


def test_correction_names_what_it_replaces_and_why():
    extra = {record.REPLACES: b"\xe0\x45\x55\x87" + b"\x00" * 28, record.REASON: 2}
    text = printed(receipt_of(kind=record.CORRECTION, extra=extra))
    assert "CORRECTION RECEIPT" in text
    assert "E045 5587" in text
    assert "The paper was corrected" in text


def test_no_line_of_any_slip_is_wider_than_the_paper():
    long = "PEMILIHAN " + "X" * 45 + " DAN WAKIL"
    regions = ["KEPULAUAN BANGKA BELITUNG TIMUR RAYA"] * 4
    entry, manifest = result(extra={record.STANDS: [[1, 2]], record.RULES: [[7, 6]]})
    event = [record.EVENT, 900, 1607012003005, record.CLOSE, [57, b"\xab" * 32], 58]
    close = record.parse(record.assemble(event + [b"\x11" * 32, TIME], KID, sign))
    ack = [record.ACK, entry.rec_id, TIME, 123456, 123457, b"\x22" * 32]
    ack = record.parse(record.assemble(ack, KID, sign))
    copy = receipt.Copy(receipt.WITNESS, 3, 8, 2, 1)
    for columns in (32, 48):
        made = receipt.Receipts(words, station(True, long, regions), columns)
        slips = [made.result(entry, manifest, copy), made.closing(close, copy)]
        slips.append(made.sent([(7, ack)], copy))
        slips.append(made.opening(close, [[1, 7, 1], [2, 0, 0]], copy, b"credential"))
        for operations in slips:
            for op in operations:
                if op[0] == "text":
                    assert len(op[1]) * op[3] <= columns, op


def test_opening_slip_shows_nothing_for_every_pair_and_who_is_there():
    event = [record.EVENT, 900, 1607012003005, record.OPEN, [[]], 2, b"\x11" * 32, TIME]
    entry = record.parse(record.assemble(event, KID, sign))
    made = receipt.Receipts(words, station())
    present = [[1, 7, 1], [1, 7, 3], [2, 0, 0]]
    slip_ = list(made.opening(entry, present, receipt.Copy(receipt.ZERO), b"credential"))
    lines = printed(slip_).split("\n")
    for i, name in enumerate(PAIRS):
        assert next(line for line in lines if line.startswith("%d %s" % (i + 1, name)))[-2:] == " 0"
    assert "1, 3" in printed(slip_)
    assert next(line for line in lines if line.startswith("Supervisor")).endswith(" present")
    codes = [receipt.parse_qr(op[1]) for op in slip_ if op[0] == "qr"]
    assert codes == [(receipt.RECORD, entry.data), (receipt.CREDENTIAL, b"credential")]


def test_proof_of_sending_quotes_the_acknowledgement():
    entry, _ = result()
    ack = [record.ACK, entry.rec_id, TIME, 1234, 1300, b"\x22" * 32]
    ack = record.parse(record.assemble(ack, KID, sign))
    made = receipt.Receipts(words, station())
    slip_ = list(made.sent([(7, ack)], receipt.Copy(receipt.SENT)))
    assert slip.groups(entry.rec_id[:4]) in printed(slip_)
    assert " 1234" in printed(slip_)
    assert [receipt.bytes_of(op[1]) for op in slip_ if op[0] == "qr"] == [ack.data]


def test_time_is_local_with_its_zone_in_every_corner_of_the_calendar():
    for unix, offset, text in (
        (0, 0, "1970-01-01 00:00 (+00:00)"),
        (951782400, 420, "2000-02-29 07:00 WIB (+07:00)"),
        (1709164740, 480, "2024-02-29 07:59 WITA (+08:00)"),
        (1798736400, 540, "2027-01-01 02:00 WIT (+09:00)"),
        (1798736400, -210, "2026-12-31 13:30 (-03:30)"),
    ):
        assert slip.clock(unix, offset) == text


def test_every_rule_has_its_sentence():
    form = forms.Form(FORM, PAIRS)
    for rule, fields, start in (
        ("R1", ("users_2_l", "users_2_p", "users_2_j"), "Users DPPh: L + P is 3, but J says 4"),
        ("R2", ("users_total_l", "users_1_l"), "All users L: 3, but the categories add up to 4"),
        ("R3", ("users_1_p", "dpt_p"), "Users DPT P: 3, more than the 4 voters"),
        ("R4", ("ballots_received",), "Ballots received 3, but used, returned and unused"),
        ("R5", ("ballots_used",), "Ballots used 3, but users are 4"),
        ("R6", ("ballots_unused", "ballots_received"), "Ballots unused: 3, more than the 4"),
        ("R7", ("valid",), "Valid votes 3, but the pairs add up to 4"),
        ("R8", ("total",), "All votes 3, but valid and invalid add up to 4"),
        ("R9", ("total", "users_total_j"), "All votes 3, but users are 4"),
        ("R9", ("total", "ballots_used"), "All votes 3, but ballots used are 4"),
        ("R11", ("disabled_l", "disabled_p", "disabled_j"), "Disabled users: L + P is 3"),
        ("R11", ("disabled_j", "users_total_j"), "Disabled users 3, more than the 4 users"),
        ("R12", ("ballots_received", "dpt_j"), "Ballots received 3, but DPT with reserve is 4"),
        ("R13", ("total",), "All votes: 3, above the usual limit of 4"),
    ):
        assert sentence(Finding(rule, fields, 3, 4), form, words).startswith(start)


def test_wrapping_keeps_words_whole_and_breaks_only_what_is_too_long():
    assert slip.wrap("satu dua tiga", 8) == ["satu dua", "tiga"]
    assert slip.wrap("a bcdefghijkl m", 5) == ["a", "bcdef", "ghijk", "l m"]
    assert slip.wrap("", 5) == [""]


def test_a_word_of_a_label_is_never_broken_for_its_value():
    lines = [op[1] for op in slip.row("Kabupaten/kota", "Kabupaten Banyuasin", 32)]
    assert lines == ["Kabupaten/kota", "Kabupaten Banyuasin"]
