"""A kit from the carton: a bare MicroPython board with all parts on its wires, made a sealed kit.

The board is MicroPython behind a serial port, its software comes by the real mpremote; chip,
printer, keys, screen, camera, modem and card are the emulated ones.
"""

import json
import threading

import pytest
import serial
from typer.testing import CliRunner

from firmware import VERSION, record
from firmware.roster import Roster
from firmware.seal import NOT_A_TECHNICIAN, SEALED
from host_tools.kit.bare_kit import BareKit
from host_tools.provision import (
    bare,
    maintenance,
    reach,
    ready,
    release,
    release_build,
    sample,
    software,
)
from host_tools.provision.command import app
from host_tools.provision.enrol import EnrolError, Said
from host_tools.provision.fleet import Fleet
from host_tools.provision.keys import SoftwareKey
from host_tools.provision.link import KitError, Link
from host_tools.provision.pins import make_pins
from host_tools.provision.ports import open_port
from host_tools.sheet import layout
from host_tools.sheet.draw import draw_page
from host_tools.sheet.photograph import GOOD, photograph

NUMBER = VERSION.split()[-1]
SECRET = "correct horse"
UNTIL = 2_200_000_000


class Store:
    """What a KPU store has: keys, a signed release, a roster with one technician."""

    def __init__(self, folder, authority):
        self.folder, self.authority = folder, authority
        self.technician, self.stranger = SoftwareKey.generate(), SoftwareKey.generate()
        releasers = [SoftwareKey.generate(), SoftwareKey.generate()]
        self.releasers = [key.public_key() for key in releasers]
        self.release = folder / "release"
        release_build.build("virtual", NUMBER, self.release)
        for key in releasers:
            release.sign(self.release, key)
        self.roster = self.sign_roster(1, [["TEKNISI CONTOH", self.technician.public_key()]])

    def sign_roster(self, version: int, technicians: list) -> bytes:
        head = [record.ROSTER, version, sample.REGION, 1_700_000_000, UNTIL]
        signer = self.authority.signing
        return record.assemble([*head, technicians, self.releasers], signer.kid(), signer.sign)

    def software(self, folder) -> software.Software:
        folder.mkdir()
        return software.prepare(self.release, self.releasers, folder)


@pytest.fixture(scope="module")
def store(tmp_path_factory, authority):
    return Store(tmp_path_factory.mktemp("store"), authority)


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    """What lies before the camera."""
    page = draw_page(layout.load("ppwp-2024"), 2, {"votes_1": 123}, {"tps": "1"}, 1200, seed=3)
    path = tmp_path_factory.mktemp("sheet") / "page.jpg"
    path.write_bytes(photograph(page, 3, GOOD, (1512, 2016)))
    return path


@pytest.fixture
def kit(tmp_path, sheet):
    # The faster the modem, the shorter the driver waits: a busy machine needs its patience.
    with BareKit(tmp_path / "kit", speed=10) as kit:
        kit.camera.load(sheet)
        kit.plug_in()
        yield kit


class Pulled(Exception):
    pass


class Technician:
    """Sees what there is to see, presses what is asked for; `pull` names the step he trips at."""

    def __init__(self, kit, pull=None, eyes=True):
        self.kit, self.pull, self.eyes = kit, pull, eyes
        self.steps: list[str] = []
        self.files = 0

    def step(self, text):
        self.steps.append(text)
        if text == self.pull:
            raise Pulled(text)

    def copied(self, done, total):
        self.files = total
        if self.pull == "half of the files" and done > total // 2:
            raise Pulled(self.pull)

    def sees(self, question):
        return self.eyes

    def pressed(self, seen, left):
        if left:
            self.kit.press(left[0])

    def waits(self, left):
        return False


def job(kit, store, tmp_path, **more):
    scratch = tmp_path / f"scratch-{len(list(tmp_path.iterdir()))}"
    more.setdefault("software", store.software(scratch))
    more.setdefault("pins", make_pins())
    number = f"KIT-{tmp_path.name}"[:32]
    place = (kit.board.path, sample.load("pilkada"), sample.STATION, number)
    return ready.Job(*place, roster=store.roster, **more)


def refused(code, call, *arguments):
    with pytest.raises(KitError) as caught:
        call(*arguments)
    assert caught.value.code == code


