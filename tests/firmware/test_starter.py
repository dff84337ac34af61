import os
import sys

from firmware import starter
from firmware.slots import Slots
from tests.firmware.release_bench import kit, send, statements
from tests.firmware.support import temp_dir

# A software that says where it runs, and may end in several ways.
MAIN = """
import sys
TOLD = sys.modules["told"].TOLD
TOLD.append("%s imported")
%s
async def run(argv):
    TOLD.append("%s runs")
    argv.append(__file__)
    %s
"""


class Told:
    """A module through which the softwares tell what they do."""


def software(name, at_import="", at_run="pass"):
    """The files of a software."""
    main = MAIN % (name, at_import, name, at_run)
    return {"firmware/__init__.py": b"#\n", "firmware/main.py": main.encode()}


class Start:
    """One start of a board: fresh modules and path, as after a reset; `told` says what ran."""

    def __init__(self, root, base=None, machine=None):
        self.root, self.argv = root, []
        self.told = Told.TOLD = []
        self.interrupts = []
        self.base = base
        self.added = {"told": Told, "micropython": self}
        if machine:
            self.added["machine"] = machine

    def kbd_intr(self, char):
        self.interrupts.append(char)

    def run(self):
        """The exception that the start ended with, or None."""
        names = [name for name in sys.modules if name.split(".")[0] == "firmware"]
        names += [name for name in self.added if name in sys.modules]
        names += [name for name in ("extra",) if name in sys.modules]
        kept = {name: sys.modules.pop(name) for name in names}
        path = list(sys.path)
        if self.base:
            sys.path.insert(0, self.base)
        sys.modules.update(self.added)
        if hasattr(sys, "path_importer_cache"):
            sys.path_importer_cache.clear()  # CPython's memory of the folders
        try:
            starter.start(self.root, self.argv)
        except BaseException as error:
            return error
        finally:
            sys.path[:] = path
            for name in list(sys.modules):
                if name.split(".")[0] in ("firmware", "extra") or name in self.added:
                    del sys.modules[name]
            sys.modules.update(kept)
        return None


def put(root, version, files):
    """Install through the kit's own verbs."""
    send(kit(root), files, statements(files, version))


def confirmed(root, version, files):
    put(root, version, files)
    where = Slots(root)
    slot = where.choose()
    assert where.confirm("%s/%s/firmware" % (root, slot))


def two(trial):
    """The root of a kit that runs "old", with `trial` on trial in slot b."""
    root = temp_dir()
    confirmed(root, (1, 0, 0), software("old"))
    put(root, (1, 1, 0), trial)
    return root


def seal(root):
    with open(root + "/sealed", "w"):
        pass


def test_without_slots_the_firmware_beside_the_starter_runs():
    base = temp_dir()
    os.mkdir(base + "/firmware")
    for name, data in software("beside").items():
        with open(base + "/" + name, "wb") as file:
            file.write(data)
    start = Start(temp_dir(), base)
    assert start.run() is None and start.told == ["beside imported", "beside runs"]
    assert start.argv == [base + "/firmware/main.py"]


def test_a_slot_comes_before_the_firmware_beside_the_starter():
    base = temp_dir()
    os.mkdir(base + "/firmware")
    for name in ("__init__.py", "main.py", "extra.py"):
        with open(base + "/firmware/" + name, "w") as file:
            file.write("raise ValueError('beside')\n")
    root = two(software("new", at_import="import extra"))
    assert isinstance(Start(root, base).run(), ImportError), "lib of a slot has no extra"
    files = software("new", at_import="import extra")
    files["lib/extra.py"] = b"import sys\nsys.modules['told'].TOLD.append('lib')\n"
    put(root, (1, 2, 0), files)
    start = Start(root, base)
    assert start.run() is None
    assert start.told == ["new imported", "lib", "new runs"]
    assert start.argv == [root + "/b/firmware/main.py"]


def test_a_trial_that_passed_its_self_test_stays():
    root = two(software("new"))
    start = Start(root)
    assert start.run() is None and start.told[-1] == "new runs"
    assert Slots(root).confirm(root + "/b/firmware")
    for _ in range(2):
        start = Start(root)
        assert start.run() is None and start.told == ["new imported", "new runs"]


