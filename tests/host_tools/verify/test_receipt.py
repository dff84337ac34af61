import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import cbor, record
from firmware.package import Package
from host_tools.verify.receipt import check_receipt, check_receipts
from host_tools.verify.report import FAILED, SKIPPED, WARNING
from tests.host_tools.verify import world
from tests.vectors import good, keys

RESULT = world.entry_bytes("result-28-figures")
PAYLOAD = record.parse(RESULT).payload
PACKAGE = Package(world.entry_bytes("package"))


def check(data, trust=None, now=world.NOW):
    return check_receipt(data, trust or world.trust(), now)


def status(report, name):
    return report.status(name)


def first_failed(report):
    return next((one.name for one in report.checks if one.status == FAILED), None)


def forged(payload):
    """The entry with other fields under its old signature."""
    entry = record.parse(RESULT)
    protected = cbor.encode({1: -7, 4: entry.kid})
    parts = [protected, {}, cbor.encode(payload), entry.signature]
    return cbor.encode(cbor.Tag(18, parts))


def test_a_good_receipt_is_valid_and_shows_its_broken_rule():
    report = check(RESULT)
    assert report.valid and report.exit_code == 0
    assert status(report, "figures") == WARNING
    finding = report.facts["findings"]
    assert [(f["rule"], f["left"], f["right"]) for f in finding] == [("R7", 427, 429)]
    assert report.values["votes_2"] == 274
    for name in ("log", "photographs", "superseded"):
        assert status(report, name) == SKIPPED


def test_a_receipt_whose_sums_hold_has_no_warning():
    report = check(world.entry_bytes("correction-28-figures"))
    assert report.valid and not report.warned


def test_the_package_gives_the_names_of_contest_and_pairs():
    report = check(RESULT, world.trust(package=PACKAGE))
    assert report.facts["contest_title"] == "Presiden dan Wakil Presiden"
    assert report.facts["pairs"][0].startswith("CONTOH")
    assert report.facts["utc_offset"] == 420


def test_a_package_of_another_station_is_not_used():
    trust = world.trust(package=PACKAGE)
    data = world.signed([*PAYLOAD[:2], good.OTHER_STATION, *PAYLOAD[3:]])
    report = check(data, trust)
    assert status(report, "package") == WARNING and "pairs" not in report.facts


@pytest.mark.parametrize("at", range(1, 10))
def test_every_altered_field_breaks_the_signature(at):
    other = {5: [*PAYLOAD[5][:-1], 431], 6: bytes(32), 8: bytes(32)}.get(at)
    changed = [*PAYLOAD[:at], PAYLOAD[at] + 1 if other is None else other, *PAYLOAD[at + 1 :]]
    report = check(forged(changed))
    assert (first_failed(report), report.exit_code) == ("signature", 1)


@pytest.mark.parametrize("at", range(len(PAYLOAD[5])))
def test_every_altered_figure_breaks_the_signature(at):
    listed = [*PAYLOAD[5][:at], PAYLOAD[5][at] + 1, *PAYLOAD[5][at + 1 :]]
    assert first_failed(check(forged([*PAYLOAD[:5], listed, *PAYLOAD[6:]]))) == "signature"


def test_a_result_turned_into_a_correction_breaks_the_signature():
    assert first_failed(check(forged([2, *PAYLOAD[1:]]))) == "signature"


BAD = [v for v in world.vectors()["bad"] if v["reason"] != "manifest"]


@pytest.mark.parametrize("vector", BAD, ids=lambda v: v["name"])
def test_every_bad_vector_fails_at_the_check_it_names(vector):
    report = check(bytes.fromhex(vector["hex"]))
    assert not report.valid and report.exit_code == 1
    assert first_failed(report) == vector["reason"]


KITS = [
    v
    for v in world.vectors()["good"]
    if v["kind"] <= record.EVENT and v["signer"] == "kit"
]  # fmt: skip


@pytest.mark.parametrize("vector", KITS, ids=lambda v: v["name"])
def test_every_good_record_of_the_kit_is_valid(vector):
    assert check(bytes.fromhex(vector["hex"])).valid


@pytest.mark.parametrize("name", ["bundle", "package"])
def test_an_authoritys_object_is_no_receipt(name):
    assert first_failed(check(world.entry_bytes(name))) == "role"


def test_a_kits_statement_of_readiness_is_no_receipt():
    report = check(world.entry_bytes("readiness"))
    assert report.exit_code == 1 and first_failed(report) == "role"
    assert report.facts.keys().isdisjoint({"figures", "seq", "contest"})


def test_training_is_said_loudly_and_needs_the_training_bundle():
    data = world.entry_bytes("result-training")
    assert first_failed(check(data)) == "key"
    report = check(data, world.bundle("bundle-training"))
    assert report.valid and status(report, "mode") == WARNING
    assert report.facts["training"] is True
    mode = next(one for one in report.checks if one.name == "mode")
    assert "LATIHAN" in mode.sentence(lambda text: text)


def test_a_live_receipt_under_the_training_bundle_is_foreign():
    assert first_failed(check(RESULT, world.bundle("bundle-training"))) == "key"


def test_a_bundle_of_another_election_fails_the_election():
    other = world.bundle_of([(keys.KIT, good.STATION)], election=good.LIVE + 1)
    assert first_failed(check(RESULT, other)) == "election"


def test_a_revoked_key_is_refused():
    gone = world.bundle_of([(keys.KIT, good.STATION)], revoked=[keys.KIT.kid])
    report = check(RESULT, gone)
    assert first_failed(report) == "revoked" and status(report, "signature") == "ok"


