"""The verifier's benchmark measures what it says, beside its yardsticks."""

import json

from typer.testing import CliRunner

from host_tools.bench import verify
from host_tools.bench.command import app
from host_tools.provision.bundle import verify_bundle
from host_tools.verify.receipt import check_receipts
from host_tools.verify.trust import Trust


def test_its_receipts_are_all_different_valid_and_some_have_a_broken_sum():
    raw, authority, datas = verify.make(60)
    assert verify.make(60)[0] == raw and len(set(datas)) == 60
    held = Trust(verify_bundle(raw, authority), authority)
    reports = check_receipts(datas, held, verify.START)
    assert {one.exit_code for one in reports} == {0}
    assert sum(one.status("figures") == "warning" for one in reports) == 60 / verify.BROKEN_EVERY
    assert len({one.facts["kid"] for one in reports}) == verify.KITS


def test_a_quick_run_tells_every_figure_with_its_yardstick():
    outcome = CliRunner().invoke(app, ["verify", "--quick", "--json"])
    assert outcome.exit_code == 0, outcome.output
    rows = json.loads(outcome.output)
    assert [row["unit"] for row in rows] == ["/s", "/s", "s", "s", "s", "s"]
    assert all(row["figure"] > 0 and row["yardstick"] > 0 and row["yardstick_is"] for row in rows)
