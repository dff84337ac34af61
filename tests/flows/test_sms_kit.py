"""The whole kit without data: its result goes and is acknowledged by SMS; the officers see it."""

import binascii

import pytest

from firmware import cbor, record
from host_tools.collector import sms
from host_tools.collector.ack import Acknowledger
from host_tools.collector.intake import Intake
from host_tools.collector.trust import Trust
from host_tools.demo.stage import Stage
from host_tools.kit.modem_sms import SmsModemEmulator
from host_tools.kit.serial_port import SerialPort
from host_tools.provision import sample
from tests.flows.conftest import KEYED, MORNING, PAGES, SENT, SIGNED, Day

SPEED = 50


def set_up(stage: Stage, **settings: int) -> None:
    """Write settings to the kit's flash, as the technician would, and start it."""
    stage.kit.power_off()
    data = cbor.encode(settings)
    stage.kit.put_flash("settings", binascii.crc32(data).to_bytes(4, "big") + data)
    stage.kit.power_on().wait_for("screen ")


@pytest.mark.slow
def test_a_day_without_data_ends_with_an_acknowledgement_by_sms(tmp_path, photographs):
    election = sample.load("pilpres")
    with Stage(tmp_path, election, speed=SPEED) as stage:
        collector = stage.start_collector()
        stage.kit.modem.apn = "no such APN"
        set_up(stage, sms_after=5)
        stage.start_kit()
        far = SmsModemEmulator(
            centre=stage.kit.centre, number=election.collector_sms, speed=SPEED, booted=True
        )
        ca = stage.authority.folder / f"region-{sample.REGION}.cert.pem"
        trust = Trust.load([stage.bundle], stage.authority_pem, [ca])
        intake = Intake(trust, collector.store, Acknowledger(stage.authority.collector))
        day = Day(stage, photographs)
        with SerialPort(far) as port:
            desk = sms.Background(intake, port.path, 0.1)
            day.play(MORNING + PAGES + KEYED + SIGNED)
            day.play('expect log "sent, 1 acknowledged"\n')
            desk.stop()
        (result,) = day.results()
        acks = [record.parse(detail[0]).payload[1] for detail in day.events(record.ACKNOWLEDGED)]
        assert acks == [result.rec_id]
        stored = collector.store.entry(result.rec_id)
        assert stored is not None and stored.entry == result.data and stored.manifest is None
        stage.kit.modem.apn = None
        day.play(SENT)
        stored = collector.store.entry(result.rec_id)
        assert stored is not None and stored.manifest is not None
        assert collector.store.complete(result.rec_id)
        assert len(day.events(record.ACKNOWLEDGED)) == 1
