"""The same relay over the system's network, as on a Raspberry Pi: cable, Wi-Fi, whatever dials."""

import pytest

from host_tools.demo.stage import Stage
from host_tools.provision import sample
from tests.flows.conftest import KEYED, MORNING, PAGES, SENT, SIGNED, Day


@pytest.mark.slow
def test_a_day_arrives_over_the_systems_network(tmp_path, photographs):
    with Stage(tmp_path, sample.load("pilpres"), speed=50, network="system") as stage:
        stage.kit.modem.set_network(2, 99)  # no signal all day
        stage.start_kit()
        day = Day(stage, photographs)
        day.play(MORNING)
        day.play('expect log "relay . waiting, . photographs, There is no connection"\n')
        stage.start_collector()
        day.play(PAGES + KEYED + SIGNED + SENT)
        (result,) = day.results()
        assert stage.collector.store.complete(result.rec_id)
