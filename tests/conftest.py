"""Runs every test under tests/firmware on both runtimes: CPython by pytest, MicroPython beside it.

A test left out for a missing part is listed at the end with its reason; with CI=true it fails.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RUNNER = Path(__file__).parent / "firmware" / "run_micropython.py"


def micropython() -> str | None:
    """The MicroPython of this environment, else the one on the PATH."""
    beside = Path(sys.executable).parent / "micropython"
    return str(beside) if beside.exists() else shutil.which("micropython")


def pytest_collect_file(file_path: Path, parent):
    inside = ROOT / "tests" / "firmware" in file_path.parents
    if inside and file_path.name.startswith("test_") and file_path.suffix == ".py":
        return MicroPythonFile.from_parent(
            parent, path=file_path, nodeid=f"{file_path.relative_to(ROOT)}@micropython"
        )
    return None


class MicroPythonFile(pytest.File):
    """One test file, run once in one MicroPython process; its functions are the items."""

    results: dict[str, str] | None = None

    def collect(self):
        for line in self.path.read_text().splitlines():
            if line.startswith("def test_"):
                yield MicroPythonItem.from_parent(self, name=line[4 : line.index("(")])

    def run(self) -> dict[str, str]:
        if self.results is None:
            binary = micropython()
            if binary is None:
                pytest.skip(
                    "no MicroPython: pip has it for x86-64, elsewhere apt install micropython"
                )
            module = ".".join(self.path.relative_to(ROOT).with_suffix("").parts)
            done = subprocess.run(
                [binary, "-X", "heapsize=4m", str(RUNNER), module],
                cwd=ROOT,
                env={**os.environ, "MICROPYPATH": f".frozen:{ROOT}"},
                capture_output=True,
                check=False,
                text=True,
                timeout=600,
            )
            self.results = {}
            for block in done.stdout.split("\x1e")[1:]:
                name, _, text = block.partition("\n")
                self.results[name] = text
            self.results.setdefault("", done.stdout[-2000:] + done.stderr[-4000:])
        return self.results


class MicroPythonItem(pytest.Item):
    parent: MicroPythonFile

    def runtest(self):
        results = self.parent.run()
        outcome = results.get(self.name, "did not run\n" + results[""])
        if outcome.strip() != "ok":
            raise MicroPythonFailure(outcome)

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, MicroPythonFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, None, f"{self.name} (micropython)"


class MicroPythonFailure(Exception):
    pass


SHEETS = ROOT.parent / "shared" / "data" / "sheets"
FIGURES = "votes_1=123,votes_2=274,votes_3=32,valid=427,invalid=3,total=430"


def saksi(*arguments: object) -> str:
    """Run the command in a process of its own and return what it printed; it must end with 0."""
    done = subprocess.run(
        [sys.executable, "-c", "from host_tools.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def demo_out(tmp_path_factory) -> Path:
    """Folder of one `saksi demo --photos … --json`: `out/` and what it printed, `report.json`.

    The photographs are the real ones of three pages where they are at hand beside the working
    copy, else drawn ones that say the same.
    """
    folder = tmp_path_factory.mktemp("demo")
    photos = [SHEETS / f"pilpres-2024-hal{number}.jpg" for number in (1, 2, 3)]
    if not all(photo.exists() for photo in photos):
        drawn = folder / "drawn"
        saksi("sheet", "draw", "ppwp-2024", "--values", FIGURES, "--photograph", "--out", drawn)
        photos = sorted(drawn.glob("*.jpg"))
    report = saksi("demo", "--photos", *photos, "--out", folder / "out", "--json")
    (folder / "report.json").write_text(report)
    return folder


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"left out in CI: {report.longrepr}"


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "firmware_bytes":
                terminalreporter.line(f"firmware for the ESP32-S3: {value:,} bytes of bytecode")
    left_out = terminalreporter.stats.get("skipped", [])
    if left_out:
        terminalreporter.section("left out for a missing part")
        for report in left_out:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            terminalreporter.line(f"{report.nodeid}: {reason}")
