"""The Signer role on a TPM: what it signs, counts and refuses, seen by others than its driver."""

import hashlib
import secrets
import shutil
import time

import pytest
import tpm2_pytss as tss
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from firmware import record
from firmware.drivers import PartError
from firmware.drivers.atecc608 import E_RANDOM
from firmware.drivers.tpm2_link import (
    COUNTERS,
    E_ALTERED,
    E_BOOT,
    E_SECRET,
    E_SILENT,
    KEYS,
)
from firmware.journal import Journal
from firmware.recorder import COUNTER_BEHIND, Recorder, RecorderError
from tests.tpm.conftest import Kit
from tests.tpm.swtpm import code

DIGEST = hashlib.sha256(b"CONTOH").digest()
NV_INCREMENT, NV_READ, GET_RANDOM, SIGN, VERIFY = 0x134, 0x14E, 0x17B, 0x15D, 0x177
LOAD_EXTERNAL, READ_PUBLIC = 0x167, 0x173
NV_RATE = bytes.fromhex("8001 0000000a 00000920")


def verify(key: bytes, digest: bytes, signature: bytes) -> None:
    """OpenSSL's opinion; InvalidSignature when it is against."""
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key)
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
    point.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(hashes.SHA256())))


def refusal(work, *args) -> int:
    with pytest.raises(PartError) as caught:
        work(*args)
    return caught.value.code


def test_a_signature_is_one_to_openssl_and_has_low_s(kit):
    for signer in (kit.live, kit.training):
        for _ in range(6):
            signature = signer.sign(DIGEST)
            verify(signer.public_key(), DIGEST, signature)
            assert int.from_bytes(signature[32:], "big") <= record.ORDER // 2
    with pytest.raises(InvalidSignature):
        verify(kit.live.public_key(), DIGEST, kit.training.sign(DIGEST))


def test_tpm2_tools_read_the_same_public_key_and_the_same_serial_number(kit, tmp_path):
    keys = [signer.public_key() for signer in (kit.live, kit.training)]
    serial = kit.live.serial()
    assert kit.training.serial() == serial and len(serial) == 9
    kit.live.link.close()
    for handle, key in zip(KEYS, keys, strict=True):
        pem = tmp_path / "key.pem"
        said = kit.tpm.tool("tpm2_readpublic", "-c", hex(handle), "-f", "pem", "-o", pem)
        assert b"value: fixedtpm|fixedparent|sensitivedataorigin|noda|sign\n" in said.stdout
        assert _point(serialization.load_pem_public_key(pem.read_bytes())) == key
    pem = tmp_path / "ek.pem"
    kit.tpm.tool("tpm2_createek", "-c", tmp_path / "ek", "-G", "ecc", "-f", "pem", "-u", pem)
    point = _point(serialization.load_pem_public_key(pem.read_bytes()))
    assert serial == b"T2" + hashlib.sha256(point).digest()[:7]


def _point(key) -> bytes:
    kind = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    return key.public_bytes(*kind)[1:]


def test_key_and_counters_are_the_same_after_a_power_cut(kit):
    before = kit.live.public_key(), kit.training.public_key(), kit.live.serial()
    for _ in range(3):
        kit.live.count_up()
    kit.training.count_up()
    kit.tpm.restart()
    assert (kit.live.public_key(), kit.training.public_key(), kit.live.serial()) == before
    assert (kit.live.count(), kit.training.count()) == (3, 1)
    verify(before[0], DIGEST, kit.live.sign(DIGEST))


def test_after_another_boot_it_signs_no_more_until_the_right_one(kit):
    kit.live.sign(DIGEST)
    kit.live.link.close()
    kit.tpm.tool("tpm2_pcrextend", f"4:sha256={'11' * 32}")
    assert refusal(kit.live.sign, DIGEST) == E_BOOT
    assert refusal(kit.training.sign, DIGEST) == E_BOOT
    kit.tpm.restart()
    kit.live.link.close()
    kit.tpm.tool("tpm2_pcrextend", f"8:sha256={'11' * 32}")  # not one of those that count
    verify(kit.live.public_key(), DIGEST, kit.live.sign(DIGEST))


