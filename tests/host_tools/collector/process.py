"""A collector in a process of its own, that can be killed like a machine that loses power."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.host_tools.collector.conftest import Client

ROOT = Path(__file__).parents[3]


class Process(Client):
    """`saksi collect` on any free port. `limit`: largest file in bytes it may write."""

    def __init__(self, data: Path, options: list[str], limit: int | None = None):
        prelude = "from host_tools.collector.command import app; app()"
        if limit is not None:
            resource = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
            prelude = f"import resource; {resource}; {prelude}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", prelude, "--data", str(data), "--port", "0", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("collector listening on "), line
        self.url = line.split()[-1]
        super().__init__(self.url)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.http.close()
        self.process.terminate()
        return self.process.wait()
