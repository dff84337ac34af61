"""Receipt printers as data: one row a kind of printer; the setting `printer` names the row.

    epson   Epson's own set: DLE EOT at once, GS r in its turn, and GS ( H when a job is on paper
    clone   the same without GS ( H (most 58 and 80 mm desktop printers of other makes)
    cheap   one status byte in its turn (ESC v) and nothing else; no cutter; a slow head (ESC 7)

A printer that answers nothing at all has no row: what it did could never be known.
"""

GS_R = b"\x1d\x72\x01"
ESC_V = b"\x1b\x76\x00"
HEAT = b"\x1b\x37\x0b\x78\x28"  # 11 groups of dots, 1200 us, 400 us between (Adafruit's values)

# name: columns, dots, buffer in bytes, confirms jobs (GS ( H), answers DLE EOT, request in its
# turn, least ms a row, has a cutter, code page (ESC t; 0 = PC437), heat (ESC 7) or None.
# The buffer is the least that printers of the kind have. A row's ms is what their head needs: where
# answers have no names, a wrong one must not let the next bytes in too early.
_ROWS = {
    "epson": (32, 384, 1024, True, True, GS_R, 0, True, 0, None),
    "epson80": (48, 576, 1024, True, True, GS_R, 0, True, 0, None),
    "clone": (32, 384, 256, False, True, GS_R, 2, True, 0, None),
    "clone80": (48, 576, 256, False, True, GS_R, 2, True, 0, None),
    "cheap": (32, 384, 256, False, False, ESC_V, 15, False, 0, HEAT),
    "cheap80": (48, 576, 256, False, False, ESC_V, 15, False, 0, HEAT),
}


class Profile:
    """A row of the table by its names."""

    def __init__(self, name):
        self.name = name
        (
            self.columns,
            self.dots,
            self.buffer,
            self.confirms,
            self.at_once,
            self.query,
            self.row_ms,
            self.cutter,
            self.page,
            self.heat,
        ) = _ROWS[name]


PROFILES = tuple(sorted(_ROWS))
