"""The kit's relay over a line that breaks in every way: all arrives, and little of it twice."""

import pytest

from host_tools.bench.relay_day import Collector, Region, Station, drawn
from host_tools.bench.relay_link import Line, Link

SIZES = (40_000, 90_000)
CUT = 20_480


@pytest.fixture
def day(tmp_path):
    region = Region(tmp_path / "region")
    station = Station(region, tmp_path / "kit", 0, [drawn(size, size) for size in SIZES])
    collector = Collector(tmp_path / "data", region.options())
    yield station, collector
    collector.stop()
    station.close()


def arrived(station, collector) -> bool:
    import httpx

    from firmware import record

    names = [record.sha256(data).hex() for data in station.pages]
    got = [httpx.get(f"{collector.url}/v1/photos/{name}").content for name in names]
    return got == station.pages


def finish(station, link, timeout=10.0):
    kit = station.start(link.port, 0.05, timeout)
    assert kit.when(lambda line: line.startswith("done"), 120) is not None, kit.said
    return kit


@pytest.mark.parametrize(
    ("how", "lost"),
    [("end", 0), ("reset", CUT // 4), ("lose", CUT // 2), ("silent", CUT // 2)],
)
def test_a_line_that_breaks_every_20_kilobytes(day, how, lost):
    station, collector = day
    # 0.01 s on the air are a quarter of what a line carries here.
    line = Line(rate=4e6, delay=0.01 if how == "lose" else 0.002, cut=CUT, how=how)
    with Link(("127.0.0.1", collector.port), line) as link:
        finish(station, link, timeout=1.0 if how == "silent" else 20.0)
        assert arrived(station, collector)
        assert link.lines >= sum(SIZES) // CUT
        # Both directions: a head and a reply for each entry, some of them twice; for each line a
        # question, a head, a reply, and what the line itself lost.
        entries = station.journal().last * 1000
        assert link.up + link.down < station.payload + entries + link.lines * (1000 + lost)


def test_a_clean_line_carries_every_byte_once(day):
    station, collector = day
    with Link(("127.0.0.1", collector.port), Line(rate=8e6, delay=0.002)) as link:
        kit = finish(station, link)
        assert arrived(station, collector)
        assert link.lines == 1 and kit.count("refused") == 0
        heads = 250 * (station.journal().last + len(SIZES))
        assert link.up < station.payload + 700 + heads


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
        b"SSH-2.0-OpenSSH\r\n",
        b"",
    ],
)
def test_a_stranger_that_answers_in_the_collectors_place_is_believed_nothing(day, answer):
    station, collector = day
    with Link(("127.0.0.1", collector.port), Line(rate=8e6)) as link:
        link.answer = answer
        kit = station.start(link.port, 0.05, 5)
        assert kit.when(lambda line: line.startswith("error"), 60) is not None
        assert kit.count("entry") == kit.count("photo") == 0
        link.answer = None
        assert kit.when(lambda line: line.startswith("done"), 60) is not None, kit.said
        assert arrived(station, collector)


def test_losses_that_stall_the_line_cost_time_and_no_bytes(day):
    station, collector = day
    with Link(("127.0.0.1", collector.port), Line(8e6, 0.005, loss=0.05)) as link:
        finish(station, link)
        assert arrived(station, collector) and link.lines == 1 and link.stalls > 0
