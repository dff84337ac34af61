import os

from firmware import slots, starter
from firmware.compat import exists
from firmware.slots import SlotError, Slots
from tests.firmware.release_bench import (
    NEW,
    OLD,
    Power,
    PowerCut,
    content,
    file_list,
    installed,
    kit,
    send,
    statements,
)  # fmt: skip
from tests.firmware.support import raises, temp_dir


def begun(files=NEW, root=None):
    """Slots that a release of `files` was begun in."""
    where = Slots(temp_dir() if root is None else root)
    where.begin(statements(files), file_list(files))
    return where


def fill(where, files=NEW):
    for name in files:
        assert where.piece(name, 0, files[name]) == len(files[name])


def damaged(where):
    return raises(SlotError, where.finish).code == slots.DAMAGED


def test_a_kit_without_slots_runs_what_lies_beside_them():
    where = Slots(temp_dir())
    assert where.current() is None and where.trial() is None and where.choose() is None
    assert where.status() == ["0.1.0", None, False, None]
    assert not where.confirm()


def test_a_finished_release_is_on_trial_and_runs_after_its_self_test():
    root = temp_dir()
    where = begun(NEW, root)
    fill(where)
    assert where.finish() == [1, 0, 0]
    assert where.status() == ["0.1.0", "1.0.0", False, None]
    assert where.choose() == "a" and where.status()[2]
    assert where.confirm(root + "/a/firmware")
    assert where.choose() == "a" and where.choose() == "a"
    assert where.status() == ["1.0.0", None, False, None]
    assert content(root, "a") == NEW


def test_the_next_release_goes_to_the_other_slot_and_leaves_the_first():
    root = installed(OLD)
    send(kit(root), NEW, statements(NEW, (1, 1, 0)))
    assert content(root, "a") == OLD and content(root, "b") == NEW
    where = Slots(root)
    assert where.current() == "a" and where.trial() == "b"


def test_a_trial_that_was_not_confirmed_is_tried_once():
    root = installed(OLD)
    send(kit(root), NEW, statements(NEW, (1, 1, 0)))
    where = Slots(root)
    assert where.choose() == "b"
    assert where.choose() == "a" and where.choose() == "a"
    running, trial, begun_, failure = where.status()
    assert (running, trial, begun_) == ("1.0.0", None, False)
    assert "1.1.0" in failure and "self-test" in failure


def test_a_failed_release_can_be_put_on_trial_again():
    root = installed(OLD)
    signed = statements(NEW, (1, 1, 0))
    send(kit(root), NEW, signed)
    where = Slots(root)
    assert where.choose() == "b" and where.choose() == "a"
    verbs = kit(root)
    send(verbs, NEW, signed)
    assert where.status()[1:] == ["1.1.0", False, None]
    assert where.choose() == "b" and where.confirm(root + "/b/firmware")
    assert where.status() == ["1.1.0", None, False, None]


def test_only_the_software_that_is_on_trial_confirms_it():
    root = installed(OLD)
    send(kit(root), NEW, statements(NEW, (1, 1, 0)))
    where = Slots(root)
    assert not where.confirm(root + "/b/firmware"), "not begun yet"
    where.choose()
    for folder in (root + "/a/firmware", "firmware", root + "/b", "/bb/firmware"):
        assert not where.confirm(folder), folder
    assert not where.confirm(), "the tests' own firmware is in no slot"
    assert where.confirm(root + "/b/firmware")


def test_nothing_new_begins_while_a_release_is_tried():
    root = installed(OLD)
    send(kit(root), NEW, statements(NEW, (1, 1, 0)))
    where = Slots(root)
    where.choose()
    error = raises(SlotError, where.begin, statements(OLD), file_list(OLD))
    assert error.code == slots.ON_TRIAL and content(root, "b") == NEW


def test_a_pending_trial_gives_way_to_the_next_release():
    root = installed(OLD)
    send(kit(root), NEW, statements(NEW, (1, 1, 0)))
    other = {"firmware/main.py": b"other"}
    where = begun(other, root)
    assert where.trial() is None and content(root, "b") == {}
    fill(where, other)
    where.finish()
    assert where.choose() == "b" and content(root, "b") == other


def test_pieces_go_on_where_the_file_ends():
    where = begun()
    data = NEW["firmware/main.py"]
    name = "firmware/main.py"
    assert where.piece(name, 0, data[:10]) == 10
    assert where.piece(name, 0, data[:10]) == 10, "sent twice, kept once"
    assert where.piece(name, 20, data[20:]) == 10, "a gap is not taken"
    assert where.held() == [0, 10, 0, 0]
    assert where.piece(name, 10, data[10:]) == len(data)


def test_a_piece_that_is_not_of_the_release_is_refused():
    where = begun()
    name, size = "firmware/main.py", len(NEW["firmware/main.py"])
    for argument in (("firmware/other.py", 0, b"x"), ("../x", 0, b"x"), ("release.cbor", 0, b"x"),
                     (name, size, b"x"), (name, 0, bytes(size + 1))):  # fmt: skip
        assert raises(SlotError, where.piece, *argument).code == slots.BAD_PIECE, argument
    assert where.held() == [0, 0, 0, 0]


