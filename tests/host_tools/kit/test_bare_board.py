"""The bare board behind its serial port, as the real mpremote and a plain terminal find it."""

import json

import pytest
import serial

from host_tools.kit.bare_board import BareBoard
from host_tools.provision import bare
from host_tools.provision.boards import BOARDS, BoardError

STARTED = b"main.py was started"
ENDLESS = 'import time\nprint("main.py was started")\nwhile True:\n    time.sleep(0.01)\n'
DEAF = "import micropython\nmicropython.kbd_intr(-1)\n" + ENDLESS


@pytest.fixture
def board(tmp_path):
    with BareBoard(tmp_path / "board.img", ["a", "b"]) as board:
        yield board


def terminal(board) -> serial.Serial:
    return serial.Serial(board.path, 115200, timeout=0.1)


def wait_for(port: serial.Serial, wanted: bytes) -> bytes:
    seen = b""
    for _ in range(600):
        seen += port.read(256)
        if wanted in seen:
            return seen
    raise AssertionError(f"{wanted!r} never came: {seen!r}")


def put(board, tmp_path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    bare.put_file(board.path, tmp_path / name, "/" + name)


def test_a_fresh_board_has_an_empty_littlefs_and_says_what_it_is(board):
    found = bare.look(board.path, ("ssl", "asyncio", "network"))
    assert (found.platform, found.modules) == ("linux", ("ssl", "asyncio"))
    assert found.version >= (1, 24)
    assert found.size == 8 * 1024 * 1024 and found.free > found.size - 16 * 1024
    found.check(BOARDS["virtual"], 200_000)
    with pytest.raises(BoardError, match="the release is for esp32s3"):
        found.check(BOARDS["esp32s3"], 200_000)
    with pytest.raises(BoardError, match="bytes are free"):
        found.check(BOARDS["virtual"], found.size)
    assert json.loads(bare.mpremote(board.path, "exec", "import os; print(os.listdir('/'))")) == []


def test_main_runs_at_a_start_and_not_in_raw_mode_and_ctrl_c_ends_it(board, tmp_path):
    bare.look(board.path)
    put(board, tmp_path, "main.py", ENDLESS)
    assert STARTED not in board.said
    with terminal(board) as port:
        bare.start(port)
        wait_for(port, STARTED)
        assert bare.has_repl(port)
    said = bare.mpremote(board.path, "exec", "print(6 * 7)", resume=False)
    assert said.strip() == "42"
    assert board.said.count(STARTED) == 1


def test_main_that_keeps_ctrl_c_away_leaves_no_repl_whatever_is_typed(board, tmp_path):
    bare.look(board.path)
    put(board, tmp_path, "main.py", DEAF)
    with terminal(board) as port:
        bare.start(port)
        wait_for(port, STARTED)
        starts = board.starts
        port.write(bytes(range(32)) + b"\r\n\x03\x03\x04")
        assert not bare.has_repl(port)
        assert board.starts == starts
    with pytest.raises(bare.NotBare):
        bare.look(board.path)


def test_what_was_put_on_the_board_survives_the_reset_button_and_is_not_sent_again(board, tmp_path):
    folder = tmp_path / "a"
    (folder / "deep" / "er").mkdir(parents=True)
    for name, size in (("one.bin", 0), ("deep/two.bin", 700), ("deep/er/three.bin", 9000)):
        (folder / name).write_bytes(bytes(range(256)) * (size // 256) + bytes(size % 256))
    steps: list[tuple[int, int]] = []
    bare.look(board.path)
    bare.put(board.path, folder, lambda *step: steps.append(step))
    assert steps[-1] == (3, 3) and len(steps) > 1
    starts = board.starts
    board.reset()
    with terminal(board) as port:
        wait_for(port, b">>> ")
    assert board.starts == starts + 1
    steps.clear()
    bare.put(board.path, folder, lambda *step: steps.append(step))
    assert steps == [(3, 3)]


def test_a_file_that_is_too_much_or_differs_on_the_board_is_named(board, tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "one.py").write_text("1")
    bare.look(board.path)
    bare.put(board.path, folder, lambda *_: None)
    bare.mpremote(board.path, "exec", "open('/a/two.py', 'w').close()")
    with pytest.raises(BoardError, match=r"/a/two.py is on the board and not of this release"):
        bare.put(board.path, folder, lambda *_: None)


def test_a_port_where_nothing_answers_is_no_bare_board(tmp_path):
    with pytest.raises(bare.NotBare):
        bare.look(str(tmp_path / "nothing"))
