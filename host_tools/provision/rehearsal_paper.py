"""What leaves a rehearsed kit: its receipt, read from the printed dots, and its messages."""

import asyncio

from PIL import Image

from firmware import record, sms
from firmware.printing import print_job
from firmware.receipt import PPS, Copy, Receipts
from host_tools.kit.modem_sms import BadPdu, deliver, open_submit
from host_tools.verify.picture import PictureError, texts_in

COLUMNS, DOTS = 32, 384  # of 58 mm paper
_INVERTED = bytes(255 - byte for byte in range(256))
_KIT = "+62800000000"  # where the messages come from; any number


class PaperError(Exception):
    """The entry does not get through; the text says why."""


class Paper:
    """The Printer role on a picture: a line that does not fit or is no ASCII is an error."""

    columns, dots, problem = COLUMNS, DOTS, None

    def __init__(self):
        self.codes: list[Image.Image] = []

    async def begin(self, _job: int) -> None:
        pass

    async def text(self, line: str, _bold=False, size: int = 1, _align: int = 0) -> None:
        if len(line) * size > COLUMNS:
            raise PaperError(f"the line {line!r} is wider than the paper")
        if not (line.isascii() and line.isprintable()):
            raise PaperError(f"the line {line!r} has a character that prints as ?")

    async def raster(self, width: int, height: int, rows) -> None:
        """`rows`: `height` rows of `width` bytes, 1 = black, in one buffer used again."""
        data = b"".join(bytes(row) for row in rows)
        if len(data) != width * height or width * 8 > DOTS:
            raise PaperError("a picture is not of the paper's width")
        inverted = data.translate(_INVERTED)
        if height > COLUMNS:  # rules are thinner
            self.codes.append(Image.frombytes("1", (width * 8, height), inverted).convert("L"))

    async def feed(self, _lines: int) -> None:
        pass

    async def cut(self) -> None:
        pass

    async def finish(self, _job: int) -> bool:
        return True


def printed(receipts: Receipts, entry: record.Entry, manifest: bytes) -> list[str]:
    """The texts of the QR codes on an entry's receipt, read from its dots; PaperError."""
    paper = Paper()
    try:
        slip = receipts.result(entry, manifest, Copy(PPS))
        asyncio.run(print_job(paper, slip, 1))
        return [text for code in paper.codes for text in texts_in(code)]
    except PictureError as error:
        raise PaperError("its QR code cannot be read") from error
    except ValueError as error:  # RecordError and a symbol too large among them
        raise PaperError(str(error)) from error


def messages(data: bytes, number: str) -> int:
    """How many messages carry an entry to `number` ("": none set); PaperError.

    They are taken through the modem's and the network's form and put together again.
    """
    try:
        pieces = sms.split(data, sms.reference_of(record.rec_id(data)))
        if not number:
            return len(pieces)
        parts = sms.Parts(lambda _number, whole: whole == data)
        whole = None
        for piece in pieces:
            _, text = sms.submit(number, piece)
            carried = open_submit(bytes.fromhex(text)[1:])[-1]
            whole = parts.add(sms.parse(deliver(_KIT, carried).hex()), 0)
    except (ValueError, BadPdu) as error:  # SmsError among them
        raise PaperError(str(error)) from error
    if whole != data:
        raise PaperError("its parts do not make the entry again")
    return len(pieces)
