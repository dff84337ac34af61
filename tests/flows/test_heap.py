"""Photographs stream: a page of more than 3 MB passes through a heap of 1 MiB."""

import re

import cv2
import numpy as np

from tests.flows.conftest import MORNING, SENT


def test_photographs_larger_than_the_heap_reach_the_collector_whole(day, tmp_path):
    noise = np.random.default_rng(1).integers(0, 255, (2400, 1800, 3), np.uint8)
    ok, data = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert ok and len(data) > 3_000_000
    path = tmp_path / "large.jpg"
    path.write_bytes(data.tobytes())
    day.play(MORNING + f"photo {path}\npress FOTO\nkeep photograph\n")
    day.play('expect screen "Photograph the sheet"\n')  # of the next page: this one is kept
    day.player.mark = len(day.log)  # what the relay said before was of the attendance list
    day.play('expect log "relay . waiting, [12] photographs"\n' + SENT)
    stored = list((day.stage.out / "collector/photos").rglob("*"))
    files = [one for one in stored if one.is_file()]
    assert path.read_bytes() in [one.read_bytes() for one in files]
    assert len(files) == 2  # and the attendance list
    peaks = re.findall(r"^memory peak (\d+) of (\d+)$", "\n".join(day.log), re.M)
    peak, total = map(int, peaks[-1])
    assert 0 < peak < total <= 1024 * 1024
