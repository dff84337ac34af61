import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from firmware import csr, record
from firmware.readiness import CHECKS
from host_tools.provision import bundle, keys, readiness, sample
from host_tools.provision.readiness import ReadinessError

SERIAL = bytes.fromhex("0123a1b2c3d4e5f6ee")
LIVE, NOW = 202411, 1_795_766_640
ALL = [[check, 1] for check in CHECKS]
PACKAGE = hashlib.sha256(b"package").digest()


def signed(key, **changes):
    fields = {
        "serial": SERIAL,
        "firmware": "saksi 0.1.0",
        "digest": bytes(32),
        "election": LIVE,
        "station": sample.STATION,
        "package": PACKAGE,
        "time": NOW,
        "results": ALL,
        **changes,
    }
    return record.assemble([record.READINESS, *fields.values()], key.kid(), key.sign)


@pytest.fixture(scope="module")
def kit():
    return keys.SoftwareKey.generate()


@pytest.fixture(scope="module")
def certificate(authority, kit):
    request = csr.csr(SERIAL.hex().upper(), "READINESS-1", False, kit.public_key(), kit.sign)
    return authority.issue_device(request, "READINESS-1", False)


def refusal(function, *args):
    with pytest.raises(ReadinessError) as error:
        function(*args)
    return str(error.value)


def test_a_statement_says_what_was_signed(kit):
    said = readiness.verify(signed(kit), kit.public_key())
    assert (said.serial, said.station, said.election) == (SERIAL, sample.STATION, LIVE)
    assert said.package == readiness.package_digest(b"package")
    assert said.ready and not said.failed and not said.unseen and not said.training
    assert said.as_json()["results"][0] == {
        "check": CHECKS[0], "name": "Security chip answers", "outcome": "passed",
    }  # fmt: skip


def test_failed_and_unseen_checks_are_named(kit):
    results = [[CHECKS[0], 0], [CHECKS[1], 2], [CHECKS[2], 9]]
    said = readiness.parse(signed(kit, results=results))
    assert said.failed == [CHECKS[0], CHECKS[2]]
    assert said.unseen == [CHECKS[1], *CHECKS[3:]]
    assert not said.ready


def test_another_key_or_an_altered_statement_is_refused(kit):
    data = signed(kit)
    other = keys.SoftwareKey.generate()
    assert "not this kit's" in refusal(readiness.verify, data, other.public_key())
    altered = data.replace(b"saksi 0.1.0", b"saksi 0.1.1")
    assert "altered" in refusal(readiness.verify, altered, kit.public_key())
    assert "not a signed" in refusal(readiness.verify, data[:-1], kit.public_key())
    assert "not a signed" in refusal(readiness.verify, b"", kit.public_key())


def test_another_kind_of_record_is_no_readiness(kit):
    event = [record.EVENT, LIVE, sample.STATION, record.BOOT, [], 1, bytes(32), NOW]
    data = record.assemble(event, kit.kid(), kit.sign)
    assert "kind 3" in refusal(readiness.verify, data, kit.public_key())


def test_a_check_with_two_outcomes_is_refused(kit):
    data = signed(kit, results=[[CHECKS[0], 1], [CHECKS[0], 0]])
    assert "two outcomes" in refusal(readiness.verify, data, kit.public_key())


def test_the_kits_certificate_vouches_for_it(authority, kit, certificate):
    issuer = authority.regional_certificate
    assert readiness.verify_by_certificate(signed(kit), certificate, issuer).ready
    other = keys.SoftwareKey.generate()
    text = refusal(readiness.verify_by_certificate, signed(other), [certificate], issuer)
    assert "no certificate was given" in text


def test_chip_mode_and_issuer_have_to_be_the_certificates(authority, stranger, kit, certificate):
    issuer = authority.regional_certificate
    check = readiness.verify_by_certificate
    other_chip = signed(kit, serial=bytes(8) + b"\xee")
    assert "another chip" in refusal(check, other_chip, certificate, issuer)
    training = signed(kit, election=LIVE + record.TRAINING)
    assert "mode" in refusal(check, training, certificate, issuer)
    foreign = stranger.regional_certificate
    assert "regional CA" in refusal(check, signed(kit), certificate, foreign)
    assert "X.509" in refusal(check, signed(kit), b"rubbish", issuer)
    own = x509.load_der_x509_certificate(certificate).public_bytes(serialization.Encoding.PEM)
    assert "X.509" in refusal(check, signed(kit), own, issuer)


def listed(authority, key, station=sample.STATION, revoked=(), region=sample.REGION):
    data = bundle.build_bundle(
        version=1,
        election=LIVE,
        region=region,
        issued=NOW,
        next_issue=NOW + 1,
        entries=[(key.public_key(), station)],
        revoked=revoked,
        signer=authority.signing,
    )
    return bundle.verify_bundle(data, authority.signing.public_key())


def test_a_bundle_vouches_for_it(authority, kit):
    check = readiness.verify_by_bundle
    assert check(signed(kit), listed(authority, kit)).ready
    assert check(signed(kit), listed(authority, kit, bundle.SPARE)).ready
    assert "revoked" in refusal(check, signed(kit), listed(authority, kit, revoked=[kit.kid()]))
    other = keys.SoftwareKey.generate()
    assert "not in this bundle" in refusal(check, signed(other), listed(authority, kit))
    elsewhere = signed(kit, station=sample.STATION + 1)
    assert "says it is at" in refusal(check, elsewhere, listed(authority, kit))
    outside = signed(kit, station=3201012001001)
    spare = listed(authority, kit, bundle.SPARE)
    assert "spare kit" in refusal(check, outside, spare)
    assert "election" in refusal(check, signed(kit, election=LIVE + 1), listed(authority, kit))


def test_the_code_on_the_carton_holds_the_statement(kit):
    data = signed(kit)
    text = readiness.code_text("TPS.EXAMPLE.ID", data)
    assert text.startswith("HTTPS://TPS.EXAMPLE.ID/#1")
    assert "host" in refusal(readiness.code_text, "tps.example.id", data)
    assert "not a signed" in refusal(readiness.code_text, "TPS.EXAMPLE.ID", b"x")
