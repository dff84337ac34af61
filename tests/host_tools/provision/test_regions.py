"""A further region from the offline root key, and passphrases that are typed."""

import subprocess
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from host_tools.provision.authority import Authority, AuthorityError, load_private
from host_tools.provision.keys import SoftwareKey
from tests.host_tools.provision.terminal import saksi
from tests.host_tools.provision.test_command import run
from tests.host_tools.provision.test_requests import request

NAMES = ("--region", 1608, "--name", "CONTOH TIMUR")


@pytest.fixture
def office(tmp_path):
    """An authority with one region, its root key away in a safe."""
    Authority.create(tmp_path / "keys", 1607, "CONTOH")
    (tmp_path / "safe").mkdir()
    (tmp_path / "keys" / "offline" / "root.key.pem").rename(tmp_path / "safe" / "root.key.pem")
    return tmp_path


def region(office, *words, code=0):
    root = ("--root", office / "safe" / "root.key.pem", "--no-passphrase")
    return run("authority", "region", office / "keys", *NAMES, *root, *words, code=code)


def test_a_further_region_certifies_its_own_kits(office):
    before = (office / "keys" / "ceremony.log").read_text()
    region(office)
    authority = Authority(office / "keys", 1608)
    path = office / "device.pem"
    der = authority.issue_device(request(), "KIT-0001", False)
    path.write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    command = ["openssl", "verify", "-x509_strict", "-CAfile", str(office / "keys/root.cert.pem")]

    def accepted(region: int) -> bool:
        middle = ["-untrusted", str(office / "keys" / f"region-{region}.cert.pem")]
        return subprocess.run([*command, *middle, str(path)], check=False).returncode == 0

    assert accepted(1608) and not accepted(1607)
    after = (office / "keys" / "ceremony.log").read_text()
    assert after.startswith(before)
    made = after[len(before) :].splitlines()[0].split("\t")
    assert made[1] == "CA of region 1608 made, NOT encrypted"
    shown = run("authority", "show", office / "keys").stdout
    assert f"{made[2].removeprefix('sha256:')}  region-1608.cert.pem" in shown


def test_another_root_makes_no_region_here(office, tmp_path):
    Authority.create(tmp_path / "other", 1607, "CONTOH")
    words = ("--root", tmp_path / "other" / "offline" / "root.key.pem", "--no-passphrase")
    result = run("authority", "region", office / "keys", *NAMES, *words, code=2)
    assert "is not the root key of" in result.stderr and result.stderr.count("\n") == 1
    assert not list((office / "keys").glob("region-1608*"))


def test_a_region_that_is_there_is_never_made_again(office):
    held = {path: path.read_bytes() for path in (office / "keys").glob("region-1607*")}
    words = ("--region", 1607, "--name", "CONTOH", "--no-passphrase")
    root = ("--root", office / "safe" / "root.key.pem")
    result = run("authority", "region", office / "keys", *words, *root, code=2)
    assert "has its CA, or half of one, already" in result.stderr
    assert all(path.read_bytes() == data for path, data in held.items())


def test_the_root_key_has_a_passphrase_of_its_own(tmp_path):
    folder, secret, root_secret = tmp_path / "keys", tmp_path / "secret", tmp_path / "root-secret"
    secret.write_text("correct horse\n")
    root_secret.write_text("battery staple\n")
    Authority.create(folder, 1607, "CONTOH", b"correct horse")
    root = folder / "offline" / "root.key.pem"
    locked = ["openssl", "pkcs8", "-topk8", "-in", str(root), "-out", str(tmp_path / "root.pem")]
    locked += ["-passin", f"file:{secret}", "-passout", f"file:{root_secret}"]
    subprocess.run(locked, check=True)
    words = ["authority", "region", folder, *NAMES, "--root", tmp_path / "root.pem"]
    words += ["--passphrase-file", secret]
    assert "is encrypted" in run(*words, code=2).stderr
    run(*words, "--root-passphrase-file", root_secret)
    assert load_private(folder / "region-1608.key.pem", b"correct horse")
    wrong = [*words[:-1], root_secret, "--root-passphrase-file", root_secret]
    wrong[wrong.index(1608)] = 1609
    assert "signing.key.pem: not a private key, or the" in run(*wrong, code=2).stderr
    assert not list(folder.glob("region-1609*"))


def test_a_key_certified_in_one_region_gets_no_certificate_in_another(office):
    region(office)
    key = SoftwareKey.generate()
    Authority(office / "keys", 1607).issue_device(request(key), "KIT-0001", False)
    with pytest.raises(AuthorityError, match="already certified in another region"):
        Authority(office / "keys", 1608).issue_device(request(key), "KIT-0001", False)


def test_a_key_that_does_not_fit_its_certificate_signs_nothing(office):
    region(office)
    keys = office / "keys"
    (keys / "region-1608.key.pem").replace(keys / "region-1607.key.pem")
    with pytest.raises(AuthorityError, match="region-1607: key and certificate do not belong"):
        Authority(keys, 1607)


def test_without_a_terminal_nobody_gets_open_keys_by_omission(tmp_path):
    words = ("authority", "create", tmp_path / "keys", "--region", 1607, "--name", "CONTOH")
    assert "--no-passphrase for trying out" in run(*words, code=2).stderr
    assert not (tmp_path / "keys").exists()
    both = ("--no-passphrase", "--passphrase-file", tmp_path / "secret")
    assert "not both" in run(*words, *both, code=2).stderr


def test_a_passphrase_is_typed_twice_and_never_shown(tmp_path):
    folder = tmp_path / "keys"
    words = ("provision", "authority", "create", folder, "--region", 1607, "--name", "CONTOH")
    typed = ["correct horse", "corect horse", "correct horse", "correct horse"]
    code, seen = saksi(*words, typed=typed)
    assert code == 0, seen
    assert "New passphrase for the authority's keys" in seen and "root.cert.pem" in seen
    assert "horse" not in seen
    for path in folder.rglob("*.key.pem"):
        assert load_private(path, b"correct horse")
    # From then on it is asked for once, whatever the number of keys.
    words = ("provision", "authority", "crl", "--authority", folder, "--region", 1607)
    code, seen = saksi(*words, typed=["correct horse"])
    assert code == 0 and "region-1607.crl.pem" in seen, seen
    code, seen = saksi(*words, typed=["battery staple"])
    assert code == 2 and "the passphrase is wrong" in seen


def test_the_log_s_times_are_the_clock_s(tmp_path):
    when = datetime(2024, 11, 20, 3, 4, 5, tzinfo=UTC)
    Authority.create(tmp_path / "keys", 1607, "CONTOH", clock=lambda: when)
    lines = (tmp_path / "keys" / "ceremony.log").read_text().splitlines()
    assert all(line.startswith("2024-11-20T03:04:05Z\t") for line in lines)
