"""Releases from the build to the kit's slot: the same bytes everywhere, and nothing else taken."""

import os
import shutil

import pytest

from firmware import cbor, record, serial_link
from firmware.slots import DAMAGED, Slots
from host_tools.provision import release, release_build
from host_tools.provision.link import KitError, Link, LinkError
from host_tools.provision.release_build import ReleaseError
from tests.host_tools.provision.release_bench import (
    FIRST,
    NOW,
    ROSTER,
    SECOND,
    STRANGER,
    Cable,
    Unplugged,
    built,
    content,
    sources,
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A release 0.2.0 with both statements; to be copied before it is changed."""
    return built(tmp_path_factory.mktemp("made"), "0.2.0")


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "release")


def quiet(_done, _total):
    pass


def kit(tmp_path):
    root = tmp_path / "kit"
    root.mkdir(exist_ok=True)
    return root


def test_two_folders_times_and_users_give_the_same_bytes(made, tmp_path, monkeypatch):
    deep = tmp_path / "another user" / "deep" / "er"
    source = sources(deep, "0.2.0")
    for at, path in enumerate(sorted(source.rglob("*"))):
        os.utime(path, (at, at))
    monkeypatch.setenv("USER", "somebody")
    monkeypatch.setenv("TZ", "Asia/Jayapura")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    monkeypatch.chdir(deep)
    release_build.build("virtual", "0.2.0", deep / "out", source)
    ours = {name: data for name, data in content(made).items() if "statement" not in name}
    assert content(deep / "out") == ours
    for name, data in ours.items():
        assert str(made.parent).encode() not in data, name


def test_a_release_has_the_firmware_the_words_and_the_fonts(made):
    names = set(content(made))
    assert {"files.cbor", "release.json", "firmware/main.mpy", "firmware/starter.mpy"} <= names
    assert {"firmware/words/id.json", "firmware/words/en.json"} <= names
    assert {"firmware/fonts/8x16.bin", "firmware/fonts/__init__.mpy"} <= names
    assert not [name for name in names if name.endswith((".py", ".md", ".cddl"))]


def boards(tmp_path):
    """Sources with two more boards, each with a driver of its own."""
    source = sources(tmp_path / "source", "0.2.0")
    for board in ("pi", "esp32s3"):
        (source / f"firmware/drivers/only_{board}.py").write_text("A = 1\n")
        text = f"from firmware.drivers import only_{board}\nB = only_{board}.A\n"
        (source / f"firmware/board_{board}.py").write_text(text)
    return source


def test_a_board_gets_its_own_files_and_no_other_boards(tmp_path):
    source = boards(tmp_path)
    made = release_build.build("esp32s3", "0.2.0", tmp_path / "out", source)
    names = {row[0] for row in made.files}
    own = {"firmware/board_esp32s3.mpy", "firmware/drivers/only_esp32s3.mpy"}
    assert own <= names and "firmware/station.mpy" in names
    assert not [name for name in names if "board_" in name and name not in own]
    assert "firmware/drivers/only_pi.mpy" not in names
    assert "firmware/drivers/socket_stream.mpy" not in names, "the virtual board's alone"


def test_a_board_with_cpython_gets_sources(tmp_path):
    source = boards(tmp_path)
    made = release_build.build("pi", "0.2.0", tmp_path / "out", source)
    names = {row[0] for row in made.files}
    assert "firmware/board_pi.py" in names and not [n for n in names if n.endswith(".mpy")]
    main = (tmp_path / "out/firmware/main.py").read_bytes()
    assert main == (source / "firmware/main.py").read_bytes()


def test_an_unknown_board_or_another_version_is_not_built(tmp_path):
    source = sources(tmp_path / "source", "0.2.0")
    for board, version in (("toaster", "0.2.0"), ("virtual", "0.2.1"), ("virtual", "0.2"),
                           ("virtual", "00.2.0"), ("virtual", "v0.2.0")):  # fmt: skip
        with pytest.raises(ReleaseError):
            release_build.build(board, version, tmp_path / "out", source)
    (source / "firmware/tally.py").write_text("this is no line\n")
    with pytest.raises(ReleaseError, match=r"firmware/tally\.py: line 1"):
        release_build.build("virtual", "0.2.0", tmp_path / "out", source)
    # Python that MicroPython does not have.
    (source / "firmware/tally.py").write_text("def f():\n    return {**{}, 1: 2}\n")
    with pytest.raises(ReleaseError, match=r"firmware/tally\.py: mpy-cross"):
        release_build.build("virtual", "0.2.0", tmp_path / "out", source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"], "nothing half made"


def test_a_release_does_not_overwrite_another(made, tmp_path):
    before = content(made)
    with pytest.raises(ReleaseError, match="exists"):
        release_build.build("virtual", "0.2.0", made, sources(tmp_path / "source", "0.2.0"))
    assert content(made) == before


def test_both_statements_say_the_same_whenever_they_were_signed(made):
    first, second = (record.parse(data) for data in release.statements(made))
    assert first.payload_bytes == second.payload_bytes and first.kid != second.kid
    listed = release.load(made)
    expected = [record.RELEASE, [0, 2, 0], "virtual", NOW, listed.digest, listed.size]
    assert first.payload == expected


def test_a_key_signs_once_and_two_are_enough(folder):
    for path in folder.glob("statement-*"):
        path.unlink()
    release.sign(folder, FIRST, now=lambda: NOW)
    with pytest.raises(ReleaseError, match="signed already"):
        release.sign(folder, FIRST)
    moved = next(folder.glob("statement-*")).rename(folder / "statement-0.cbor")
    with pytest.raises(ReleaseError, match="signed already"):
        release.sign(folder, FIRST)
    assert moved.exists()
    with pytest.raises(ReleaseError, match="1 of two"):
        release.verify(folder, ROSTER)
    release.sign(folder, SECOND, now=lambda: NOW + 99)
    assert release.verify(folder, ROSTER).version == [0, 2, 0]
    with pytest.raises(ReleaseError, match="two statements"):
        release.sign(folder, STRANGER)


def test_a_strangers_statement_is_found(folder):
    for path in folder.glob("statement-*"):
        path.unlink()
    release.sign(folder, FIRST)
    release.sign(folder, STRANGER)
    with pytest.raises(ReleaseError, match="roster"):
        release.verify(folder, ROSTER)


def altered_file(folder):
    path = folder / "firmware/main.mpy"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")


def missing_file(folder):
    (folder / "firmware/tally.mpy").unlink()


def extra_file(folder):
    (folder / "firmware/tally.py").write_text("A = 1\n")


def unsafe_file(folder):
    (folder / "firmware/.hidden.py").write_text("A = 1\n")


def linked_file(folder):
    path = folder / "firmware/tally.mpy"
    path.rename(folder / "tally.mpy")
    path.symlink_to(folder / "tally.mpy")


def altered_list(folder):
    """A list that fits an altered file, as somebody without a key would make it."""
    altered_file(folder)
    files = release_build.list_files(folder)
    other = release_build.Release("virtual", [0, 2, 0], files)
    (folder / "files.cbor").write_bytes(other.data)
    (folder / "release.json").write_text(release_build.manifest(other))


def other_version(folder):
    text = (folder / "release.json").read_text()
    (folder / "release.json").write_text(text.replace('"0.2.0"', '"0.2.1"'))


def other_board(folder):
    text = (folder / "release.json").read_text()
    (folder / "release.json").write_text(text.replace('"virtual"', '"pi"'))


def rubbish_list(folder):
    (folder / "files.cbor").write_bytes(cbor.encode([[1, 2], {}, None]))


def altered_statement(folder):
    path = next(folder.glob("statement-*"))
    path.write_bytes(path.read_bytes()[:-1] + b"\0")


def cut_statement(folder):
    path = next(folder.glob("statement-*"))
    path.write_bytes(path.read_bytes()[:-1])


CHANGES = (
    altered_file, missing_file, extra_file, unsafe_file, linked_file, altered_list, other_version,
    other_board, rubbish_list, altered_statement, cut_statement,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_folder_that_was_changed_is_found_out(folder, change):
    assert release.verify(folder, ROSTER)
    change(folder)
    with pytest.raises(ReleaseError) as caught:
        release.verify(folder, ROSTER)
    assert "\n" not in str(caught.value)


def test_a_release_goes_over_the_cable_and_is_on_trial(made, tmp_path):
    root = kit(tmp_path)
    cable = Cable(root)
    seen = []
    assert release.send(Link(cable), made, lambda *now: seen.append(now)) == [0, 2, 0]
    assert Slots(str(root)).status()[1] == "0.2.0"
    there = content(root / "a")
    del there["release.cbor"]
    assert there == {n: d for n, d in content(made).items() if n.startswith("firmware/")}
    assert cable.longest <= serial_link.MAX_LINE
    total = release.load(made).size
    assert seen[0] == (0, total) and seen[-1] == (total, total) and seen == sorted(seen)


@pytest.mark.parametrize("late", [False, True])
def test_a_cable_pulled_at_any_request_goes_on_where_it_stopped(made, tmp_path, late):
    root = kit(tmp_path)
    cable = Cable(root)
    release.send(Link(cable), made, quiet)
    whole = cable.requests
    shutil.rmtree(root)
    root = kit(tmp_path)
    for at in (1, 2, 3, 4, 9, 30, whole // 2):
        with pytest.raises(Unplugged):
            release.send(Link(Cable(root, pulled_at=at, late=late)), made, quiet)
        assert Slots(str(root)).trial() is None
    last = Cable(root)
    assert release.send(Link(last), made, quiet) == [0, 2, 0]
    assert last.requests < whole, "not all of it again"
    assert Slots(str(root)).trial() == "a"


def test_a_pull_after_install_leaves_the_trial_and_may_be_repeated(made, tmp_path):
    root = kit(tmp_path)
    cable = Cable(root)
    release.send(Link(cable), made, quiet)
    with pytest.raises(Unplugged):
        release.send(Link(Cable(root, pulled_at=2, late=True)), made, quiet)
    assert Slots(str(root)).trial() == "a"
    again = Cable(root)
    assert release.send(Link(again), made, quiet) == [0, 2, 0]
    assert again.requests == 2, "RELEASE and INSTALL"


def test_a_file_that_flash_altered_is_sent_again(made, tmp_path):
    root = kit(tmp_path)

    class Bad(Cable):
        """Flash that loses a byte of a file once, before it is read back."""

        altered = False

        def write(self, data):
            if data.startswith(b"SAKSI INSTALL") and not self.altered:
                self.altered = True
                path = root / "a/firmware/main.mpy"
                path.write_bytes(path.read_bytes()[:-1] + b"\0")
            super().write(data)

    assert release.send(Link(Bad(root)), made, quiet) == [0, 2, 0]


def test_flash_that_alters_every_time_ends_in_the_kits_error(made, tmp_path):
    root = kit(tmp_path)

    class Worn(Cable):
        def write(self, data):
            if data.startswith(b"SAKSI INSTALL"):
                path = root / "a/firmware/main.mpy"
                path.write_bytes(path.read_bytes()[:-1] + b"\0")
            super().write(data)

    with pytest.raises(KitError) as caught:
        release.send(Link(Worn(root)), made, quiet)
    assert caught.value.code == DAMAGED and Slots(str(root)).trial() is None


def test_a_kit_that_takes_nothing_more_does_not_keep_the_host_for_ever(made, tmp_path):
    root = kit(tmp_path)

    class Stuck(Cable):
        def write(self, data):
            if data.startswith(b"SAKSI PIECE"):
                self._out += b"OK 00\n"
            else:
                super().write(data)

    with pytest.raises(LinkError, match="nothing more"):
        release.send(Link(Stuck(root)), made, quiet)


def test_a_kit_with_another_roster_takes_nothing(made, tmp_path):
    root = kit(tmp_path)
    with pytest.raises(KitError, match="roster"):
        release.send(Link(Cable(root, [FIRST.public_key()])), made, quiet)
    assert content(root) == {}


def test_what_was_changed_here_is_not_sent_at_all(folder, tmp_path):
    altered_file(folder)
    cable = Cable(kit(tmp_path))
    with pytest.raises(ReleaseError, match=r"main\.mpy"):
        release.send(Link(cable), folder, quiet)
    assert cable.requests == 0
