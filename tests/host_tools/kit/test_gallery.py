"""The gallery: one picture of every screen in every language, none changed unnoticed."""

import ast
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from host_tools.kit.gallery import LANGUAGES, gallery, hashes, main
from host_tools.kit.scenes import scenes
from host_tools.tables import FIRMWARE, codes

KEPT = Path(__file__).parent / "gallery.json"
# Methods that put up a screen, and which argument is its title.
SHOWS = {"menu": 0, "message": 0, "number": 0, "figures": 0, "preview": 0, "progress": 0}
SHOWS |= {"confirm": 0, "photograph": 0, "ask": 0, "key_in": 0}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    assert main([str(folder)]) == 0
    return folder


def test_every_screen_is_pictured_in_every_language_and_no_two_are_alike(pictures):
    for language in LANGUAGES:
        paths = sorted((pictures / language).glob("*.png"))
        assert len(paths) == len(scenes())
        assert all(Image.open(path).size == (240, 320) for path in paths)
        assert (pictures / f"{language}.png").exists()
        found = {name: value for name, value in hashes(pictures).items() if name[:2] == language}
        assert len(set(found.values())) == len(paths)


def test_a_changed_screen_is_seen(pictures):
    """After a look at them: `python -m host_tools.kit.gallery OUT --hashes` this file's KEPT."""
    kept, found = json.loads(KEPT.read_text()), hashes(pictures)
    changed = sorted(
        name for name in kept.keys() | found.keys() if kept.get(name) != found.get(name)
    )
    assert changed == [], "look at these pictures of the gallery, then keep their hashes"


def test_every_title_in_the_firmware_is_in_the_gallery(tmp_path):
    shown: set[str] = set()
    gallery(tmp_path, "en", shown)
    missing = [t.pattern for t in titles() if not any(t.match(name) for name in shown)]
    assert missing == []
    assert {f"E{code}" for code in codes()} <= shown


def titles() -> set[re.Pattern]:
    """Patterns of the titles that the firmware's source gives to its screens."""
    found = set()
    for path in sorted(FIRMWARE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in SHOWS:
                continue
            for argument in node.args[:2]:  # a login's title comes after its role
                if isinstance(argument, ast.Constant) and str(argument.value)[0].isupper():
                    found.add(re.compile(re.escape(argument.value).replace("%d", r"\d+") + "$"))
                    break
    assert len(found) > 30
    return found


def test_no_screen_is_the_same_in_both_languages(pictures):
    same = [
        path.stem
        for path in sorted((pictures / "id").glob("*.png"))
        if path.read_bytes() == (pictures / "en" / path.name).read_bytes()
    ]
    assert same == []


def test_a_wrong_command_says_how_it_is_used(capsys):
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == 2
    assert "usage" in capsys.readouterr().err
