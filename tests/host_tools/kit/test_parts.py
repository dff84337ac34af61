"""The test of a kit's parts over the cable, on the emulated parts: each good, and each failing."""

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from firmware import board_virtual, cbor
from firmware.drivers import PartError, at_port
from firmware.drivers.display_st7789 import NO_DISPLAY
from firmware.drivers.escpos_flow import COVER, NO_PAPER, SILENT
from firmware.language import Words
from firmware.parts_test import BLACK, WRONG, PartsTest
from firmware.selftest import CAMERA, CARD, CHIP, KEYS, PRINTER, RANDOM, SIGNS
from firmware.settings import Settings
from host_tools.kit.machine import VirtualKit
from host_tools.sheet import layout
from host_tools.sheet.draw import draw_page
from host_tools.sheet.photograph import GOOD, photograph

NO_CAMERA = board_virtual.NO_CAMERA
SERIAL = "0123A1B2C3D4E5F6EE"


class Bench:
    """The parts of a virtual kit, its board in this process, and the technician's questions."""

    def __init__(self, folder: Path, configured: bool = True):
        self.kit = VirtualKit(folder, speed=1000, runtime="cpython")
        arguments = ["", str(self.kit.bus.port), str(self.kit.flash), str(self.kit.card), "1000"]
        self.board = board_virtual.Board(arguments)
        if configured:
            self.board.setup.configure()
        settings = Settings(str(folder / "settings"))
        self.parts = PartsTest(self.board, Words("id"), settings)

    def close(self) -> None:
        """The board's links end with this process's objects; nobody waits for their last bytes."""
        self.kit.cable.unplug()
        self.kit.bus.close()

    def test(self, part: str) -> list:
        return cbor.decode(asyncio.run(self.parts.test(cbor.encode([part]))))


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path / "kit")
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def sheet(tmp_path_factory) -> Path:
    form = layout.load("ppwp-2024")
    page = draw_page(form, 2, {"votes_1": 123}, {"tps": "1"}, 1200, seed=3)
    path = tmp_path_factory.mktemp("sheet") / "page.jpg"
    path.write_bytes(photograph(page, 3, GOOD, (1512, 2016)))
    return path


def test_the_chip_tells_its_serial_and_revision(bench):
    assert bench.test("chip") == [1, SERIAL, "00006002"]


def test_a_dead_chip_fails_all_three_of_its_checks(bench):
    bench.kit.chip.dead = True
    for part in ("chip", "random", "signature"):
        outcome, code, sentence = bench.test(part)
        assert outcome == 0 and 100 <= code < 200 and sentence, part
    assert bench.parts.outcomes == {CHIP: 0, RANDOM: 0, SIGNS: 0}


def test_a_generator_that_repeats_itself_fails(bench):
    assert bench.test("random") == [1]
    bench.kit.chip.stick_random()
    assert bench.test("random")[0] == 0


def test_both_keys_sign_and_are_named(bench):
    outcome, live, training = bench.test("signature")
    assert outcome == 1 and len(live) == len(training) == 16 and live != training


def test_a_chip_that_was_never_configured_has_nothing_to_sign_with(tmp_path):
    bench = Bench(tmp_path / "kit", configured=False)
    assert bench.test("chip")[0] == 1
    assert bench.test("signature")[0] == 0
    assert bench.test("random")[0] == 0
    bench.close()


def shown(bench: Bench, frames: int) -> np.ndarray:
    """What is on the screen once so many pictures came over its link, which has no answers."""
    give_up = time.monotonic() + 30
    while bench.kit.display.frames < frames and time.monotonic() < give_up:
        time.sleep(0.005)
    assert bench.kit.display.frames == frames
    return np.asarray(bench.kit.display.image()).astype(int)


def test_the_screen_shows_three_colours_a_frame_and_words(bench):
    assert bench.test("display") == [1, 240, 320]
    picture = shown(bench, 4)
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners < 64).all(), "the frame reaches every corner"
    for row, colour in ((92, (255, 0, 0)), (148, (0, 255, 0)), (204, (0, 0, 255))):
        assert tuple(picture[row, 120]) == colour
    white = (picture == 255).all(axis=-1)
    assert white[100:124, 16:90].any(), "the colour's name stands in its band"
    # The next screen has its own colours again.
    bench.board.display.blit(bytes(9600))
    assert (shown(bench, 5) == 255).all()


def test_a_screen_that_is_cut_off_fails(bench):
    class Cut:
        def write(self, buf):
            raise OSError(5)

    bench.board.display._spi = Cut()
    assert bench.test("display")[:2] == [0, NO_DISPLAY]


def test_every_key_is_told_as_it_is_pressed(bench):
    names = list(bench.kit.matrix.where)

    async def press():
        begun = cbor.decode(await bench.parts.test(cbor.encode(["keys"])))
        first = cbor.decode(bench.parts.keys(b""))
        for name in names:
            await asyncio.to_thread(bench.kit.press, name)
        await asyncio.to_thread(bench.kit.matrix.settle)
        told = cbor.decode(bench.parts.keys(b""))
        bench.parts.stop()
        return begun, first, told

    begun, first, told = asyncio.run(press())
    assert begun == [1, *names]
    assert first == [0, [], names, []]
    assert told == [1, names, [], []]
    assert bench.parts.outcomes == {KEYS: 1}


