"""The command: one line and exit code 2 for whatever cannot be run."""

import ssl

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from host_tools.collector import schema
from host_tools.collector.command import app
from host_tools.collector.database import open_sqlite
from host_tools.collector.reasons import REASONS, SetupError
from host_tools.collector.serve import Service
from host_tools.collector.trust import Trust, stale
from host_tools.provision.bundle import build_bundle, verify_bundle
from tests.host_tools.collector.process import ROOT, Process
from tests.host_tools.collector.world import LIVE, REGION, World


def refusal(options: list[str]) -> str:
    done = CliRunner().invoke(app, options)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("saksi collect: ")
    return done.stderr


def replaced(options: list[str], name: str, value: str) -> list[str]:
    at = options.index(name) + 1
    return [*options[:at], value, *options[at + 1 :]]


def test_missing_or_wrong_files_are_told_in_one_line(options, tmp_path):
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"rubbish")
    for name in ("--bundle", "--authority", "--key", "--ca"):
        assert "nowhere" in refusal(replaced(options, name, str(tmp_path / "nowhere")))
        assert "rubbish" in refusal(replaced(options, name, str(rubbish)))


def test_a_bundle_of_another_authority_is_not_trusted(options, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    World().files(other)
    assert "authority" in refusal(replaced(options, "--authority", str(other / "authority.pem")))


def test_a_kit_certificate_is_no_ca(options, world, tmp_path):
    kit = world.kit()
    path = tmp_path / "kit.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(kit.certificate))
    assert "not a CA" in refusal(replaced(options, "--ca", str(path)))


def test_two_collectors_on_one_folder_are_refused(world, tmp_path):
    service = Service(tmp_path, world.trust(), world.acknowledger())
    with pytest.raises(SetupError, match="another collector"):
        Service(tmp_path, world.trust(), world.acknowledger())
    service.close()
    Service(tmp_path, world.trust(), world.acknowledger()).close()


def test_a_folder_that_is_a_file_and_a_strange_database_are_refused(options, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert "file" in refusal(replaced(options, "--data", str(tmp_path / "file")))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "entries.sqlite").write_bytes(b"not a database" * 1000)
    assert "not a collector's database" in refusal(options)


def test_a_database_of_another_schema_is_refused(options, tmp_path):
    (tmp_path / "data").mkdir()
    engine = open_sqlite(tmp_path / "data" / "entries.sqlite")
    with engine.begin() as db:
        db.execute(sa.update(schema.schema_version).values(version=99))
    engine.dispose()
    assert "schema 99" in refusal(options)


def test_an_address_that_is_not_ours_is_refused(options):
    assert "cannot listen" in refusal([*options, "--host", "192.0.2.1"])


def test_the_database_is_durable_at_every_commit(tmp_path):
    engine = open_sqlite(tmp_path / "entries.sqlite")
    with engine.connect() as db:
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    engine.dispose()


def test_the_newest_bundle_counts_and_an_old_one_is_told(world):
    def bundle(version: int, **changed):
        usual = {"issued": 1, "next_issue": 2, "entries": [(kit.key.public_key(), kit.station)]}
        raw = build_bundle(
            version=version,
            election=LIVE,
            region=REGION,
            signer=world.authority,
            **{**usual, "revoked": [], **changed},
        )
        return verify_bundle(raw, world.authority.public_key())

    kit = world.kit()
    trust = Trust([bundle(2, revoked=[kit.key.kid()]), bundle(1)])
    assert [b.version for b in trust.newest] == [2]
    assert len(stale(trust, 3)) == 1
    assert stale(trust, 2) == []


def test_it_starts_serves_and_stops_cleanly(options, tmp_path):
    collector = Process(tmp_path / "data", options[4:])
    assert collector.http.get("/healthz").status_code == 200
    assert collector.stop() == 0


def test_the_readme_lists_every_reason_with_its_status():
    readme = (ROOT / "host_tools" / "collector" / "README.md").read_text()
    for reason, (status, meaning) in REASONS.items():
        assert f"| `{reason}` | {status} | {meaning} |" in readme
