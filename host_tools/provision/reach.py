"""Finds what is at a port: a kit that answers, or a bare board that becomes one by a release."""

import time
from collections.abc import Callable

from host_tools.provision import bare
from host_tools.provision.boards import BOARDS, BoardError
from host_tools.provision.link import KitError, Link, LinkError
from host_tools.provision.ports import close_port, is_serial, open_port
from host_tools.provision.software import STARTER, Software

FIRST_ANSWER = 3.0  # s: a kit that runs answers at once
PATIENCE = 120.0  # s for one answer: modem and printer take their time
BOOT = 20.0  # s: one that the cable's power has just switched on
START = 60.0  # s from a board's reset to its first answer


def reach(
    port: str,
    software: Software | None,
    step: Callable[[str], None],
    copied: Callable[[int, int], None],
) -> tuple[Link, list]:
    """(Link, what HELLO said) of the kit at `port`, made from a bare board if it must be.

    Raises LinkError when nothing answers, BoardError when the board must not become a kit.
    """
    link = Link(open_port(port), PATIENCE)
    if not is_serial(port):
        return link, _first(link)
    if said := _hello(link, FIRST_ANSWER):
        return link, said
    close_port(link.stream)
    step("look at the board")
    try:
        found = bare.look(port, BOARDS[software.board].libraries if software else ())
    except bare.NotBare as error:
        link = Link(open_port(port), PATIENCE)
        if said := _hello(link, BOOT):
            return link, said
        close_port(link.stream)
        raise LinkError(f"neither a kit nor a bare board answers at {port}: {error}") from error
    if software is None:
        raise BoardError("this is a bare board: give the release that it shall run (--release)")
    board = BOARDS[software.board]
    found.check(board, software.size)
    if software.install and set(board.libraries) - set(found.modules):
        step("install the libraries")
        software.install(port)
    step("bring the software")
    bare.put(port, software.slot, copied)
    bare.put_file(port, software.state, "/slots")
    # Last: a board whose cable was pulled before this has no software that starts by itself.
    bare.put_file(port, STARTER, "/main.py")
    step("start the software")
    link = Link(open_port(port), PATIENCE)
    bare.start(link.stream)
    if said := _hello(link, START):
        return link, said
    close_port(link.stream)
    raise BoardError("the board does not start as a kit: switch it off and on, then try again")


def _first(link: Link) -> list:
    """HELLO's list of a kit that runs already, or why it does not come."""
    usual, link.timeout = link.timeout, BOOT
    try:
        return link.hello()
    finally:
        link.timeout = usual


def _hello(link: Link, patience: float) -> list | None:
    """HELLO's list, or None when no kit answers within `patience` seconds."""
    deadline = time.monotonic() + patience
    usual, link.timeout = link.timeout, min(patience, FIRST_ANSWER)
    try:
        while time.monotonic() < deadline:
            try:
                return link.hello()
            except LinkError:
                continue
        return None
    except KitError as error:
        raise BoardError(f"the kit answers, but its parts do not: {error}") from error
    finally:
        link.timeout = usual
