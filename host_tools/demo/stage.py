"""The stage of a demo or a flow test: a sample authority, one enrolled virtual kit, a collector."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from firmware.pins import KETUA, SECOND
from host_tools.collector.ack import Acknowledger
from host_tools.collector.serve import Background, Service
from host_tools.collector.trust import Trust
from host_tools.kit.atecc608 import SERIAL
from host_tools.kit.machine import VirtualKit
from host_tools.provision import bundle as bundles
from host_tools.provision import sample
from host_tools.provision.authority import Authority
from host_tools.provision.election import Election
from host_tools.provision.enrol import enrol
from host_tools.provision.fleet import Fleet
from host_tools.provision.package import build_package, file_name

KIT_ID = "DEMO-0001"
KETUA_PIN = "135790"  # samples that day scripts key in; a real kit's are made at random
SECOND_PIN = "246801"
DAY = 86400


def _serial(number: int) -> bytes:
    """Every kit's chip has a serial number of its own: 9 bytes, the maker's first two and last."""
    return SERIAL[:7] + bytes([SERIAL[7] ^ number]) + SERIAL[8:]


class Stage:
    """Everything one day needs, in folder `out`; close it to end kit and collector.

    `bundle`, `authority_pem` and `package` are the files that a verifier is given.
    """

    def __init__(
        self,
        out: Path,
        election: Election,
        *,
        speed: float = 20.0,
        runtime: str = "micropython",
        network: str = "modem",
        tell: Callable[[str], None] = lambda line: None,
    ):
        self.out = out
        self.election = election
        self.collector: Background | None = None
        tell("holding the key ceremony of a sample authority (its keys have no passphrase)")
        self.authority = Authority.create(out / "authority", sample.REGION, sample.REGION_NAME)
        self.kits: list[VirtualKit] = []
        self.fleet = Fleet(out / "kits.db")
        self._kind = {"speed": speed, "runtime": runtime, "network": network}
        self._mode = "training" if election.training else "live"
        self.folder = out / "trust"
        self.folder.mkdir()
        self.authority_pem = self.folder / "authority.pem"
        shutil.copyfile(self.authority.folder / "signing.cert.pem", self.authority_pem)
        tell("enrolling the kit over its cable: its keys are made inside the chip")
        self.kit = self.add_kit(out / "kit", sample.STATION, KIT_ID)
        self.package = self.folder / file_name(self.election.number, sample.STATION)
        self.package.write_bytes(
            build_package(self.election, sample.STATION, int(time.time()), self.authority)
        )

    def add_kit(self, folder: Path, station: int, kit_id: str) -> VirtualKit:
        """Enrol a kit for `station`; the trust bundle's next version knows it too."""
        self.fleet.check(self.election.number, station, kit_id)
        kit = VirtualKit(folder, **self._kind, serial=_serial(len(self.kits)))
        self.kits.append(kit)
        kit.power_on().wait_for("screen Waiting for provisioning")
        pins = {KETUA: KETUA_PIN, SECOND: SECOND_PIN}
        self.fleet.add(enrol(kit.cable, self.authority, self.election, station, kit_id, pins=pins))
        self._write_bundle(len(self.kits))
        return kit

    def _write_bundle(self, version: int) -> None:
        now = int(time.time())
        raw = bundles.build_bundle(
            version=version,
            election=self.election.number,
            region=sample.REGION,
            issued=now,
            next_issue=now + 30 * DAY,
            entries=self.fleet.entries(self.election.number),
            revoked=self.fleet.revoked(self.election.number),
            signer=self.authority.signing,
        )
        self.bundle = self.folder / bundles.file_name(sample.REGION, version)
        self.bundle.write_bytes(raw)

    @property
    def certificate(self) -> Path:
        """The kit's device certificate, copied out of its flash."""
        return self._taken(f"device-{self._mode}.der")

    @property
    def journal(self) -> Path:
        """The kit's journal as it is now, copied out of its flash."""
        return self._taken(f"journal-{self.election.number}")

    def _taken(self, name: str) -> Path:
        path = self.out / "flash" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(self.kit.flash_files()[name])
        return path

    def start_collector(self) -> Background:
        """A collector on loopback (again), and the modem's way to it."""
        ca = self.authority.folder / f"region-{sample.REGION}.cert.pem"
        trust = Trust.load([self.bundle], self.authority_pem, [ca])
        service = Service(self.out / "collector", trust, Acknowledger(self.authority.collector))
        self.collector = Background(service)
        self.route(self.collector.port)
        return self.collector

    def stop_collector(self) -> None:
        """The collector goes down; the modem still knows where it was."""
        if self.collector:
            self.collector.stop()
            self.collector = None

    def route(self, port: int) -> None:
        """Let the collector's name lead to this loopback port."""
        for kit in self.kits:
            kit.route(self.election.collector_host, port)

    def start_kit(self) -> None:
        """End provisioning: the kit begins its day."""
        self.kit.cable.write(b"SAKSI START -\n")

    def close(self) -> None:
        """Cut the kits' power and stop the collector."""
        for kit in self.kits:
            kit.close()
        self.stop_collector()
        self.fleet.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
