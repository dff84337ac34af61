from firmware import cbor, record, release, slots
from firmware.release import ReleaseError, Releases
from firmware.slots import Slots
from tests.firmware.release_bench import (
    BOARD,
    FIRST,
    NEW,
    OLD,
    ROSTER,
    SECOND,
    STRANGER,
    content,
    file_list,
    installed,
    kit,
    send,
    statement,
    statements,
)  # fmt: skip
from tests.firmware.support import raises, temp_dir


def refused(signed, verbs=None, kind=ReleaseError):
    """The code with which RELEASE is refused."""
    verbs = kit() if verbs is None else verbs
    code = raises(kind, verbs.release, cbor.encode(signed)).code
    # Nothing that was refused lets files come in.
    data = cbor.encode(file_list(NEW))
    argument = cbor.encode([len(data), 0, data])
    assert raises(ReleaseError, verbs.files, argument).code == release.BAD_ARGUMENT
    return code


def files_refused(rows, size=None):
    """The code with which a correctly signed list is refused."""
    data = cbor.encode(rows)
    total = sum([row[1] for row in rows if isinstance(row[1], int)])
    size = total if size is None else size
    signed = statements(NEW, digest=record.sha256(data), size=size)
    verbs = kit()
    assert verbs.release(cbor.encode(signed)) == b"\xf6"
    code = raises(ReleaseError, verbs.files, cbor.encode([len(data), 0, data])).code
    assert verbs.slots.status()[1] is None and verbs.slots.begun() is None
    return code


def test_a_release_of_two_releasers_is_taken_file_by_file():
    root = temp_dir()
    assert send(kit(root), NEW, statements(NEW)) == [1, 0, 0]
    assert content(root, "a") == NEW and Slots(root).trial() == "a"


def test_the_order_of_the_two_statements_does_not_matter():
    assert send(kit(), NEW, statements(NEW, keys=(SECOND, FIRST))) == [1, 0, 0]


def test_one_signature_is_not_enough():
    one = statement(FIRST, NEW)
    for argument in ([one], [one, None], [one, b""], [], [one, one, one]):
        verbs = kit()
        error = raises(Exception, verbs.release, cbor.encode(argument))
        assert error.code in (release.BAD_ARGUMENT, record.BAD_FRAME), argument


def test_the_same_releaser_twice_counts_once():
    one = statement(FIRST, NEW)
    assert refused([one, one]) == release.NOT_SIGNED
    assert refused([one, statement(FIRST, NEW)]) == release.NOT_SIGNED


def test_a_strangers_signature_counts_for_nothing():
    for keys in ((FIRST, STRANGER), (STRANGER, SECOND)):
        assert refused(statements(NEW, keys=keys)) == release.NOT_SIGNED
    verbs = kit(releasers=[FIRST.public])
    assert refused(statements(NEW), verbs) == release.NOT_SIGNED, "SECOND is not on the roster"
    assert refused(statements(NEW), kit(releasers=[])) == release.NOT_SIGNED


def test_a_stranger_who_names_a_releasers_key_is_found_out():
    payload = record.parse(statement(FIRST, NEW)).payload
    forged = record.assemble(payload, record.kid_of(SECOND.public), STRANGER.sign)
    assert refused([statement(FIRST, NEW), forged]) == release.NOT_SIGNED


def test_statements_over_different_releases_do_not_add_up():
    one = statement(FIRST, NEW)
    others = [statement(SECOND, NEW, issued=1700000001), statement(SECOND, OLD)]
    others += [statement(SECOND, NEW, (1, 0, 1)), statement(SECOND, NEW, board="other")]
    for other in others:
        assert refused([one, other]) == release.NOT_SIGNED


def test_an_altered_statement_is_refused():
    one, two = statements(NEW)
    changed = two.replace(BOARD.encode(), b"bunch")
    assert refused([one, changed]) == release.NOT_SIGNED
    assert refused([one.replace(BOARD.encode(), b"bunch"), changed]) == release.NOT_SIGNED