def test_a_stuck_key_is_named(bench):
    bench.kit.matrix.press("OK")
    outcome, code, _, *stuck = bench.test("keys")
    assert (outcome, code, stuck) == (0, WRONG, ["OK"])
    assert bench.parts.outcomes == {KEYS: 0}


def test_a_keypad_that_does_not_answer_fails(bench, monkeypatch):
    def silent(i2c, addr, buf):
        raise OSError(19)

    monkeypatch.setattr(board_virtual.LinkI2C, "writeto", silent)
    outcome, code, _ = bench.test("keys")
    assert outcome == 0 and 500 <= code < 600


def test_the_strip_is_on_paper_and_its_code_names_the_chip(bench):
    assert bench.test("printer") == [1, "epson", 32, 384]
    (paper,) = bench.kit.printer.papers
    assert bench.kit.printer.errors == []
    (code,) = zxingcpp.read_barcodes(paper)
    assert code.text == "CONTOH/" + SERIAL
    rows = np.asarray(paper.convert("L")) < 128
    assert (rows.sum(axis=1) == 384).sum() >= 16, "a bar over the whole width"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (lambda printer: printer.set_cover(True), COVER),
        (lambda printer: printer.set_paper(False), NO_PAPER),
        (lambda printer: printer.set_cable(False), SILENT),
    ],
)
def test_a_printer_that_cannot_print_fails_with_its_reason_and_is_well_again_after(
    bench, fault, code
):
    bench.test("signature")
    fault(bench.kit.printer)
    outcome, found, sentence = bench.test("printer")
    assert (outcome, found) == (0, code) and sentence
    assert bench.parts.outcomes[PRINTER] == 0
    bench.kit.printer.set_cover(False)
    bench.kit.printer.set_paper()
    bench.kit.printer.set_cable(True)
    assert bench.test("printer")[0] == 1
    assert bench.parts.outcomes[PRINTER] == 1


def test_the_camera_gives_a_sharp_frame_and_a_whole_photograph(bench, sheet):
    bench.kit.camera.load(sheet)
    outcome, w, h, sharpness, paper, size, width, height = bench.test("camera")
    assert outcome == 1
    assert (w, h) == (192, 256) and sharpness > 730 and paper > 150
    assert (size, width, height) == (sheet.stat().st_size, 1512, 2016)


def test_a_black_camera_fails(bench, tmp_path, sheet):
    path = tmp_path / "cap.png"
    Image.new("L", (300, 400), 3).save(path)
    bench.kit.camera.load(path)
    outcome, code, sentence, *found = bench.test("camera")
    assert (outcome, code) == (0, BLACK) and "cap" in sentence and found[3] < 16
    bench.kit.camera.load(sheet)
    assert bench.test("camera")[0] == 1


def test_a_photograph_that_is_cut_off_fails(bench, tmp_path, sheet):
    path = tmp_path / "cut.jpg"
    path.write_bytes(sheet.read_bytes()[:-2000])
    bench.kit.camera.load(sheet)
    bench.kit.camera._path = path  # the frame is good, what follows it breaks off
    assert bench.test("camera")[:3] == [0, WRONG, "Photograph is cut off"]


def test_a_camera_that_is_gone_fails(bench):
    bench.board.camera.link.close()
    outcome, code, _ = bench.test("camera")
    assert outcome == 0 and code in (NO_CAMERA, 834)
    assert bench.parts.outcomes[CAMERA] == 0


def test_the_card_is_written_read_and_left_empty(bench):
    assert bench.test("card")[:2] == [1, 4096]
    assert list(bench.kit.card.iterdir()) == []


def test_a_card_that_is_out_fails_until_it_is_in(bench):
    bench.kit.pull_card()
    assert bench.test("card")[:2] == [0, 712]
    assert bench.parts.outcomes[CARD] == 0
    bench.kit.insert_card()
    assert bench.test("card")[0] == 1


def test_the_modem_tells_operator_and_strength_and_opens_no_data(bench):
    assert bench.test("modem") == [1, "SIM7600", "CONTOH", -73]
    said = bench.kit.modem.commands
    assert not any(command.startswith(("AT+NETOPEN", "AT+CIPOPEN", "ATD")) for command in said)
    assert not bench.kit.modem.net_open


def test_a_modem_without_a_card_fails(bench):
    bench.kit.modem.card.state = "absent"
    bench.kit.modem.restart("power")
    assert bench.test("modem")[:2] == [0, at_port.NO_SIM]


def test_a_modem_that_does_not_answer_fails(bench):
    bench.kit.modem.mute = True
    assert bench.test("modem")[:2] == [0, at_port.NO_REPLY]


def test_a_modem_without_a_network_passes_and_names_no_operator(bench):
    bench.kit.modem.lte = bench.kit.modem.gsm = False
    assert bench.test("modem")[:3] == [1, "SIM7600", ""]


def test_the_clock_ticks_and_memory_has_room(bench):
    outcome, seconds, quality = bench.test("clock")
    assert outcome == 1 and seconds > 1704067200 and quality == 1
    outcome, free, _ = bench.test("memory")
    assert outcome == 1 and free > 1048576


def test_a_part_error_is_an_answer_and_not_an_exception(bench):
    def fail(profile):
        raise PartError(299, "A printer that no driver knows")

    bench.board.printer = fail
    assert bench.test("printer") == [0, 299, "A printer that no driver knows"]
