"""A collector in a process of its own, that can be killed like a machine that loses power."""

from pathlib import Path

from host_tools.bench.relay_day import ROOT, Collector
from tests.host_tools.collector.conftest import Client

__all__ = ["ROOT", "Process"]


class Process(Client):
    """`saksi collect` on any free port. `limit`: largest file in bytes it may write."""

    def __init__(self, data: Path, options: list[str], limit: int | None = None, verify=True):
        before = ""
        if limit is not None:
            resource = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
            before = f"import resource; {resource}; "
        self.collector = Collector(data, options, before=before)
        self.process, self.url = self.collector.process, self.collector.url
        self.kill = self.collector.kill
        super().__init__(self.url, verify)

    def stop(self) -> int:
        self.http.close()
        return self.collector.stop()
