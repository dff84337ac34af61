"""The mirror: filled from an index that speaks mip, and installed by the real mpremote."""

import ast
import hashlib
import json
import subprocess

import pytest
from typer.testing import CliRunner

from host_tools.kit.bare_board import BareBoard
from host_tools.kit.process import find_micropython
from host_tools.provision import mirror, release_build
from host_tools.provision.command import app
from host_tools.provision.mirror import CannotMirror, MirrorError, Pinned
from tests.host_tools.provision.mip_index import Index

FILES = {
    "witness.py": b"def says():\n    return 'saksi'\n\n\n__version__ = '1.0.2'\n",
    "parts/one.py": b"N = 1\n",
}
EXTRA = {"extra.py": b"N = 2\n"}


def pinned(package, version, files):
    return [
        Pinned(package, version, path, len(data), hashlib.sha256(data).hexdigest())
        for path, data in files.items()
    ]


LOCKED = pinned("witness", "1.0.2", FILES) + pinned("extra", "0.1", EXTRA)


@pytest.fixture
def index():
    index = Index()
    index.publish("witness", "1.0.2", FILES)
    index.publish("extra", "0.1", EXTRA)
    yield index
    index.close()


@pytest.fixture
def filled(index, tmp_path):
    mirror.fill(tmp_path / "mirror", index.url, LOCKED)
    return tmp_path / "mirror"


def test_a_mirror_is_filled_by_the_indexs_own_protocol(index, filled):
    assert (filled / "witness/witness.py").read_bytes() == FILES["witness.py"]
    assert (filled / "extra/extra.py").read_bytes() == EXTRA["extra.py"]
    mirror.check(filled, LOCKED)
    digest = hashlib.sha256(FILES["witness.py"]).hexdigest()[:8]
    assert f"/pi/v2/file/{digest[:2]}/{digest}" in index.asked
    assert "/pi/v2/package/py/witness/1.0.2.json" in index.asked
    assert not [path for path in index.asked if "latest" in path], "the locked version"


def path_of(name, version):
    return f"/pi/v2/package/py/{name}/{version}.json"


def file_path(data):
    digest = hashlib.sha256(data).hexdigest()[:8]
    return f"/pi/v2/file/{digest[:2]}/{digest}"


def changed_byte(index):
    index.put(file_path(FILES["witness.py"]), FILES["witness.py"][:-2] + b'"\n')


def longer_file(index):
    index.put(file_path(FILES["witness.py"]), FILES["witness.py"] + bytes(9000))


def shorter_file(index):
    index.put(file_path(FILES["witness.py"]), FILES["witness.py"][:-1])


def other_file(index):
    index.publish("witness", "1.0.2", {**FILES, "witness.py": b"other\n"})


def one_more_file(index):
    index.publish("witness", "1.0.2", {**FILES, "more.py": b"N = 3\n"})


def one_file_less(index):
    index.publish("witness", "1.0.2", {"witness.py": FILES["witness.py"]})


def dependency(index):
    index.publish("witness", "1.0.2", FILES, deps=[["hmac", "latest"]])


def foreign_url(index):
    index.publish("witness", "1.0.2", FILES, urls=[["x.py", "github:somebody/x.py"]])


def other_version(index):
    body = index.answers[path_of("witness", "1.0.2")][2]
    index.put(path_of("witness", "1.0.2"), body.replace(b"1.0.2", b"1.0.3"))


def short_prefix(index):
    body = json.loads(index.answers[path_of("extra", "0.1")][2])
    body["hashes"][0][1] = body["hashes"][0][1][:4]
    index.put(path_of("extra", "0.1"), json.dumps(body).encode())


def rubbish(index):
    index.put(path_of("extra", "0.1"), b"<html>")


def huge(index):
    index.put(path_of("extra", "0.1"), b" " * 70000 + b"{}")


def elsewhere(index):
    index.put("/good", EXTRA["extra.py"])
    index.put(file_path(EXTRA["extra.py"]), b"", status=302, Location="/good")


def package_elsewhere(index):
    body = index.answers[path_of("extra", "0.1")][2]
    index.put("/good.json", body)
    index.put(path_of("extra", "0.1"), b"", status=301, Location=index.url[:-6] + "/good.json")


WRONG = (
    changed_byte, longer_file, shorter_file, other_file, one_more_file, one_file_less, dependency,
    foreign_url, other_version, short_prefix, rubbish, huge, elsewhere, package_elsewhere,
)  # fmt: skip


@pytest.mark.parametrize("change", WRONG)
def test_an_index_that_has_anything_else_leaves_nothing_behind(index, tmp_path, change):
    change(index)
    with pytest.raises(MirrorError) as caught:
        mirror.fill(tmp_path / "mirror", index.url, LOCKED)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert "/good" not in index.asked and "/good.json" not in index.asked


def test_a_missing_package_or_file_leaves_nothing_behind(index, tmp_path):
    for path in (path_of("extra", "0.1"), file_path(EXTRA["extra.py"])):
        kept = index.answers.pop(path)
        with pytest.raises(CannotMirror, match="404"):
            mirror.fill(tmp_path / "mirror", index.url, LOCKED)
        index.answers[path] = kept
        assert list(tmp_path.iterdir()) == []


def test_an_index_that_is_not_there_ends_in_one_line(index, tmp_path):
    index.close()
    for url in (index.url, "no url", "ftp://example.org"):
        with pytest.raises(CannotMirror) as caught:
            mirror.fill(tmp_path / "mirror", url, LOCKED)
        assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == []


def test_a_filled_folder_is_not_filled_again(index, filled):
    asked = len(index.asked)
    with pytest.raises(CannotMirror, match="exists"):
        mirror.fill(filled, index.url, LOCKED)
    assert len(index.asked) == asked
    mirror.check(filled, LOCKED)


