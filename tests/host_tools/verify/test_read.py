import io
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from host_tools.verify.read import ReadError, from_texts, read
from tests.firmware.support import raises
from tests.host_tools.verify import world
from tests.vectors import good

RESULT = world.entry_bytes("result-28-figures")
OTHER = world.entry_bytes("correction-28-figures")
TEXT = next(v["qr"] for v in world.vectors()["good"] if v["name"] == "result-28-figures")
NO_CODE = "no QR code found"


# How files of several kinds begin, so that rubbish reaches every decoder.
STARTS = [
    b"",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"\xff\xd8\xff\xe0",
    b"GIF89a",
    b"BM",
    b"RIFF",
    b"#1",
]
STARTS += [b"II*\0", b"P5 9 9 255\n", b"HTTPS://A/#1", b"\xff\xfe", b"\0\0\1\0", b"8BPS\0\1"]


def saved(tmp_path, image, name="receipt.png"):
    path = tmp_path / name
    image.save(path)
    return str(path)


def contents(source):
    return [found.data for found in read(source)]


def test_a_picture_with_a_receipt_gives_its_bytes(tmp_path):
    path = saved(tmp_path, world.on_paper(world.qr(RESULT)))
    assert contents(path) == [RESULT]
    assert read(path)[0].where == path


@pytest.mark.parametrize("name", ["r.jpg", "r.webp", "r.bmp", "r.tiff"])
def test_pictures_of_every_common_kind_are_read(tmp_path, name):
    assert contents(saved(tmp_path, world.on_paper(world.qr(RESULT)), name)) == [RESULT]


def test_a_picture_with_two_receipts_gives_both_and_a_doubled_one_once(tmp_path):
    both = world.on_paper(world.qr(RESULT), world.qr(OTHER), world.qr(RESULT))
    assert sorted(contents(saved(tmp_path, both))) == sorted([RESULT, OTHER])


@pytest.mark.parametrize("angle", [3, 12, 45, 90, 180, 271])
def test_a_turned_receipt_is_read(tmp_path, angle):
    turned = world.on_paper(world.qr(RESULT)).rotate(angle, expand=True, fillcolor=190)
    assert contents(saved(tmp_path, turned)) == [RESULT]


def test_a_blurred_receipt_is_read(tmp_path):
    blurred = world.on_paper(world.qr(RESULT)).filter(ImageFilter.GaussianBlur(1.6))
    assert contents(saved(tmp_path, blurred)) == [RESULT]