def test_a_chip_that_gives_no_clear_yes_means_no():
    verbs = Releases(Slots(temp_dir()), BOARD, ROSTER, lambda key, digest, signature: 1)
    assert refused(statements(NEW), verbs) == release.NOT_SIGNED


def test_another_kind_of_signed_object_is_no_release():
    roster = [record.ROSTER, 1, 1607, 1, 2, [], ROSTER]
    signed = [record.assemble(roster, record.kid_of(k.public), k.sign) for k in (FIRST, SECOND)]
    assert refused(signed) == release.NOT_SIGNED


def test_a_release_for_another_board_is_refused():
    assert refused(statements(NEW, board="bench2")) == release.OTHER_BOARD


def test_the_kit_never_goes_back_to_an_older_version():
    root = installed(OLD, (1, 2, 3))
    for version in ((1, 2, 3), (1, 2, 2), (1, 1, 9), (0, 9, 9), (0, 0, 0)):
        assert refused(statements(NEW, version), kit(root)) == release.NOT_NEWER, version
    for version in ((1, 2, 4), (1, 3, 0), (1, 10, 0), (2, 0, 0)):
        assert kit(root).release(cbor.encode(statements(NEW, version))) == b"\xf6", version
    assert refused(statements(NEW, (0, 1, 0))) == release.NOT_NEWER, "as the code itself says"


def test_a_version_of_other_than_three_numbers_is_refused():
    for version in ((), (9,), (9, 9), (9, 9, 9, 9)):
        assert refused(statements(NEW, version)) == release.NOT_NEWER, version


def test_an_altered_list_is_refused_and_nothing_is_written():
    for name, at, value in (("firmware/main.py", 1, 82), ("firmware/main.py", 2, bytes(32)),
                            ("firmware/main.py", 0, "firmware/mainy.py")):  # fmt: skip
        rows = file_list(NEW)
        for row in rows:
            if row[0] == name:
                row[at] = value
        verbs = kit()
        verbs.release(cbor.encode(statements(NEW)))
        data = cbor.encode(rows)
        code = raises(ReleaseError, verbs.files, cbor.encode([len(data), 0, data])).code
        assert code == release.BAD_LIST, value
        assert verbs.slots.begun() is None


def test_a_signed_list_with_a_name_outside_is_refused():
    digest = record.sha256(b"x")
    for name in ("main.py", "boot.py", "/firmware/main.py", "firmware/../main.py", "../firmware/x",
                 "firmware/./x", "firmware//x", "firmware/", "firmware", "lib", "firmware/.x",
                 "firmware\\x", "firmware/x\0", "firmware/a b", "slots", "sealed", "LIB/x.py",
                 "firmware/" + "x" * 60, "", None, 5, b"firmware/x"):  # fmt: skip
        assert files_refused([[name, 1, digest]]) == release.BAD_LIST, name


def test_a_signed_list_that_is_malformed_is_refused():
    digest = record.sha256(b"x")
    good = ["firmware/a.py", 1, digest]
    after = ["firmware/b.py", 1, digest]
    for rows in ([], [good, good], [after, good], [good, ["firmware/b.py", 0, digest]],
                 [good, ["firmware/b.py", 1, digest[1:]]], [good, ["firmware/b.py", 1, None]],
                 [good, ["firmware/b.py", True, digest]], [good[:2]], [good + [1]]):  # fmt: skip
        assert files_refused(rows) == release.BAD_LIST, rows
    for size in (0, 1, 3):
        assert files_refused([good, after], size=size) == release.BAD_LIST, size


def test_names_that_a_release_really_has_are_safe():
    for name in ("firmware/__init__.mpy", "firmware/fonts/8x16.bin", "firmware/words/id.json",
                 "lib/ssl.py", "firmware/drivers/atecc608.mpy"):  # fmt: skip
        assert release.is_safe_name(name)


