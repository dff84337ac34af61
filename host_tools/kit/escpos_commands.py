"""What an ESC/POS printer does with its bytes: one command at a time, out of its buffer.

A command that the part does not know is an error, and so is one that would write the printer's
non-volatile memory: that wears out, and outlives the slip.
"""

from collections.abc import Callable, Generator

import segno

from host_tools.kit.escpos_paper import Paper, Style, aligned, line_rows
from host_tools.kit.escpos_parts import NON_VOLATILE, Part

HEAD_TO_CUTTER = 40
# DLE, ESC, FS and GS: after a restart in mid-picture the rest of it is taken for commands, and a
# printer looks for DLE in pictures too. Modules of four dots and more never make these bytes.
COMMAND_BYTES = b"\x10\x1b\x1c\x1d"

# What the interpreter waits for: the next byte, a printed row, a fed row.
Wait = tuple[str, int]
BYTE: Wait = ("byte", 0)
Interpreter = Generator[Wait, int, None]


class Commands:
    """The state between two bytes of a printer `part`; `answer` sends, `paper_status` is a byte."""

    def __init__(
        self,
        part: Part,
        paper: Paper,
        errors: list[str],
        answer: Callable[[bytes], None],
        paper_status: Callable[[], int],
    ):
        self.part = part
        self.dots = part.dots
        self.paper = paper
        self.errors = errors
        self.answer = answer
        self.paper_status = paper_status
        self._reset()

    # Each `yield BYTE` is the next byte out of the buffer.

    def interpret(self) -> Interpreter:
        while True:
            byte = yield BYTE
            if byte == 0x0A:
                yield from self._print_line()
            elif 0x20 <= byte <= 0x7E:
                used = sum(12 * style.wide for _, style in self._line)
                if used + 12 * self._style.wide > self.dots:
                    yield from self._print_line()
                self._line.append((chr(byte), self._style))
            elif byte in (0x1B, 0x1D):
                second = yield BYTE
                command = self._commands().get((byte, second))
                if command is None:
                    self._unknown(byte, second)
                else:
                    yield from command()
            elif byte == 0x1C:
                second = yield BYTE
                self._unknown(byte, second)
            elif byte not in (0x00, 0x0D):  # padding and carriage return do nothing
                self._unknown(byte)

    def _commands(self) -> dict[tuple[int, int], Callable[[], Interpreter]]:
        commands = {
            (0x1B, 0x40): self._init,
            (0x1B, 0x61): lambda: self._parameter("_align", range(3)),
            (0x1B, 0x45): self._bold,
            (0x1B, 0x32): self._default_spacing,
            (0x1B, 0x33): lambda: self._parameter("_spacing", range(256)),
            (0x1B, 0x4A): self._feed_dots,
            (0x1B, 0x64): self._feed_lines,
            (0x1B, 0x74): lambda: self._parameter("_code_page", range(256)),
            (0x1D, 0x21): self._text_size,
            (0x1D, 0x28): self._extended,
            (0x1D, 0x76): self._raster,
        }
        if self.part.heat:
            commands[0x1B, 0x37] = self._heat
        if self.part.cutter:
            commands[0x1D, 0x56] = self._cut
        commands[self.part.request] = self._answer
        return commands

    def _unknown(self, *command: int) -> None:
        if command in ((0x1B, 0), (0x1D, 0)):  # cut off, and zeros after it: parts pass it over
            return
        what = NON_VOLATILE.get(bytes(command))
        if what:
            self.errors.append(f"{what} writes non-volatile memory")
        else:
            self.errors.append("unknown command " + bytes(command).hex(" "))

    def _reset(self) -> None:
        self._line: list[tuple[str, Style]] = []
        self._style = Style()
        self._align = 0
        self._spacing = 30
        self._code_page = 0
        self._qr = {"size": 3, "level": "L", "data": b""}

    def _init(self) -> Interpreter:
        self._reset()
        return
        yield BYTE

    def _default_spacing(self) -> Interpreter:
        self._spacing = 30
        return
        yield BYTE

    def _parameter(self, name: str, allowed: range) -> Interpreter:
        value = yield BYTE
        if value in allowed:
            setattr(self, name, value)
        else:
            self.errors.append(f"value {value} out of range for {name[1:]}")

    def _bold(self) -> Interpreter:
        value = yield BYTE
        self._style = Style(bool(value & 1), self._style.wide, self._style.high)

    def _text_size(self) -> Interpreter:
        value = yield BYTE
        wide, high = (value >> 4) + 1, (value & 15) + 1
        if wide > 8 or high > 8:
            self.errors.append(f"text size {value:02x}")
            return
        self._style = Style(self._style.bold, wide, high)

    def _heat(self) -> Interpreter:
        for _ in range(3):
            yield BYTE

    def _print_line(self) -> Interpreter:
        line, self._line = self._line, []
        rows = line_rows(line, self.dots, self._align) if line else []
        for row in rows:
            yield ("print", row)
        for _ in range(self._spacing - len(rows)):
            yield ("feed", 0)

    def _feed_dots(self) -> Interpreter:
        dots = yield BYTE
        for _ in range(dots):
            yield ("feed", 0)

    def _feed_lines(self) -> Interpreter:
        lines = yield BYTE
        if self._line:
            yield from self._print_line()
            lines -= 1
        for _ in range(lines * self._spacing):
            yield ("feed", 0)

    def _cut(self) -> Interpreter:
        mode = yield BYTE
        feed = 0
        if mode in (65, 66):
            feed = HEAD_TO_CUTTER + (yield BYTE)
        elif mode not in (0, 1, 48, 49):
            self._unknown(0x1D, 0x56, mode)
            return
        for _ in range(feed):
            yield ("feed", 0)
        self.paper.cut()

    def _answer(self) -> Interpreter:
        yield BYTE
        self.answer(bytes((self.paper_status(),)))

    def _at_line_start(self, what: str) -> None:
        if self._line:
            self.errors.append(what + " before the line was printed")

    def _raster(self) -> Interpreter:
        head = []
        for _ in range(6):
            head.append((yield BYTE))
        if head[0] != 0x30 or head[1] != 0:
            self._unknown(0x1D, 0x76, *head[:2])
        self._at_line_start("raster")
        width, height = head[2] | head[3] << 8, head[4] | head[5] << 8
        if width * 8 > self.dots:
            self.errors.append(f"raster of {width * 8} dots is wider than the paper")
        for _ in range(height):
            row = 0
            for _ in range(width):
                byte = yield BYTE
                if byte in COMMAND_BYTES:
                    self.errors.append(f"picture byte {byte:02x} could begin a command")
                row = row << 8 | byte
            if width * 8 > self.dots:
                row >>= width * 8 - self.dots
            else:
                left = aligned(width * 8, self.dots, self._align)
                row <<= self.dots - width * 8 - left
            yield ("print", row)

    def _extended(self) -> Interpreter:
        """GS ( x pL pH …: the QR commands and the confirmation of a job."""
        name = yield BYTE
        low = yield BYTE
        high = yield BYTE
        data = bytearray()
        for _ in range(low | high << 8):
            data.append((yield BYTE))
        if name == 0x6B and data[:1] == b"\x31":
            yield from self._qr_command(data[1], bytes(data[2:]))
        elif name == 0x48 and self.part.confirms and data[:2] == b"00" and len(data) == 6:
            self._at_line_start("confirmation asked")
            self.answer(b"\x37\x22" + bytes(data[2:]) + b"\x00")
        else:
            self._unknown(0x1D, 0x28, name)

    def _qr_command(self, function: int, data: bytes) -> Interpreter:
        if function == 0x43 and 1 <= data[0] <= 16:
            self._qr["size"] = data[0]
        elif function == 0x45 and 0x30 <= data[0] <= 0x33:
            self._qr["level"] = "LMQH"[data[0] - 0x30]
        elif function == 0x50 and data[:1] == b"0":
            self._qr["data"] = data[1:]
        elif function == 0x51:
            self._at_line_start("QR code")
            yield from self._print_qr()
        elif (function, data) != (0x41, b"2\x00"):
            self._unknown(0x1D, 0x28, 0x6B, 0x31, function)

    def _print_qr(self) -> Interpreter:
        size = self._qr["size"]
        code = segno.make(self._qr["data"], error=self._qr["level"], micro=False, boost_error=False)
        side = len(code.matrix) * size
        if side > self.dots:
            self.errors.append(f"QR code of {side} dots is wider than the paper")
            return
        left = aligned(side, self.dots, self._align)
        for line in code.matrix:
            row = int("".join(str(module) * size for module in line), 2)
            for _ in range(size):
                yield ("print", row << (self.dots - side - left))
