"""A kit as it comes from the carton: all parts, and a board with MicroPython and nothing else.

folder/board.img    the board's whole file system: software, identity and journal
folder/card         its card; the board finds it at /sd/card
"""

from host_tools.kit.bare_board import BareBoard
from host_tools.kit.machine import VirtualKit

DATA = "/data"  # where the firmware keeps what is the kit's own
CARD = "/sd"


class BareKit(VirtualKit):
    """`board.path` is its serial port: the REPL first, the technician's cable once it is a kit."""

    board: BareBoard | None = None

    def plug_in(self) -> BareBoard:
        """Power and cable."""
        arguments = [str(self.bus.port), DATA, f"{CARD}/card", str(self.speed), "-", "console"]
        self.flash = self.folder / "board.img"
        self.board = BareBoard(self.flash, [*arguments, f"{CARD}={self.folder}"], self.echo)
        return self.board

    def power_off(self) -> None:
        if self.board:
            self.board.close()
            self.board = None
        super().power_off()
