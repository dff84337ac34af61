"""The Setup role of enrolment, played by a TPM 2.0: keys, counters, the authority's key.

    81005A00  storage key         wraps the two below, salts the sessions
    81005A10  live signing key    made in the TPM: signs only, never leaves it
    81005A11  training signing key
    01805A20  live counter        goes up for ever (NV_Increment)
    01805A21  training counter
    01805A30  authority's public key, written once at enrolment, then locked
    01805A31  layout: version | where both counters began, 8 bytes each; written once, locked

A key signs when two things are true (PolicyPCR and PolicyAuthValue, both): the boot is the one of
the setup, and the kit has its secret, a file of 32 random bytes. The boot state alone would not do,
since a Raspberry Pi measures nothing unless its loader was told to, and all boots look alike then;
the secret alone would not, since whoever copies the card has it. So a TPM in another board does not
sign, nor a card beside another TPM, nor this kit with another system where boots are measured.

At last the owner's authorisation is set to random bytes that nobody keeps: keys and indices can no
more be removed or replaced, only TPM2_Clear away together. Run again after a power cut at any step,
`configure` goes on where it stopped. Commands and attributes: TCG TPM 2.0 Parts 2 and 3.
"""

import os

from firmware.drivers import const
from firmware.drivers.atecc608 import E_RANDOM, E_SIGNATURE
from firmware.drivers.atecc608_setup import E_AUTHORITY, E_FOREIGN, E_READ_BACK, E_UNLOCKED
from firmware.drivers.tpm2_link import (
    AUTHORITY,
    COUNTERS,
    E_BOOT,
    E_SECRET,
    KEYS,
    LAYOUT,
    SECRET,
    SRK,
    fault,
)

_VERSION = b"\x01"
_SIZES = {COUNTERS[0]: 8, COUNTERS[1]: 8, AUTHORITY: 64, LAYOUT: 17}
_PERMANENT = const(0x200)  # TPM2_PT_PERMANENT; bit 0 is ownerAuthSet


