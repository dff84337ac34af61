"""200,000 inputs in every run; SAKSI_FUZZ_INPUTS asks for more, SAKSI_FUZZ_SEED for others."""

import pytest

from firmware import record
from host_tools.verify import frame, quick
from tests.firmware.support import raises
from tests.fuzz import run
from tests.fuzz.targets import TARGETS, envelopes, raw_bytes


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__)
def test_the_verifier_stands_every_input(target, record_property):
    count = max(1, round(run.wanted() * TARGETS[target]))
    record_property("fuzz_inputs", run.run(target, count, run.seed()))


def test_the_shares_make_one_whole():
    assert abs(sum(TARGETS.values()) - 1) < 1e-9


def test_the_loop_finds_a_verifier_that_believes_every_signature(monkeypatch):
    monkeypatch.setattr(frame, "holds", lambda signature: True)
    error = raises(run.Failed, run.run, envelopes, 2000, 1)
    assert "never signed" in str(error) and "--number" in str(error)


def test_the_loop_finds_a_reader_that_overlooks_bytes_at_the_end(monkeypatch):
    strict = quick.parse

    def lenient(data):
        for cut in range(8):
            try:
                return strict(data[: len(data) - cut])
            except record.RecordError as error:
                last = error
        raise last

    monkeypatch.setattr(quick, "parse", lenient)
    error = raises(run.Failed, run.run, raw_bytes, 20000, 1)
    assert "never signed" in str(error)


def test_the_same_seed_makes_the_same_inputs():
    seen = []

    def target(dice):
        seen.append(dice.random())

    run.run(target, 5, 7)
    run.run(target, 5, 7)
    assert seen[:5] == seen[5:] and len(set(seen)) == 5
