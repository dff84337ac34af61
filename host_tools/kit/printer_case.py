"""One slip of the printing desk on an emulated printer, with a fault at a chosen byte of the line.

Driver, desk, receipt and journal are the kit's own; time is virtual, so that a minute of printing
takes a tenth of a second. The signer signs with a number that stands for a signature. The person at
the table puts right what the screen tells, looks at the paper when asked, and never lies.
"""

import asyncio
import selectors
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from firmware import record
from firmware.desk import Desk
from firmware.drivers.escpos import EscPos
from firmware.journal import Journal
from firmware.package import Package
from firmware.receipt import CLOSING, Copy, Receipts
from firmware.recorder import Recorder
from host_tools.kit.bus import LocalUART
from host_tools.kit.escpos import EscPosEmulator
from host_tools.kit.escpos_paper import Paper
from host_tools.kit.escpos_parts import PARTS

ROW_MS = 2.0  # a slow head is made so much faster, and the driver's pace with it: fewer polls
MOST_FAULTS = 6  # screens that a person puts up with before a case counts as endless
HEAD_ROWS = 210  # rows by which the beginning of a slip is known
KID = b"\x05" * 8
TIME = 1795766640
CONTEST = [1, "PEMILIHAN CONTOH", 1, "maroon", 281, 288, ["CONTOH SATU", "CONTOH DUA"]]
FORM = [1, "C.HASIL-CONTOH", ["DPT"], [[1, 1, ["dpt", "users", "ballots", "votes", "totals"]]]]


class PowerCut(BaseException):
    """The kit's power goes: nothing of the firmware runs any more."""


class _Skip(selectors.SelectSelector):
    """Waits for nothing: hands the time to the loop instead."""

    def __init__(self, pass_time: Callable[[float], None]):
        super().__init__()
        self.pass_time = pass_time

    def select(self, timeout=None):
        self.pass_time(timeout or 0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next thing that is due."""

    def __init__(self):
        self.now = 1.0
        super().__init__(_Skip(self._pass))

    def _pass(self, seconds: float) -> None:
        self.now += seconds

    def time(self) -> float:
        return self.now


class Signer:
    """Counts as the chip does; its signatures are a number."""

    def __init__(self):
        self.counter = 0

    def public_key(self) -> bytes:
        return b"\x05" * 64

    def count(self) -> int:
        return self.counter

    def count_up(self) -> int:
        self.counter += 1
        return self.counter

    def sign(self, digest: bytes) -> bytes:
        return digest + b"\x01" * 32


class Roll(Paper):
    """Paper that keeps the rows of what was cut off."""

    def __init__(self, dots: int):
        super().__init__(dots)
        self.strips: list[list[int]] = []

    def cut(self) -> None:
        if self.rows:
            self.strips.append(self.rows)
        self.rows = []

    def times(self, rows: bytes) -> int:
        """How often these rows are on the paper, one after the other."""
        size = self.dots // 8
        strips = (b"".join(row.to_bytes(size, "big") for row in strip) for strip in self._all())
        return sum(strip.count(rows) for strip in strips)

    def _all(self):
        yield from self.strips
        if self.rows:
            yield self.rows


def trimmed(rows: list[int]) -> list[int]:
    """Rows without the white before the first and after the last black one."""
    black = [i for i, row in enumerate(rows) if row]
    return rows[black[0] : black[-1] + 1]


@dataclass
class Fault:
    """`do` to the printer at write number `at` (from 0), after `share` of its bytes.

    `at` None is before the job: the printer is already so when the slip is wanted.
    """

    at: int | None
    do: Callable[[EscPosEmulator], None]
    share: float = 0.5


class Wire(LocalUART):
    """The line to the printer, counting writes; requests at once (DLE EOT) are not counted."""

    def __init__(self, part: EscPosEmulator, phase: Callable[[], str]):
        super().__init__(part)
        self.printer = part
        self.phase = phase
        self.phases: list[str] = []
        self.fault: Fault | None = None

    def write(self, buf):
        data = bytes(buf)
        if data[:2] == b"\x10\x04":
            return super().write(data)
        fault = self.fault
        number = len(self.phases)
        self.phases.append(self.phase())
        if fault is None or fault.at != number:
            return super().write(data)
        self.fault = None
        half = int(len(data) * fault.share)
        super().write(data[:half])
        fault.do(self.printer)
        super().write(data[half:])
        return len(data)


@dataclass
class Result:
    """What a case left: the journal's prints [(mark, outcome)…], paper, screens, wrongs."""

    prints: list[tuple[int, int | None]] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)  # copies on paper of each mark, from 0
    begun: list[int] = field(default_factory=list)  # beginnings of slips on paper of each mark
    codes: list[int] = field(default_factory=list)  # of the faults on the screen
    asked: list[bool] = field(default_factory=list)  # answers to "printed whole?"
    errors: list[str] = field(default_factory=list)  # of the emulated printer
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Endless(Exception):
    """The person has put things right often enough."""


