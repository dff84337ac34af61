"""The whole kit on the bench: MicroPython running the firmware, readied over its serial line."""

import pytest

from host_tools.kit.machine import VirtualKit
from host_tools.kit.process import NoRuntime, find_micropython
from host_tools.provision import enrol as enrolment
from host_tools.provision import sample
from host_tools.provision.pins import make_pins

STEPS = (
    "certify the live key",
    "certify the training key",
    "give the kit its station",
    "give the officers their PINs",
)


class Cut(Exception):
    pass


@pytest.fixture
def kit(tmp_path):
    try:
        find_micropython()
    except NoRuntime as error:
        pytest.skip(str(error))
    with VirtualKit(tmp_path / "kit", speed=1000) as kit:
        yield kit


def enrol(kit, authority, **options):
    name = f"VIRTUAL-{kit.folder.parent.name}"[:32]
    election = sample.load("pilkada")
    options = {"pins": make_pins(), **options}
    return enrolment.enrol(kit.cable, authority, election, sample.STATION, name, **options)


def test_the_real_firmware_is_readied_and_signs_its_first_entry(kit, authority):
    process = kit.power_on()
    done = enrol(kit, authority, start=True)
    assert done.board == "virtual"
    process.wait_for(r"^entry 1 kind 3 ", timeout=60)
    assert kit.flash_files()["device-live.der"] == done.certificates["live"]


def test_a_power_cut_at_any_step_is_resumed(kit, authority):
    for step in STEPS:

        def cut(name, step=step):
            if name == step:
                kit.power_off()
                raise Cut

        kit.power_on()
        with pytest.raises(Cut):
            enrol(kit, authority, progress=cut)
    process = kit.power_on()
    enrol(kit, authority, start=True)
    process.wait_for(r"^entry 1 kind 3 ", timeout=60)
