"""Every fault of the modem is recovered from without a hand, and nothing half-written stays.

The same code as `python -m host_tools.kit.modem_faults`: the firmware's driver against the emulated
modem in simulated time, so no second here is one of the wall clock.
"""

import pytest

from host_tools.kit.modem_card import PIN_TRIES
from host_tools.kit.modem_causes import FAULTS, Fault, hung, quiet
from host_tools.kit.modem_faults import run

PARTS = {
    "SIM7600": FAULTS,
    # What the two parts differ in: pulses of the pins, the question for the tries of the PIN.
    "A7670": [
        f for f in FAULTS if f.name.startswith(("SIM PIN", "one try", "modem hung", "no 4G"))
    ],
}
SLOWEST = 300.0  # s of the modem's from the end of a cause to the first new byte


@pytest.mark.parametrize(
    ("model", "fault"),
    [(model, fault) for model, faults in PARTS.items() for fault in faults],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_the_upload_goes_on_by_itself(model, fault):
    row = run(fault, model)
    assert row["recovered"], row["log"]
    assert row["complaints"] == [] and row["missing_codes"] == []
    if fault.name != "network time jumps":  # its cause outlasts the upload
        assert row["after_s"] is not None and row["after_s"] < SLOWEST
    # The kit's clock was 5 s behind: it is set at most once, forward, and by no wrong time.
    assert row["clock_settings"] in ([], [4], [5])
    if fault.name == "network time jumps":
        assert row["clock_settings"] and row["clock_quality"] == 2


@pytest.mark.parametrize("fault", ["carrier lost in an upload", "modem loses power, stays off"])
def test_it_recovers_without_the_dcd_pin_too(fault):
    row = run(next(f for f in FAULTS if f.name == fault), dcd=False)
    assert row["recovered"] and row["after_s"] < SLOWEST


def find(name):
    return next(fault for fault in FAULTS if fault.name == name)


def test_a_wrong_pin_is_entered_once_and_never_on_the_last_try():
    row = run(find("SIM PIN wrong, other card after 10 min"))
    assert row["old_card_tries"] == PIN_TRIES - 1
    assert row["old_card_entered"] == 1 and row["pins_entered"] == 1
    row = run(find("one try left for the PIN, unlocked by hand"))
    assert row["old_card_entered"] == 0


def test_a_hung_modem_costs_no_more_than_it_needs():
    assert run(find("modem hung, reset line helps"))["steps"] == {
        "radio": 0,
        "reset": 1,
        "power": 0,
    }
    assert run(find("modem hung, only power helps"))["steps"]["power"] == 1


def test_the_table_can_say_that_it_was_not_recovered():
    async def cut_wires(bench):
        bench.modem.lines.key = bench.modem.lines.reset = None
        await hung(bench)

    row = run(Fault("hung for ever", cut_wires), limit=1800)
    assert not row["recovered"] and row["after_s"] is None


def test_a_collector_that_gets_a_wrong_byte_complains():
    async def spoil(bench):
        name = next(iter(bench.files))
        bench.collector.files = {**bench.files, name: bytes(len(bench.files[name]))}
        await quiet(bench)

    row = run(Fault("spoilt", spoil), limit=1800)
    assert row["complaints"] and not row["recovered"]
