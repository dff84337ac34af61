"""Revoked keys: the signed list, which only grows, and the CRL, which OpenSSL reads."""

import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from firmware import record
from host_tools.provision import revoked
from host_tools.provision.authority import Authority, AuthorityError
from host_tools.provision.keys import SoftwareKey
from host_tools.provision.revocation import (
    RevocationError,
    build_revocation,
    load_revocation,
    verify_revocation,
)
from tests.host_tools.provision.test_command import run
from tests.host_tools.provision.test_requests import request

A, B, C = b"\x0a" * 8, b"\x0b" * 8, b"\x0c" * 8


class Office(Authority):
    """With the keys of its kits: {(kit id, training): SoftwareKey}."""

    kits: dict


@pytest.fixture
def office(tmp_path):
    """An authority and two kits, each with a live and a training key."""
    authority = Office.create(tmp_path / "keys", 1607, "CONTOH")
    authority.kits = {}
    for kit in ("KIT-0001", "KIT-0002"):
        for training in (False, True):
            key = SoftwareKey.generate()
            authority.kits[kit, training] = key
            authority.issue_device(request(key, kit, training), kit, training)
    return authority


def revoke(office, *words, reason="lost", since="2024-11-20", code=0):
    place = ("--authority", office.folder, "--region", 1607)
    words = (*words, "--reason", reason, "--since", since)
    return run("authority", "revoke", *place, *words, "--json", code=code)


def kid(office, kit, training=False) -> str:
    return office.kits[kit, training].kid().hex()


def listed(result) -> list[str]:
    return sorted(row["kid"] for row in json.loads(result.stdout)["keys"])


def openssl(*words, **how):
    command = ["openssl", *[str(word) for word in words]]
    return subprocess.run(command, capture_output=True, text=True, check=False, **how)


def accepted(office, kit, training=False) -> bool:
    """What `openssl verify -crl_check` says of a kit's certificate."""
    folder = office.folder
    der = (folder / "issued" / f"{kid(office, kit, training)}.der").read_bytes()
    path = folder.parent / "device.pem"
    path.write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    chain = ("-CAfile", folder / "root.cert.pem", "-untrusted", folder / "region-1607.cert.pem")
    crl = ("-crl_check", "-CRLfile", folder / "region-1607.crl.pem")
    done = openssl("verify", "-x509_strict", *chain, *crl, path)
    assert done.returncode == 0 or "certificate revoked" in done.stderr, done.stderr
    return done.returncode == 0


def test_a_lost_kit_is_on_the_list_with_both_its_keys(office):
    result = revoke(office, "--kit", "KIT-0001")
    assert listed(result) == sorted(kid(office, "KIT-0001", mode) for mode in (False, True))
    path = office.folder / "revocations" / "revocation-1607-1.cbor"
    made = load_revocation(path, office.signing.public_key(), 1607)
    assert [row[2] for row in made.rows()] == [1, 1]
    # A day begins in the east of the country.
    since = datetime(2024, 11, 19, 15, 0, tzinfo=UTC)
    assert made.rows()[0][1] == int(since.timestamp())
    shown = run("authority", "revocation", "show", path, "--signed-by",
                office.folder / "signing.cert.pem").stdout  # fmt: skip
    assert "valid: region 1607, version 1" in shown
    assert f"{kid(office, 'KIT-0001')}  lost since 2024-11-19 15:00 UTC" in shown
    assert "revocation of region 1607 v1 signed" in (office.folder / "ceremony.log").read_text()


def test_each_version_holds_the_earlier_ones(office):
    first = listed(revoke(office, "--kit", "KIT-0001"))
    second = revoke(office, "--key", kid(office, "KIT-0002"), reason="broken")
    assert listed(second) == sorted([*first, kid(office, "KIT-0002")])
    assert json.loads(second.stdout)["version"] == 2
    assert len(list((office.folder / "revocations").iterdir())) == 2


def test_the_same_again_signs_nothing_new_but_the_crl(office):
    revoke(office, "--kit", "KIT-0001")
    (office.folder / "region-1607.crl.pem").unlink()
    assert json.loads(revoke(office, "--kit", "KIT-0001").stdout)["version"] == 1
    assert not accepted(office, "KIT-0001")


