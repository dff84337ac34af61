"""QR codes in a photograph, by zxing-cpp; looks harder, step by step, while it finds none."""

import io
import warnings
from collections.abc import Callable, Iterator

import zxingcpp
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError

PIXELS = 120_000_000
WIDEST = 8000  # pixels a side up to which a picture is worth enlarging


class PictureError(Exception):
    """No QR code can be had from the picture; the text says what to do."""


def qr_texts(data: bytes, enough: Callable[[list[str]], bool] = bool) -> list[str]:
    """Texts of the QR codes in an image file's bytes, at least one; PictureError.

    Goes on looking until `enough(texts)`. A code that is there and cannot be read is looked at
    again too: a paper may bear several.
    """
    return texts_in(_grey(data), enough)


def texts_in(picture: Image.Image, enough: Callable[[list[str]], bool] = bool) -> list[str]:
    """As qr_texts, for a grey picture in hand."""
    formats = zxingcpp.barcode_formats_from_str("QRCode")
    texts: dict[str, None] = {}
    for attempt in _attempts(picture):
        codes = zxingcpp.read_barcodes(attempt, formats=formats, return_errors=True)
        texts.update((code.text, None) for code in codes if code.valid)
        if texts and all(code.valid for code in codes) and enough(list(texts)):
            break
    if texts:
        return list(texts)
    raise PictureError(
        "no QR code found; photograph the receipt again: closer, flat, in even light"
    )


def _grey(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > PIXELS:
                raise PictureError("the picture is too large; give one under 120 megapixels")
            return opened.convert("L")
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        text = "neither a picture nor a text; give a photograph of the receipt"
        if data[4:8] == b"ftyp":
            text = "a HEIC picture, which is not read here; save it as JPEG"
        raise PictureError(text) from error
    except Exception as error:  # decoders of thirty formats raise what they like on rubbish
        raise PictureError("the picture is damaged; take it again") from error


def _attempts(picture: Image.Image) -> Iterator[Image.Image]:
    yield picture
    yield ImageOps.autocontrast(picture, cutoff=2)
    if 2 * max(picture.size) <= WIDEST:
        size = (2 * picture.width, 2 * picture.height)
        larger = picture.resize(size, Image.Resampling.LANCZOS)
        yield larger
        yield larger.filter(ImageFilter.UnsharpMask(4, 200, 0))
    yield picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)))
    yield picture.filter(ImageFilter.MedianFilter(3))
