"""The walls of the house, read from the imports themselves."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FIRMWARE = sorted((ROOT / "firmware").rglob("*.py"))
HOST = sorted((ROOT / "host_tools").rglob("*.py"))
WEB = ("collector", "recap", "public")
HARDWARE = {"machine", "esp32", "network", "neopixel", "picamera2", "gpiozero", "spidev", "smbus2"}


def imports(path: Path) -> set[str]:
    """Full dotted names of every module or object that a file imports, at any depth."""
    names = set()
    for node in ast.walk(as_it_runs(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports do not run on the kit's flat path"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return names


def as_it_runs(path: Path) -> ast.Module:
    """The file's tree without what stands under `if TYPE_CHECKING:`, which never runs."""
    tree = ast.parse(path.read_text(), str(path))
    tree.body = [
        node
        for node in tree.body
        if not (
            isinstance(node, ast.If)
            and isinstance(node.test, ast.Name)
            and node.test.id == "TYPE_CHECKING"
        )
    ]
    return tree


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FIRMWARE, ids=label)
def test_firmware_imports_nothing_from_the_host_tools(path):
    assert not [name for name in imports(path) if within(name, "host_tools")]


@pytest.mark.parametrize("path", sorted((ROOT / "firmware/drivers").glob("*.py")), ids=label)
def test_a_driver_imports_nothing_from_the_rest_of_the_firmware(path):
    ours = {name for name in imports(path) if within(name, "firmware")} - {"firmware"}
    assert all(within(name, "firmware.drivers") for name in ours), ours


# The starter runs before any board is known and resets the chip.
BOARDLESS = [p for p in FIRMWARE if "board_" not in p.name and p.name != "starter.py"]


@pytest.mark.parametrize("path", BOARDLESS, ids=label)
def test_only_a_board_names_pins_and_parts(path):
    names = imports(path)
    if "drivers" in path.parts:
        parts = {name for name in names if name.split(".")[0] in HARDWARE}
        assert not parts, "a driver takes a ready bus from outside"
        return
    assert not [name for name in names if name.split(".")[0] in HARDWARE]
    drivers = {name for name in names if within(name, "firmware.drivers")} - {"firmware.drivers"}
    shared = {"CodedError", "PartError", "const", "ticks_ms", "ticks_diff", "sleep_ms"}
    named = {name for name in drivers if name.removeprefix("firmware.drivers.") not in shared}
    assert not named, named


@pytest.mark.parametrize("package", WEB)
def test_web_packages_do_not_import_each_others_code(package):
    others = [f"host_tools.{name}" for name in WEB if name != package]
    shared = "host_tools.collector.store"
    for path in (ROOT / "host_tools" / package).rglob("*.py"):
        for name in imports(path):
            foreign = any(within(name, other) for other in others) and not within(name, shared)
            assert not foreign, (label(path), name)


@pytest.mark.parametrize("path", FIRMWARE, ids=label)
def test_firmware_keeps_to_the_subset_of_both_runtimes(path):
    forbidden = {"typing", "dataclasses", "enum", "pathlib", "contextlib", "functools", "abc"}
    assert not {name.split(".")[0] for name in imports(path)} & forbidden
    for node in ast.walk(ast.parse(path.read_text())):
        assert not isinstance(node, ast.Match), f"{label(path)}: no match statement"
        if isinstance(node, ast.FormattedValue):
            raise AssertionError(f"{label(path)}:{node.lineno}: % formatting instead of f-strings")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "pow":
            bad = len(node.args) == 3 and isinstance(node.args[1], ast.UnaryOp)
            assert not bad, f"{label(path)}: pow(a, -1, m) is silently 0 on MicroPython"


@pytest.mark.parametrize("path", FIRMWARE + HOST, ids=label)
def test_a_file_has_one_job_and_at_most_400_lines(path):
    assert len(path.read_text().splitlines()) <= 400