class Table:
    """Screens stand-in: the person at the table, with eyes on the `roll`."""

    def __init__(self, case: "Case"):
        self.case = case
        self.t = str

    async def fault(self, code: int, sentence, hint: str) -> None:
        case = self.case
        case.result.codes.append(code)
        if len(case.result.codes) > MOST_FAULTS:
            raise Endless
        case.put_right()
        await asyncio.sleep(2)

    async def menu(self, title: str, choices: list[str], note=None) -> int:
        mark = self.case.marks[-1]
        whole = self.case.roll.times(whole_slip(self.case.profile, mark)) > 0
        self.case.result.asked.append(whole)
        return 1 if whole else 0


class Case:
    """A slip on a printer of `profile`, with the kit's folder `folder` (made empty).

    `buffer` in bytes replaces what printers of the kind have.
    """

    def __init__(self, profile: str, folder: Path, buffer: int | None = None):
        self.profile = profile
        self.folder = folder
        self.loop = VirtualLoop()
        self.speed = max(1.0, PARTS[profile].row_ms / ROW_MS)
        self.part = EscPosEmulator(profile, None, buffer, self.speed, self.loop.time)
        self.roll = self.part.paper = Roll(self.part.dots)
        self.part.set_power(True)
        self.loop.now += 1
        self.phase = "begin"
        self.wire = Wire(self.part, lambda: self.phase)
        self.signer = Signer()
        self.marks: list[int] = []
        self.result = Result()

    def put_right(self) -> None:
        """What a person does at the printer: power, cable, roll, cover, error, button."""
        part = self.part
        part.set_cable(True)
        if not part.powered:
            part.set_power(True)
        part.set_paper()
        part.set_cover(False)
        part.set_offline(False)
        part.set_error(None)
        if part.rubbish == "bent":
            part.set_answers()

    def kit(self) -> Desk:
        """The firmware's side, as after switching on."""
        journal = Journal(str(self.folder / "journal"), b"\x11" * 32)
        recorder = Recorder(journal, self.signer, 900, 1607012003005, lambda: TIME)
        printer = EscPos(self.wire, self.profile, clock=self._ms, pace=1 / self.speed)
        return Desk(printer, recorder, Table(self))

    def _ms(self) -> int:
        return int(self.loop.now * 1000)

    def make(self, copy: Copy):
        """The closing slip for `copy`; keeps count of marks and of the part under way."""
        self.marks.append(copy.again)
        receipts = Receipts(str, package(), EscPos(self.wire, self.profile).columns)
        return self._watched(receipts.closing(quoted(), copy))

    def _watched(self, operations):
        self.phase = "head"
        for operation in operations:
            if operation[0] == "text" and operation[1].startswith("TPS"):
                self.phase = "text"
            elif operation[0] == "qr":
                self.phase = "code"
            elif self.phase == "code":
                self.phase = "end"
            yield operation
        self.phase = "answer"

    def start(self) -> bool:
        """Let the desk issue the slip; False when the kit's power was cut."""
        desk = self.kit()
        try:
            self.loop.run_until_complete(desk.once(quoted(), self.make, Copy(CLOSING)))
        except PowerCut:
            return False
        return True

    def run(self, fault: Fault | None = None) -> Result:
        """Issue the slip with `fault`, and again after a cut, until it is printed."""
        self.wire.fault = fault
        if fault and fault.at is None:
            fault.do(self.part)
        began = self.loop.now
        result = self.result
        try:
            while not self.start():
                self.phase = "begin"
                self.loop.now += 5
                self.put_right()
        except Endless:
            result.wrong.append("never printed")
        result.seconds = self.loop.now - began
        self._look()
        self.loop.close()
        return result

    def _look(self) -> None:
        result, roll = self.result, self.roll
        marks: dict[int, int] = {}
        ended: dict[int, int] = {}
        for _, data, _ in Journal(str(self.folder / "journal"), b"\x11" * 32).entries():
            _, _, _, event, detail, seq, *_ = record.parse(data).payload
            if event == record.RECEIPT_BEGUN:
                marks[seq] = detail[4]
            elif event == record.RECEIPT_ENDED:
                if detail[0] in ended:
                    result.wrong.append(f"job {detail[0]} ended twice")
                ended[detail[0]] = detail[1]
        result.prints = [(mark, ended.get(seq)) for seq, mark in marks.items()]
        known = range(max(marks.values(), default=0) + 2)
        result.whole = [roll.times(whole_slip(self.profile, mark)) for mark in known]
        result.begun = [roll.times(head_of(self.profile, mark)) for mark in known]
        result.errors = list(self.part.errors)


