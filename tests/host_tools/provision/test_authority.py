"""The ceremony and its certificates, checked by `cryptography`'s verifier and by openssl."""

import io
import stat
import subprocess
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from host_tools.provision import keys, profile
from host_tools.provision.authority import Authority, AuthorityError, load_private, load_public
from tests.host_tools.provision.test_requests import SERIAL, request

WHEN = datetime(2041, 6, 1, tzinfo=UTC)


def verify(root: x509.Certificate, chain: list, leaf: x509.Certificate, when=WHEN):
    policy = PolicyBuilder().store(Store([root])).time(when)
    return policy.build_client_verifier().verify(leaf, chain)


def device(authority, training=False) -> x509.Certificate:
    der = authority.issue_device(request(training=training), "KIT-0001", training)
    return x509.load_der_x509_certificate(der)


def test_cryptography_accepts_the_chain_until_2041(authority):
    leaf = device(authority)
    chain = [authority.regional_certificate]
    verified = verify(authority.root_certificate, chain, leaf)
    assert len(verified.chain) == 3
    names = [str(name.value) for name in verified.subjects or []]
    assert names == ["urn:saksi:kit:KIT-0001"]
    with pytest.raises(VerificationError):
        verify(authority.root_certificate, chain, leaf, datetime(2042, 1, 1, tzinfo=UTC))


def test_another_root_or_a_missing_link_is_refused(authority, stranger):
    leaf = device(authority)
    with pytest.raises(VerificationError):
        verify(stranger.root_certificate, [authority.regional_certificate], leaf)
    with pytest.raises(VerificationError):
        verify(authority.root_certificate, [], leaf)


def test_openssl_accepts_the_chain(authority, tmp_path):
    leaf = tmp_path / "device.pem"
    leaf.write_bytes(device(authority).public_bytes(Encoding.PEM))
    folder = authority.folder
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslclient"]
    command += ["-CAfile", str(folder / "root.cert.pem")]
    region = ["-untrusted", str(folder / f"region-{authority.region}.cert.pem")]
    services = [str(folder / f"{name}.cert.pem") for name in ("signing", "collector")]
    assert subprocess.run([*command, *region, str(leaf)], check=False).returncode == 0
    assert subprocess.run([*command, *services], check=False).returncode == 0
    assert subprocess.run([*command, str(leaf)], check=False).returncode != 0


def test_a_device_certificate_has_the_profile_and_nothing_else(authority):
    certificate = device(authority)
    assert certificate.version == x509.Version.v3
    assert certificate.subject == profile.device_name(SERIAL, "KIT-0001", False)
    assert certificate.issuer == authority.regional_certificate.subject
    assert certificate.not_valid_after_utc.year == 2041
    assert certificate.signature_algorithm_oid == x509.SignatureAlgorithmOID.ECDSA_WITH_SHA256
    found = {type(e.value).__name__: e for e in certificate.extensions}
    assert set(found) == {
        "BasicConstraints",
        "KeyUsage",
        "ExtendedKeyUsage",
        "SubjectKeyIdentifier",
        "AuthorityKeyIdentifier",
        "SubjectAlternativeName",
    }
    assert {name for name, e in found.items() if e.critical} == {"BasicConstraints", "KeyUsage"}
    assert found["BasicConstraints"].value == x509.BasicConstraints(False, None)
    assert found["KeyUsage"].value.digital_signature
    assert not found["KeyUsage"].value.key_cert_sign
    assert set(found["ExtendedKeyUsage"].value) == {
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
    }


def test_a_training_certificate_says_latihan(authority):
    assert profile.is_training(device(authority, training=True))
    assert not profile.is_training(device(authority))


def test_the_log_tells_every_step_with_its_fingerprint(authority):
    before = (authority.folder / "ceremony.log").read_text()
    assert [line.split("\t")[1] for line in before.splitlines()[:4]] == [
        "root key made, NOT encrypted",
        "CA of region 1607 made, NOT encrypted",
        "signing key made, NOT encrypted",
        "collector key made, NOT encrypted",
    ]
    certificate = device(authority)
    after = (authority.folder / "ceremony.log").read_text()
    assert after.startswith(before)
    (line,) = after[len(before) :].splitlines()
    assert "kit KIT-0001 certified, live" in line
    from cryptography.hazmat.primitives.hashes import SHA256

    assert line.endswith(f"sha256:{certificate.fingerprint(SHA256()).hex()}")


def test_the_log_takes_no_line_breaks(authority):
    authority.log("one\nforged\tline")
    assert "one forged line\t-\n" in (authority.folder / "ceremony.log").read_text()


def test_key_files_are_for_their_owner_only(authority):
    for path in authority.folder.rglob("*.key.pem"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (authority.folder / "offline" / "root.key.pem").exists()


def test_a_passphrase_encrypts_every_key(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody to ask, though pytest has a terminal
    folder = tmp_path / "keys"
    made = Authority.create(folder, 1607, "Banyuasin", b"correct horse")
    files = sorted(folder.rglob("*.key.pem"))
    assert len(files) == 4
    for path in files:
        assert b"ENCRYPTED" in path.read_bytes()
        load_pem_private_key(path.read_bytes(), b"correct horse")
    opened = Authority(folder, 1607, b"correct horse")
    assert opened.signing.public_key() == made.signing.public_key()
    with pytest.raises(AuthorityError, match="is encrypted: give its passphrase"):
        Authority(folder, 1607)
    with pytest.raises(AuthorityError, match="the passphrase is wrong"):
        Authority(folder, 1607, b"wrong")
    assert "encrypted with a passphrase" in (folder / "ceremony.log").read_text()


def test_a_passphrase_for_a_key_without_one_is_refused(authority):
    with pytest.raises(AuthorityError, match="is not encrypted"):
        Authority(authority.folder, 1607, b"passphrase")


def test_a_ceremony_never_overwrites(authority):
    with pytest.raises(AuthorityError, match="is not empty"):
        Authority.create(authority.folder, 1607, "Banyuasin")


def test_the_root_key_may_be_in_a_safe(tmp_path):
    folder = tmp_path / "keys"
    Authority.create(folder, 1607, "Banyuasin")
    (folder / "offline" / "root.key.pem").unlink()
    assert device(Authority(folder, 1607))


def test_another_region_is_not_served(authority):
    with pytest.raises(AuthorityError, match=r"region-1608\.cert\.pem: cannot be read"):
        Authority(authority.folder, 1608)


def test_public_keys_are_read_from_certificates_and_key_files(authority, tmp_path):
    expected = authority.signing.public_key()
    assert load_public(authority.folder / "signing.cert.pem") == expected
    path = tmp_path / "public.pem"
    command = ["openssl", "pkey", "-in", str(authority.folder / "signing.key.pem"), "-pubout"]
    path.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    assert load_public(path) == expected
    assert load_private(authority.folder / "signing.key.pem").public_key() == expected


def test_unusable_key_files_are_named_with_the_reason(tmp_path):
    path = tmp_path / "x.pem"
    for read in (load_public, load_private):
        with pytest.raises(keys.KeyFileError, match="cannot be read"):
            read(tmp_path / "missing.pem")
        path.write_bytes(b"rubbish")
        with pytest.raises(keys.KeyFileError, match=r"x\.pem: "):
            read(path)
    command = ["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout"]
    path.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    with pytest.raises(keys.KeyFileError, match="not a P-256 key"):
        load_private(path)
