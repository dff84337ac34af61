"""One day at a two-contest station on littlefs in memory, with the power cut where one likes.

    micropython -X heapsize=48m tests/power/day.py COMMAND …      (MICROPYPATH=.frozen:ROOT)

    count SEED                 the uncut day: what it costs in operations
    run N SEED [DIR]           the day with a cut at operation N; the images to DIR
    sweep FROM TO STEP SEED    a cut at every STEP-th operation from FROM to TO, each day finished
    plan JSON                  one day by its plan (facts.PLAN)
    serve                      plans (facts.PLAN) as JSON lines on stdin, an outcome line for each

Every line of output is one JSON object. The station, the start (firmware/main.py), the journal and
the photographs are the firmware's own; people.py answers.
"""

import gc
import json
import sys
import time

from tests.power import cutdev
from tests.power.bench import Bench, attempt, new_stores, with_cuts
from tests.power.board import leave_out
from tests.power.plans import plan_of
from tests.power.replay import Sweep


def command_count(seed):
    bench = Bench(plan_of(seed))
    bench.verbose = "-v" in sys.argv
    power = cutdev.Power()
    start = time.ticks_ms()
    found = attempt(bench, bench.live, power)
    spent = time.ticks_diff(time.ticks_ms(), start)
    return {"ops": power.ops, "kinds": power.kinds, "ms": spent, "problems": found}


def command_sweep(first, last, step, seed):
    start = time.ticks_ms()
    sweep = Sweep(plan_of(seed), seed, first, last)
    bad = [[0, text] for text in sweep.found]
    cuts, head = 0, None
    for n, found in sweep.replay(first, last, step):
        cuts += 1
        bad += [[n, text] for text in found]
        head = sweep.bench.head
    spent = time.ticks_diff(time.ticks_ms(), start)
    outcome = {"cuts": cuts, "ops": sweep.ops, "kinds": sweep.kinds, "ms": spent}
    outcome.update({"problems": bad, "head": head})
    return outcome


def command_run(n, seed, folder=None):
    bench = Bench(plan_of(seed))
    bench.verbose = "-v" in sys.argv
    found = attempt(bench, with_cuts, bench, [[n, seed]])
    outcome = {"starts": bench.world.starts, "problems": found, "head": bench.head}
    if folder:
        outcome["files"] = bench.files()
        for name, data in zip(("flash", "card"), bench.images()):  # noqa: B905
            with open("%s/%s.img" % (folder, name), "wb") as file:
                file.write(data)
    return outcome


def command_plan(text):
    return planned(json.loads(text), None)


def planned(plan, stores):
    """Outcome of the day of a plan (facts.PLAN)."""
    bench = Bench(plan, stores)
    bench.verbose = "-v" in sys.argv
    found = attempt(bench, with_cuts, bench, bench.facts.plan["cuts"])
    return {"starts": bench.world.starts, "problems": found, "slips": len(bench.world.paper)}


def command_serve():
    stores = new_stores()
    for line in sys.stdin:
        print(json.dumps(planned(json.loads(line), stores)))
    return {}


if __name__ == "__main__":
    leave_out()
    arguments = [int(a) if a.isdigit() else a for a in sys.argv[2:] if a != "-v"]
    print(json.dumps(globals()["command_" + sys.argv[1]](*arguments)))
    # Files that a cut left open are closed by finalisers, on devices that refuse: now, since at the
    # very end MicroPython has nobody left to catch what that raises.
    gc.collect()
