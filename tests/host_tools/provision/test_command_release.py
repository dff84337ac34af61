"""`saksi provision release` as releasers type it."""

import json

from typer.testing import CliRunner

from host_tools.provision.command import app
from tests.host_tools.provision.release_bench import (
    FIRST,
    SECOND,
    STRANGER,
    key_file,
    roster_file,
    sources,
)


def run(*words, code=0):
    result = CliRunner().invoke(app, ["release", *(str(word) for word in words)])
    assert result.exit_code == code, result.output
    return result


def test_two_releasers_make_a_release_that_verifies(tmp_path, authority, stranger):
    source = sources(tmp_path / "source", "0.2.0")
    out = tmp_path / "out"
    made = run("build", "--board", "virtual", "--version", "0.2.0", "--out", out,
               "--source", source, "--json")  # fmt: skip
    facts = json.loads(made.stdout)
    assert facts["bytes"] == sum(facts["sizes"].values()) and facts["files"] == len(facts["sizes"])
    manifest = json.loads((out / "release.json").read_text())
    assert manifest["files_sha256"] == facts["files_sha256"]

    cert = authority.folder / "signing.cert.pem"
    roster = roster_file(tmp_path, authority)
    check = ["verify", out, "--roster", roster, "--signed-by", cert]
    assert "0 of two" in run(*check, code=1).stderr
    run("sign", out, "--key", key_file(tmp_path, "first", FIRST))
    again = run("sign", out, "--key", tmp_path / "first.key.pem", code=1)
    assert "signed already" in again.stderr
    assert "1 of two" in run(*check, code=1).stderr
    said = json.loads(
        run("sign", out, "--key", key_file(tmp_path, "second", SECOND), "--json").stdout
    )
    assert said["statements"] == 2
    assert "valid: 0.2.0 for board virtual" in run(*check).stdout
    assert json.loads(run(*check, "--json").stdout)["files_sha256"] == facts["files_sha256"]

    elsewhere = stranger.folder / "signing.cert.pem"
    result = run("verify", out, "--roster", roster, "--signed-by", elsewhere, code=1)
    assert "which is not this authority's" in result.stderr
    path = out / "firmware/words/id.json"
    path.write_text(path.read_text() + "\n")
    assert "firmware/words/id.json" in run(*check, code=1).stderr


def test_a_roster_without_one_of_the_signers_does_not_do(tmp_path, authority):
    out = tmp_path / "out"
    source = sources(tmp_path / "source", "0.2.0")
    run("build", "--board", "virtual", "--version", "0.2.0", "--out", out, "--source", source)
    for name, key in (("first", FIRST), ("second", SECOND)):
        run("sign", out, "--key", key_file(tmp_path, name, key))
    releasers = [FIRST.public_key(), STRANGER.public_key()]
    roster = roster_file(tmp_path, authority, releasers)
    cert = authority.folder / "signing.cert.pem"
    assert "roster" in run("verify", out, "--roster", roster, "--signed-by", cert, code=1).stderr


def test_what_cannot_be_done_ends_in_one_line(tmp_path):
    for words, code in (
        (("build", "--board", "toaster", "--version", "0.1.0", "--out", tmp_path / "o"), 1),
        (("build", "--board", "virtual", "--version", "9.9.9", "--out", tmp_path / "o"), 1),
        (("sign", tmp_path / "nothing", "--key", key_file(tmp_path, "k", FIRST)), 1),
        (("sign", tmp_path, "--key", tmp_path / "no.key.pem"), 2),
    ):
        result = run(*words, code=code)
        assert result.stderr.count("\n") == 1 and result.stdout == ""
    assert not (tmp_path / "o").exists()
