"""Technicians, releasers and the roster: files that verify, versions that grow, people who go."""

import json
import stat
import subprocess
from datetime import UTC, datetime

import pytest

from firmware import record
from firmware import roster as kit_roster
from host_tools.provision import keys, people, roster, roster_next
from host_tools.provision.authority import Authority
from host_tools.provision.keys import SoftwareKey, load_private
from host_tools.provision.roster import RosterError, build_roster, verify_roster
from tests.host_tools.provision.terminal import saksi
from tests.host_tools.provision.test_command import run

KEYS = [SoftwareKey.generate().public_key() for _ in range(4)]
NOW = 1_700_000_000


@pytest.fixture
def office(tmp_path):
    """An authority with two technicians and two releasers."""
    Authority.create(tmp_path / "keys", 1607, "CONTOH")
    for role, name in (("technician", "CONTOH SARI"), ("technician", "CONTOH BUDI"),
                       ("releaser", "CONTOH WATI"), ("releaser", "CONTOH JOKO")):  # fmt: skip
        add(tmp_path, role, name)
    return tmp_path


def add(office, role, name, *words, code=0):
    words = words or ("--no-passphrase",)
    return run("authority", role, name, "--authority", office / "keys", *words, code=code)


def sign(office, *words, out="out", code=0):
    place = ("--authority", office / "keys", "--region", 1607, "--out", office / out)
    return run("authority", "roster", *place, "--until", "2041-01-01", *words, "--json", code=code)


def names(result) -> list[str]:
    return [person["name"] for person in json.loads(result.stdout)["technicians"]]


def build(signer, **changes) -> bytes:
    facts = {
        "version": 1, "region": 1607, "issued": NOW, "until": NOW + 1,
        "technicians": [("CONTOH SARI", KEYS[0])], "releasers": [KEYS[1]], "signer": signer,
    }  # fmt: skip
    return build_roster(**(facts | changes))


def test_a_roster_is_signed_for_everybody_with_a_key_and_the_kit_takes_it(office):
    facts = json.loads(sign(office).stdout)
    path = office / "out" / "roster-1607-1.cbor"
    assert facts["roster"] == str(path) and facts["version"] == 1
    authority = Authority(office / "keys", 1607)
    data = path.read_bytes()
    taken = kit_roster.check(data, authority.signing.public_key(), keys.verify, None, 1607012001001)
    sari = load_private(office / "keys/technicians/CONTOH SARI.key.pem")
    assert taken.technician(sari.kid()) == ("CONTOH SARI", sari.public_key())
    wati = load_private(office / "keys/releasers/CONTOH WATI.key.pem")
    assert taken.is_releaser(wati.kid()) and not taken.is_releaser(sari.kid())
    shown = run(
        "authority", "roster", "show", path, "--signed-by", office / "keys/signing.cert.pem"
    )
    assert "valid: region 1607, version 1, until 2040-12-31 15:00 UTC" in shown.stdout
    assert f"{sari.kid().hex()}  CONTOH SARI" in shown.stdout
    log = (office / "keys" / "ceremony.log").read_text()
    assert "roster of region 1607 v1 signed, 4 people" in log


def test_versions_grow_wherever_the_copies_go(office):
    assert json.loads(sign(office, out="a").stdout)["version"] == 1
    assert json.loads(sign(office, out="b").stdout)["version"] == 2
    assert sorted(path.name for path in (office / "keys" / "rosters").glob("*.cbor")) == [
        "roster-1607-1.cbor",
        "roster-1607-2.cbor",
    ]


def test_who_is_left_out_stays_out_until_taken_back(office):
    sign(office)
    gone = sign(office, "--leave-out", "CONTOH SARI")
    assert names(gone) == ["CONTOH BUDI"]
    assert json.loads(gone.stdout)["left_out"] == ["CONTOH SARI"]
    assert names(sign(office)) == ["CONTOH BUDI"]
    assert names(sign(office, "--take-back", "CONTOH SARI")) == ["CONTOH BUDI", "CONTOH SARI"]
    assert "is neither" in sign(office, "--leave-out", "CONTOH TIADA", code=1).stderr


