"""Must show: an update cut at any operation of littlefs leaves a kit that runs, and can go on."""

import json
import os
import subprocess

import pytest

from host_tools.kit.process import find_micropython
from tests.power.host import ROOT


@pytest.mark.parametrize("seed", [0, 1])
def test_an_update_cut_at_every_operation_of_littlefs_leaves_whole_software(seed):
    done = subprocess.run(
        [find_micropython(), "-X", "heapsize=24m", "tests/power/update.py", "1", "1", str(seed)],
        cwd=ROOT,
        env={**os.environ, "MICROPYPATH": f".frozen:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Before it: what files that were open when the power went say as they are collected.
    outcome = json.loads(done.stdout.splitlines()[-1])
    print(f"\n{outcome}")
    assert outcome["problems"] == []
    assert sum(outcome["ran"].values()) == outcome["ops"] > 50
    assert min(outcome["ran"].values()) > 0, "the old one after some cuts, the new one after others"
