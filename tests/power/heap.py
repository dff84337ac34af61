"""Peak heap of every step of the day: `python -m tests.power.heap`.

A MicroPython with 1 MiB of heap plays both days of plans.py (heap_day.py); the larger peak counts.
"""

import json
import subprocess
import tempfile

from tests.power import host

HEAP = "heapsize=1m"


def measure(seed: int) -> dict:
    """Outcome of heap_day.py."""
    binary, *_ = host.command()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [binary, "-X", HEAP, "tests/power/heap_day.py", str(seed), folder],
            cwd=host.ROOT,
            env=host.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(lines[-1])


def table(outcomes: list[dict]) -> str:
    """A line a step: its peak, and what is left of the heap."""
    total = outcomes[0]["total"]
    steps = {step for outcome in outcomes for step in outcome["steps"]}
    peaks = {step: max(o["steps"].get(step, 0) for o in outcomes) for step in steps}
    rows = [f"{'step':<10}{'peak bytes':>12}{'free':>10}"]
    rows += [
        f"{s:<10}{peaks[s]:>12}{total - peaks[s]:>10}"
        for s in sorted(peaks, key=lambda step: peaks[step])
    ]
    rows.append(f"of {total} bytes; {outcomes[0]['around']} of each peak are the test's own")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table([measure(seed) for seed in (0, 1)]))
