"""The kinds of receipt printer that are emulated: what each knows, answers and holds.

Written from the parts' manuals (Epson's ESC/POS reference, Adafruit's thermal printer), not from
the driver's table: where the two differ a job fails.
"""

from dataclasses import dataclass

GS_R, ESC_V = (0x1D, 0x72), (0x1B, 0x76)


@dataclass(frozen=True)
class Part:
    """A kind of printer: dots across, buffer bytes, the request it answers in its turn, the rest.

    `real_time`: answers DLE EOT; `confirms`: answers GS ( H when printed; `heat`: knows ESC 7.
    `row_ms`: what a printed row takes, on a slow head of the kind.
    """

    dots: int
    buffer: int
    request: tuple[int, int]
    real_time: bool
    confirms: bool
    cutter: bool
    heat: bool
    row_ms: float


PARTS = {
    "epson": Part(384, 1024, GS_R, True, True, True, False, 30.0),
    "epson80": Part(576, 1024, GS_R, True, True, True, False, 30.0),
    "clone": Part(384, 256, GS_R, True, False, True, False, 2.0),
    "clone80": Part(576, 256, GS_R, True, False, True, False, 2.0),
    "cheap": Part(384, 256, ESC_V, False, False, False, True, 30.0),
    "cheap80": Part(576, 256, ESC_V, False, False, False, True, 30.0),
}

# Commands that write a printer's non-volatile memory, by how they begin.
NON_VOLATILE = {
    b"\x1c\x71": "FS q (NV bit image)",
    b"\x1c\x70": "FS p (NV bit image)",
    b"\x1c\x67": "FS g (NV user memory)",
    b"\x1d\x2a": "GS * (downloaded bit image)",
    b"\x1d\x28\x41": "GS ( A (execute test print)",
    b"\x1d\x28\x43": "GS ( C (NV user memory)",
    b"\x1d\x28\x45": "GS ( E (user settings)",
    b"\x1d\x28\x4c": "GS ( L (graphics, NV and others)",
    b"\x1d\x28\x4d": "GS ( M (saved settings)",
    b"\x1d\x38": "GS 8 L (graphics, NV and others)",
    b"\x1d\x67": "GS g (maintenance counters)",
}


def writes(data: bytes) -> list[str]:
    """What in `data`, read from any byte on, begins a command that writes non-volatile memory."""
    return [what for start, what in NON_VOLATILE.items() if start in data]
