"""The kit's signed word that it was readied, and the paper that says so (verbs READY and SLIP).

    READY [[check, outcome]…]  ->  the readiness record (kind 4); outcomes of a person's eyes
    SLIP  [kit id]             ->  prints the slip of the last statement

An outcome is 0 failed, 1 passed, 2 not looked at. A check that the kit found failed stays failed,
one that it has not made is not looked at, whatever the person says; what display and paper show
is not looked at until a person says so. A person may fail any.
"""

from firmware import VERSION, enrol, parts_test, qr_parts, record, selftest, slip
from firmware.compat import const
from firmware.parts_test import BAD_ARGUMENT, DISPLAY, MEMORY, MODEM, PartFault
from firmware.qr_text import RECORD
from firmware.receipt import DOTS
from firmware.saved import read

NO_STATEMENT = const(886)

FAILED, PASSED, UNSEEN = range(3)
CHECKS = (
    selftest.CHIP,
    selftest.RANDOM,
    selftest.SIGNS,
    selftest.PRINTER,
    selftest.CAMERA,
    selftest.KEYS,
    selftest.CLOCK,
    selftest.CARD,
    DISPLAY,
    MODEM,
    MEMORY,
)
_BY_EYE = (selftest.PRINTER, DISPLAY)
NAMES = {DISPLAY: "Screen shows", MODEM: "Modem answers", MEMORY: "Memory has room"}
_OUTCOMES = ("failed", "passed", "not looked at")


def merge(measured, answers):
    """[[check, outcome]…] of what the kit measured {check: 0|1} and a person's {check: 0|1|2}."""
    results = []
    for check in CHECKS:
        said = answers.get(check, UNSEEN if check in _BY_EYE else PASSED)
        outcome = measured.get(check, UNSEEN)
        if FAILED in (outcome, said):
            outcome = FAILED
        elif said == UNSEEN:
            outcome = UNSEEN
        results.append([check, outcome])
    return results


def _answers(data):
    """{check: outcome} of READY's argument; nothing is an empty list."""
    answers = {}
    for row in parts_test.argument(data) if data else []:
        right = isinstance(row, list) and len(row) == 2 and all([record.is_uint(n) for n in row])
        if not right or row[0] not in CHECKS or row[0] in answers or row[1] > UNSEEN:
            raise PartFault(BAD_ARGUMENT, "READY wants each check once, with 0, 1 or 2")
        answers[row[0]] = row[1]
    return answers


class Readiness:
    """Signs with the key of the package's mode. `parts`: the PartsTest, `board` as there.

    `digest`: selftest.firmware_digest of what runs.
    """

    def __init__(self, board, parts, words, digest):
        self.board = board
        self.parts = parts
        self.words = words
        self.digest = digest
        self.statement = None  # record.Entry

    def handlers(self):
        """{verb: function(bytes) -> bytes or a coroutine} for serial_link.serve."""
        return {"READY": self.ready, "SLIP": self.slip}

    def _package(self):
        board = self.board
        verify = board.signers[enrol.LIVE].verify
        return enrol.read_package(board.flash, board.setup.authority_key(), verify)

    def ready(self, data):
        """Sign what was found; EnrolError when the kit has no station of its authority."""
        answers = _answers(data)
        package = self._package()
        signer = self.board.signers[enrol.TRAINING if package.training else enrol.LIVE]
        payload = [
            record.READINESS,
            signer.serial(),
            VERSION,
            self.digest,
            package.election,
            package.station,
            record.sha256(read(self.board.flash + "/package.cbor")),
            self.board.clock.now(),
            merge(self.parts.outcomes, answers),
        ]
        kid = record.kid_of(signer.public_key())
        self.statement = record.parse(record.assemble(payload, kid, signer.sign))
        return self.statement.data

    async def slip(self, data):
        """Print the statement; PartError when the printer cannot."""
        (kit_id,) = parts_test.argument(data, 1)
        if not isinstance(kit_id, str) or not 0 < len(kit_id) <= 32:
            raise PartFault(BAD_ARGUMENT, "SLIP wants a kit id of 1 to 32 characters")
        if self.statement is None:
            raise PartFault(NO_STATEMENT, "There is no statement yet: ask READY first")
        package = self._package()
        if record.sha256(package.data) != self.statement.payload[6]:
            raise PartFault(NO_STATEMENT, "The kit has another package now: ask READY again")
        await self.parts.print(
            lambda printer: lines(self.statement, package, kit_id, printer.columns, self.words)
        )
        return b""


def lines(entry, package, kit_id, columns, t):
    """Print operations of the slip of readiness `entry`, for a kit with this package."""
    _, serial, firmware, digest, _, station, _, time, results = entry.payload
    mode = t("TRAINING" if package.training else "official")
    if package.training:
        yield from slip.paragraph(mode, columns, True, 2, slip.CENTRE)
        yield ("rule",)
    yield from slip.paragraph("SAKSI", columns, True, 2, slip.CENTRE)
    yield from slip.paragraph(t("PROOF OF READINESS"), columns, True, 1, slip.CENTRE)
    yield from slip.paragraph(t("This is no receipt of a result."), columns, True, 1, slip.CENTRE)
    yield ("rule",)
    yield from slip.row(t("Kit"), kit_id, columns, True)
    yield from slip.paragraph("TPS %03d" % package.tps, columns, True, 2, slip.CENTRE)
    yield from slip.paragraph("%013d" % station, columns, align=slip.CENTRE)
    yield from slip.paragraph(", ".join(package.regions[3:1:-1]), columns, align=slip.CENTRE)
    yield ("rule",)
    yield from slip.row(t("Mode"), mode, columns)
    yield from slip.row(t("Firmware"), firmware, columns)
    yield from slip.row(t("Its digest"), slip.groups(digest[:8]), columns)
    yield from slip.row(t("Chip"), slip.groups(serial), columns)
    yield from slip.row(t("Key"), slip.groups(entry.kid), columns)
    yield from slip.paragraph(slip.clock(time, package.offset), columns)
    yield ("rule",)
    for check, outcome in results:
        name = NAMES.get(check) or selftest.NAMES[check]
        yield from slip.row(t(name), t(_OUTCOMES[outcome]), columns, outcome != PASSED)
    for code in qr_parts.texts(package.receipt_host, RECORD, entry.data, columns * DOTS):
        yield ("qr", code)
    yield from slip.paragraph(t("Scan it to check this kit."), columns, align=slip.CENTRE)
    if package.training:
        yield from slip.paragraph(t("TRAINING"), columns, True, 2, slip.CENTRE)
    yield ("feed", 2)
    yield ("cut",)