def test_a_change_in_the_folder_is_found(filled):
    for name in ("witness/witness.py", "extra/extra.py", "package.json"):
        path = filled / name
        kept = path.read_bytes()
        path.write_bytes(kept.replace(b"1", b"2", 1) if b"1" in kept else kept + b"\n")
        with pytest.raises(MirrorError, match="not as in the lock"):
            mirror.check(filled, LOCKED)
        path.unlink()
        with pytest.raises(MirrorError, match="cannot be read"):
            mirror.check(filled, LOCKED)
        path.write_bytes(kept)
    (filled / "extra/more.py").write_bytes(b"N = 1\n")
    with pytest.raises(MirrorError, match=r"more\.py"):
        mirror.check(filled, LOCKED)


@pytest.fixture
def board(tmp_path):
    with BareBoard(tmp_path / "flash.img", []) as board:
        yield board


def test_the_real_mpremote_installs_from_the_folder_without_an_index(index, filled, board):
    index.close()
    places = mirror.install(board.path, filled, files=LOCKED)
    assert sorted(places) == [
        "/lib/extra.py", "/lib/parts/one.py", "/lib/witness.py",
    ]  # fmt: skip
    ask = "import witness, extra, parts.one; print(witness.says(), extra.N, parts.one.N)"
    assert mirror.run_mpremote(["connect", board.path, "exec", ask]) == "saksi 2 1\n"


def test_a_board_that_kept_other_bytes_is_found(filled, board):
    def spoil(arguments):
        said = mirror.run_mpremote(arguments)
        if "mip" in arguments:
            line = "with open('/lib/extra.py', 'w') as file: file.write('N = 3')"
            mirror.run_mpremote(["connect", board.path, "exec", line])
        return said

    with pytest.raises(MirrorError, match=r"/lib/extra\.py"):
        mirror.install(board.path, filled, spoil, files=LOCKED)


def test_a_changed_folder_never_reaches_the_board(filled):
    (filled / "extra/extra.py").write_bytes(b"N = 4\n")
    ran = []

    def run(arguments):
        ran.append(arguments)
        return ""

    with pytest.raises(MirrorError):
        mirror.install("/dev/null", filled, run, files=LOCKED)
    assert ran == []


def test_a_port_without_a_board_ends_in_one_line(filled):
    with pytest.raises(CannotMirror) as caught:
        mirror.install("/dev/null/none", filled, files=LOCKED)
    assert "\n" not in str(caught.value) and "mpremote" in str(caught.value)


def test_the_repositorys_lock_names_the_package_that_micropython_itself_freezes():
    index, files = mirror.read_lock()
    assert index == "https://micropython.org/pi/v2"
    assert [(f.package, f.path) for f in files] == [("ssl", "ssl.py")]
    ask = "import ssl; print(ssl.__version__)"
    said = subprocess.run(
        [find_micropython(), "-c", ask], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == files[0].version


# Modules that MicroPython builds in on the kits' boards (docs: "MicroPython libraries").
BUILT_IN = {
    "asyncio", "binascii", "errno", "framebuf", "gc", "hashlib", "io", "json", "machine",
    "micropython", "os", "select", "socket", "struct", "sys", "time", "tls", "vfs",
}  # fmt: skip
CPYTHON_ONLY = {"traceback", "typing"}  # imported on CPython and by the type checker


def test_what_the_firmware_imports_is_built_in_its_own_or_in_the_lock():
    names = set()
    for path in release_build.modules("virtual"):  # what a MicroPython board gets
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add((node.module or "").split(".")[0])
    _, files = mirror.read_lock()
    others = names - BUILT_IN - CPYTHON_ONLY - {"firmware"}
    assert others == {f.package for f in files}


@pytest.mark.parametrize("damage", [
    lambda text: text.replace("ssl.py", "../ssl.py"),
    lambda text: text.replace("ssl.py", "/ssl.py"),
    lambda text: text.replace('"ssl"', '"../ssl"'),
    lambda text: text.replace("89a6", "89A6"),
    lambda text: text.replace("1840", '"1840"'),
    lambda text: text.replace("0.2.1", "latest"),
    lambda text: text[:-3],
    lambda text: '{"index": "x", "packages": []}',
])  # fmt: skip
def test_a_lock_file_of_another_form_is_refused(tmp_path, damage):
    path = tmp_path / "lock.json"
    path.write_text(damage(mirror.LOCK.read_text()))
    with pytest.raises(MirrorError, match="not a lock file"):
        mirror.read_lock(path)


def run(*words, code=0):
    result = CliRunner().invoke(app, ["mirror", *(str(word) for word in words)])
    assert result.exit_code == code, result.output
    return result


def test_the_command_fills_and_looks(index, tmp_path, monkeypatch):
    monkeypatch.setattr(mirror, "read_lock", lambda: (index.url, LOCKED))
    said = json.loads(run(tmp_path / "mirror", "--json").stdout)
    assert said["packages"] == {"witness": "1.0.2", "extra": "0.1"}
    assert "as locked" in run(tmp_path / "mirror", "--check").stdout
    run(tmp_path / "mirror", code=2)
    (tmp_path / "mirror/extra/extra.py").write_bytes(b"")
    assert run(tmp_path / "mirror", "--check", code=1).stderr.count("\n") == 1


def test_an_index_with_another_ssl_than_the_locked_one_is_refused(index, tmp_path):
    index.publish("ssl", "0.2.1", {"ssl.py": b"from tls import *\n"})
    result = run(tmp_path / "mirror", "--index", index.url, code=1)
    assert "ssl 0.2.1" in result.stderr and list(tmp_path.iterdir()) == []