def test_a_key_is_believed_for_a_shorter_time_only(office):
    key = ("--key", kid(office, "KIT-0001"))

    def row(result):
        return json.loads(result.stdout)["keys"][0]

    first = row(revoke(office, *key, reason="unused"))
    later = row(revoke(office, *key, since="2024-11-25"))
    assert later["since"] == first["since"] and later["reason"] == "lost"
    earlier = row(revoke(office, *key, reason="unused", since="2024-11-01"))
    assert earlier["since"] < first["since"] and earlier["reason"] == "lost"


def test_openssl_accepts_the_crl_and_refuses_the_revoked_kit_only(office):
    folder = office.folder
    run("authority", "crl", "--authority", folder, "--region", 1607)
    assert accepted(office, "KIT-0001") and accepted(office, "KIT-0002")
    revoke(office, "--kit", "KIT-0001")
    crl = folder / "region-1607.crl.pem"
    done = openssl("crl", "-in", crl, "-verify", "-CAfile", folder / "region-1607.cert.pem",
                   "-noout")  # fmt: skip
    assert done.returncode == 0 and "verify OK" in done.stderr
    done = openssl("crl", "-in", crl, "-verify", "-CAfile", folder / "root.cert.pem", "-noout")
    assert "verify OK" not in done.stderr
    assert not accepted(office, "KIT-0001") and not accepted(office, "KIT-0001", True)
    assert accepted(office, "KIT-0002")


def test_the_crl_says_why_and_is_due_again(office):
    revoke(office, "--key", kid(office, "KIT-0001"), "--days", 7, reason="secret")
    revoke(office, "--key", kid(office, "KIT-0002"), "--days", 7, reason="broken")
    crl = x509.load_pem_x509_crl((office.folder / "region-1607.crl.pem").read_bytes())
    reasons = sorted(
        entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value for entry in crl
    )
    assert reasons == ["cessationOfOperation", "keyCompromise"]
    due = crl.next_update_utc
    assert due is not None and due - crl.last_update_utc == timedelta(days=7, hours=1)
    assert crl.issuer == office.regional_certificate.subject


def test_a_revoked_key_gets_no_certificate_again(office):
    key = office.kits["KIT-0001", False]
    again = request(key, "KIT-0001")
    held = office.issue_device(again, "KIT-0001", False)
    revoke(office, "--key", kid(office, "KIT-0001"))
    with pytest.raises(AuthorityError, match="is revoked: this kit must not be used"):
        office.issue_device(again, "KIT-0001", False)
    with pytest.raises(AuthorityError, match="is revoked"):
        Authority(office.folder, 1607).issue_device(again, "KIT-0001", False)
    other = request(office.kits["KIT-0001", True], "KIT-0001", True)
    assert office.issue_device(other, "KIT-0001", True) != held


def test_a_key_revoked_in_one_region_gets_no_certificate_in_another(office):
    root = office.folder / "offline" / "root.key.pem"
    other = Authority.add_region(office.folder, 1608, "CONTOH TIMUR", root)
    words = ("--authority", office.folder, "--region", 1608, "--reason", "lost")
    words += ("--key", kid(office, "KIT-0001"), "--since", "2024-11-20")
    assert "certified in another region" in run("authority", "revoke", *words, code=1).stderr
    revoke(office, "--kit", "KIT-0001")
    with pytest.raises(AuthorityError, match="is revoked"):
        other.issue_device(request(office.kits["KIT-0001", False]), "KIT-0001", False)


def test_a_request_sent_again_for_another_board_or_kit_is_refused(office):
    key = office.kits["KIT-0001", False]
    with pytest.raises(AuthorityError, match="already certified for another kit or mode"):
        office.issue_device(request(key, serial="0123FFFFFFFFFFFFEE"), "KIT-0001", False)
    with pytest.raises(AuthorityError, match="the request is not for"):
        office.issue_device(request(key), "KIT-0002", False)


def test_when_the_list_was_altered_no_certificate_is_given(office):
    revoke(office, "--kit", "KIT-0001")
    path = office.folder / "revocations" / "revocation-1607-1.cbor"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(RevocationError, match="altered"):
        office.issue_device(request(), "KIT-0001", False)
    assert "altered" in revoke(office, "--kit", "KIT-0002", code=1).stderr


