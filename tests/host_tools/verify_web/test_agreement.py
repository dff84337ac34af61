"""The page's verdicts are the Python verifier's: same checks, same order, same sentences."""

import json
import random

import pytest

from firmware import qr_parts, qr_text, record, slip
from firmware.package import Package
from host_tools.provision import keys as host_keys
from host_tools.provision.bundle import BundleError, verify_bundle
from host_tools.verify import read
from host_tools.verify.compare import compare as compare_all
from host_tools.verify.photo import check_photo
from host_tools.verify.receipt import check_receipt
from host_tools.verify.report import Report
from host_tools.verify.trust import Trust
from host_tools.verify.words import words
from tests.host_tools.verify import world
from tests.vectors import good, keys

VECTORS = world.vectors()
ENTRIES = VECTORS["good"] + VECTORS["misuse"]["entries"] + VECTORS["bad"]
PACKAGE = world.entry_bytes("package")
RESULT = world.entry_bytes("result-28-figures")
PAYLOAD = record.parse(RESULT).payload


def page_trust(*bundles, station=None, pinned=True) -> dict:
    """A Trust as judge.mjs wants it."""
    return {
        "bundles": [one.raw.hex() for one in bundles],
        "authority": keys.AUTHORITY.point.hex(),
        "pinned": pinned,
        "fingerprint": Trust(bundles[0], keys.AUTHORITY.point).fingerprint,
        "station": None if station is None else station.hex(),
    }


def trusts() -> list[tuple[Trust, dict]]:
    live, training = world.bundle(), world.bundle("bundle-training")
    revoked = world.bundle_of([(keys.KIT, good.STATION)], revoked=[keys.KIT.kid])
    elsewhere = world.bundle_of([(keys.KIT, good.OTHER_STATION)])
    spare = world.bundle_of([(keys.KIT, 0)])
    other = world.bundle_of([(keys.KIT, good.STATION)], election=good.LIVE + 1)
    listed = [
        (Trust(one, keys.AUTHORITY.point), page_trust(one))
        for one in (live, training, revoked, elsewhere, spare, other)
    ]
    with_package = Trust(live, keys.AUTHORITY.point, package=Package(PACKAGE))
    unpinned = Trust(live, keys.AUTHORITY.point, pinned=False)
    listed.append((with_package, page_trust(live, station=PACKAGE)))
    listed.append((unpinned, page_trust(live, pinned=False)))
    several = Trust(training, keys.AUTHORITY.point, others=(elsewhere, live, revoked))
    listed.append((several, page_trust(training, elsewhere, live, revoked)))
    return listed


def plain(report: Report, language: str) -> dict:
    return json.loads(json.dumps(report.as_json(words(language))))


def compare(judge, cases) -> None:
    """`cases`: [(bytes, (Trust, page's trust), now)…], each in both languages."""
    tasks, wanted = [], []
    for data, (trust, given), now in cases:
        for language in ("id", "en"):
            tasks.append(
                {
                    "do": "receipt",
                    "hex": data.hex(),
                    "trust": given,
                    "now": now,
                    "language": language,
                }
            )
            wanted.append(plain(check_receipt(data, trust, now), language))
    answers = judge(tasks)
    for task, answer, want in zip(tasks, answers, wanted, strict=True):
        for one, other in zip(answer["checks"], want["checks"], strict=True):
            assert one == other, task["hex"]
        assert answer == want, task["hex"]


@pytest.mark.parametrize("number", range(9))
def test_every_vector_gets_the_report_of_the_python_verifier(judge, number):
    data = [bytes.fromhex(vector["hex"]) for vector in ENTRIES]
    compare(judge, [(one, trusts()[number], world.NOW) for one in data])


def test_every_bad_vector_fails_at_the_check_it_names(judge):
    given = page_trust(world.bundle())
    bad = [vector for vector in VECTORS["bad"] if vector["reason"] != "manifest"]
    tasks = [
        {"do": "receipt", "hex": v["hex"], "trust": given, "now": world.NOW, "language": "en"}
        for v in bad
    ]
    for vector, answer in zip(bad, judge(tasks), strict=True):
        failed = next(check for check in answer["checks"] if check["status"] == "failed")
        assert (failed["check"], answer["exit"]) == (vector["reason"], 1), vector["name"]


