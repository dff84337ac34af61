"""Certificate and key at the start: the pin is told, what no kit would speak to is refused."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from host_tools.collector import tls
from host_tools.provision import sample
from host_tools.provision.election import load_election
from tests.host_tools.collector.process import ROOT, Process
from tests.host_tools.collector.test_command import refusal
from tests.host_tools.collector.tls_files import HOST, P256, Files, make, other_keys, write_key


def test_the_start_tells_the_pin_as_the_package_builder_takes_it(options, tmp_path):
    files = make(tmp_path, names=(HOST, "b.example.id"))
    collector = Process(tmp_path / "data", [*options[4:], *files.options], verify=files.client())
    assert collector.http.get("/healthz").text == "ok\n"
    collector.stop()
    told, pin = collector.collector.process.stdout.read().splitlines()
    assert told.startswith(f"kits reach it as {HOST} or b.example.id, ")

    shutil.copytree(Path(sample.__file__).parent, tmp_path / "sample")
    file = tmp_path / "sample" / "pilkada" / "election.toml"
    file.write_text(file.read_text().replace("[collector]\n", f"[collector]\n{pin}\n"))
    assert load_election(file).collector_pin == files.pin


def test_as_json_the_start_is_one_line(options, tmp_path):
    files = make(tmp_path)
    for more in (files.options, []):
        process = subprocess.Popen(
            [sys.executable, "-m", "host_tools.collector.command", *options, *more, "--json"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        told = json.loads(process.stdout.readline())
        process.kill()
        assert process.stdout.read() == ""
        secure = {"pin": files.pin.hex(), "names": [HOST]} if more else {}
        scheme = "https" if more else "http"
        assert re.fullmatch(scheme + r"://127\.0\.0\.1:[1-9][0-9]*", told.pop("url"))
        assert told == secure


def test_one_of_certificate_and_key_is_refused(options, tmp_path):
    files = make(tmp_path)
    for half in (files.options[:2], files.options[2:]):
        assert "give --tls-cert and --tls-key together" in refusal([*options, *half])


def test_files_that_are_not_what_they_should_be_are_told_apart(options, tmp_path):
    certificate, key = make(tmp_path)
    nowhere, rubbish = tmp_path / "nowhere", tmp_path / "rubbish"
    rubbish.write_bytes(b"rubbish")

    def told(*files) -> str:
        return refusal([*options, *Files(*files).options])

    assert "nowhere: cannot be read (No such file" in told(nowhere, key)
    assert "--tls-cert takes the server's certificate" in told(nowhere, key)
    assert "nowhere: cannot be read (No such file" in told(certificate, nowhere)
    assert "--tls-key takes the certificate's private key" in told(certificate, nowhere)
    for wrong in (rubbish, key):
        assert f"{wrong}: no certificate in PEM" in told(wrong, key)
    for wrong in (rubbish, certificate):
        assert f"{wrong}: no private key in PEM" in told(certificate, wrong)


def test_a_key_of_another_certificate_is_refused(options, tmp_path):
    files, other = make(tmp_path), make(tmp_path, "other")
    mixed = Files(files.certificate, other.key)
    assert f"{other.key}: not the key of {files.certificate}; " in refusal(
        [*options, *mixed.options]
    )
    files.certificate.write_bytes(files.certificate.read_bytes() + other.certificate.read_bytes())
    assert "put the certificate of" in refusal([*options, *mixed.options])
    right = Files(files.certificate, files.key)
    assert tls.load(*right).pin == files.pin  # a chain is well, the server's own certificate first


def test_an_encrypted_key_is_refused_and_nobody_is_asked(options, tmp_path):
    key = ec.generate_private_key(P256)
    files = make(tmp_path, key=key)
    write_key(files.key, key, b"secret")
    told = refusal([*options, *files.options])
    assert "the key is encrypted" in told and f"openssl pkey -in {files.key} -out" in told


def test_keys_that_kits_are_not_proved_with_are_refused(options, tmp_path):
    right = make(tmp_path)
    for name, key in other_keys().items():
        files = make(tmp_path, name, key)
        told = refusal([*options, *files.options])
        assert f"{files.certificate}: not the certificate of a P-256 key; " in told
        assert "openssl ecparam -name prime256v1 -genkey" in told
        told = refusal([*options, *Files(right.certificate, files.key).options])
        assert f"{files.key}: not a P-256 key; " in told


def test_a_key_as_openssl_writes_it_is_taken(tmp_path):
    key = ec.generate_private_key(P256)
    files = make(tmp_path, key=key)
    before = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    files.key.write_bytes(before + key.private_bytes(pem, form, serialization.NoEncryption()))
    assert tls.load(*files).pin == files.pin


def test_what_kits_will_refuse_is_warned_of(options, tmp_path):
    def warnings(**made) -> str:
        secure = tls.load(*make(tmp_path, **made))
        return "\n".join(secure.warnings)

    assert warnings() == ""
    assert "out of date since 20" in warnings(days=(-30, -1))
    assert "valid from 20" in warnings(days=(1, 30))
    assert "bears no DNS name" in warnings(names=())
    process = subprocess.Popen(
        [sys.executable, "-m", "host_tools.collector.command", *options]
        + make(tmp_path, days=(-30, -1)).options,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "listening on https://" in process.stdout.readline()  # and it serves all the same
    process.terminate()
    assert process.communicate()[1].startswith(f"warning: {tmp_path / 'tls.pem'}: out of date")


def test_a_new_certificate_of_the_same_key_keeps_the_pin(tmp_path):
    key = ec.generate_private_key(P256)
    old, new = make(tmp_path, "old", key, days=(-30, -1)), make(tmp_path, "new", key)
    assert old.certificate.read_bytes() != new.certificate.read_bytes()
    assert tls.load(*old).pin == tls.load(*new).pin
    assert tls.load(None, None) is None


def test_the_certificate_of_the_readme_is_taken_without_a_warning(tmp_path):
    readme = (ROOT / "host_tools" / "collector" / "README.md").read_text().replace("\\\n", "")
    line = next(one for one in readme.splitlines() if one.strip().startswith("openssl req"))
    subprocess.run(shlex.split(line), cwd=tmp_path, check=True, capture_output=True)
    secure = tls.load(tmp_path / "tls.pem", tmp_path / "tls-key.pem")
    assert (secure.names, secure.warnings) == ((HOST,), ())