def test_one_command_makes_a_bare_board_a_sealed_kit_that_only_a_technician_opens(
    kit, store, tmp_path, monkeypatch
):
    """bare -> sealed; then no REPL, maintenance by key, and the kit's day goes on."""
    office = store.folder / "office"
    CliRunner().invoke(app, ["sample", "copy", str(office)])
    roster = tmp_path / "roster.cbor"
    roster.write_bytes(store.roster)
    monkeypatch.setattr("host_tools.provision.desk.Desk.pressed", Technician(kit).pressed.__func__)
    monkeypatch.setattr("host_tools.provision.desk.Desk.kit", kit, raising=False)
    words = ["enrol", office / "pilkada" / "election.toml", "--authority", store.authority.folder]
    words += ["--region", sample.REGION, "--station", sample.STATION, "--kit", "KIT-0001"]
    words += ["--register", tmp_path / "kits.db", "--release", store.release, "--roster", roster]
    words += ["--reports", tmp_path / "reports", "--seal", "--port", kit.board.path, "--json"]
    done = CliRunner().invoke(app, [str(word) for word in words], input="y\ny\n")
    assert done.exit_code == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["faults"] == {} and facts["statement"]["ready"]
    for name in ("report", "report_json", "label"):
        assert (tmp_path / "reports" / facts[name].rpartition("/")[2]).stat().st_size > 500
    with Fleet(tmp_path / "kits.db") as fleet:
        (row,) = fleet.kits()
        assert (row["id"], row["state"], row["serial"]) == ("KIT-0001", "sealed", facts["serial"])
    assert len(kit.printer.papers) == 2  # the test strip and the slip

    with serial.Serial(kit.board.path, 115200, timeout=0.1) as port:
        assert not bare.has_repl(port)
    link = Link(open_port(kit.board.path))
    assert Said(*link.hello()).sealed
    for verb in ("PINS", "PACKAGE", "CSR", "TIME", "CONFIGURE", "INSTALL", "RETRY"):
        refused(SEALED, link.request, verb, b"\x00")
    refused(NOT_A_TECHNICIAN, maintenance.open_kit, link, store.stranger)
    refused(SEALED, link.request, "TIME", b"\x00")
    assert maintenance.open_kit(link, store.technician) == "TEKNISI CONTOH"
    refused(840, link.request, "TIME", b"\xff")  # answered again, and it was rubbish
    maintenance.lock_kit(link)
    refused(SEALED, link.request, "TIME", b"\xff")

    kit.board.reset()  # the power button
    starts = kit.board.starts
    with serial.Serial(kit.board.path, 115200, timeout=0.1) as port:
        port.write(b"\x03\x03\x04\x02\x01" * 50)
        assert not bare.has_repl(port)
    link, said = reach.reach(kit.board.path, None, print, print)
    assert Said(*said).sealed and kit.board.starts <= starts + 1
    link.request("ROSTER", store.sign_roster(2, []))
    refused(NOT_A_TECHNICIAN, maintenance.open_kit, link, store.technician)


@pytest.mark.slow
def test_a_kit_whose_screen_nobody_saw_is_never_sealed(kit, store, tmp_path):
    technician = Technician(kit, eyes=None)
    done = ready.ready(job(kit, store, tmp_path), store.authority, technician)
    assert not done.statement.ready and not done.said.sealed
    with pytest.raises(EnrolError, match="not sealed, since not all is in order: Printer"):
        ready.seal(done.link, technician, done.statement)
    assert not Said(*done.link.hello()).sealed


PULLS = (
    "look at the board",
    "half of the files",
    "start the software",
    "hello",
    "configure and lock the chip",
    "certify the live key",
    "certify the training key",
    "give the kit its station",
    "give the officers their PINs",
    "set the clock",
    "give the kit its roster",
    "test: chip",
    "test: display",
    "test: keys",
    "test: memory",
    "let the kit state that it is ready",
    "print the test receipt",
)


@pytest.mark.slow
def test_a_cable_pulled_at_any_step_is_resumed_and_never_leaves_a_kit_that_says_it_is_ready(
    kit, store, tmp_path
):
    """USB is the power too: whatever ran is gone with the cable."""
    for pull in PULLS:
        technician = Technician(kit, pull)
        with pytest.raises(Pulled):
            ready.ready(job(kit, store, tmp_path), store.authority, technician)
        kit.board.reset()
    technician = Technician(kit)
    done = ready.ready(job(kit, store, tmp_path), store.authority, technician)
    assert done.statement.ready and done.said.locked
    for pull in ("seal the kit", "start"):
        with pytest.raises(Pulled):
            ready.seal(done.link, Technician(kit, pull), done.statement)
        kit.board.reset()
        done = ready.ready(
            job(kit, store, tmp_path, key=store.technician), store.authority, Technician(kit)
        )
    ready.seal(done.link, technician, done.statement)
    assert Said(*done.link.hello()).sealed


@pytest.mark.slow
def test_a_cable_cut_in_mid_word_at_the_chips_lock_never_leaves_it_half_locked(
    kit, store, tmp_path
):
    """The power goes while the chip is being configured; it is one or the other, and then whole."""
    first = job(kit, store, tmp_path)
    with pytest.raises(Pulled):
        ready.ready(first, store.authority, Technician(kit, "configure and lock the chip"))
    link = Link(open_port(kit.board.path))
    link.hello()
    link.stream.write(b"SAKSI CONFIGURE -\n")
    threading.Timer(0.15, kit.board.reset).start()
    link.stream.read(1)
    done = ready.ready(first, store.authority, Technician(kit))
    assert done.said.locked and done.statement.ready


@pytest.mark.slow
def test_a_roster_of_a_stranger_is_not_kept_and_nothing_is_sealed(kit, store, stranger, tmp_path):
    forged = Store.sign_roster(store, 9, [["X", store.stranger.public_key()]])
    entry = record.parse(forged)
    own = stranger.signing
    forged = record.assemble(entry.payload, own.kid(), own.sign)
    assert Roster(forged).version == 9
    whole = job(kit, store, tmp_path)
    whole = ready.Job(**{**whole.__dict__, "roster": forged})
    with pytest.raises(KitError, match="The authority did not sign this roster"):
        ready.ready(whole, store.authority, Technician(kit))
