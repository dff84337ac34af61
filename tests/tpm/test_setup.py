"""The Setup role on a TPM: made once, resumed after any cut, closed for good, nobody else's."""

import secrets

import pytest
import tpm2_pytss as tss

from firmware.drivers import PartError
from firmware.drivers.atecc608_setup import E_AUTHORITY, E_FOREIGN, E_UNLOCKED
from firmware.drivers.tpm2 import TPM2
from firmware.drivers.tpm2_link import (
    AUTHORITY,
    COUNTERS,
    E_BOOT,
    E_FAMILY,
    E_SECRET,
    E_SILENT,
    KEYS,
    LAYOUT,
    RC_NV_LOCKED,
    SRK,
)
from firmware.drivers.tpm2_setup import Setup
from tests.tpm.conftest import Kit
from tests.tpm.swtpm import code
from tests.tpm.test_signer import DIGEST, refusal, verify

# EvictControl, NV_DefineSpace, NV_Increment, NV_Write, NV_WriteLock, HierarchyChangeAuth: all that
# a setup changes for good, in this order.
CHANGES = [0x120] * 3 + [0x12A] * 4 + [0x134] * 2 + [0x137, 0x138, 0x129]


def made(kit) -> set[str]:
    """Persistent handles and NV indices, as tpm2-tools see them."""
    kit.live.link.close()
    said = [kit.tpm.tool("tpm2_getcap", f"handles-{what}") for what in ("persistent", "nv-index")]
    return {line[2:].strip() for done in said for line in done.stdout.decode().splitlines()}


def is_whole(kit) -> None:
    assert kit.setup.locked() == (True, True)
    for signer in (kit.live, kit.training):
        verify(signer.public_key(), DIGEST, signer.sign(DIGEST))
        assert [signer.count(), signer.count_up(), signer.count()] == [0, 1, 1]
    assert kit.live.public_key() != kit.training.public_key()
    handles = (SRK, *KEYS, *COUNTERS, AUTHORITY, LAYOUT)
    assert made(kit) == {f"0x{handle:X}" for handle in handles}
    assert kit.secret.stat().st_mode & 0o777 == 0o600


def test_a_blank_tpm_is_set_up_once_and_again_changes_nothing(blank):
    assert blank.setup.locked() == (False, False)
    assert blank.live.revision() == b"IBM\x00"
    blank.setup.configure()
    keys = blank.live.public_key(), blank.training.public_key()
    secret = blank.secret.read_bytes()
    changed = [code(command) for command, _ in blank.tpm.frames if code(command) in CHANGES]
    assert changed == CHANGES
    blank.setup.configure()
    assert (blank.live.public_key(), blank.training.public_key()) == keys
    assert blank.secret.read_bytes() == secret
    is_whole(blank)


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_a_setup_whose_power_went_after_a_change_is_resumed(blank, number):
    changes = []

    def exchange(command):
        answer = blank.tpm.ask(command)
        if code(command) in CHANGES:
            changes.append(command)
            if len(changes) == number + 1:
                blank.tpm.kill()
                return None
        return answer

    blank.tpm.exchange = exchange
    assert refusal(blank.setup.configure) == E_SILENT
    blank.tpm.exchange = blank.tpm.ask
    blank.tpm.start()
    assert blank.setup.locked() == (number >= 10, number >= 11)
    blank.setup.configure()
    is_whole(blank)


def test_a_setup_that_is_cut_before_its_every_command_is_resumed(blank):
    """The run after a cut goes on from there, and gets one command further each time."""
    at = 0
    while True:
        seen = []

        def exchange(command, at=at, seen=seen):
            if len(seen) == at:
                blank.tpm.kill()
                return None
            seen.append(command)
            return blank.tpm.ask(command)

        blank.tpm.exchange = exchange
        try:
            blank.setup.configure()
            break
        except PartError as error:
            assert error.code == E_SILENT
        blank.live.link.close()
        blank.tpm.start()
        at += 1
    blank.tpm.exchange = blank.tpm.ask
    assert at > 40
    is_whole(blank)


@pytest.mark.parametrize("handle", [SRK, *KEYS])
def test_another_key_at_one_of_its_handles_is_left_alone(blank, tmp_path, handle):
    context = tmp_path / "key"
    blank.tpm.tool("tpm2_createprimary", "-c", context, "-G", "ecc")
    blank.tpm.tool("tpm2_evictcontrol", "-c", context, hex(handle))
    before = made(blank)
    assert refusal(blank.setup.configure) == E_FOREIGN
    assert made(blank) == before == {f"0x{handle:X}"}
    assert not blank.secret.exists()


@pytest.mark.parametrize("index", [*COUNTERS, AUTHORITY, LAYOUT])
def test_another_index_at_one_of_its_handles_is_left_alone(blank, index):
    blank.tpm.tool("tpm2_nvdefine", hex(index), "-s", "64", "-a", "ownerread|ownerwrite")
    assert refusal(blank.setup.configure) == E_FOREIGN
    assert made(blank) == {f"0x{index:X}"}
    assert not blank.secret.exists()