def test_without_a_release_there_is_nothing_to_add_to_or_to_finish():
    where = Slots(temp_dir())
    for call in (lambda: where.piece("firmware/main.py", 0, b"x"), where.finish):
        assert raises(SlotError, call).code == slots.NOT_BEGUN
    assert os.listdir(where.root) == []


def test_a_missing_or_short_file_is_not_installed():
    where = begun()
    assert damaged(where)
    fill(where, {name: NEW[name] for name in NEW if name != "lib/ssl.py"})
    where.piece("lib/ssl.py", 0, NEW["lib/ssl.py"][:-1])
    assert damaged(where)
    assert where.held()[-1] == len(NEW["lib/ssl.py"]) - 1, "what came stays"
    assert where.trial() is None


def test_an_altered_file_is_named_and_taken_away():
    root = temp_dir()
    where = begun(NEW, root)
    fill(where)
    with open(root + "/a/firmware/main.py", "wb") as file:
        file.write(NEW["firmware/main.py"][:-1] + b"?")
    error = raises(SlotError, where.finish)
    assert error.code == slots.DAMAGED and "firmware/main.py" in error.text
    assert where.trial() is None and not exists(root + "/a/release.cbor")
    assert where.piece("firmware/main.py", 0, NEW["firmware/main.py"]) == 81
    where.finish()
    assert where.trial() == "a"


def test_a_file_that_nobody_signed_does_not_stay_in_the_slot():
    root = temp_dir()
    where = begun(NEW, root)
    fill(where)
    for name in ("firmware/main.mpy", "lib/extra.py", "boot.py"):
        with open(root + "/a/" + name, "wb") as file:
            file.write(b"stranger")
    where.finish()
    assert content(root, "a") == NEW and not exists(root + "/a/boot.py")


def test_the_version_to_exceed_is_at_least_that_of_the_running_code():
    root = installed(OLD, (0, 9, 0))
    assert Slots(root).running() == [0, 9, 0]
    os.remove(root + "/a/release.cbor")
    assert Slots(root).running() == [0, 1, 0]


def test_a_damaged_file_of_the_slots_lets_the_whole_slot_run():
    root = installed(OLD)
    begun(NEW, root)  # b is not whole
    for bad in (b"", b"rubbish", b"00000000[1]", b'00000000["b",null,"",false,null]'):
        with open(root + "/slots", "wb") as file:
            file.write(bad)
        where = Slots(root)
        assert where.choose() == "a" and where.trial() is None, bad
        assert "damaged" in where.status()[3]


def test_a_release_that_does_not_fit_is_refused_before_its_first_file():
    root = installed(OLD)
    where = Slots(root)
    slots.free = lambda folder: 65536 + 4 * 4096 - 1
    try:
        error = raises(SlotError, where.begin, statements(NEW), file_list(NEW))
        assert error.code == slots.NO_ROOM and where.choose() == "a"
        slots.free = lambda folder: 65536 + 4 * 4096
        where.begin(statements(NEW), file_list(NEW))
    finally:
        from firmware.photo_places import free

        slots.free = free


FAILED = {"firmware/main.py": b"failed\n", "firmware/old/very.py": b"old\n"}


def before():
    """A kit that runs OLD, with the remains of a release that failed in its other slot."""
    root = installed(OLD)
    send(kit(root), FAILED, statements(FAILED, (1, 0, 5)))
    where = Slots(root)
    assert where.choose() == "b" and where.choose() == "a"
    return root


def update(root, cut_at):
    """An update to NEW, cut at an operation; how many there were, or None after a cut."""
    with Power(cut_at) as power:
        try:
            send(kit(root), NEW, statements(NEW, (1, 1, 0)))
            where = Slots(root)
            assert where.choose() == "b"
            assert where.confirm(root + "/b/firmware")
        except PowerCut:
            return None
    return power.count


def test_after_a_cut_at_any_write_of_an_update_the_old_or_the_new_software_runs_whole():
    total = update(before(), 0)
    assert total > 25
    seen = set()
    for cut_at in range(1, total + 1):
        root = before()
        assert update(root, cut_at) is None
        where = Slots(root)
        slot = where.choose()
        assert content(root, slot) == (OLD if slot == "a" else NEW), cut_at
        seen.add((slot, where.trial()))
        # Whatever it was, the next start is a whole software too, and the update can go on.
        again = where.choose()
        assert content(root, again) == (OLD if again == "a" else NEW), cut_at
        if where.current() == "a":
            send(kit(root), NEW, statements(NEW, (1, 1, 0)))
            assert where.choose() == "b" and where.confirm(root + "/b/firmware")
        assert content(root, where.choose()) == NEW, cut_at
    assert seen == {("a", None), ("b", "b")}, "cut before, and between the mark and the self-test"


def test_a_full_flash_keeps_a_trial_from_being_started():
    root = installed(OLD)
    send(kit(root), NEW, statements(NEW, (1, 1, 0)))

    def full(path, mode):
        if mode == "wb":
            raise OSError(28)
        return open(path, mode)

    starter.open = full
    try:
        assert Slots(root).choose() == "a"
    finally:
        del starter.open
    assert Slots(root).choose() == "b"