def test_a_boot_that_changes_under_way_is_seen_at_once(kit):
    kit.live.sign(DIGEST)
    esys = kit.live.link.esys
    digests = tss.TPML_DIGEST_VALUES(
        [tss.TPMT_HA(hashAlg=tss.TPM2_ALG.SHA256, digest=tss.TPMU_HA(sha256=b"\x11" * 32))]
    )
    esys.pcr_extend(tss.ESYS_TR.PCR7, digests)
    assert refusal(kit.live.sign, DIGEST) == E_BOOT


def test_with_a_wrong_secret_it_neither_signs_nor_counts(kit):
    right = kit.secret.read_bytes()
    kit.secret.write_bytes(secrets.token_bytes(32) + right[32:])
    for work in (lambda: kit.live.sign(DIGEST), kit.live.count, kit.live.count_up):
        assert refusal(work) == E_SECRET
    for wrong in (right[:32], right[:32] + bytes(34), b""):
        kit.live.link.close()
        kit.secret.write_bytes(wrong)
        assert refusal(kit.live.sign, DIGEST) == E_SECRET
    kit.secret.write_bytes(right)
    assert kit.live.count() == 0
    verify(kit.live.public_key(), DIGEST, kit.live.sign(DIGEST))


def test_tpm2_tools_cannot_sign_with_half_of_what_is_needed(kit, tmp_path):
    kit.live.link.close()
    secret = "hex:" + kit.secret.read_bytes()[:32].hex()
    session = tmp_path / "session"
    sign = ["tpm2_sign", "-c", hex(KEYS[0]), "-g", "sha256", "-o", tmp_path / "made", "-d"]
    (tmp_path / "digest").write_bytes(DIGEST)
    only_the_secret = kit.tpm.tool(*sign, tmp_path / "digest", "-p", secret, check=False)
    assert only_the_secret.returncode == 1
    kit.tpm.tool("tpm2_startauthsession", "--policy-session", "-S", session)
    kit.tpm.tool("tpm2_policypcr", "-S", session, "-l", "sha256:0,1,2,3,4,5,6,7")
    half = kit.tpm.tool(*sign, tmp_path / "digest", "-p", f"session:{session}", check=False)
    assert half.returncode == 1 and b"policy check failed" in half.stderr
    kit.tpm.tool("tpm2_policyauthvalue", "-S", session)
    both = f"session:{session}+{secret}"
    kit.tpm.tool(*sign, tmp_path / "digest", "-p", both)
    kit.tpm.tool("tpm2_flushcontext", session)


def test_the_private_key_does_not_come_out(kit):
    kit.live.sign(DIGEST)
    link = kit.live.link
    key = link.opened(KEYS[0])
    none, any_kind = tss.ESYS_TR.NULL, tss.TPMT_SYM_DEF_OBJECT(algorithm=tss.TPM2_ALG.NULL)
    for session in (link.approved(kit.live.pcrs), tss.ESYS_TR.PASSWORD):
        with pytest.raises(tss.TSS2_Exception) as caught:
            link.esys.duplicate(key, none, b"", any_kind, session1=session)
        assert caught.value.rc & 0xFF0000 == 0  # the TPM's own word
    with pytest.raises(tss.TSS2_Exception):
        link.esys.unseal(key, session1=link.approved(kit.live.pcrs))


def test_a_counter_goes_up_by_one_and_never_back(kit):
    assert [kit.live.count_up() for _ in range(3)] == [1, 2, 3]
    assert kit.training.count() == 0
    kit.live.link.close()
    for index in COUNTERS:
        for owner in ("o", "p"):
            gone = kit.tpm.tool("tpm2_nvundefine", hex(index), "-C", owner, check=False)
            assert (gone.returncode == 0) == (owner == "p"), gone.stderr
    # Only the platform, which a Pi's system has not shut, can; the index is no more ours then.
    assert refusal(kit.live.count) == E_SECRET


@pytest.mark.parametrize("lost", ["command", "answer"])
def test_what_is_lost_on_the_way_is_counted_once(kit, lost):
    def exchange(command):
        if code(command) != NV_INCREMENT:
            return kit.tpm.ask(command)
        kit.tpm.exchange = kit.tpm.ask
        if lost == "answer":
            kit.tpm.ask(command)
        return None

    kit.tpm.exchange = exchange
    assert kit.live.count_up() == 1
    assert kit.live.count() == 1


