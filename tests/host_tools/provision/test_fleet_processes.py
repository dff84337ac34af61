"""Several technicians on one register, and a process or a machine that dies while it writes."""

import multiprocessing
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from host_tools.provision.fleet import Fleet, FleetError
from tests.host_tools.provision.fleet_support import (
    ELECTION,
    STATION,
    compete,
    dump,
    enrolled,
    key_of,
)  # fmt: skip

ROOT = Path(__file__).parents[3]


def holds_whole(fleet: Fleet, kit: str) -> bool:
    """False when nothing of the kit is in the register; what is half there fails the test."""
    parts = {name: len(rows) for name, rows in dump(fleet).items()}
    nothing = dict.fromkeys(parts, 0)
    whole = {"kits": 1, "keys": 2, "assignments": 1, "reports": 1, "events": 6}
    assert parts in (nothing, whole), parts
    if parts == whole:
        assert fleet.entries(ELECTION) == [(key_of(kit, "live"), STATION)]
    assert [row[0] for row in fleet.rows("PRAGMA integrity_check")] == ["ok"]
    return parts == whole


def test_technicians_in_processes_of_their_own_lose_nothing_and_one_gets_the_station(tmp_path):
    path, contested = tmp_path / "kits.db", STATION + 900
    jobs = [(f"T{n}", [STATION + 100 * n + i for i in range(8)]) for n in range(4)]
    with ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(compete, path, name, own, contested) for name, own in jobs]
        said = [one.result() for one in running]
    assert said.count("won") == 1
    assert all("already has kit" in text for text in said if text != "won")
    with Fleet(path, create=False) as fleet:
        stations = sorted(station for _, station in fleet.entries(ELECTION))
        assert stations == sorted([*(s for _, own in jobs for s in own), contested])
        assert len(fleet.kits()) == 33
        assert len(fleet.rows("SELECT * FROM reports")) == 32


def test_several_ports_at_once_may_share_one_register(tmp_path):
    faults = []
    with Fleet(tmp_path / "kits.db") as fleet:

        def port(number):
            for n in range(6):
                fleet.add(enrolled(f"P{number}-{n}", STATION + 10 * number + n))
            try:
                fleet.add(enrolled(f"P{number}-X", STATION + 800))
            except FleetError as error:
                faults.append(error)

        threads = [threading.Thread(target=port, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(fleet.kits()) == 25 and len(faults) == 3


def test_a_process_killed_while_it_adds_leaves_the_kit_whole_or_absent(tmp_path):
    outcomes = []
    for fatal in range(1, 30):
        path = tmp_path / f"{fatal}.db"
        Fleet(path).close()
        done = subprocess.run(
            [sys.executable, "-m", "tests.host_tools.provision.fleet_victim", path, str(fatal)],
            cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=False,
        )  # fmt: skip
        with Fleet(path, create=False) as fleet:
            outcomes.append(holds_whole(fleet, "KIT-CUT"))
            fleet.add(enrolled("KIT-CUT"), {"outcome": "passed"})
            assert fleet.entries(ELECTION) == [(key_of("KIT-CUT", "live"), STATION)]
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    # Every death came before the commit, and what was acknowledged is there.
    assert outcomes == [False] * (len(outcomes) - 1) + [True]
    assert len(outcomes) > 12


def test_a_power_cut_at_any_byte_of_the_log_leaves_the_kit_whole_or_absent(tmp_path):
    path = tmp_path / "kits.db"
    Fleet(path).close()
    with Fleet(path) as fleet:
        fleet.add(enrolled("KIT-CUT"), {"outcome": "passed"})
        log = Path(f"{path}-wal").read_bytes()
        shutil.copy(path, tmp_path / "kept.db")
    assert len(log) > 8192
    outcomes = []
    for length in [*range(0, len(log), 1361), len(log) - 1, len(log)]:
        cut = tmp_path / f"cut{length}.db"
        shutil.copy(tmp_path / "kept.db", cut)
        Path(f"{cut}-wal").write_bytes(log[:length])
        with Fleet(cut) as fleet:
            outcomes.append(holds_whole(fleet, "KIT-CUT"))
    assert outcomes == sorted(outcomes)
    assert not outcomes[0] and not outcomes[-2] and outcomes[-1]


def test_a_change_that_fails_half_way_leaves_nothing(tmp_path):
    with Fleet(tmp_path / "kits.db") as fleet:
        with pytest.raises(ZeroDivisionError), fleet.change() as change:
            change.know("KIT-1", "0123" + 12 * "0" + "EE", "b", "f", {}, "")
            _ = 1 // 0
        assert not any(dump(fleet).values())
        fleet.add(enrolled("KIT-1"))
