"""The manual's tables are what the code says."""

import re

from host_tools import tables


def test_the_written_tables_are_the_code_s():
    assert tables.OUTPUT.read_text() == tables.render(), "run: python -m host_tools.tables"


def test_every_error_code_is_used_once_and_says_something():
    found = tables.codes()
    assert len(found) > 60
    for code, (name, sentences) in found.items():
        assert sentences, (code, name)
        assert code // 100 in tables.GROUPS


def test_every_code_that_the_firmware_defines_is_in_the_table():
    known = set(tables.codes())
    for path in sorted(tables.FIRMWARE.rglob("*.py")):
        text = path.read_text()
        for name, number in re.findall(r"^([A-Z][A-Z_]+) = const\((\d{3})\)", text, re.M):
            if name in NOT_CODES:
                continue
            assert int(number) in known, f"{path.name}: {name} = {number} says nothing"


# Numbers between 100 and 999 that are sizes or limits.
NOT_CODES = {"BUFFER", "CHUNK", "SHORT", "QUIET", "LONG", "WIDTH", "HEIGHT", "LIMIT"}
NOT_CODES |= {"SHARP_ENOUGH", "MOST_CLIPPED"}