def test_a_kit_shuts_out_who_was_removed_and_does_not_go_back(office):
    sign(office)
    sign(office, "--leave-out", "CONTOH SARI")
    authority = Authority(office / "keys", 1607).signing.public_key()
    sari = load_private(office / "keys/technicians/CONTOH SARI.key.pem")
    store = str(office)
    first, second = ((office / "out" / f"roster-1607-{n}.cbor").read_bytes() for n in (1, 2))
    assert kit_roster.take(store, first, authority, keys.verify).technician(sari.kid())
    assert kit_roster.take(store, second, authority, keys.verify).technician(sari.kid()) is None
    with pytest.raises(kit_roster.RosterError) as refused:
        kit_roster.take(store, first, authority, keys.verify)
    assert refused.value.code == kit_roster.OLDER_ROSTER
    held = kit_roster.load(store, authority, keys.verify)
    assert held is not None and held.technician(sari.kid()) is None


def test_a_revoked_technician_is_on_no_roster_and_cannot_be_taken_back(office):
    sari = load_private(office / "keys/technicians/CONTOH SARI.key.pem")
    words = ("--authority", office / "keys", "--region", 1607, "--reason", "secret")
    run("authority", "revoke", *words, "--key", sari.kid().hex(), "--since", "2024-11-20")
    assert names(sign(office)) == ["CONTOH BUDI"]
    assert names(sign(office, "--take-back", "CONTOH SARI")) == ["CONTOH BUDI"]
    result = add(office, "technician", "CONTOH LAGI", "--public",
                 office / "keys/technicians/CONTOH SARI.pub.pem", code=2)  # fmt: skip
    assert "this is the key of technician CONTOH SARI" in result.stderr


def test_an_altered_earlier_roster_stops_the_next(office):
    sign(office)
    path = office / "keys" / "rosters" / "roster-1607-1.cbor"
    path.write_bytes(path.read_bytes().replace(b"SARI", b"SIRA"))
    assert "was altered" in sign(office, code=1).stderr


def test_key_files_are_pkcs8_for_their_owner_under_his_passphrase(office):
    secret = office / "secret"
    secret.write_text("correct horse\n")
    add(office, "technician", "CONTOH ANI", "--passphrase-file", secret)
    path = office / "keys" / "technicians" / "CONTOH ANI.key.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    command = ["openssl", "pkey", "-in", str(path), "-passin", f"file:{secret}", "-pubout"]
    public = subprocess.run(command, capture_output=True, check=True).stdout
    assert public == path.with_name("CONTOH ANI.pub.pem").read_bytes()
    line = (office / "keys" / "ceremony.log").read_text().splitlines()[-1]
    der = ["openssl", "pkey", "-pubin", "-in", str(path.with_name("CONTOH ANI.pub.pem"))]
    der += ["-outform", "DER"]
    digest = record.sha256(subprocess.run(der, capture_output=True, check=True).stdout).hex()
    kid = load_private(path, b"correct horse").kid().hex()
    assert "key of technician CONTOH ANI made, encrypted with a passphrase" in line
    assert line.endswith(f"key id {kid}\tsha256:{digest}")


def test_a_passphrase_for_a_person_s_key_is_typed_twice(office):
    words = ("provision", "authority", "technician", "CONTOH ANI", "--authority", office / "keys")
    code, seen = saksi(*words, typed=["correct horse", "correct horse"])
    assert code == 0 and "hand over" in seen, seen
    path = office / "keys" / "technicians" / "CONTOH ANI.key.pem"
    assert load_private(path, b"correct horse")


def test_a_person_may_bring_his_own_public_key(office):
    own = office / "own.pem"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", own],
                   check=True)  # fmt: skip
    subprocess.run(["openssl", "pkey", "-in", own, "-pubout", "-out", office / "p.pem"], check=True)
    add(office, "releaser", "CONTOH ANI", "--public", office / "p.pem")
    assert not (office / "keys" / "releasers" / "CONTOH ANI.key.pem").exists()
    wanted = load_private(own).kid().hex()
    assert wanted in json.loads(sign(office).stdout)["releasers"]
    assert "taken over, made elsewhere" in (office / "keys" / "ceremony.log").read_text()


