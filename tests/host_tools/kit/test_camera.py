"""The camera emulator, and the quality gate on photographs: drawn ones, real ones if at hand."""

import socket
import struct
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from firmware import quality
from firmware.jpeg import JpegCheck
from host_tools.kit.bus import LinkServer
from host_tools.kit.camera import CameraEmulator
from host_tools.sheet import layout
from host_tools.sheet.draw import draw_page
from host_tools.sheet.photograph import BLURRED, GOOD, Look, photograph

REAL = Path(__file__).parents[4] / "shared" / "data" / "sheets"
SIZE = (1512, 2016)  # 3 MP: quick to make


def drawn(path: Path, look: Look, seed: int = 3) -> Path:
    form = layout.load("ppwp-2024")
    values = {"votes_1": 123, "votes_2": 74, "votes_3": 32}
    page = draw_page(form, 2, values, {"tps": "1"}, 1200, seed=seed)
    path.write_bytes(photograph(page, seed, look, SIZE))
    return path


def reasons(path: Path) -> list[str]:
    return quality.verdict(*quality.assess(*CameraEmulator(path).focus()))


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (GOOD, []),
        (Look(focus=2.5), []),
        (Look(light=0.55, noise=5), []),
        (BLURRED, [quality.BLURRED]),
        (Look(focus=10), [quality.BLURRED]),
        (Look(shake=34), [quality.BLURRED]),
        (Look(light=0.22), [quality.DARK]),
        (Look(light=1.6), [quality.BRIGHT]),
    ],
)
def test_drawn_photographs_pass_or_are_refused_with_their_reason(tmp_path, look, expected):
    assert reasons(drawn(tmp_path / "p.jpg", look)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pilpres-2024-hal1.jpg", []),
        ("pilpres-2024-hal2.jpg", []),
        ("pilpres-2024-hal3.jpg", []),
        ("pilpres-2024-hal2-blurred.jpg", [quality.BLURRED]),
    ],
)
def test_real_photographs_pass_and_the_shaken_one_is_refused(name, expected):
    if not (REAL / name).exists():
        pytest.skip("the real photographs are not part of the repository")
    assert reasons(REAL / name) == expected
    check = JpegCheck()
    check.feed((REAL / name).read_bytes())
    assert min(check.finish()) >= 3000


def test_frames_show_the_whole_photograph_at_their_two_sizes(tmp_path):
    camera = CameraEmulator(drawn(tmp_path / "p.jpg", GOOD))
    for frame, size in ((camera.preview(), (120, 160)), (camera.focus(), (192, 256))):
        width, height, gray = frame
        assert (width, height) == size
        assert len(gray) == width * height
        picture = np.frombuffer(gray, np.uint8).reshape(height, width)
        # The sheet is in the middle, the darker wall at the edges.
        assert np.median(picture[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3]) > (
            np.median(picture[:, :4]) + 20
        )


def test_a_photograph_taken_sideways_gives_a_sideways_frame(tmp_path):
    wide = tmp_path / "wide.jpg"
    cv2.imwrite(str(wide), np.full((300, 400), 200, np.uint8))
    assert CameraEmulator(wide).preview()[:2] == (160, 120)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0"])
def test_a_file_that_is_no_picture_shows_black_and_is_captured_as_it_is(tmp_path, content):
    path = tmp_path / "bad.jpg"
    path.write_bytes(content)
    camera = CameraEmulator(path)
    width, height, gray = camera.preview()
    assert gray == bytes(width * height)
    assert all_of(camera.capture()) == content


def test_without_a_photograph_the_camera_sees_black_and_captures_nothing():
    camera = CameraEmulator()
    assert not any(camera.preview()[2])
    assert all_of(camera.capture()) == b""


def test_a_capture_is_the_files_bytes_unchanged(tmp_path):
    path = drawn(tmp_path / "p.jpg", GOOD)
    assert all_of(CameraEmulator(path).capture()) == path.read_bytes()


def test_the_files_given_come_round_in_order(tmp_path):
    paths = [tmp_path / "1.jpg", tmp_path / "2.jpg"]
    for path in paths:
        path.write_bytes(path.name.encode())
    camera = CameraEmulator(*paths)
    seen = [all_of(camera.capture())]
    for _ in range(2):
        camera.next()
        seen.append(all_of(camera.capture()))
    assert seen == [b"1.jpg", b"2.jpg", b"1.jpg"]


def test_the_link_gives_frames_and_captures_and_closes_at_an_unknown_letter(tmp_path):
    path = drawn(tmp_path / "p.jpg", GOOD)
    camera = CameraEmulator(path)
    server = LinkServer()
    server.services["camera"] = camera.serve
    try:
        with socket.create_connection(("127.0.0.1", server.port), 10) as link:
            link.sendall(b"camera\n")
            for letter, frame in ((b"P", camera.preview()), (b"F", camera.focus())):
                link.sendall(letter)
                width, height = struct.unpack(">HH", exactly(link, 4))
                assert (width, height, exactly(link, width * height)) == frame
            link.sendall(b"C")
            (size,) = struct.unpack(">I", exactly(link, 4))
            assert exactly(link, size) == path.read_bytes()
            link.sendall(b"?")
            assert link.recv(1) == b""
    finally:
        server.close()


def test_loading_while_frames_are_read_never_mixes_two_photographs(tmp_path):
    paths = []
    for level in (0, 255):
        paths.append(tmp_path / f"{level}.png")
        cv2.imwrite(str(paths[-1]), np.full((400, 300), level, np.uint8))
    camera = CameraEmulator(paths[0])
    turns = threading.Thread(target=lambda: [camera.load(paths[i % 2]) for i in range(60)])
    turns.start()
    while turns.is_alive():
        assert len(set(camera.preview()[2])) == 1
    turns.join()


def all_of(stream) -> bytes:
    out, buf = b"", bytearray(5000)
    while n := stream.readinto(buf):
        out += buf[:n]
    stream.close()
    return out


def exactly(link: socket.socket, n: int) -> bytes:
    data = b""
    while len(data) < n:
        chunk = link.recv(n - len(data))
        assert chunk, "the link closed"
        data += chunk
    return data