def test_old_and_early_clocks_are_judged_alike(judge):
    trust = trusts()[0]
    compare(judge, [(RESULT, trust, good.START + shift) for shift in (10**8, -(10**6))])


def test_random_figures_get_the_same_findings_in_the_same_words(judge):
    chance = random.Random(7)
    cases, listed = [], trusts()
    for _ in range(60):
        count = chance.choice([28, 28, 27, 30, 12, 1])
        limits = chance.choice([(0, 30), (0, 700), (0, 1200), (0, 2**64 - 1)])
        figures = [
            None if chance.random() < 0.05 else chance.randint(*limits) for _ in range(count)
        ]
        if chance.random() < 0.5 and count == 28:
            figures = list(PAYLOAD[5])
            figures[chance.randrange(28)] = chance.choice([None, 0, 5, 613, 999, 1000])
        form, contest = chance.choice([1, 1, 1, 2, 3, 9]), chance.choice([1, 2])
        station = chance.choice([good.STATION, good.OTHER_STATION, 1607012001001, 2**63])
        time = chance.choice([good.START, 2**60])
        payload = [chance.choice([1, 2]), good.LIVE, station, contest, form]
        data = world.signed([*payload, figures, bytes(32), 1, bytes(32), time])
        cases.append((data, chance.choice(listed), world.NOW))
    compare(judge, cases)


