"""The command that writes the site: what it takes, what it refuses, what it writes."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from host_tools.verify.command import app
from host_tools.verify.web import npm
from host_tools.verify.web.build import PAGE, BuildError, Settings, build
from host_tools.verify.web.flatten import flatten
from tests.host_tools.verify import world
from tests.vectors import keys


def settings_of(site) -> dict:
    text = (site / "settings.js").read_text()
    return json.loads(text.removeprefix("window.SAKSI_SETTINGS = ").rstrip(";\n"))


def test_the_site_pins_the_authority_and_names_its_packages(site):
    found = settings_of(site)
    assert found["authority"] == keys.AUTHORITY.point.hex() and found["pinned"] is True
    assert found["packages"] == ["package-3201012001001.cbor"] and found["collector"] is None
    assert (site / "package-3201012001001.cbor").read_bytes() == world.entry_bytes("package")


def test_an_authority_from_beside_the_bundle_is_not_called_pinned(trust_files, reader, tmp_path):
    build(tmp_path, Settings(trust_files / "bundle.cbor", reader=reader))
    assert settings_of(tmp_path)["pinned"] is False


def test_the_command_writes_the_site_and_tells_its_weight(trust_files, reader, tmp_path):
    arguments = ["web", str(tmp_path / "out"), "--bundle", str(trust_files / "bundle.cbor")]
    arguments += ["--reader", str(reader), "--collector", "https://collector.example.id"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0 and "MB" in done.output, done.output
    page = (tmp_path / "out" / "index.html").read_text()
    assert "connect-src 'self' https://collector.example.id;" in page
    assert (tmp_path / "out" / "usb" / "page.js").exists()


def test_the_module_runs_as_a_command_too():
    command = [sys.executable, "-m", "host_tools.verify.web", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "--reader" in done.stdout


def test_without_a_bundle_it_says_that_nothing_will_be_believed(reader, tmp_path):
    done = CliRunner().invoke(app, ["web", str(tmp_path), "--reader", str(reader)])
    assert done.exit_code == 0 and "give --authority" in done.output
    assert settings_of(tmp_path)["authority"] is None


def test_a_bundle_of_another_authority_is_not_built_in(trust_files, reader, tmp_path):
    forged = trust_files.parent / "forged.cbor"
    payload = world.record.parse(world.entry_bytes("bundle")).payload
    forged.write_bytes(world.signed(payload, keys.STRANGER))
    with pytest.raises(BuildError, match="not this authority"):
        build(tmp_path, Settings(forged, trust_files / "authority.pem", reader=reader))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "address",
    [
        "http://collector.example.id",
        "ftp://a",
        "https://",
        "https://a/?x=1",
        "https://a;script-src *",
        "a",
    ],
)
def test_an_address_that_is_none_is_refused(address, tmp_path):
    with pytest.raises(BuildError, match="address"):
        build(tmp_path, Settings(collector=address))


def test_another_reader_than_the_pinned_one_is_refused(tmp_path):
    (tmp_path / "r.tgz").write_bytes(b"other")
    with pytest.raises(BuildError, match="SHA-512 differs"):
        build(tmp_path / "out", Settings(reader=tmp_path / "r.tgz"))


def test_a_spoiled_cache_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "saksi").mkdir()
    (npm.cache() / npm.READER.file).write_bytes(b"spoiled")
    with pytest.raises(npm.NpmError, match="SHA-512 differs"):
        npm.tarball(npm.READER)


def test_without_npm_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(npm.NpmError, match="--reader"):
        npm.tarball(npm.READER)


def test_the_same_inputs_give_the_same_site(site, trust_files, reader, tmp_path):
    package = (trust_files / "package.cbor",)
    build(
        tmp_path,
        Settings(
            trust_files / "bundle.cbor", trust_files / "authority.pem", package, reader=reader
        ),
    )
    for path in site.rglob("*"):
        if path.is_file():
            assert (tmp_path / path.relative_to(site)).read_bytes() == path.read_bytes(), path


def test_a_module_in_an_unknown_form_is_not_flattened_in_silence(tmp_path):
    (tmp_path / "a.js").write_text("export default 1;\n")
    with pytest.raises(ValueError, match=r"a\.js"):
        flatten(tmp_path, "a")


def test_the_pages_own_files_name_no_host_and_stay_small():
    for path in PAGE.iterdir():
        text = path.read_text()
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", ""), path
        assert "https://" not in text.lower().replace("https:\\/\\/", "").replace(
            '"https://"', ""
        ), path
        assert text.count("\n") < 300 and "innerHTML" not in text, path