def test_a_name_or_a_key_is_nobody_s_twice(office):
    assert "is a technician already" in add(office, "releaser", "Contoh Sari", code=2).stderr
    for taken, whose in (
        ("technicians/CONTOH SARI.pub.pem", "technician CONTOH SARI"),
        ("signing.cert.pem", "the authority's own key"),
    ):
        words = ("--public", office / "keys" / taken)
        assert whose in add(office, "releaser", "CONTOH ANI", *words, code=2).stderr
    for name in ("../x", ".hidden", "a/b", "", "x" * 65, "CONTOH\nANI", "-"):
        with pytest.raises(people.PeopleError):
            people.check_new(office / "keys", "technician", name)
    assert len(people.everyone(office / "keys")) == 4


def test_only_the_authority_s_roster_verifies(authority, stranger):
    raw, key = build(authority.signing), authority.signing.public_key()
    assert verify_roster(raw, key).technicians == [["CONTOH SARI", KEYS[0]]]
    for bad, reason in (
        (raw.replace(b"SARI", b"SIRA"), "altered"),
        (build(stranger.signing), "not this authority's"),
        (raw[:-1], "not a signed roster"),
        (record.assemble([33, 1, 1607, 5, []], authority.signing.kid(), authority.signing.sign),
         "another kind"),
    ):  # fmt: skip
        with pytest.raises(RosterError, match=reason):
            verify_roster(bad, key)
    with pytest.raises(RosterError, match="region 1607, not 1608"):
        verify_roster(raw, key, 1608)
    with pytest.raises(RosterError, match="2 is already known"):
        verify_roster(raw, key, 1607, 2)


def test_what_no_kit_should_get_is_not_signed(authority):
    twice = [("CONTOH SARI", KEYS[0]), ("CONTOH SARI", KEYS[2])]
    crowd = [(f"CONTOH {n:02d}", SoftwareKey.generate().public_key()) for n in range(60)]
    for changes, reason in (
        ({"until": NOW}, "old before"),
        ({"technicians": []}, "no technician"),
        ({"technicians": twice}, "twice"),
        ({"releasers": [KEYS[0]]}, "twice"),
        ({"releasers": [b"\x01" * 64]}, "not a P-256 key"),
        ({"technicians": [("", KEYS[0])]}, "Field technicians"),
        ({"technicians": crowd}, "takes 4000"),
    ):
        with pytest.raises(RosterError, match=reason):
            build(authority.signing, **changes)


def test_a_roster_of_forty_people_goes_over_the_cable(authority):
    crowd = [(f"CONTOH TEKNISI {n:02d}", SoftwareKey.generate().public_key()) for n in range(38)]
    raw = build(authority.signing, technicians=crowd, releasers=KEYS[:2])
    from firmware.serial_link import MAX_LINE

    assert len(b"SAKSI ROSTER \n") + 2 * len(raw) <= MAX_LINE
    assert len(b"SAKSI ROSTER \n") + 2 * roster.MOST <= MAX_LINE


def test_a_roster_past_its_time_is_old_not_wrong(office):
    issued = datetime(2024, 1, 1, tzinfo=UTC)
    authority = Authority(office / "keys", 1607, clock=lambda: issued)
    _, path, _ = roster_next.next_roster(authority, int(issued.timestamp()) + 86400)
    result = run("authority", "roster", "show", path, "--signed-by",
                 office / "keys/signing.cert.pem", "--json")  # fmt: skip
    assert json.loads(result.stdout)["stale"] is True


def test_dates_are_taken_only_when_they_cannot_be_misread(office):
    words = ("--authority", office / "keys", "--region", 1607, "--out", office / "out")
    for date, reason in (("2041-01-01T10:00", "in which zone"), ("tomorrow", "write a date")):
        result = run("authority", "roster", *words, "--until", date, code=2)
        assert reason in result.stderr
    assert (
        "old before" in run("authority", "roster", *words, "--until", "2024-01-01", code=1).stderr
    )
    assert "are needed" in run("authority", "roster", *words, code=2).stderr
