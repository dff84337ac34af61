"""`saksi collect --import` and `--submit`: take in what a card or a receipt holds, and say so."""

import json
import sys
from pathlib import Path
from typing import Any

import typer

from host_tools.collector.card_import import Imported, import_card
from host_tools.collector.door import Door
from host_tools.collector.reasons import SetupError
from host_tools.collector.submit import Submitted, submit


def hand_in(door: Door, card: Path | None, source: str | None, as_json: bool) -> None:
    """Import `card` or submit `source` and report; exit code 1 when something was not taken in."""
    if card is not None and source is not None:
        raise SetupError("give --import or --submit, not both")
    done: list[Any]
    if card is not None:
        done = import_card(card, door, lambda line: print(line, file=sys.stderr))
        wanting = any(one.problems for one in done)
    else:
        done = submit(source or "", door)
        wanting = any(one.problem for one in done)
    if as_json:
        print(json.dumps([one.as_dict() for one in done], indent=2))
    else:
        for one in done:
            print(_card_lines(one) if isinstance(one, Imported) else _receipt_line(one))
    if wanting:
        raise typer.Exit(1)


def _card_lines(one: Imported) -> str:
    lines = [
        f"{one.name}: election {one.election}, station {one.station:013d}: {one.new} entries new,"
        f" {one.known} known, {one.photographs} photographs whole"
    ]
    lines += [f"  not taken in: {problem}" for problem in one.problems]
    if one.written:
        lines.append(f"  acknowledgements written to {one.written}: put the card back into its kit")
    elif one.acks:
        lines.append("  give the card's folder or image to have acknowledgements written back")
    return "\n".join(lines)


def _receipt_line(one: Submitted) -> str:
    if one.problem:
        return f"{one.where}: not taken in: {one.problem}"
    state = "taken in" if one.new else "known already"
    return f"{one.where}: record {one.rec_id} {state}, acknowledged"