def test_a_faded_noisy_and_small_receipt_is_read(tmp_path):
    dice = random.Random(1)
    paper = world.on_paper(world.qr(RESULT)).rotate(5, expand=True, fillcolor=190)
    paper = paper.point(lambda v: 110 + v * 0.45)
    noisy = bytes(max(0, min(255, v + int(dice.gauss(0, 14)))) for v in paper.tobytes())
    paper = Image.frombytes("L", paper.size, noisy)
    paper = paper.resize((paper.width * 2 // 3, paper.height * 2 // 3), Image.Resampling.BILINEAR)
    out = io.BytesIO()
    paper.save(out, "JPEG", quality=60)
    path = tmp_path / "phone.jpg"
    path.write_bytes(out.getvalue())
    assert contents(str(path)) == [RESULT]


def test_light_on_dark_is_read(tmp_path):
    inverted = world.on_paper(world.qr(RESULT)).point(lambda v: 255 - v)
    assert contents(saved(tmp_path, inverted)) == [RESULT]


def test_a_picture_without_a_code_says_what_to_do(tmp_path):
    path = saved(tmp_path, Image.new("L", (300, 300), 200))
    error = raises(ReadError, read, path)
    assert NO_CODE in str(error) and "photograph the receipt again" in str(error)
    assert "\n" not in str(error)


def test_another_code_is_named_and_not_taken(tmp_path):
    path = saved(tmp_path, world.on_paper(world.picture("HTTPS://EXAMPLE.ID/MENU")))
    assert "EXAMPLE.ID/MENU" in str(raises(ReadError, read, path))


def test_another_code_beside_a_receipt_is_left_aside(tmp_path):
    both = world.on_paper(world.picture("HTTPS://EXAMPLE.ID/MENU"), world.qr(RESULT))
    assert contents(saved(tmp_path, both)) == [RESULT]


def test_the_kits_credential_is_told_apart(tmp_path):
    error = raises(ReadError, from_texts, ["#2" + "123"], "x")
    assert "credential" in str(error)


@pytest.mark.parametrize("text", [TEXT, TEXT[TEXT.index("#") :], TEXT.lower()])
def test_the_text_itself_is_taken_in_every_form(text):
    assert contents(text) == [RESULT]


def test_a_text_file_with_a_mark_at_its_start_and_several_lines(tmp_path):
    path = tmp_path / "scanned.txt"
    path.write_text("\ufeff" + TEXT + "\r\n\r\nhello\r\n" + TEXT + "\r\n", encoding="utf-8")
    assert contents(str(path)) == [RESULT]


def test_a_scanners_line_on_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(TEXT + "\n"))
    assert contents("-") == [RESULT]


def test_nothing_on_standard_input_is_an_error(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert "empty" in str(raises(ReadError, read, "-"))


def test_a_file_with_the_records_own_bytes(tmp_path):
    path = tmp_path / "entry.cbor"
    path.write_bytes(RESULT)
    assert contents(str(path)) == [RESULT]


BENT = [v for v in world.vectors()["qr"] if v["hex"] is None]


@pytest.mark.parametrize("vector", BENT, ids=lambda v: v["name"])
def test_a_bent_text_is_a_problem_or_no_receipt_and_never_bytes(vector):
    try:
        found = from_texts([vector["text"]], "x")
    except ReadError:
        return
    assert [(one.data, bool(one.problem)) for one in found] == [(b"", True)]


def test_a_receipt_whose_digits_overflow_is_found_wanting_not_overlooked():
    text = next(v["text"] for v in BENT if v["name"] == "group-overflow")
    assert from_texts([text], "x")[0].problem


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0", b"\xff\xd8\xff\xe0\0\0rubbish", b"\0" * 99]
)
def test_a_damaged_picture_is_one_line(tmp_path, data):
    path = tmp_path / "damaged.png"
    path.write_bytes(data)
    assert "\n" not in str(raises(ReadError, read, str(path)))


def test_a_picture_cut_in_half_is_one_line(tmp_path):
    path = tmp_path / "half.png"
    world.on_paper(world.qr(RESULT)).save(path)
    path.write_bytes(path.read_bytes()[:400])
    raises(ReadError, read, str(path))


@pytest.mark.parametrize("source", ["nowhere.png", "", "a\0b", "."])
def test_what_is_no_file_is_one_line(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "cannot be read" in str(raises(ReadError, read, source))


def test_a_huge_picture_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = saved(tmp_path, world.on_paper(world.qr(RESULT)))
    monkeypatch.setattr("host_tools.verify.picture.PIXELS", 1000)
    assert "too large" in str(raises(ReadError, read, path))


def test_a_text_file_of_windows_notepad_is_read(tmp_path):
    path = tmp_path / "scanned.txt"
    path.write_text(TEXT, encoding="utf-16")
    assert contents(str(path)) == [RESULT]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_rubbish_in_a_file_is_one_line_or_never_the_receipts_bytes(data):
    start = data.draw(st.sampled_from(STARTS))
    rest = data.draw(st.binary(max_size=200))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(start + rest)
        try:
            found = read(str(path))
        except ReadError as error:
            assert "\n" not in str(error)
            return
        assert all(one.data != RESULT for one in found)


def test_the_host_of_the_address_does_not_matter():
    assert from_texts([TEXT.replace(good.HOST, "LAIN.EXAMPLE")], "x")[0].data == RESULT
