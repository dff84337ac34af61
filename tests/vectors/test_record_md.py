"""RECORD.md says what the code does: its numbers and bytes are compared with the code's."""

import re
from pathlib import Path

from firmware import record
from firmware.findings_text import CORRECTION_REASONS, RULE_REASONS
from firmware.selftest import NAMES
from tests.vectors import keys
from tests.vectors.test_vectors import VECTORS

TEXT = (Path(record.__file__).parent / "RECORD.md").read_text()


def row(name: str) -> set[int]:
    """The numbers that the table of section 6 lists for `name`."""
    line = next(one for one in TEXT.splitlines() if one.startswith(f"| {name} |"))
    return {int(n) for n in re.findall(r"(?:^|, )(\d+) ", line.split("|")[2].strip() + " ")}


def test_the_published_vector_is_the_vectors_first():
    block = TEXT[TEXT.index("## 11.") : TEXT.index("## 12.")]
    found = dict(re.findall(r"^(\S+) +([0-9a-f\s]+?)$(?=\n\S|\n```)", block, re.M))
    first = VECTORS["good"][0]
    told = {name: re.sub(r"\s", "", value) for name, value in found.items()}
    assert int(told["priv"], 16) == keys.KIT.private.private_numbers().private_value
    assert told["kid"] == first["kid"] and told["digest"] == first["signed_digest"]
    assert told["payload"] + "5840" + told["sig"] == first["hex"][-len(told["payload"]) - 132 :]
    assert told["rec-id"] == first["rec_id"]


def test_every_kind_and_event_has_its_row():
    for kind in (1, 2, 3, 32, 36, 37):
        assert f"| {kind} | " in TEXT
    section = TEXT[TEXT.index("## 6.") : TEXT.index("Numbers used above")]
    events = {int(n) for n in re.findall(r"^\| (\d+) \|", section, re.M)}
    assert events == set(range(record.BOOT, record.UNUSED + 1))


def test_reasons_and_checks_are_the_codes():
    assert row("reason of a broken rule") == set(RULE_REASONS)
    assert row("reason of a correction") == set(CORRECTION_REASONS)
    assert row("check (boot)") == set(NAMES)


def test_every_reason_of_a_bad_vector_is_a_check_of_section_9():
    section = TEXT[TEXT.index("## 9.") : TEXT.index("## 10.")]
    for vector in VECTORS["bad"]:
        assert f"`{vector['reason']}`" in section, vector["name"]
