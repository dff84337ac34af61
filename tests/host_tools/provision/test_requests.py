"""The kit's certificate requests, read by implementations that are not ours."""

import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from firmware import csr
from host_tools.provision import profile
from host_tools.provision.authority import AuthorityError, read_request
from host_tools.provision.keys import SoftwareKey, to_point64
from tests.firmware import test_csr as vector

SERIAL = "0123A1B2C3D4E5F6EE"


def request(key=None, kit="KIT-0001", training=False, serial=SERIAL) -> bytes:
    key = key or SoftwareKey.generate()
    return csr.csr(serial, kit, training, key.public_key(), key.sign)


def other_maker(name: x509.Name, key=None, algorithm=None, *extensions) -> bytes:
    """A request that no kit of ours would make."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    key = key or ec.generate_private_key(ec.SECP256R1())
    return builder.sign(key, algorithm or hashes.SHA256()).public_bytes(Encoding.DER)


def test_the_vector_is_valid_for_cryptography_and_openssl(tmp_path):
    read = read_request(vector.LIVE)
    assert to_point64(read.public_key()) == vector.KEY
    assert read.subject == profile.device_name(vector.SERIAL, "KIT-0001", False)
    training = csr.csr(
        vector.SERIAL, "KIT-0001", True, vector.KEY, lambda _: vector.TRAINING_SIGNATURE
    )
    assert read_request(training).subject == profile.device_name(vector.SERIAL, "KIT-0001", True)
    for der in (vector.LIVE, training):
        path = tmp_path / "request.der"
        path.write_bytes(der)
        command = ["openssl", "req", "-inform", "DER", "-in", str(path), "-verify", "-noout"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "OK" in done.stdout + done.stderr


def test_a_hundred_keys_make_valid_requests():
    for _ in range(100):
        assert read_request(request()).is_signature_valid


def test_what_is_not_a_request_is_refused():
    for rubbish in (b"", b"\x30\x03\x02\x01\x00", vector.LIVE[:-1], vector.LIVE + b"\x00"):
        with pytest.raises(AuthorityError, match="not a certificate request"):
            read_request(rubbish)


def test_a_request_signed_by_another_key_is_refused():
    mine, other = SoftwareKey.generate(), SoftwareKey.generate()
    with pytest.raises(AuthorityError, match="not by its own key"):
        read_request(csr.csr(SERIAL, "KIT-0001", False, mine.public_key(), other.sign))
    altered = vector.LIVE.replace(b"KIT-0001", b"KIT-0002")
    with pytest.raises(AuthorityError, match="not by its own key"):
        read_request(altered)


def test_keys_and_algorithms_outside_the_profile_are_refused():
    name = profile.device_name(SERIAL, "KIT-0001", False)
    cases = [
        (rsa.generate_private_key(65537, 2048), hashes.SHA256(), "not P-256"),
        (ec.generate_private_key(ec.SECP384R1()), hashes.SHA256(), "not P-256"),
        (ec.generate_private_key(ec.SECP256R1()), hashes.SHA512(), "ECDSA and SHA-256"),
    ]
    for key, algorithm, reason in cases:
        with pytest.raises(AuthorityError, match=reason):
            read_request(other_maker(name, key, algorithm))


def test_a_request_that_asks_to_be_a_ca_is_refused():
    name = profile.device_name(SERIAL, "KIT-0001", False)
    wish = x509.BasicConstraints(ca=True, path_length=None)
    with pytest.raises(AuthorityError, match="asks for attributes"):
        read_request(other_maker(name, None, None, wish))


def test_names_outside_the_profile_get_no_certificate(authority):
    def named(*parts):
        return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])

    country, office = (NameOID.COUNTRY_NAME, "ID"), (NameOID.ORGANIZATION_NAME, "KPU")
    chip, kit = (NameOID.SERIAL_NUMBER, SERIAL), (NameOID.COMMON_NAME, "KIT-0001")
    cases = [
        named(),
        named(country, office, kit),
        named(country, office, (NameOID.SERIAL_NUMBER, "0123"), kit),
        named(country, office, (NameOID.SERIAL_NUMBER, SERIAL.lower()), kit),
        named(country, (NameOID.ORGANIZATION_NAME, "KPK"), chip, kit),
        named(country, office, kit, chip),
        named(country, office, chip, kit, kit),
        named(country, office, (NameOID.LOCALITY_NAME, "Sembawa"), chip, kit),
    ]
    for name in cases:
        with pytest.raises(AuthorityError, match="request"):
            authority.issue_device(other_maker(name), "KIT-0001", False)


def test_a_request_for_another_kit_or_mode_gets_no_certificate(authority):
    with pytest.raises(AuthorityError, match="not for CN=KIT-0002"):
        authority.issue_device(request(), "KIT-0002", False)
    with pytest.raises(AuthorityError, match="LATIHAN"):
        authority.issue_device(request(), "KIT-0001", True)
    with pytest.raises(AuthorityError, match="not for"):
        authority.issue_device(request(training=True), "KIT-0001", False)


def test_the_same_request_again_gets_the_same_certificate(authority):
    key = SoftwareKey.generate()
    first = authority.issue_device(request(key), "KIT-0001", False)
    assert authority.issue_device(request(key), "KIT-0001", False) == first


def test_one_key_is_certified_for_one_kit_and_mode_only(authority):
    key = SoftwareKey.generate()
    authority.issue_device(request(key), "KIT-0001", False)
    for kit, training in (("KIT-0002", False), ("KIT-0001", True)):
        with pytest.raises(AuthorityError, match="already certified"):
            authority.issue_device(request(key, kit, training), kit, training)
