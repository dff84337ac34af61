"""`python -m tests.fuzz [TARGET] [--inputs N] [--seed S] [--number K]`: as long as wanted."""

import argparse
import sys
import time

from tests.fuzz import run
from tests.fuzz.targets import TARGETS


def main() -> int:
    """The exit code: 0 nothing found, 1 found."""
    named = {target.__name__: target for target in TARGETS}
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", nargs="?", choices=sorted(named))
    parser.add_argument("--inputs", type=int, default=run.wanted())
    parser.add_argument("--seed", type=int, default=run.seed())
    parser.add_argument("--number", type=int, help="only this input of the target")
    given = parser.parse_args()
    if given.number is not None:
        run.one(named[given.target], given.number, given.seed)
        print("stood it")
        return 0
    begin, total = time.monotonic(), 0
    for target, share in TARGETS.items():
        if given.target in (None, target.__name__):
            count = given.inputs if given.target else max(1, round(given.inputs * share))
            start = time.monotonic()
            try:
                total += run.run(target, count, given.seed)
            except run.Failed as error:
                print(f"{target.__name__}: {error}", file=sys.stderr)
                return 1
            rate = count / (time.monotonic() - start)
            print(f"{target.__name__:<10} {count:>9,} inputs, {rate:,.0f}/s", flush=True)
    print(f"{total:,} inputs in {time.monotonic() - begin:.0f} s, seed {given.seed}: all stood")
    return 0


if __name__ == "__main__":
    sys.exit(main())
