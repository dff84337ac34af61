"""The whole day runs in 1 MiB of heap, with the real screens and littlefs."""

import pytest

from tests.power import heap


@pytest.mark.parametrize("seed", (0, 1))
def test_every_step_of_the_day_stays_under_1_mib(seed):
    outcome = heap.measure(seed)
    print("\n" + heap.table([outcome]))
    assert outcome["problems"] == []
    assert len(outcome["steps"]) > 12
    assert max(outcome["steps"].values()) < outcome["total"] <= 1024 * 1024