@cache
def package() -> Package:
    """A station's package for the slip."""
    content = {
        1: "PILKADA CONTOH 2026",
        2: ["PROVINSI CONTOH", "KABUPATEN CONTOH", "KECAMATAN CONTOH", "DESA CONTOH"],
        3: 5,
        4: 420,
        5: [CONTEST],
        6: [FORM],
        7: ["collector.example.id", 443, bytes(64)],
        8: "TPS.EXAMPLE.ID",
        9: "internet",
        11: 25,
    }
    payload = [record.PACKAGE, 1, 900, 1607012003005, TIME, content]
    return Package(record.assemble(payload, KID, Signer().sign))


@cache
def quoted() -> record.Entry:
    """The entry that the slip quotes."""
    event = [record.EVENT, 900, 1607012003005, record.CLOSE, [57, b"\xab" * 32], 58]
    return record.parse(record.assemble([*event, b"\x11" * 32, TIME], KID, Signer().sign))


@cache
def _clean(profile: str, mark: int) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """(rows of the slip, phase of each write) of an undisturbed print."""
    with tempfile.TemporaryDirectory() as folder:
        case = Case(profile, Path(folder))
        desk = case.kit()
        slip = SimpleNamespace(rec_id=quoted().rec_id)
        issue = desk.issue(slip.rec_id, case.make, Copy(CLOSING, again=mark))
        case.loop.run_until_complete(issue)
        case.loop.close()
        if case.part.errors:
            raise RuntimeError(f"{profile}: {case.part.errors}")
        case.roll.cut()
        (strip,) = case.roll.strips
        return tuple(trimmed(strip)), tuple(case.wire.phases)


def _bytes(rows: tuple[int, ...], profile: str) -> bytes:
    size = (576 if profile.endswith("80") else 384) // 8
    return b"".join(row.to_bytes(size, "big") for row in rows)


@cache
def whole_slip(profile: str, mark: int) -> bytes:
    """All rows of the slip with this mark (0: no copy)."""
    return _bytes(_clean(profile, mark)[0], profile)


@cache
def head_of(profile: str, mark: int) -> bytes:
    """The first rows of the slip with this mark."""
    return _bytes(_clean(profile, mark)[0][:HEAD_ROWS], profile)


def phases_of(profile: str) -> tuple[str, ...]:
    """The phase of each write of an undisturbed print."""
    return _clean(profile, 0)[1]
