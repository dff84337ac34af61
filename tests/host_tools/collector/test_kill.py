"""The process is killed in mid-work: what it acknowledged is there, and it goes on."""

import random
import threading

import httpx

from firmware import cbor
from tests.host_tools.collector.process import Process
from tests.host_tools.collector.world import photo, sha256

ROUNDS = 6


class Sender:
    """One kit's evening: entries and a slow photograph, remembering everything it was told."""

    def __init__(self, kit):
        self.kit = kit
        self.acknowledged = {}  # rec-id -> (entry, reply's acknowledgement)
        self.pending = None
        self.photo = photo(200_000)
        self.page = kit.page(self.photo)
        self.told = 0

    def work(self, collector: Process):
        """Until the process dies: send entries, and between them pieces of the photograph."""
        try:
            self._entry(collector, self.page)
            while True:
                self._piece(collector)
                self.pending = self.pending or self.kit.event(1, [])
                self._entry(collector, self.pending)
                self.pending = None
        except httpx.TransportError:
            return

    def _entry(self, collector, made):
        reply = collector.submit(made)
        assert reply.status_code in (200, 201), reply.text
        ack = cbor.decode(reply.content)[2]
        before = self.acknowledged.setdefault(made.rec_id, (made, ack))
        assert before[1] == ack

    def _piece(self, collector):
        digest = sha256(self.photo)
        offset = int(collector.head(digest).headers["Upload-Offset"])
        assert offset >= self.told
        pieces = [self.photo[at : at + 700] for at in range(offset, len(self.photo), 700)][:20]
        reply = collector.patch(digest, offset, iter(pieces))
        assert reply.status_code == 204
        self.told = int(reply.headers["Upload-Offset"])


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(world, tmp_path):
    senders = [Sender(world.kit()), Sender(world.kit())]
    senders[1].photo = photo(150_000, 2)
    senders[1].page = senders[1].kit.page(senders[1].photo)
    options = world.files(tmp_path)
    chance = random.Random(7)
    for _ in range(ROUNDS):
        collector = Process(tmp_path / "data", options)
        for sender in senders:
            for made, ack in sender.acknowledged.values():
                reply = collector.submit(made)
                assert reply.status_code == 200
                assert cbor.decode(reply.content)[2] == ack
        threads = [threading.Thread(target=sender.work, args=(collector,)) for sender in senders]
        for thread in threads:
            thread.start()
        threads[0].join(timeout=chance.uniform(0.05, 0.5))
        collector.kill()
        for thread in threads:
            thread.join()
        collector.http.close()
    assert sum(len(sender.acknowledged) for sender in senders) > 2 * ROUNDS
    collector = Process(tmp_path / "data", options)
    for sender in senders:
        digest = sha256(sender.photo)
        offset = int(collector.head(digest).headers["Upload-Offset"])
        assert offset >= sender.told
        if offset < len(sender.photo):
            assert collector.patch(digest, offset, sender.photo[offset:]).status_code == 204
        got = collector.http.get(f"/v1/photos/{digest.hex()}")
        assert got.content == sender.photo
        assert collector.state(sender.page.rec_id) == "complete"
    assert collector.stop() == 0
