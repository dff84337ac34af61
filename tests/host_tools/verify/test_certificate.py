"""A kit's certificate beside the bundle: issued by the CA, for this key and mode."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from firmware import record
from host_tools.provision import profile
from host_tools.provision.keys import SoftwareKey
from host_tools.verify.certificate import CertificateError, Certificates, read
from host_tools.verify.receipt import check_receipt
from host_tools.verify.report import FAILED, SKIPPED, WARNING
from tests.firmware.support import raises
from tests.host_tools.verify import world
from tests.vectors import good, keys

RESULT = world.entry_bytes("result-28-figures")
BEFORE = datetime.fromtimestamp(good.START, UTC) - timedelta(days=30)


class Chain:
    """Root, regional CA and the certificate of a kit's key."""

    def __init__(self, training=False, now=BEFORE):
        root, regional = SoftwareKey.generate(), SoftwareKey.generate()
        issuer = profile.Issuer(root, None, now)
        self.root = profile.authority_certificate("root CONTOH", 1, root, issuer)
        issuer = profile.Issuer(root, self.root, now)
        self.regional = profile.authority_certificate("region CONTOH", 0, regional, issuer)
        issuer = profile.Issuer(regional, self.regional, now)
        subject = profile.device_name("AB" * 9, "CONTOH-1", training)
        public = keys.KIT.private.public_key()
        self.kit = profile.device_certificate(subject, "CONTOH-1", public, issuer)


CHAIN = Chain()


def check(kits, authorities, data=RESULT):
    trust = world.trust(certificates=Certificates(kits, authorities))
    return check_receipt(data, trust, world.NOW)


@pytest.mark.parametrize("which", [("root", "regional"), ("regional",)])
def test_a_certificate_that_leads_to_the_ca_is_ok_and_names_it(which):
    report = check([CHAIN.kit], [getattr(CHAIN, name) for name in which])
    assert report.valid and report.status("certificate") == "ok"
    told = next(one for one in report.checks if one.name == "certificate")
    assert told.values == ("region CONTOH",)


def test_a_certificate_by_another_ca_fails():
    other = Chain()
    report = check([CHAIN.kit], [other.root, other.regional])
    assert report.status("certificate") == FAILED and report.exit_code == 1


def test_the_root_alone_does_not_reach_the_kit():
    assert check([CHAIN.kit], [CHAIN.root]).status("certificate") == FAILED


def test_a_training_certificate_for_a_live_record_fails():
    training = Chain(training=True)
    report = check([training.kit], [training.root, training.regional])
    assert report.status("certificate") == FAILED


def test_a_record_from_before_its_certificate_is_a_warning_on_the_clock():
    late = Chain(now=datetime.fromtimestamp(good.START, UTC) + timedelta(days=30))
    report = check([late.kit], [late.root, late.regional])
    assert report.status("certificate") == WARNING and report.exit_code == 0


def test_without_a_ca_or_for_another_kit_the_certificate_proves_nothing():
    assert check([CHAIN.kit], []).status("certificate") == SKIPPED
    assert check([], [CHAIN.root]).status("certificate") == SKIPPED


def test_files_and_folders_of_certificates_are_read(tmp_path):
    (tmp_path / "issued").mkdir()
    (tmp_path / "issued" / "kit.der").write_bytes(CHAIN.kit.public_bytes(Encoding.DER))
    pem = tmp_path / "ca.pem"
    both = CHAIN.root.public_bytes(Encoding.PEM) + CHAIN.regional.public_bytes(Encoding.PEM)
    pem.write_bytes(both)
    held = Certificates.load([tmp_path / "issued"], [pem])
    assert list(held.kits) == [record.kid_of(keys.KIT.point)] and len(held.authorities) == 2


@pytest.mark.parametrize("data", [b"", b"rubbish", b"-----BEGIN CERTIFICATE-----\nAA"])
def test_rubbish_is_one_line(tmp_path, data):
    (tmp_path / "x.pem").write_bytes(data)
    assert "\n" not in str(raises(CertificateError, read, tmp_path / "x.pem"))