def test_a_tpm_that_has_an_owner_is_left_alone(blank):
    blank.tpm.tool("tpm2_changeauth", "-c", "owner", "somebody")
    assert blank.setup.locked() == (False, True)
    assert refusal(blank.setup.configure) == E_FOREIGN
    assert made(blank) == set()


def test_a_secret_of_another_tpm_and_keys_without_their_secret_are_refused(kit, tmp_path):
    other = Kit(tmp_path / "other")
    try:
        other.secret.write_bytes(kit.secret.read_bytes())
        assert refusal(other.setup.configure) == E_SECRET
    finally:
        other.close()
    kit.live.link.close()
    kit.secret.unlink()
    assert refusal(kit.live.public_key) == E_SECRET
    assert refusal(kit.live.sign, DIGEST) == E_SECRET
    assert kit.setup.locked() == (True, True)


def test_a_setup_that_goes_on_in_another_boot_says_so(blank):
    def exchange(command):
        return None if code(command) == CHANGES[3] else blank.tpm.ask(command)

    blank.tpm.exchange = exchange
    assert refusal(blank.setup.configure) == E_SILENT
    blank.tpm.exchange = blank.tpm.ask
    blank.live.link.close()
    blank.tpm.tool("tpm2_pcrextend", f"0:sha256={'22' * 32}")
    assert refusal(blank.setup.configure) == E_BOOT
    blank.tpm.restart()
    blank.setup.configure()
    is_whole(blank)


def test_the_registers_that_tell_the_boot_can_be_chosen(tmp_path):
    kit = Kit(tmp_path / "kit")
    try:
        chosen = TPM2(kit.tpm.tcti, str(kit.secret), pcrs=(10,))
        Setup(chosen).configure()
        chosen.link.close()
        assert refusal(kit.live.sign, DIGEST) == E_BOOT  # it looks at 0 to 7
        kit.live.link.close()
        kit.tpm.tool("tpm2_pcrextend", f"0:sha256={'11' * 32}")
        verify(chosen.public_key(), DIGEST, chosen.sign(DIGEST))
        chosen.link.close()
        kit.tpm.tool("tpm2_pcrextend", f"10:sha256={'11' * 32}")
        assert refusal(chosen.sign, DIGEST) == E_BOOT
        chosen.link.close()
    finally:
        kit.close()


def test_the_authoritys_key_is_written_once(blank):
    first, second = secrets.token_bytes(64), secrets.token_bytes(64)
    assert refusal(blank.setup.set_authority_key, first) == E_UNLOCKED
    blank.setup.configure()
    assert blank.setup.authority_key() is None
    blank.setup.set_authority_key(first)
    blank.setup.set_authority_key(first)
    assert refusal(blank.setup.set_authority_key, second) == E_AUTHORITY
    blank.tpm.restart()
    assert blank.setup.authority_key() == first
    link = blank.live.link
    index = link.opened(AUTHORITY)  # with every right that the kit has
    with pytest.raises(tss.TSS2_Exception) as caught:
        link.esys.nv_write(index, second, 0, index, session1=link.session())
    assert caught.value.rc == RC_NV_LOCKED
    assert blank.setup.authority_key() == first


def test_a_cut_while_the_authoritys_key_is_written_is_resumed(kit):
    key = secrets.token_bytes(64)

    def exchange(command):
        answer = kit.tpm.ask(command)
        if code(command) != CHANGES[9]:
            return answer
        kit.tpm.kill()
        return None

    kit.tpm.exchange = exchange
    assert refusal(kit.setup.set_authority_key, key) == E_SILENT
    kit.tpm.exchange = kit.tpm.ask
    kit.tpm.start()
    assert kit.setup.authority_key() is None
    kit.setup.set_authority_key(key)
    assert kit.setup.authority_key() == key


def test_the_owner_is_nobody_but_the_tpm_can_be_cleared_for_another_life(kit):
    old = kit.live.public_key()
    serial = kit.live.serial()
    kit.live.link.close()
    for command in (["tpm2_evictcontrol", "-c", hex(KEYS[0])], ["tpm2_nvundefine", hex(LAYOUT)]):
        assert kit.tpm.tool(*command, check=False).returncode == 1
    kit.tpm.tool("tpm2_clear")
    assert refusal(kit.setup.configure) == E_SECRET
    kit.secret.unlink()
    kit.setup.configure()
    is_whole(kit)
    assert kit.live.public_key() != old
    assert kit.live.serial() == serial


def test_what_is_no_tpm_2_is_refused(blank):
    def exchange(command):
        answer = blank.tpm.ask(command)
        return answer.replace(b"2.0\x00", b"1.2\x00") if answer else None

    blank.tpm.exchange = exchange
    assert refusal(blank.setup.configure) == E_FAMILY
    assert made(blank) == set()
