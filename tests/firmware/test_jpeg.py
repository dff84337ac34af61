from firmware.jpeg import CUT_OFF, EMPTY, NOT_JPEG, JpegCheck
from tests.firmware.support import raises

SOI = b"\xff\xd8"
EOI = b"\xff\xd9"
APP0 = b"\xff\xe0\x00\x10JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00"
# A preview picture inside APP1, with its own start, size and end.
THUMBNAIL = SOI + b"\xff\xc0\x00\x0b\x08\x00\x10\x00\x20\x01\x01\x11\x00" + EOI
APP1 = b"\xff\xe1\x00" + bytes([2 + len(THUMBNAIL)]) + THUMBNAIL
TABLE = b"\xff\xc4\x00\x05\x00\x01\x02"
FRAME = b"\xff\xc0\x00\x0b\x08\x0f\xc0\x0b\xd0\x01\x01\x11\x00"  # 3024 x 4032
SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
PICTURE = b"\x12\x34\xff\x00\x56\xff\xd0\x78" * 40
HEAD = SOI + APP0 + APP1 + TABLE + FRAME
GOOD = HEAD + SCAN + PICTURE + EOI


def check(data, chunk=4096):
    jpeg = JpegCheck()
    buffer = bytearray(chunk)
    view = memoryview(buffer)
    for at in range(0, len(data), chunk):
        piece = data[at : at + chunk]
        buffer[: len(piece)] = piece
        jpeg.feed(view[: len(piece)])
    return jpeg.finish()


def sentence(data, chunk=4096):
    return str(raises(ValueError, check, data, chunk))


def test_a_whole_photograph_gives_its_width_and_height():
    assert check(GOOD) == (3024, 4032)


def test_the_size_of_a_thumbnail_inside_is_not_taken_for_the_photographs():
    assert check(GOOD) != (32, 16)


def test_every_chunk_size_gives_the_same_answer():
    for chunk in range(1, 40):
        assert check(GOOD, chunk) == (3024, 4032), chunk


def test_what_phones_append_after_the_end_is_allowed():
    for chunk in (1, 7, 4096):
        assert check(GOOD + b"\x00" * 100 + SOI + APP0, chunk) == (3024, 4032)


def test_progressive_pictures_with_tables_between_scans_pass():
    head = HEAD.replace(b"\xff\xc0\x00\x0b\x08\x0f", b"\xff\xc2\x00\x0b\x08\x0f")
    assert check(head + SCAN + PICTURE + TABLE + SCAN + PICTURE + EOI, 16) == (3024, 4032)


def test_fill_bytes_before_a_marker_are_legal():
    assert check(SOI + b"\xff\xff" + APP0 + FRAME + SCAN + PICTURE + EOI) == (3024, 4032)


def test_an_empty_photograph_is_named_so():
    assert sentence(b"") == EMPTY


def test_a_photograph_cut_anywhere_is_cut_off():
    for end in range(1, len(GOOD)):
        assert sentence(GOOD[:end]) == CUT_OFF, end


def test_an_end_marker_in_a_thumbnail_is_no_end_of_the_photograph():
    assert sentence(SOI + APP1 + FRAME + SCAN + PICTURE) == CUT_OFF


def test_stuffed_bytes_do_not_end_the_picture():
    assert sentence(HEAD + SCAN + b"\xff\x00\xd9" * 50, 3) == CUT_OFF


def test_other_files_are_not_jpeg_photographs():
    png = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
    for data in (png, b"hello", b"\x00" * 5000, b"\xff\xd9" + GOOD, SOI + b"hello"):
        assert sentence(data, 4) == NOT_JPEG


def test_a_picture_before_its_size_is_refused():
    assert sentence(SOI + APP0 + SCAN + PICTURE + EOI) == NOT_JPEG


def test_an_end_without_a_picture_is_refused():
    assert sentence(HEAD + EOI) == NOT_JPEG


def test_a_size_of_zero_is_refused():
    for frame in (
        b"\xff\xc0\x00\x0b\x08\x00\x00\x0b\xd0\x01\x01\x11\x00",
        b"\xff\xc0\x00\x0b\x08\x0f\xc0\x00\x00\x01\x01\x11\x00",
        b"\xff\xc0\x00\x04\x08\x0f",
    ):
        assert sentence(SOI + frame + SCAN + PICTURE + EOI) == NOT_JPEG
