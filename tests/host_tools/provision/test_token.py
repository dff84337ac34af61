"""The authority's keys in a PKCS#11 token: SoftHSM2 signs, OpenSSL verifies."""

import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from firmware import record
from host_tools.provision import key_reference, keys, token
from host_tools.provision.authority import Authority, AuthorityError, load_private
from host_tools.provision.keys import KeyFileError
from host_tools.provision.token_uri import TokenError, parse
from tests.host_tools.provision.softhsm import PIN, SoftHsm
from tests.host_tools.provision.terminal import ROOT, saksi
from tests.host_tools.provision.test_command import run
from tests.host_tools.provision.test_requests import request

ROLES = ("root", "region-1607", "signing")


@pytest.fixture(scope="module")
def hsm(tmp_path_factory):
    """One token for this file: a PKCS#11 library reads its settings once in a process."""
    made = SoftHsm(tmp_path_factory.mktemp("hsm") / "softhsm")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SOFTHSM2_CONF", "PKCS11_MODULE_PATH"):
            patch.setenv(name, made.environment[name])
        for name in (*ROLES, "spare"):
            token.make_key(made.uri(name))
        yield made


@pytest.fixture(scope="module")
def office(hsm, tmp_path_factory):
    """A ceremony with root, region and signing key in the token."""
    folder = tmp_path_factory.mktemp("office") / "keys"
    Authority.create(folder, 1607, "CONTOH", tokens={name: hsm.uri(name) for name in ROLES})
    return folder


@pytest.fixture(scope="module")
def safe(hsm, tmp_path_factory):
    """A ceremony with only the root key in the token, so that nothing else logs it in."""
    folder = tmp_path_factory.mktemp("safe") / "keys"
    Authority.create(folder, 1607, "CONTOH", tokens={"root": hsm.uri("root")})
    return folder