def test_a_pulled_cable_goes_on_where_it_stopped():
    root = temp_dir()
    signed = cbor.encode(statements(NEW))
    verbs = kit(root)
    verbs.release(signed)
    data = cbor.encode(file_list(NEW))
    assert cbor.decode(verbs.files(cbor.encode([len(data), 0, data[:50]]))) == 50
    assert cbor.decode(verbs.files(cbor.encode([len(data), 0, data[:50]]))) == 50, "sent again"
    assert cbor.decode(verbs.files(cbor.encode([len(data), 70, data[70:]]))) == 50, "a gap"
    assert cbor.decode(verbs.files(cbor.encode([len(data), 50, data[50:]]))) == [0, 0, 0, 0]
    verbs.piece(cbor.encode(["firmware/main.py", 0, NEW["firmware/main.py"][:9]]))
    # Another process, as after a power cut: the list is known, and what came stays.
    assert cbor.decode(kit(root).release(signed)) == [0, 9, 0, 0]
    assert send(kit(root), NEW, statements(NEW)) == [1, 0, 0]
    assert content(root, "a") == NEW


def test_another_release_does_not_inherit_the_files_of_the_one_before():
    root = temp_dir()
    verbs = kit(root)
    verbs.release(cbor.encode(statements(NEW)))
    data = cbor.encode(file_list(NEW))
    verbs.files(cbor.encode([len(data), 0, data]))
    verbs.piece(cbor.encode(["firmware/main.py", 0, b"new main\n"]))
    assert send(kit(root), OLD, statements(OLD, (1, 0, 1))) == [1, 0, 1]
    assert content(root, "a") == OLD


def test_an_altered_file_is_found_by_reading_back_and_can_be_sent_again():
    root = temp_dir()
    other = dict(NEW)
    other["lib/ssl.py"] = b"import tlz\n"
    verbs = kit(root)
    signed = statements(NEW)
    verbs.release(cbor.encode(signed))
    data = cbor.encode(file_list(NEW))
    verbs.files(cbor.encode([len(data), 0, data]))
    for name, value in other.items():
        verbs.piece(cbor.encode([name, 0, value]))
    error = raises(slots.SlotError, verbs.install, b"")
    assert error.code == slots.DAMAGED and "lib/ssl.py" in error.text
    assert Slots(root).trial() is None
    assert send(verbs, NEW, signed) == [1, 0, 0] and content(root, "a") == NEW


def test_arguments_of_another_shape_are_refused():
    verbs = kit()
    verbs.release(cbor.encode(statements(NEW)))
    for verb, arguments in (
        (verbs.release, (None, 1, [b"", "x"], [b"", b"", b""])),
        (verbs.files, ([1, 0], [1, 0, "x"], [True, 0, b""], [0, 0, b""], [32769, 0, b"x"],
                       [1, -1, b"x"], [1, 1, b"x"])),
        (verbs.piece, (["x", 0], [b"x", 0, b""], ["x", False, b""], ["x", -1, b""], {})),
    ):  # fmt: skip
        for argument in arguments:
            code = raises(ReleaseError, verb, cbor.encode(argument)).code
            assert code == release.BAD_ARGUMENT, argument
        assert raises(ReleaseError, verb, b"\xff").code == release.BAD_ARGUMENT


def test_the_technician_sees_what_runs_and_what_failed():
    root = installed(OLD)
    verbs = kit(root)
    assert cbor.decode(verbs.software(b"")) == ["1.0.0", None, False, None]
    send(verbs, NEW, statements(NEW, (1, 1, 0)))
    assert cbor.decode(verbs.software(b"")) == ["1.0.0", "1.1.0", False, None]
    verbs.slots.choose()
    verbs.slots.choose()
    assert cbor.decode(verbs.software(b""))[3].startswith("1.1.0: ")


def test_every_verb_is_known_to_the_cable():
    assert sorted(kit().handlers()) == ["FILES", "INSTALL", "PIECE", "RELEASE", "SOFTWARE"]