class Setup:
    """Setup of `chip` (a TPM2, any slot)."""

    def __init__(self, chip):
        self.chip = chip
        self.link = chip.link

    def locked(self):
        """(keys, counters and layout are fixed, nobody owns the TPM any more), as it says now."""
        return self.link.do(self._locked)

    def configure(self):
        """Make what is missing of the above and lock it; a PartError names the failed step."""
        self.link.close()  # what an earlier run began counts for nothing
        self.chip.revision()
        self.link.do(self._configure, tries=1)
        if not self.chip.random_is_live():
            raise fault(E_RANDOM)
        for slot in range(len(KEYS)):
            _prove(self.chip.with_key(slot, slot))
        self.link.do(self._disown, tries=1)
        if self.locked() != (True, True):
            raise fault(E_UNLOCKED)

    def authority_key(self):
        """64 B key of the authority, or None before enrolment."""
        return self.link.do(self._authority_key)

    def set_authority_key(self, key):
        """Write the key for good; the same again is no error, another is a PartError."""
        if len(key) != 64:
            raise ValueError("64 bytes expected")
        self.link.do(self._set_authority_key, key)

    def _locked(self):
        return self._is_fixed(LAYOUT), bool(self.link.property(_PERMANENT)[3] & 1)

    def _is_fixed(self, index):
        found = self.link.object(index)
        if found is None:
            return False
        attributes = self.link.esys.nv_read_public(found)[0].nvPublic.attributes
        return bool(attributes & self.link.tss.TPMA_NV.WRITELOCKED)

    def _configure(self):
        self._refuse_foreign()
        if not self._locked()[1]:
            self._make_storage_key()
            self._make_secret()
            policy = self._policy()
            for key in KEYS:
                self._make_key(key, policy)
            for index in _SIZES:
                self._define(index)
            self._fix_layout()

    def _refuse_foreign(self):
        """Before anything is made: what lies at our handles must be what this setup makes there."""
        link = self.link
        for handle in (SRK,) + KEYS:
            found = link.object(handle)
            wanted = self._storage_template() if handle == SRK else self._key_template(b"")
            if found is not None and not self._is_like(found, wanted):
                raise fault(E_FOREIGN)
        for index in _SIZES:
            found = link.object(index)
            if found is not None:
                held = link.esys.nv_read_public(found)[0].nvPublic
                made = self._public_index(index).nvPublic
                used = link.tss.TPMA_NV.WRITTEN | link.tss.TPMA_NV.WRITELOCKED
                held.attributes = held.attributes & ~used
                if held.marshal() != made.marshal():
                    raise fault(E_FOREIGN)
        if self._locked() == (False, True):
            raise fault(E_FOREIGN)  # somebody else's TPM

    def _is_like(self, found, wanted):
        held = self.link.esys.read_public(found)[0].publicArea
        wanted = wanted.publicArea
        held.authPolicy = wanted.authPolicy = b""
        held.unique.ecc = wanted.unique.ecc
        return held.marshal() == wanted.marshal()

    def _storage_template(self):
        flags = self.link.tss.TPMA_OBJECT
        made = flags.FIXEDTPM | flags.FIXEDPARENT | flags.SENSITIVEDATAORIGIN | flags.NODA
        use = flags.USERWITHAUTH | flags.RESTRICTED | flags.DECRYPT
        return self.link.tss.TPM2B_PUBLIC.parse("ecc256:aes128cfb", made | use)

    def _key_template(self, policy):
        flags = self.link.tss.TPMA_OBJECT
        # Without USERWITHAUTH the policy is the only way to a signature.
        made = flags.FIXEDTPM | flags.FIXEDPARENT | flags.SENSITIVEDATAORIGIN | flags.NODA
        kind = "ecc256:ecdsa-sha256:null"
        template = self.link.tss.TPM2B_PUBLIC.parse(kind, made | flags.SIGN_ENCRYPT)
        template.publicArea.authPolicy = policy
        return template

    def _make_storage_key(self):
        if self.link.object(SRK) is None:
            made = self.link.esys.create_primary(None, self._storage_template())
            self._keep(made[0], SRK, self.link.tss.ESYS_TR.PASSWORD)

    def _keep(self, key, handle, session):
        esys = self.link.esys
        try:
            esys.evict_control(self.link.tss.ESYS_TR.OWNER, key, handle, session1=session)
        finally:
            self.link.flush(esys, key)

    def _make_secret(self):
        link = self.link
        if not _exists(link.secret):
            if link.object(KEYS[0]) is not None:
                raise fault(E_SECRET)
            srk = link.object(SRK)
            session = link.begin(srk, link.tss.TPM2_SE.HMAC)
            try:
                value = bytes(link.esys.get_random(SECRET, session1=session))
            finally:
                link.flush(link.esys, session)
            if len(value) != SECRET or value == value[:1] * SECRET:
                raise fault(E_RANDOM)
            _replace(link.secret, value + bytes(link.esys.tr_get_name(srk)))
        link.session()  # E_SECRET when the file is of another TPM

    def _policy(self):
        link = self.link
        trial = link.begin(link.object(SRK), link.tss.TPM2_SE.TRIAL)
        try:
            link.promise(trial, self.chip.pcrs)
            return bytes(link.esys.policy_get_digest(trial, session1=link.session()))
        finally:
            link.flush(link.esys, trial)

    def _make_key(self, handle, policy):
        link, tss = self.link, self.link.tss
        session = link.session()
        found = link.object(handle)
        if found is None:
            auth = tss.TPMS_SENSITIVE_CREATE(userAuth=link.read_secret()[0])
            private, public, *_ = link.esys.create(
                link.object(SRK),
                tss.TPM2B_SENSITIVE_CREATE(auth),
                self._key_template(policy),
                session1=session,
            )
            key = link.esys.load(link.object(SRK), private, public, session1=session)
            self._keep(key, handle, session)
            found = link.object(handle)
        held = link.esys.read_public(found, session1=session)[0].publicArea
        if bytes(held.authPolicy) != policy:
            raise fault(E_BOOT)

    def _public_index(self, index):
        tss = self.link.tss
        flags = tss.TPMA_NV
        attributes = flags.AUTHREAD | flags.AUTHWRITE | flags.NO_DA
        if index in COUNTERS:
            attributes |= tss.TPM2_NT.COUNTER << tss.TPMA_NV.TPM2_NT_SHIFT
        else:
            attributes |= flags.WRITEDEFINE
        return tss.TPM2B_NV_PUBLIC(
            tss.TPMS_NV_PUBLIC(
                nvIndex=index,
                nameAlg=tss.TPM2_ALG.SHA256,
                attributes=attributes,
                dataSize=_SIZES[index],
            )
        )

    def _define(self, index):
        link = self.link
        if link.object(index) is None:
            auth = link.read_secret()[0]
            link.esys.nv_define_space(auth, self._public_index(index), session1=link.session())

    def _fix_layout(self):
        """Note where the counters begin: a new one starts beyond all that the TPM ever had."""
        if self._is_fixed(LAYOUT):
            return
        link = self.link
        layout = _VERSION
        for index in COUNTERS:
            found = link.opened(index)
            if (
                not link.esys.nv_read_public(found)[0].nvPublic.attributes
                & link.tss.TPMA_NV.WRITTEN
            ):
                link.esys.nv_increment(found, found, session1=link.session())
            layout += self.chip.read(index, 8)
        self._fix(LAYOUT, layout)

    def _fix(self, index, data):
        link = self.link
        found = link.opened(index)
        link.esys.nv_write(found, data, 0, found, session1=link.session())
        if self.chip.read(index, len(data)) != data:
            raise fault(E_READ_BACK)
        link.esys.nv_write_lock(found, found, session1=link.session())

    def _disown(self):
        if not self._locked()[1]:
            link = self.link
            nobody = bytes(link.esys.get_random(SECRET, session1=link.session()))
            owner = link.tss.ESYS_TR.OWNER
            link.esys.hierarchy_change_auth(owner, nobody, session1=link.session())

    def _authority_key(self):
        if not self._is_fixed(AUTHORITY):
            return None
        return self.chip.read(AUTHORITY, 64)

    def _set_authority_key(self, key):
        if self._locked() != (True, True):
            raise fault(E_UNLOCKED)
        if not self._is_fixed(AUTHORITY):
            self._fix(AUTHORITY, key)
        if self.chip.read(AUTHORITY, 64) != key:
            raise fault(E_AUTHORITY)


def _prove(signer):
    """A signature of its key must hold."""
    digest = signer.random(32)
    if not signer.verify(signer.public_key(), digest, signer.sign(digest)):
        raise fault(E_SIGNATURE)


def _exists(path):
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def _replace(path, data):
    """`data` at `path`, readable by the kit alone, on the medium before a key is made with it."""
    new = path + ".new"
    if _exists(new):
        os.remove(new)
    number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(number, data)
    os.fsync(number)
    os.close(number)
    os.rename(new, path)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