def test_a_kit_at_another_station_is_valid_with_a_warning():
    report = check(RESULT, world.bundle_of([(keys.KIT, good.OTHER_STATION)]))
    assert report.valid and status(report, "station") == WARNING


def test_a_spare_kit_is_fine_in_its_region_only():
    spare = world.bundle_of([(keys.KIT, 0)])
    assert status(check(RESULT, spare), "station") == "ok"
    far = world.signed([*PAYLOAD[:2], 1607012001001, *PAYLOAD[3:]])
    assert status(check(far, spare), "station") == WARNING


def test_an_old_bundle_is_a_warning_not_a_failure():
    report = check(RESULT, now=good.START + 10**8)
    assert report.valid and status(report, "bundle") == WARNING


def test_a_clock_far_ahead_is_a_warning():
    report = check(RESULT, now=good.START - 10 * 86400)
    assert report.valid and status(report, "time") == WARNING


def test_an_authority_key_from_beside_the_bundle_is_said_with_its_fingerprint():
    report = check(RESULT, world.trust(pinned=False))
    told = next(one for one in report.checks if one.name == "authority")
    assert told.status == SKIPPED
    assert keys.AUTHORITY.kid.hex() in told.values[0].replace(" ", "")


def test_empty_figures_leave_rules_unchecked():
    report = check(world.entry_bytes("result-with-null-figures"))
    assert report.valid and status(report, "figures") == SKIPPED
    assert any(
        "R9" in one.values[0] for one in report.checks if one.status == SKIPPED and one.values
    )


def test_a_form_that_is_not_known_is_not_checked():
    assert status(check(world.entry_bytes("result-12-figures")), "figures") == SKIPPED
    assert status(check(world.signed([*PAYLOAD[:4], 99, *PAYLOAD[5:]])), "figures") == SKIPPED


def test_a_figure_of_four_digits_is_a_warning():
    listed = [*PAYLOAD[5][:22], 1123, *PAYLOAD[5][23:]]
    report = check(world.signed([*PAYLOAD[:5], listed, *PAYLOAD[6:]]))
    below = next(one for one in report.checks if one.name == "figures").below(lambda text: text)
    assert report.valid and any("1123 does not fit" in line for line in below)


def test_a_proof_of_sending_needs_the_package_and_the_collectors_key():
    ack = world.entry_bytes("ack")
    assert check(ack).exit_code == 2
    trust = world.trust(package=PACKAGE)
    assert check(ack, trust).valid
    assert check(ack, trust).facts["log_index"] == 41
    stranger = world.signed(record.parse(ack).payload, keys.STRANGER)
    assert first_failed(check(stranger, trust)) == "key"
    bent = ack[:-1] + bytes([ack[-1] ^ 1])
    assert first_failed(check(bent, trust)) == "signature"


def test_whatever_breaks_inside_is_not_valid_and_no_traceback(monkeypatch):
    def broken(*_):
        raise RuntimeError("boom")

    monkeypatch.setattr("host_tools.verify.figures_check.check", broken)
    report = check(RESULT)
    assert not report.valid and first_failed(report) == "unexpected" and report.exit_code == 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_never_valid(data):
    assert check(data).exit_code == 1


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(RESULT) * 8 - 1))
def test_no_bit_can_be_turned(bit):
    data = bytearray(RESULT)
    data[bit // 8] ^= 1 << bit % 8
    assert check(bytes(data)).exit_code == 1


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_piece_can_be_cut_out_or_put_in(data):
    at = data.draw(st.integers(0, len(RESULT)))
    until = data.draw(st.integers(at, len(RESULT)))
    put = data.draw(st.binary(max_size=8))
    bent = RESULT[:at] + put + RESULT[until:]
    assert bent == RESULT or not check(bent).valid


@settings(max_examples=100, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=40)
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=12)
    | st.dictionaries(st.integers(0, 50), inner, max_size=5),
    max_leaves=30,
))  # fmt: skip
def test_whatever_the_kits_key_signs_is_judged_without_a_traceback(value):
    body = cbor.encode(value)
    protected = cbor.encode({1: -7, 4: keys.KIT.kid})
    signature = keys.KIT.sign(record.signed_digest(keys.KIT.kid, body))
    data = cbor.encode(cbor.Tag(18, [protected, {}, body, signature]))
    report = check(data)
    assert first_failed(report) != "unexpected"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.none() | st.integers(0, 2**64 - 1), min_size=1, max_size=40),
    st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1),
    st.sampled_from([1, 2, 3, 77]),
)  # fmt: skip
def test_any_numbers_that_the_kit_signs_are_valid_and_judged(listed, station, contest, time, form):
    data = world.signed(
        [1, good.LIVE, station, contest, form, listed, bytes(32), 1, bytes(32), time]
    )
    report = check(data)
    assert report.valid and first_failed(report) is None


def test_each_receipt_of_a_kit_is_judged_by_its_own_place():
    """What is said of a kit's receipts is made once a place: another place is another verdict."""
    elsewhere = world.signed([*PAYLOAD[:2], good.OTHER_STATION, *PAYLOAD[3:]])
    another = world.signed([1, good.LIVE + 1, *PAYLOAD[2:]])
    listed = [RESULT, elsewhere, another, RESULT]
    together = check_receipts(listed, world.trust(), world.NOW)
    assert [status(report, "station") for report in together] == ["ok", WARNING, "ok", "ok"]
    assert [report.exit_code for report in together] == [0, 0, 1, 0]
    for data, report in zip(listed, together, strict=True):
        assert report.as_json(str) == check(data).as_json(str)
