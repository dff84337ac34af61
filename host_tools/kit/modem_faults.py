"""The modem's faults as a table: what each does to an upload, and how long until bytes flow again.

    python -m host_tools.kit.modem_faults [--json] [--model SIM7600|A7670] [--no-dcd] [NAME …]
    python -m host_tools.kit.modem_faults --states

The firmware's own driver works against the emulated modem in simulated time, at the part's own
speed: the seconds are the modem's, the command takes a few. `after` counts from the end of the
cause to the first new byte at the collector. `--states` prints what the driver waits for, how long,
and what it does then.
"""

import argparse
import asyncio
import json
import sys

from firmware.drivers.modem_states import STATES, STEPS
from host_tools.kit.modem_bench import Bench
from host_tools.kit.modem_card import Card
from host_tools.kit.modem_causes import FAULTS, Fault, card_for
from host_tools.kit.modem_clock import SimulatedLoop

LIMIT = 6 * 3600.0  # s after which a fault counts as not recovered from


def run(fault: Fault, model: str = "SIM7600", limit: float = LIMIT, **more) -> dict:
    """Play `fault`; a row of the table with its seconds. `more`: as for Bench."""
    loop = SimulatedLoop()
    options = {**fault.options, **more}
    card = options.pop("card", None)
    options["card"] = Card(card.state) if card else card_for(fault.name)
    bench = Bench(loop, model, **options)

    first = bench.part.card

    async def play() -> None:
        upload = asyncio.create_task(bench.uploader.run())
        cause = asyncio.create_task(fault.cause(bench))
        await asyncio.wait_for(asyncio.gather(upload, cause), limit)

    try:
        loop.run_until_complete(play())
        over = True
    except TimeoutError:
        over = False
    finally:
        loop.close()
    part, collector = bench.part, bench.collector
    ended = bench.began if bench.ended is None else bench.ended
    whole = collector.kept == bench.files and len(collector.whole) == len(bench.files)
    return {
        "fault": fault.name,
        "model": model,
        "recovered": over and whole and not collector.complaints,
        "cause_s": round(ended - bench.began, 1),
        "after_s": None if bench.back is None else round(bench.back - ended, 1),
        "codes": sorted(set(bench.uploader.errors)),
        "missing_codes": sorted(fault.codes - set(bench.uploader.errors)),
        "steps": {step: part.steps.count(step) for step in ("radio", "reset", "power")},
        "connections": collector.connections,
        "complaints": collector.complaints,
        "pins_entered": len(part.card.entered),
        "old_card_entered": len(first.entered),
        "old_card_tries": first.tries,
        "clock_settings": bench.clock.settings,
        "clock_quality": bench.clock.quality,
        "log": bench.log,
    }


def print_table(rows: list[dict]) -> None:
    """The rows for a person."""
    print(f"{'fault':46} {'cause s':>8} {'after s':>8}  {'steps':24} codes told")
    for row in rows:
        steps = ", ".join(f"{name} {n}" for name, n in row["steps"].items() if n) or "-"
        after = "-" if row["after_s"] is None else f"{row['after_s']:.1f}"
        codes = " ".join(f"E{code}" for code in row["codes"]) or "-"
        mark = "" if row["recovered"] else "  NOT RECOVERED"
        print(f"{row['fault']:46} {row['cause_s']:8.1f} {after:>8}  {steps:24} {codes}{mark}")


def print_states() -> None:
    """The driver's two tables for a person."""
    print(f"{'waited for':42} {'s':>4}  when it does not come")
    for _, wanted, seconds, code in STATES:
        print(f"{wanted:42} {seconds:4}  E{code}")
    print("\nfailure: the step before the next try, after the 1st, 2nd … time")
    for code, steps in STEPS:
        print(f"E{code}  {', '.join(steps)}")


def main() -> int:
    """The command; exit code 1 when a fault was not recovered from."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", help="beginnings of rows; all of them without")
    parser.add_argument("--model", choices=("SIM7600", "A7670"), default="SIM7600")
    parser.add_argument("--no-dcd", action="store_true", help="the DCD pin is not wired")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--states", action="store_true", help="the driver's own tables")
    given = parser.parse_args()
    if given.states:
        print_states()
        return 0
    wanted = [f for f in FAULTS if not given.names or f.name.startswith(tuple(given.names))]
    rows = [run(fault, given.model, dcd=not given.no_dcd) for fault in wanted]
    if given.json:
        print(json.dumps(rows, indent=2))
    else:
        print_table(rows)
    return 0 if all(row["recovered"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