def test_an_earlier_list_under_a_later_name_is_refused(office):
    revoke(office, "--kit", "KIT-0001")
    folder = office.folder / "revocations"
    (folder / "revocation-1607-2.cbor").write_bytes(
        (folder / "revocation-1607-1.cbor").read_bytes()
    )
    with pytest.raises(RevocationError, match="version 1, but 2 is already known"):
        office.revoked_kids()


def test_a_mistyped_key_or_kit_is_not_taken_for_revoked(office):
    for words, reason in (
        (("--key", "00" * 8), "is nobody's here"),
        (("--key", "00"), "not a key id"),
        (("--kit", "KIT-0009"), "has no certificate"),
        ((), "one of them"),
        (("--kit", "KIT-0001", "--key", "00" * 8), "one of them"),
    ):
        assert reason in revoke(office, *words, code=1).stderr
    future = revoke(office, "--kit", "KIT-0001", since="2099-01-01", code=1)
    assert "still to come" in future.stderr
    assert not (office.folder / "revocations").exists()
    assert revoked.kids(office.folder, office.signing.public_key()) == set()


def test_a_copy_to_hand_out_never_replaces_another(office):
    out = office.folder.parent / "out"
    first = json.loads(revoke(office, "--kit", "KIT-0001", "--out", out).stdout)
    held = office.folder / "revocations" / "revocation-1607-1.cbor"
    assert (out / held.name).read_bytes() == held.read_bytes()
    assert first["revocation"] == str(out / held.name)
    (out / held.name).write_bytes(b"another")
    refused = revoke(office, "--kit", "KIT-0001", "--out", out, code=1)
    assert "another revocation" in refused.stderr
    assert (out / held.name).read_bytes() == b"another"


def build(signer, version=1, rows=((A, 5, 1),), previous=None, region=1607) -> bytes:
    return build_revocation(
        version=version, region=region, issued=10, rows=rows, signer=signer, previous=previous
    )


def test_only_the_authority_s_list_verifies(authority, stranger):
    key = authority.signing.public_key()
    raw = build(authority.signing, rows=[(B, 5, 2), (A, 6, 4)])
    assert verify_revocation(raw, key).kids() == [A, B]
    assert verify_revocation(raw, key).since(A) == 6
    assert verify_revocation(raw, key).since(C) is None
    other = record.assemble(
        [38, 1, 1607, 5, 6, [], []], authority.signing.kid(), authority.signing.sign
    )
    for bad, reason in (
        (raw.replace(A, C), "altered"),
        (build(stranger.signing), "not this authority's"),
        (raw[:-1], "not a signed revocation"),
        (other, "kind 38, not a revocation"),
    ):
        with pytest.raises(RevocationError, match=reason):
            verify_revocation(bad, key)
    with pytest.raises(RevocationError, match="region 1607, not 1608"):
        verify_revocation(raw, key, 1608)
    with pytest.raises(RevocationError, match="2 is already known"):
        verify_revocation(raw, key, 1607, 2)


def test_a_list_out_of_form_is_neither_signed_nor_read(authority):
    signer = authority.signing
    for rows, reason in (
        ([[A, 5, 1], [A, 6, 1]], "on it twice"),
        ([[A, 5, 9]], "reason 9 is unknown"),
        ([[A, 11, 1]], "still to come"),
    ):
        with pytest.raises(RevocationError, match=reason):
            build(signer, rows=rows)
        raw = record.assemble([33, 1, 1607, 10, rows], signer.kid(), signer.sign)
        with pytest.raises(RevocationError, match=reason):
            verify_revocation(raw, signer.public_key())
    unsorted = record.assemble([33, 1, 1607, 10, [[B, 5, 1], [A, 5, 1]]], signer.kid(), signer.sign)
    with pytest.raises(RevocationError, match="not sorted"):
        verify_revocation(unsorted, signer.public_key())


def test_no_next_version_forgives_a_key(authority):
    key, signer = authority.signing.public_key(), authority.signing
    held = verify_revocation(build(signer), key)
    for rows in ([(B, 5, 1)], [(A, 6, 1)], []):
        with pytest.raises(RevocationError, match="believed again"):
            build(signer, 2, rows, held)
    for version, region in ((1, 1607), (0, 1607), (2, 1608), (2, 1606)):
        with pytest.raises(RevocationError, match="does not follow"):
            build(signer, version, [(A, 5, 1)], held, region)
    assert build(signer, 2, [(A, 4, 1), (B, 5, 1)], held)
