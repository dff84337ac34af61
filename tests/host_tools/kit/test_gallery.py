"""The gallery: one picture of every screen in every language."""

from PIL import Image

from host_tools.kit.gallery import LANGUAGES, gallery, main, scenes


def test_every_screen_is_pictured_in_every_language_and_no_two_are_alike(tmp_path):
    assert main([str(tmp_path)]) == 0
    for language in LANGUAGES:
        paths = sorted((tmp_path / language).glob("*.png"))
        assert len(paths) == len(scenes())
        assert len({path.read_bytes() for path in paths}) == len(paths)
        assert all(Image.open(path).size == (240, 320) for path in paths)
        assert (tmp_path / f"{language}.png").exists()
    same = [
        path.name
        for path in sorted((tmp_path / "id").glob("*.png"))
        if path.read_bytes() == (tmp_path / "en" / path.name).read_bytes()
    ]
    assert same == [], "a screen that no language changes is not translated"


def test_the_same_screens_make_the_same_pictures(tmp_path):
    first = [path.read_bytes() for path in gallery(tmp_path / "a", "id")]
    assert first == [path.read_bytes() for path in gallery(tmp_path / "b", "id")]


def test_a_wrong_command_says_how_it_is_used(capsys):
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