def test_a_trial_is_marked_before_its_first_line():
    line = "TOLD.append(open(%r).read()[8:])"
    root = temp_dir()
    confirmed(root, (1, 0, 0), software("old"))
    put(root, (1, 1, 0), software("new", at_import=line % (root + "/slots")))
    start = Start(root)
    start.run()
    assert start.told[1] == '["a", "b", "1.1.0", true, null]', start.told


BAD_TRIALS = (
    ("no_such_module", software("new", at_import="import no_such_module")),
    ("NameError", software("new", at_import="no_such_name")),
    ("SyntaxError", software("new", at_import="this is no line")),
    ("OSError", software("new", at_run="raise OSError(5)")),
    ("MemoryError", software("new", at_run="raise MemoryError()")),
    ("KeyboardInterrupt", software("new", at_run="raise KeyboardInterrupt()")),
    ("SystemExit", software("new", at_run="raise SystemExit(0)")),
    ("import name", {"firmware/__init__.py": b"#", "firmware/main.py": b"#"}),
    ("self-test", software("new")),
)


def test_a_trial_that_fails_in_any_way_is_followed_by_the_old_software():
    for reason, trial in BAD_TRIALS:
        for sealed in (False, True):
            root = two(trial)
            if sealed:
                seal(root)
            Start(root).run()
            start = Start(root)
            start.run()
            assert start.told == ["old imported", "old runs"], (reason, sealed)
            running, on_trial, _, failure = Slots(root).status()
            assert running == "1.0.0" and on_trial is None
            assert failure.startswith("1.1.0: ") and reason in failure, (reason, failure)


def test_a_trial_cut_by_a_reset_is_followed_by_the_old_software():
    root = two(software("new"))
    assert Slots(root).choose() == "b"  # then the power went
    start = Start(root)
    start.run()
    assert start.told == ["old imported", "old runs"]


def test_an_error_after_the_self_test_does_not_bring_the_old_software_back():
    where = "sys.modules['told'].CONFIRM()"
    root = two(software("new", at_run=where + "\n    raise OSError(5)"))
    Told.CONFIRM = lambda: Slots(root).confirm(root + "/b/firmware")
    assert isinstance(Start(root).run(), OSError)
    start = Start(root)
    start.run()
    assert start.told == ["new imported", "new runs"]
    assert Slots(root).status()[3] is None


def test_a_kit_that_is_not_sealed_ends_at_its_prompt_with_the_error():
    root = temp_dir()
    confirmed(root, (1, 0, 0), software("old", at_run="raise OSError(5)"))
    start = Start(root)
    assert isinstance(start.run(), OSError)
    assert start.interrupts == [-1, 3], "Ctrl-C is the technician's again"
    confirmed(root, (1, 1, 0), software("new"))
    assert Start(root).run() is None


def test_a_sealed_kit_starts_anew_whatever_it_ended_with():
    for at_run in ("pass", "raise OSError(5)", "raise KeyboardInterrupt()", "raise MemoryError()"):
        root = temp_dir()
        confirmed(root, (1, 0, 0), software("old", at_run=at_run))
        seal(root)
        start = Start(root)
        assert isinstance(start.run(), SystemExit), at_run
        assert start.told == ["old imported", "old runs"]
        assert start.interrupts == [-1], "Ctrl-C stays off"


def test_a_sealed_kit_whose_software_is_gone_starts_anew_too():
    root = temp_dir()
    confirmed(root, (1, 0, 0), software("old"))
    seal(root)
    os.remove(root + "/a/firmware/main.py")
    assert isinstance(Start(root).run(), SystemExit)


class Chip:
    """A machine module with a reset that is counted."""

    def __init__(self):
        self.resets = 0

    def reset(self):
        self.resets += 1


def test_a_sealed_board_resets_its_chip():
    root = temp_dir()
    confirmed(root, (1, 0, 0), software("old", at_run="raise OSError(5)"))
    chip = Chip()
    Start(root, machine=chip).run()
    assert chip.resets == 0, "not sealed"
    seal(root)
    Start(root, machine=chip).run()
    assert chip.resets == 1


def test_a_seal_that_cannot_be_looked_for_counts_as_one():
    root = temp_dir()
    confirmed(root, (1, 0, 0), software("old"))

    def broken(path):
        raise MemoryError

    kept, starter.exists = starter.exists, broken
    try:
        start = Start(root)
        assert isinstance(start.run(), SystemExit)
    finally:
        starter.exists = kept
    assert start.interrupts == [-1]
