"""A kit without a network gives its entries to a neighbour's over the cable; answers come back."""

import pytest

from firmware import record
from host_tools.demo.stage import Stage
from host_tools.kit.crossover import Crossover
from host_tools.kit.script import Player
from host_tools.provision import sample
from tests.flows.conftest import KEYED, MORNING, PAGES, SENT, SIGNED, Day

TITLE = '"Carry for another station"'
CARRY = f"""
expect screen "Results are signed"
press 6 OK
expect screen {TITLE}
press OK
"""
DEAF = CARRY + "expect screen E835\npress OK\n"


class Neighbour(Day):
    """The other kit of the same stage."""

    def __init__(self, stage, kit, photographs):
        super().__init__(stage, photographs)
        self.kit = kit
        self.player = Player(kit, photographs, stage.out / "screens", patience=90)

    @property
    def certificate(self) -> bytes:
        return self.kit.flash_files()["device-live.der"]

    def entries(self) -> list[record.Entry]:
        from firmware.journal import Journal

        path = self.stage.out / "neighbour-journal"
        path.write_bytes(self.kit.flash_files()[f"journal-{self.stage.election.number}"])
        journal = Journal(str(path), record.sha256(self.certificate))
        return [record.parse(data) for _, data, _ in journal.entries()]


def carry(day: Day, *lines: str) -> None:
    """One talk over the cable; its last screen has to have these lines."""
    since = len(day.log)
    day.play(CARRY)
    pattern = "screen Carry for another station .* TPS "
    at, found = day.kit.process.wait_for(pattern, since)
    text = found.replace(" | ", " ")
    for line in lines:
        assert line in text, (line, text)
    day.play("press OK\n")
    day.player.mark = at


@pytest.mark.slow
def test_a_neighbours_result_arrives_without_a_network_of_its_own(tmp_path, photographs):
    with Stage(tmp_path, sample.load("pilpres"), speed=50) as stage:
        kit = stage.add_kit(tmp_path / "neighbour", sample.STATION + 1, "DEMO-0002")
        stage.start_collector()
        far = Neighbour(stage, kit, photographs)
        kit.modem.set_network(2, 99)  # no signal for it all day
        kit.cable.write(b"SAKSI START -\n")
        far.play(MORNING + PAGES + KEYED + SIGNED)
        (signed,) = far.results()
        count = len(far.entries())

        day = Day(stage, photographs)
        stage.start_kit()
        day.play(MORNING + PAGES + KEYED + SIGNED + SENT)
        store = stage.collector.store
        assert store.entry(signed.rec_id) is None
        day.play(DEAF)  # there is no cable yet
        with Crossover(stage.kit.cable, kit.cable, limit=4000):
            day.play(DEAF)  # pulled in mid-entry
        day.kit.power_off()
        day.kit.power_on()
        day.play('expect screen "Kit is locked"\nkey 135790\npress OK\n')
        with Crossover(stage.kit.cable, kit.cable):
            carry(day, "TPS 002")
        day.play(f'expect log "carried {count} of {count} entries delivered"\n')
        assert store.entry(signed.rec_id).entry == signed.data

        # The result's answer may have come while the first talk still went on: then the entry that
        # says so is taken over too, and delivered in time for this talk or not.
        last = len(far.entries())
        assert last in (count, count + 1)
        since = len(day.log)
        with Crossover(stage.kit.cable, kit.cable):
            carry(day, "Entri diambil: ", "Tanda terima diserahkan: ")
        _, line = day.kit.process.wait_for(r"^carried TPS 2: ", since)
        assert count <= int(line.split()[-2]) <= last
        # Its own chip has verified what is in its journal now.
        ((ack,),) = far.events(record.ACKNOWLEDGED)
        assert record.parse(ack).payload[1] == signed.rec_id
        # Its photographs are its own matter, when there is a network again.
        far.play("signal\n" + SENT)
        assert store.complete(signed.rec_id)
