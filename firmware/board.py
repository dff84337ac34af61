"""Which board this is: a release is made for one, and its file `board` has that board's name."""

import firmware
from firmware.saved import read


def find_board(folder):
    """The Board class for the firmware in `folder`; a working copy is the virtual kit."""
    name = "board_" + (read(folder + "/board") or b"virtual").decode().strip()
    __import__("firmware." + name)
    return getattr(firmware, name).Board
