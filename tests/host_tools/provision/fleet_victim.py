"""A process that adds one kit and dies by SIGKILL just before its n-th write: PATH N."""

import os
import signal
import sys
from pathlib import Path

from host_tools.provision.fleet import Fleet
from tests.host_tools.provision.fleet_support import enrolled

WRITES = ("INSERT", "UPDATE", "COMMIT")


def main(path: Path, fatal: int) -> None:
    fleet = Fleet(path)
    writes = 0

    def watch(statement: str) -> None:
        nonlocal writes
        if statement.startswith(WRITES):
            writes += 1
            if writes == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    fleet._db.set_trace_callback(watch)
    fleet.add(enrolled("KIT-CUT"), {"outcome": "passed", "printer": 1}, "CONTOH")
    os._exit(0)


main(Path(sys.argv[1]), int(sys.argv[2]))