def test_a_tpm_that_asks_for_patience_gets_it(kit):
    waited = []

    def exchange(command):
        if code(command) == NV_INCREMENT and len(waited) < 2:
            waited.append(command)
            return NV_RATE
        return kit.tpm.ask(command)

    kit.tpm.exchange = exchange
    assert kit.live.count_up() == 1
    assert len(waited) == 2


def test_a_kit_from_before_is_behind_its_journal(kit, tmp_path):
    journal = Journal(str(tmp_path / "journal"), bytes(32))
    Recorder(journal, kit.live, 202411, 1607012001001, lambda: 1_790_000_000).event(1, [])
    kit.live.link.close()
    kit.tpm.kill()
    shutil.copytree(kit.tpm.folder, tmp_path / "before")
    kit.tpm.start()
    recorder = Recorder(journal, kit.live, 202411, 1607012001001, lambda: 1_790_000_000)
    for _ in range(3):
        recorder.event(1, [])
    assert recorder.check_counter() == 4
    clone = Kit(kit.folder, tmp_path / "before")
    try:
        recorder = Recorder(journal, clone.live, 202411, 1607012001001, lambda: 1_790_000_000)
        assert clone.live.count() == 1
        with pytest.raises(RecorderError) as caught:
            recorder.event(1, [])
        assert caught.value.code == COUNTER_BEHIND
    finally:
        clone.close()


def test_it_verifies_as_openssl_does(kit):
    key = ec.generate_private_key(ec.SECP256R1())
    point = _point(key.public_key())
    signature = kit.live.sign(DIGEST)
    mine = kit.live.public_key()
    assert kit.live.verify(mine, DIGEST, signature) is True
    assert kit.live.verify(point, DIGEST, signature) is False
    assert kit.live.verify(mine, hashlib.sha256(b"other").digest(), signature) is False
    for odd in (bytes(64), b"\xff" * 64, signature[32:] + signature[:32]):
        assert kit.live.verify(mine, DIGEST, odd) is False
    for no_point in (bytes(64), b"\xff" * 64, b"\x01" * 64):
        assert kit.live.verify(no_point, DIGEST, signature) is False
    assert kit.live.verify_begin(mine, DIGEST, signature).poll() is True
    assert kit.live.verify_begin(point, DIGEST, signature).poll() is False
    with pytest.raises(ValueError, match="64 bytes"):
        kit.live.verify_begin(mine, DIGEST, signature[1:])


def test_nothing_is_left_loaded_in_the_tpm(kit):
    for _ in range(8):  # a TPM holds three objects and three sessions
        kit.live.verify(kit.live.public_key(), DIGEST, kit.live.sign(DIGEST))
        kit.live._serial = None
        kit.live.serial()
        kit.live.random(100)
    kit.live.link.close()
    for what in ("handles-transient", "handles-loaded-session", "handles-saved-session"):
        assert kit.tpm.tool("tpm2_getcap", what).stdout.strip() == b"", what


def test_who_listens_on_the_bus_does_not_learn_the_secret(blank):
    blank.setup.configure()
    blank.setup.set_authority_key(b"\x05" * 64)
    blank.live.count_up()
    blank.live.sign(DIGEST)
    number = blank.live.random(32)
    heard = b"".join(command + answer for command, answer in blank.tpm.frames)
    assert {SIGN, NV_INCREMENT, GET_RANDOM} <= {code(command) for command, _ in blank.tpm.frames}
    for private in (blank.secret.read_bytes()[:32], number, DIGEST):
        assert private not in heard
    # The ear works: a password in a plain session is heard.
    with tss.ESAPI(blank.tpm.tcti) as esys:
        plain = tss.TPMS_SENSITIVE_CREATE(userAuth=b"plain-password")
        made = esys.create_primary(tss.TPM2B_SENSITIVE_CREATE(plain), "ecc", tss.ESYS_TR.NULL)
        esys.flush_context(made[0])
    assert any(b"plain-password" in command for command, _ in blank.tpm.frames)


