"""A cut at every operation of a whole two-contest day loses nothing and doubles nothing.

Real littlefs (MicroPython's VfsLfs2) on block devices in memory that tear the operation at which
the power goes; what must hold afterwards is in checks.py, how to play one case again in README.md.
"""

import hashlib

import pytest
from littlefs import LittleFS

from tests.power import host

SEEDS = (0, 1)  # 0: a live day with incidents, 1: a training day with NIHIL; other tears
CHUNKS = 8
SAMPLE = 97  # every 97th operation in the ordinary run
MOST = 20000  # far above the operations of a day
BLOCK_SIZES = {"flash": 4096, "card": 512}


@pytest.fixture(scope="module", params=SEEDS)
def uncut(request) -> dict:
    """Outcome of the uncut day."""
    outcome = host.day("count", request.param)
    print(f"\nday {request.param}: {outcome['ops']} operations, {outcome['kinds']}")
    return {**outcome, "seed": request.param}


def test_a_day_without_cuts_is_in_order(uncut):
    assert uncut["problems"] == []
    assert uncut["kinds"]["write"] > 1000 and uncut["kinds"]["erase"] > 100


def test_a_cut_at_every_97th_operation_is_survived(uncut):
    first = 1 + uncut["seed"] * SAMPLE // 2
    check(host.day("sweep", first, MOST, SAMPLE, uncut["seed"]))


def check(outcome: dict) -> None:
    """Print how many cuts were made; none may have left a problem."""
    cuts, seconds = outcome["cuts"], outcome["ms"] / 1000
    print(f"\n{cuts} cuts, each day finished, {seconds / max(cuts, 1):.2f} s each")
    assert cuts > 0
    assert outcome["problems"] == []


COMPLETE = [
    pytest.param(0, 1, marks=pytest.mark.complete),
    pytest.param(1, 3, marks=pytest.mark.complete),
]


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize(("seed", "stride"), [(0, 9), (1, 11), *COMPLETE])
def test_a_cut_at_every_nth_operation_is_survived(seed, stride, chunk):
    """Complete: the live day at every operation, the training day at every third."""
    ops = host.day("count", seed)["ops"]
    first, last = ops * chunk // CHUNKS + 1, ops * (chunk + 1) // CHUNKS
    outcome = host.day("sweep", first, last, stride, seed)
    assert outcome["ops"] == ops
    assert outcome["cuts"] == len(range(first, last + 1, stride))
    check(outcome)


@pytest.mark.parametrize("share", (0.13, 0.61))
def test_the_image_opens_in_littlefs_python_with_the_same_content(uncut, share, tmp_path):
    cut = int(uncut["ops"] * share)
    outcome = host.day("run", cut, uncut["seed"], tmp_path)
    assert outcome["problems"] == [] and outcome["starts"] == 2
    for name, size in BLOCK_SIZES.items():
        image = (tmp_path / f"{name}.img").read_bytes()
        found = read_all(image, size)
        assert found == outcome["files"][name]
        assert len(found) > 3


def read_all(image: bytes, block_size: int) -> dict[str, str]:
    """{path: SHA-256} of every file in a littlefs image, by another implementation of it."""
    fs = LittleFS(block_size=block_size, block_count=len(image) // block_size, mount=False)
    fs.context.buffer = bytearray(image)
    fs.mount()
    found = {}
    for folder, _, names in fs.walk("/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            with fs.open(path, "rb") as file:
                found[path] = hashlib.sha256(file.read()).hexdigest()
    return found


def test_a_replayed_cut_is_the_same_as_the_day_started_anew(uncut):
    """The sweep takes the time before the cut from a log; here it is run again from the start."""
    cut = uncut["ops"] // 3 + uncut["seed"] * 1999
    fresh = host.day("run", cut, uncut["seed"])
    replayed = host.day("sweep", cut, cut, 1, uncut["seed"])
    assert fresh["problems"] == replayed["problems"] == []
    assert fresh["head"] == replayed["head"]