def fresh(hsm, *words) -> subprocess.CompletedProcess:
    """`saksi provision authority ...` in a process that is not logged in, without a terminal."""
    program = "from host_tools.cli import main; main()"
    command = [sys.executable, "-c", program, "provision", "authority", *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, env=hsm.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def verified(office, path, region=1607) -> bool:
    command = ["openssl", "verify", "-x509_strict", "-CAfile", office / "root.cert.pem"]
    command += ["-untrusted", office / f"region-{region}.cert.pem", path]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_openssl_verifies_a_certificate_that_the_token_s_region_key_issued(office, tmp_path):
    assert sorted(path.name for path in office.rglob("*.key.*")) == [
        "collector.key.pem",
        "region-1607.key.uri",
        "root.key.uri",
        "signing.key.uri",
    ]
    der = Authority(office, 1607).issue_device(request(), "KIT-0001", False)
    path = tmp_path / "device.pem"
    path.write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    assert verified(office, path)
    assert "CA of region 1607 made, in a token" in (office / "ceremony.log").read_text()


def test_the_commands_read_the_pin_from_the_file_that_the_uri_names(hsm, office, tmp_path):
    words = ("--authority", office, "--region", 1607)
    done = fresh(hsm, "crl", *words)
    assert done.returncode == 0, done.stderr
    crl = ["openssl", "crl", "-in", office / "region-1607.crl.pem", "-verify", "-noout"]
    crl += ["-CAfile", office / "region-1607.cert.pem"]
    assert b"verify OK" in subprocess.run(crl, capture_output=True, check=True).stderr
    done = fresh(hsm, "technician", "CONTOH SARI", "--authority", office, "--no-passphrase")
    assert done.returncode == 0, done.stderr
    done = fresh(hsm, "roster", *words, "--until", "2041-01-01", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    shown = ("roster", "show", tmp_path / "roster-1607-1.cbor")
    assert fresh(hsm, *shown, "--signed-by", office / "signing.cert.pem").returncode == 0


def test_a_signature_is_low_s_and_by_the_token_s_key(hsm, office):
    signer = Authority(office, 1607).signing
    digests = [record.sha256(bytes([n])) for n in range(20)]
    for digest in digests:
        signature = signer.sign(digest)
        assert len(signature) == 64 and record.is_low_s(signature)
        assert keys.verify(signer.public_key(), digest, signature)
    assert len({signer.sign(digests[0]) for _ in range(2)}) == 2
    assert keys.load_public(office / "signing.cert.pem") == signer.public_key()


def test_a_root_key_in_a_token_makes_a_further_region(hsm, office):
    words = ("region", office, "--region", 1608, "--name", "CONTOH TIMUR", "--no-passphrase")
    done = fresh(hsm, *words, "--root", office / "offline" / "root.key.uri")
    assert done.returncode == 0, done.stderr
    assert verified(office, office / "region-1608.cert.pem", 1607)
    other = fresh(hsm, *[1609 if word == 1608 else word for word in words],
                  "--root", hsm.uri("spare"))  # fmt: skip
    assert other.returncode == 2 and "is not the root key" in other.stderr


def test_a_wrong_pin_is_one_clear_error(hsm, safe, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("000000\n")
    done = fresh(hsm, "region", safe, "--region", 1610, "--name", "X", "--no-passphrase",
                 "--root", hsm.uri("root", wrong))  # fmt: skip
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == ("token KPU CONTOH: the PIN is wrong; after a few more it locks itself\n")
    assert not list(safe.glob("region-1610*"))


def test_without_a_pin_file_or_terminal_the_command_says_what_it_needs(hsm, safe):
    uri = hsm.uri("root").partition("?")[0]
    done = fresh(hsm, "region", safe, "--region", 1610, "--name", "X", "--no-passphrase",
                 "--root", uri)  # fmt: skip
    assert done.returncode == 2 and "its PIN is needed" in done.stderr


def test_the_pin_may_be_typed_and_is_not_shown(hsm, safe):
    uri = hsm.uri("root").partition("?")[0]
    words = ("provision", "authority", "region", safe, "--region", 1611, "--name", "X")
    words += ("--no-passphrase", "--root", uri)
    code, seen = saksi(*words, typed=[PIN], environment=hsm.environment)
    assert code == 0 and "PIN of token KPU CONTOH" in seen and PIN not in seen, seen
    made = ("provision", "authority", "token-key", uri.replace("object=root", "object=typed"))
    code, seen = saksi(*made, typed=[PIN], environment=hsm.environment)
    assert code == 0 and PIN not in seen, seen
    code, seen = saksi(*made, typed=["000000"], environment=hsm.environment)
    assert code == 2 and "the PIN is wrong" in seen


def test_a_key_made_in_a_token_never_leaves_it(hsm):
    key = token.open_key(hsm.uri("spare"))
    with pytest.raises(TokenError, match="stays in the token"):
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(TokenError, match="stays in the token"):
        key.private_numbers()
    from pkcs11 import Attribute

    assert key._key[Attribute.EXTRACTABLE] is False and key._key[Attribute.SENSITIVE] is True
    with pytest.raises(TokenError, match="holds an object spare already"):
        token.make_key(hsm.uri("spare"))


def test_a_key_brought_into_the_token_signs_as_its_file_does(hsm, stranger):
    path = stranger.folder / "signing.key.pem"
    hsm.import_key(path, "brought", "77")
    uri = hsm.uri("brought").replace("object=brought", "object=brought;id=%77;type=private")
    opened = key_reference.open_key(uri)
    assert opened.public_key() == load_private(path).public_key()
    digest = record.sha256(b"x")
    assert keys.verify(stranger.signing.public_key(), digest, opened.sign(digest))


def test_only_p_256_with_sha_256_is_signed(hsm, tmp_path):
    path = tmp_path / "p384.pem"
    made = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]
    subprocess.run([*made, "-out", path], check=True, capture_output=True)
    hsm.import_key(path, "wide", "78")
    with pytest.raises(TokenError, match="not a P-256 key"):
        token.open_key(hsm.uri("wide"))
    with pytest.raises(TokenError, match="SHA-256 only"):
        token.open_key(hsm.uri("spare")).sign(b"x", ec.ECDSA(SHA384()))


def test_a_token_whose_two_halves_do_not_match_gives_no_signature(hsm):
    private, other = token.open_key(hsm.uri("spare")), token.open_key(hsm.uri("root"))
    mixed = token.TokenKey(private._key, other.public_key(), "token")
    with pytest.raises(TokenError, match="do not match"):
        keys.SoftwareKey(mixed).sign(record.sha256(b"x"))


def test_one_key_is_not_used_for_two_things(hsm, office, tmp_path):
    tokens = {"root": hsm.uri("root"), "signing": hsm.uri("root")}
    with pytest.raises(AuthorityError, match="each needs its own"):
        Authority.create(tmp_path / "keys", 1607, "CONTOH", tokens=tokens)
    assert not (tmp_path / "keys").exists()
    root = hsm.uri("root")
    with pytest.raises(AuthorityError, match="each needs its own"):
        Authority.add_region(office, 1612, "X", root, tokens={"region-1612": hsm.uri("signing")})


def test_a_key_s_file_and_its_uri_side_by_side_are_refused(hsm, office, tmp_path):
    Authority.create(tmp_path / "keys", 1607, "CONTOH")
    place = tmp_path / "keys" / "signing.key.uri"
    place.write_text(hsm.uri("signing"))
    with pytest.raises(AuthorityError, match=r"signing\.key\.pem is there too"):
        Authority(tmp_path / "keys", 1607)
    (tmp_path / "keys" / "signing.key.pem").unlink()
    with pytest.raises(AuthorityError, match="do not belong together"):
        Authority(tmp_path / "keys", 1607)
    place.write_text("/dev/null\n")
    with pytest.raises(AuthorityError, match="is not one pkcs11: URI"):
        Authority(tmp_path / "keys", 1607)


def test_what_is_not_there_is_named_in_one_line(hsm):
    for uri, reason in (
        (hsm.uri("nothing"), "has no private key nothing"),
        (hsm.uri("root").replace("KPU%20CONTOH", "OTHER"), "token OTHER: is not there"),
        (hsm.uri("root") + "&module-path=/nowhere.so", "/nowhere.so: cannot be used"),
        ("pkcs11:serial=00;object=root", "token 00: is not there"),
    ):
        with pytest.raises(KeyFileError, match=reason) as refused:
            key_reference.open_key(uri)
        assert "\n" not in str(refused.value)


def test_a_uri_that_could_mean_another_key_is_refused(hsm):
    for uri, reason in (
        ("pkcs11:object=root", "must name a token"),
        ("pkcs11:token=a", "must name a token"),
        ("pkcs11:token=a;object=b;object=c", "there twice"),
        ("pkcs11:token=a;object=b;color=red", "unknown"),
        ("pkcs11:token=a;object=", "empty"),
        ("pkcs11:token=a;object=b;type=public", "type must be private"),
        ("pkcs11:token=a;object=b?pin-value=1234", "does not belong into a URI"),
        ("file:token=a", "no pkcs11: URI"),
    ):
        with pytest.raises(TokenError, match=reason):
            parse(uri)
    text = "pkcs11:token=a%20b;object=c%3Bd;id=%01%ff?module-path=/m.so&pin-source=file:/p%20q"
    read = parse(text)
    assert (read.token, read.label, read.key_id) == ("a b", "c;d", b"\x01\xff")
    assert (read.module, str(read.pin_file)) == ("/m.so", "/p q")


def test_without_a_library_the_command_says_where_it_looks(monkeypatch):
    monkeypatch.delenv("PKCS11_MODULE_PATH", raising=False)
    with pytest.raises(TokenError, match="module-path"):
        parse("pkcs11:token=a;object=b")
    result = run("authority", "create", "x", "--region", 1, "--name", "X", "--no-passphrase",
                 "--root-key", "root.pem", code=2)  # fmt: skip
    assert "is no pkcs11: URI" in result.stderr