def test_one_turned_bit_anywhere_gets_the_same_report(judge):
    chance = random.Random(3)
    cases = []
    for bit in chance.sample(range(len(RESULT) * 8), 120):
        data = bytearray(RESULT)
        data[bit // 8] ^= 1 << bit % 8
        cases.append((bytes(data), trusts()[0], world.NOW))
    compare(judge, cases)


def test_qr_texts_of_the_vectors_are_read_or_refused(judge):
    answers = judge([{"do": "qr", "text": one["text"]} for one in VECTORS["qr"]])
    for vector, answer in zip(VECTORS["qr"], answers, strict=True):
        if vector["hex"] is None:
            with pytest.raises(record.RecordError) as refused:
                qr_text.parse_qr(vector["text"])
            assert answer == {"error": "QrError", "text": refused.value.text}, vector
        else:
            kind, data = qr_text.parse_qr(vector["text"])
            assert answer == {"kind": kind, "hex": data.hex()}


def test_receipts_are_found_among_lines_as_the_command_finds_them(judge):
    text = qr_text.qr_text(good.HOST, 1, RESULT)
    lists = [
        [text, text.lower(), "  " + text[text.index("#") :] + "\t"],
        ["WIFI:T:WPA;S:x;;", text],
        [text[:-1]],
        ["https://#1234", "HTTPS://A/#19", "#2x", "#1"],
        [qr_text.qr_text(good.HOST, 2, b"credential")],
        ["hello"],
        [""],
    ]
    answers = judge([{"do": "texts", "texts": one} for one in lists])
    for texts, answer in zip(lists, answers, strict=True):
        try:
            wanted = [one.problem or one.data.hex() for one in read.from_texts(texts, "")]
        except read.ReadError:
            wanted = []
        assert answer["found"] == wanted, texts


def test_a_malformed_text_is_found_wanting(judge):
    answer = judge([{"do": "malformed", "problem": "why"}])[0]
    assert answer["exit"] == 1 and answer["checks"][0]["check"] == "frame"


def test_manifests_that_must_be_refused_are(judge):
    bad = judge([{"do": "manifest", "hex": one["hex"]} for one in VECTORS["manifests"]])
    assert all(answer.get("error") == "RecordError" for answer in bad)
    listed = [vector["manifest"] for vector in VECTORS["good"] if "manifest" in vector]
    assert all(isinstance(n, int) for n in judge([{"do": "manifest", "hex": h} for h in listed]))


def test_photographs_are_compared_as_by_the_command(judge):
    manifest = next(
        bytes.fromhex(v["manifest"]) for v in VECTORS["good"] if v["name"] == "result-28-figures"
    )
    trust, given = trusts()[0]
    page, size = record.sha256(b"page1"), 312345
    cases = [
        (page, size, RESULT, manifest),
        (page, size + 1, RESULT, manifest),
        (bytes(32), size, RESULT, manifest),
        (page, size, RESULT, manifest + b"\0"),
        (page, size, world.entry_bytes("event-01-boot"), manifest),
        (page, size, RESULT[:-1] + bytes([RESULT[-1] ^ 1]), manifest),
    ]
    cases += [
        (page, size, bytes.fromhex(v["hex"]), bytes.fromhex(v["manifest"]))
        for v in VECTORS["bad"]
        if v["reason"] == "manifest"
    ]
    tasks = [
        {
            "do": "photo",
            "digest": digest.hex(),
            "size": length,
            "hex": data.hex(),
            "manifest": listed.hex(),
            "trust": given,
            "now": world.NOW,
            "language": "id",
        }
        for digest, length, data, listed in cases
    ]
    for case, answer in zip(cases, judge(tasks), strict=True):
        assert answer == plain(check_photo(*case, trust, world.NOW), "id")


def test_without_its_list_a_photograph_is_not_compared(judge):
    task = {"do": "photo", "digest": bytes(32).hex(), "size": 1, "hex": RESULT.hex()}
    task |= {"manifest": None, "trust": page_trust(world.bundle()), "now": world.NOW}
    answer = judge([task | {"language": "en"}])[0]
    assert answer["exit"] == 2 and not answer["valid"]


def _bundle(change) -> bytes:
    """A bundle signed by the authority whose payload `change` has bent."""
    payload = record.parse(world.entry_bytes("bundle")).payload
    change(payload)
    return world.signed(payload, keys.AUTHORITY)


def test_bundles_are_believed_and_refused_alike(judge):
    raw = world.entry_bytes("bundle")
    cases = [
        raw,
        world.entry_bytes("bundle-training"),
        raw[:-1] + bytes([raw[-1] ^ 1]),
        raw[:60] + bytes([raw[60] ^ 1]) + raw[61:],
        PACKAGE,
        b"",
        world.signed(record.parse(raw).payload, keys.STRANGER),
        _bundle(lambda p: p.__setitem__(5, p[4])),
        _bundle(lambda p: p[6].reverse()),
        _bundle(lambda p: p.__setitem__(3, 3202)),
        _bundle(lambda p: p.__setitem__(6, [p[6][0], [p[6][0][0], p[6][1][1]]])),
        _bundle(lambda p: p.__setitem__(6, [[b"\2" + b"\xff" * 32, good.STATION]])),
        _bundle(lambda p: p.__setitem__(6, [[b"\2" + bytes(31) + b"\1", good.STATION]])),
        _bundle(lambda p: p.__setitem__(6, [[b"\5" + p[6][0][0][1:], good.STATION]])),
        _bundle(lambda p: p.__setitem__(7, [b"12345678", b"12345678"])),
    ]
    authority = keys.AUTHORITY.point.hex()
    answers = judge([{"do": "bundle", "hex": one.hex(), "authority": authority} for one in cases])
    for case, answer in zip(cases, answers, strict=True):
        try:
            bundle = verify_bundle(case, keys.AUTHORITY.point)
            assert answer == {
                "version": bundle.version,
                "kids": [kid.hex() for kid in bundle.kids()],
            }
        except BundleError as error:
            assert answer.get("error") == "BundleError", (str(error), answer)
    assert sum("error" in answer for answer in answers) == 13


def test_points_are_taken_apart_as_the_library_does(judge):
    chance = random.Random(11)
    points = [bytes([chance.choice([2, 3])]) + chance.randbytes(32) for _ in range(60)]
    points += [host_keys.to_point33(key.point) for key in (keys.KIT, keys.AUTHORITY)]
    answers = judge([{"do": "point", "hex": point.hex()} for point in points])
    for point, answer in zip(points, answers, strict=True):
        try:
            wanted = host_keys.to_point64(host_keys.public_from(point)).hex()
        except ValueError:
            wanted = None
        assert answer == wanted
    assert None in answers


def test_times_are_written_as_on_the_paper(judge):
    cases = [(1732700000, 420), (1732700000, 480), (1732700000, 540), (0, 420), (1732700000, -90)]
    answers = judge([{"do": "clock", "seconds": s, "offset": o} for s, o in cases])
    assert answers == [slip.clock(s, o) for s, o in cases]


def test_a_record_in_parts_comes_in_any_order_and_what_is_missing_is_named(judge):
    texts = qr_parts.split(good.HOST, RESULT, 300)
    count, mark = len(texts), record.rec_id(RESULT)[:4].hex().upper()
    bent = texts[1][:-1] + str((int(texts[1][-1]) + 1) % 10)
    lists = [
        texts[::-1],
        [*texts, texts[0].lower()],
        texts[:1],
        texts[1:],
        [texts[0], bent, *texts[2:]],
        [*texts, bent],
        [texts[0] + "1", *texts[1:]],
        ["#3", "#30101000000000112", "#3010201"],
    ]
    answers = judge([{"do": "texts", "texts": one} for one in lists])
    for listed, answer in zip(lists, answers, strict=True):
        found = read.from_texts(listed, "")
        wanted = [one.problem or one.data.hex() for one in found if one.missing is None]
        told = [one for one in answer["found"] if isinstance(one, str)]
        assert told == wanted, listed
    assert count >= 2
    assert answers[2]["found"] == [[list(range(2, count + 1)), count, mark]]
    assert answers[3]["found"] == [[[1], count, mark]]


def test_the_vectors_in_parts_hold_what_they_say(judge):
    listed = world.vectors()["parts"]
    answers = judge([{"do": "texts", "texts": vector["texts"]} for vector in listed])
    for vector, answer in zip(listed, answers, strict=True):
        (found,) = answer["found"]
        if vector["hex"] is None:
            assert not isinstance(found, str) or set(found) - set("0123456789abcdef"), vector[
                "name"
            ]
        else:
            assert found == vector["hex"], vector["name"]


def _compared(judge, datas) -> list:
    """States of receipts checked side by side, once their reports are the Python verifier's."""
    trust, given = trusts()[0]
    for language in ("id", "en"):
        reports = [check_receipt(data, trust, world.NOW) for data in datas]
        compare_all(reports, list(datas))
        task = {"do": "day", "hexes": [d.hex() for d in datas], "trust": given}
        answer = judge([task | {"now": world.NOW, "language": language}])[0]
        assert answer["reports"] == [plain(report, language) for report in reports]
    return answer["states"]


def test_a_correction_supersedes_only_its_own_contest_and_only_when_valid(judge):
    correction = world.entry_bytes("correction-28-figures")
    other = world.entry_bytes("result-with-null-figures")
    bent = correction[:-1] + bytes([correction[-1] ^ 1])
    assert _compared(judge, [RESULT, correction, other]) == ["superseded", "valid", "warned"]
    assert _compared(judge, [correction, RESULT]) == ["valid", "superseded"]
    assert _compared(judge, [RESULT, bent]) == ["warned", "invalid"]
    assert _compared(judge, [RESULT]) == ["warned"]


def test_two_records_with_one_number_prove_misuse(judge):
    pair = [bytes.fromhex(vector["hex"]) for vector in VECTORS["misuse"]["entries"]]
    assert _compared(judge, pair) == ["misuse", "misuse"]


def test_a_whole_day_of_receipts_is_compared_alike(judge):
    listed = [bytes.fromhex(vector["hex"]) for vector in VECTORS["good"]]
    states = _compared(judge, listed)
    assert "superseded" in states and "invalid" in states


def test_the_csv_holds_no_figures_of_an_invalid_paper(judge):
    bent = RESULT[:-1] + bytes([RESULT[-1] ^ 1])
    given = {"trust": page_trust(world.bundle()), "now": world.NOW, "language": "id"}
    text = judge([{"do": "day", "hexes": [RESULT.hex(), bent.hex()], **given}])[0]["csv"]
    head, first, second, end = text.split("\r\n")
    assert head.lstrip("\ufeff").startswith("scanned_at,state,") and end == ""
    assert ",427,3,430,123 274 32,R7," in first and RESULT.hex() in first
    assert second.split(",")[1] == "invalid" and "427" not in second.replace(bent.hex(), "")
