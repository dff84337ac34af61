from firmware import saved, settings
from tests.firmware.support import raises, temp_dir


def test_a_value_comes_back_and_replaces_the_one_before():
    path = temp_dir() + "/state"
    assert saved.Saved(path).load() is None
    saved.Saved(path).store({"state": "open", "n": 1})
    saved.Saved(path).store({"state": "sheets", "n": None})
    assert saved.Saved(path).load() == {"state": "sheets", "n": None}


def test_a_damaged_value_is_refused_and_not_guessed():
    path = temp_dir() + "/state"
    saved.Saved(path).store([1, 2, 3])
    with open(path, "rb") as file:
        good = file.read()
    for bad in (b"", good[:-1], good[:-1] + b"\xff", good + b"\0"):
        with open(path, "wb") as file:
            file.write(bad)
        assert raises(saved.SavedError, saved.Saved(path).load).code == saved.UNREADABLE


def test_a_half_written_new_value_leaves_the_old_one():
    path = temp_dir() + "/state"
    saved.Saved(path).store(1)
    with open(path + ".new", "wb") as file:
        file.write(b"half")
    assert saved.Saved(path).load() == 1


def no_room(path, mode):
    """open() on a full medium."""
    if mode == "wb":
        raise OSError(28)
    return open(path, mode)


def test_a_full_medium_leaves_the_old_value_and_has_its_code():
    path = temp_dir() + "/state"
    saved.Saved(path).store(1)
    saved.open = no_room
    try:
        error = raises(saved.SavedError, saved.Saved(path).store, 2)
    finally:
        del saved.open
    assert error.code == saved.NOT_SAVED and "technician" in error.text
    assert saved.Saved(path).load() == 1


def test_settings_fall_back_to_their_default_when_out_of_range():
    path = temp_dir() + "/settings"
    saved.Saved(path).store({"language": "xx", "backoff_ms": 50, "printer": True, "none": 1})
    s = settings.Settings(path)
    assert s.get("language") == "id" and s.get("backoff_ms") == 50 and s.get("printer") == "epson"
    assert sorted(s.refused) == ["language", "none", "printer"]
    s.set("language", "en")
    assert settings.Settings(path).get("language") == "en"
    raises(ValueError, s.set, "backoff_ms", 0)
    raises(ValueError, s.set, "unknown", 0)
    raises(KeyError, s.get, "unknown")


def test_every_default_is_allowed():
    for name, default, _, help_text in settings.TABLE:
        assert settings.allowed(name, default) and help_text
