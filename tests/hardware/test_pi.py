"""The Raspberry Pi's service and udev rules, judged by systemd and udev themselves."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PI = Path(__file__).parents[2] / "hardware/pi"
RULES = Path("/run/udev/rules.d")
MOST_EXPOSED = "25"  # tenths on systemd's scale up to 10: under 3 is "OK", unconfined is 9.6


def run(*command: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=60
    )


def verified(text: str, folder: Path) -> str:
    """What systemd says against a unit; the kit's interpreter is this one."""
    unit = folder / "saksi-kit.service"
    unit.write_text(text.replace("/opt/saksi/.venv/bin/python", sys.executable))
    return run("systemd-analyze", "verify", "--man=no", unit).stderr


def test_systemd_finds_nothing_wrong_with_the_service(tmp_path):
    text = (PI / "saksi-kit.service").read_text()
    assert verified(text, tmp_path) == ""
    assert "NoNewPrivilege" in verified(text.replace("NoNewPrivileges", "NoNewPrivilege"), tmp_path)


def test_systemd_finds_nothing_wrong_with_the_cables_service(tmp_path):
    text = (PI / "saksi-cable@.service").read_text()
    unit = tmp_path / "saksi-cable@ttyAMA0.service"
    unit.write_text(text.replace("/opt/saksi/.venv/bin/saksi-cable", sys.executable))
    assert run("systemd-analyze", "verify", "--man=no", unit).stderr == ""
    judged = run(
        "systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", unit
    )
    assert judged.returncode == 0, judged.stdout[-600:]


def test_the_service_may_do_little_beyond_its_work(tmp_path):
    shutil.copy(PI / "saksi-kit.service", tmp_path)
    unit = tmp_path / "saksi-kit.service"
    judged = run(
        "systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", unit
    )
    assert judged.returncode == 0, judged.stdout[-600:]


def test_the_service_starts_a_module_that_is_there():
    text = (PI / "saksi-kit.service").read_text()
    (start,) = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    module = start.split(" -m ")[1]
    assert (PI.parents[1] / (module.replace(".", "/") + ".py")).exists()


def complaints(text: str) -> list[str]:
    """What udev says against rules: it reads them all to test any device."""
    name = f"70-saksi-test-{os.getpid()}.rules"
    made = not RULES.exists()
    RULES.mkdir(parents=True, exist_ok=True)
    try:
        (RULES / name).write_text(text)
        said = run("udevadm", "test", "/sys/class/net/lo")
    finally:
        (RULES / name).unlink()
        if made:
            RULES.rmdir()
    lines = (said.stdout + said.stderr).splitlines()
    assert any("Reading rules file" in line and name in line for line in lines), lines[:5]
    return [line for line in lines if f"{name}:" in line]


def test_udev_finds_nothing_wrong_with_the_rules():
    if os.geteuid() != 0:
        pytest.skip("udev reads only root's rules: run as root")
    text = (PI / "70-saksi.rules").read_text()
    assert complaints(text) == []
    assert complaints(text.replace("SYMLINK+=", "SYMLINKS+=")) != []
    assert text.count("SYMLINK+=") == 3
