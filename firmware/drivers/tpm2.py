"""Signer: a P-256 key, a monotonic counter and random numbers in a TPM 2.0.

The same methods as the ATECC608's, so that nothing above knows which part signs. The private key
never leaves the TPM, and the TPM signs with it only in the boot state of its setup (PCRs) and for
who has the kit's secret: tpm2_setup says why both.
"""

import hashlib

from firmware.drivers import PartError, const
from firmware.drivers.atecc608 import E_RANDOM, E_SIGNATURE, low_s
from firmware.drivers.tpm2_link import (
    COUNTERS,
    E_ALTERED,
    E_FAMILY,
    E_REFUSED,
    E_SECRET,
    E_SILENT,
    KEYS,
    LAYOUT,
    RC_SIGNATURE,
    Link,
    fault,
)

PCRS = (0, 1, 2, 3, 4, 5, 6, 7)

# What LoadExternal says of a point that is none: ECC_POINT, VALUE, SIZE, BINDING (Part 2, 6.6).
_NO_KEY = (const(0xA7), const(0x84), const(0x95), const(0xA5))
_FAMILY = const(0x100)
_MANUFACTURER = const(0x105)
_LAYOUT_SIZE = const(17)
_TRIES = const(3)


class TPM2:
    """The TPM behind `tcti`, signing with key `slot` and counting with `counter`.

    Both are 0 for live, 1 for training. `secret`: path of the file with the kit's authorisation.
    `pcrs`: which PCRs of the SHA-256 bank tell the boot state; the same ones always. `randoms`
    counts the blocks that came from the TPM.
    """

    def __init__(self, tcti, secret, slot=0, counter=0, pcrs=PCRS):
        self.link = Link(tcti, secret)
        self.slot = slot
        self.counter = counter
        self.pcrs = pcrs
        self.randoms = 0
        self._last_random = b""
        self._serial = None

    def with_key(self, slot, counter):
        """The same TPM, signing with the key of `slot` and counting with `counter`."""
        other = TPM2(self.link.tcti, self.link.secret, slot, counter, self.pcrs)
        other.link = self.link
        return other

    def public_key(self):
        """The slot's public key, X | Y, 64 bytes big-endian."""
        return self.session(self._public_key)

    def sign(self, digest):
        """r | s, 64 bytes, low s, over a 32 byte SHA-256 `digest` (FIPS 186-4 ECDSA)."""
        _expect(digest, 32)
        return self.session(self._sign, digest)

    def verify(self, key, digest, signature):
        """True when `signature` (64 B) over `digest` (32 B) was made by `key` (X | Y, 64 B)."""
        _expect(key, 64)
        _expect(digest, 32)
        _expect(signature, 64)
        return self.session(self._verify, key, digest, signature)

    def verify_begin(self, key, digest, signature):
        """verify() whose result is asked by `poll()`: a TPM does it then and there."""
        _expect(key, 64)
        _expect(digest, 32)
        _expect(signature, 64)
        return _Verification(self, key, digest, signature)

    def random(self, n):
        """`n` random bytes of the TPM; raises E_RANDOM when they cannot be random."""
        return self.session(self._random, n)

    def random_is_live(self):
        """True when four random blocks in a row came from this TPM and all differ."""
        before = self.randoms
        try:
            block = self.random(128)
        except PartError as error:
            if error.code != E_RANDOM:
                raise
            return False
        blocks = {block[at : at + 32] for at in range(0, 128, 32)}
        return self.randoms - before >= 4 and len(blocks) == 4

    def count(self):
        """The monotonic counter's value; 0 after the setup."""
        return self.session(self._count)

    def count_up(self):
        """Add one to the monotonic counter and return its new value.

        A lost answer is settled by reading the counter, never by counting twice.
        """
        before = after = self.count()
        for _ in range(_TRIES):
            try:
                self.link.do(self._count_up, tries=1)
            except PartError as error:
                if error.code not in (E_SILENT, E_ALTERED):
                    raise
            after = self.count()
            if after != before:
                break
        if after != before + 1:
            raise fault(E_REFUSED, "%d, %d" % (before, after))
        return after

    def revision(self):
        """Four bytes that name the TPM's maker; E_FAMILY unless it is a TPM 2.0."""
        if self.session(self.link.property, _FAMILY) != b"2.0\x00":
            raise fault(E_FAMILY)
        return self.session(self.link.property, _MANUFACTURER)

    def serial(self):
        """ "T2" and 7 bytes of SHA-256 over the endorsement key's X | Y: 9 bytes, for good.

        The key is TCG's standard P-256 one (EK Credential Profile, template L-2), which survives
        TPM2_Clear; tpm2_createek -G ecc makes the same.
        """
        if self._serial is None:
            self._serial = self.session(self._endorsement)
        return self._serial

    def self_test(self):
        """Raise a PartError unless the TPM is right, its own tests pass and a signature holds."""
        self.revision()
        self.session(self._self_test)
        if not self.random_is_live():
            raise fault(E_RANDOM)
        digest = self.random(32)
        other = bytes([digest[0] ^ 1]) + digest[1:]
        key = self.public_key()
        signature = self.sign(digest)
        if not self.verify(key, digest, signature) or self.verify(key, other, signature):
            raise fault(E_SIGNATURE)

    def session(self, work, *args):
        """`work(*args)` with the TPM opened; passing faults start `work` anew."""
        return self.link.do(work, *args)

    def _public_key(self):
        link = self.link
        found = link.object(KEYS[self.slot])
        if found is None:
            raise fault(E_SECRET)
        public = link.esys.read_public(found, session1=link.session())[0]
        return _point(public.publicArea)

    def _sign(self, digest):
        link, tss = self.link, self.link.tss
        key = link.opened(KEYS[self.slot])
        scheme = tss.TPMT_SIG_SCHEME(scheme=tss.TPM2_ALG.NULL)  # the key has one
        ticket = tss.TPMT_TK_HASHCHECK(tag=tss.TPM2_ST.HASHCHECK, hierarchy=tss.TPM2_RH.NULL)
        policy = link.approved(self.pcrs)
        made = link.esys.sign(key, bytes(digest), scheme, ticket, session1=policy)
        ecdsa = made.signature.ecdsa
        return low_s(_padded(ecdsa.signatureR) + _padded(ecdsa.signatureS))

    def _verify(self, key, digest, signature):
        link, tss = self.link, self.link.tss
        public = tss.TPM2B_PUBLIC.parse("ecc256:ecdsa-sha256:null", tss.TPMA_OBJECT.SIGN_ENCRYPT)
        unique = public.publicArea.unique.ecc
        unique.x, unique.y = bytes(key[:32]), bytes(key[32:])
        claimed = tss.TPMT_SIGNATURE(sigAlg=tss.TPM2_ALG.ECDSA)
        ecdsa = claimed.signature.ecdsa
        ecdsa.hash = tss.TPM2_ALG.SHA256
        ecdsa.signatureR, ecdsa.signatureS = bytes(signature[:32]), bytes(signature[32:])
        session = link.session()
        try:
            # In the session too: nobody on the bus puts another key in its place.
            loaded = link.esys.load_external(public, session1=session)
        except tss.TSS2_Exception as error:
            if error.error not in _NO_KEY:
                raise
            return False
        try:
            link.esys.verify_signature(loaded, bytes(digest), claimed, session1=session)
        except tss.TSS2_Exception as error:
            if error.error != RC_SIGNATURE:
                raise
            return False
        finally:
            link.flush(link.esys, loaded)
        return True

    def _random(self, n):
        out = bytearray(n)
        for at in range(0, n, 32):
            size = min(32, n - at)
            out[at : at + size] = self._random_block()[:size]
        return bytes(out)

    def _random_block(self):
        block = bytes(self.link.esys.get_random(32, session1=self.link.session()))
        if len(block) != 32 or block == self._last_random or block == block[:1] * 32:
            raise fault(E_RANDOM)
        self._last_random = block
        self.randoms += 1
        return block

    def _count(self):
        index = COUNTERS[self.counter]
        base = self.read(LAYOUT, _LAYOUT_SIZE)[1 + 8 * self.counter :][:8]
        return int.from_bytes(self.read(index, 8), "big") - int.from_bytes(base, "big")

    def read(self, index, size):
        """`size` bytes of an NV index, the kit's secret shown by HMAC."""
        found = self.link.opened(index)
        session = self.link.session()
        return bytes(self.link.esys.nv_read(found, size, 0, found, session1=session))

    def _count_up(self):
        found = self.link.opened(COUNTERS[self.counter])
        self.link.esys.nv_increment(found, found, session1=self.link.session())

    def _endorsement(self):
        from tpm2_pytss import utils

        def no_index(index):
            raise utils.NoSuchIndex(index)  # the standard template, not one kept in NV

        esys, tss = self.link.esys, self.link.tss
        _, template = utils.create_ek_template("EK-ECC256", no_index)
        key, public, *_ = esys.create_primary(None, template, tss.ESYS_TR.ENDORSEMENT)
        self.link.flush(esys, key)
        return b"T2" + hashlib.sha256(_point(public.publicArea)).digest()[:7]

    def _self_test(self):
        self.link.esys.self_test(True)


class _Verification:
    def __init__(self, tpm, *arguments):
        self._tpm = tpm
        self._arguments = arguments

    def poll(self):
        """True or False. Raises PartError."""
        return self._tpm.verify(*self._arguments)


def _padded(number):
    value = bytes(number)
    return bytes(32 - len(value)) + value


def _point(area):
    return _padded(area.unique.ecc.x) + _padded(area.unique.ecc.y)


def _expect(value, size):
    if len(value) != size:
        raise ValueError("%d bytes expected" % size)