@pytest.mark.parametrize("command", [NV_READ, GET_RANDOM, READ_PUBLIC, SIGN, VERIFY, LOAD_EXTERNAL])
def test_an_answer_that_was_altered_on_the_bus_is_refused(kit, command):
    work = {
        NV_READ: kit.live.count,
        GET_RANDOM: lambda: kit.live.random(32),
        READ_PUBLIC: kit.live.public_key,
        SIGN: lambda: kit.live.sign(DIGEST),
    }.get(command, lambda: kit.live.verify(*signed))
    signed = kit.live.public_key(), DIGEST, kit.live.sign(DIGEST)

    def exchange(asked):
        answer = kit.tpm.ask(asked)
        # A ReadPublic outside of a session (tag 8001) is how ESAPI learns a handle's name.
        if code(asked) != command or asked[:2] == b"\x80\x01" or code(answer):
            return answer
        at = 24 if command != VERIFY else len(answer) - 40
        return answer[:at] + bytes([answer[at] ^ 1]) + answer[at + 1 :]

    kit.tpm.exchange = exchange
    assert refusal(work) == E_ALTERED
    kit.tpm.exchange = kit.tpm.ask
    if command == LOAD_EXTERNAL:
        kit.tpm.restart()  # the key stays loaded, its handle unknown: a resource manager frees it
    work()


def test_a_forged_yes_to_a_bad_signature_is_refused(kit):
    signed = [kit.live.public_key(), DIGEST, kit.live.sign(DIGEST)]
    yes = []

    def keep(command):
        answer = kit.tpm.ask(command)
        if code(command) == VERIFY:
            yes.append(answer)
        return answer

    kit.tpm.exchange = keep
    assert kit.live.verify(*signed) is True
    kit.tpm.exchange = lambda command: yes[0] if code(command) == VERIFY else kit.tpm.ask(command)
    assert refusal(kit.live.verify, signed[0], bytes(32), signed[2]) == E_ALTERED


def test_dead_random_numbers_are_noticed(kit, monkeypatch):
    assert kit.live.random_is_live()
    assert len({kit.live.random(32) for _ in range(8)}) == 8
    kit.live.random(1)
    esys = kit.live.link.esys
    monkeypatch.setattr(esys, "get_random", lambda n, **_: b"\xff" * n)
    assert refusal(kit.live.random, 32) == E_RANDOM
    assert kit.live.random_is_live() is False


def test_a_tpm_without_power_is_named_and_found_again(kit):
    kit.tpm.kill()
    for work in (kit.live.count, kit.live.public_key, kit.setup.locked):
        assert refusal(work) == E_SILENT
    kit.tpm.start()
    kit.live.self_test()


def test_a_signature_beside_a_bare_one(kit):
    """Run with -s for the figures."""
    key = kit.live.public_key()
    times = {"the kit's, salted and by policy": [], "bare tpm2-pytss, password": []}
    for _ in range(20):
        begun = time.perf_counter()
        signature = kit.live.sign(DIGEST)
        times["the kit's, salted and by policy"].append(time.perf_counter() - begun)
    verify(key, DIGEST, signature)
    kit.live.link.close()
    with tss.ESAPI(kit.tpm.tcti) as esys:
        flags = tss.TPMA_OBJECT
        wanted = flags.SIGN_ENCRYPT | flags.USERWITHAUTH | flags.SENSITIVEDATAORIGIN
        template = tss.TPM2B_PUBLIC.parse("ecc256:ecdsa-sha256:null", wanted)
        bare = esys.create_primary(None, template, tss.ESYS_TR.NULL)[0]
        scheme = tss.TPMT_SIG_SCHEME(scheme=tss.TPM2_ALG.NULL)
        ticket = tss.TPMT_TK_HASHCHECK(tag=tss.TPM2_ST.HASHCHECK, hierarchy=tss.TPM2_RH.NULL)
        for _ in range(20):
            begun = time.perf_counter()
            made = esys.sign(bare, DIGEST, scheme, ticket)
            times["bare tpm2-pytss, password"].append(time.perf_counter() - begun)
        assert made.sigAlg == tss.TPM2_ALG.ECDSA
        esys.flush_context(bare)
    for name, taken in times.items():
        print(f"\n{name}: {sorted(taken)[10] * 1000:.1f} ms in swtpm, the middle one of 20", end="")
