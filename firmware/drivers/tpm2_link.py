"""The way to a TPM 2.0: contexts, sessions, errors. CPython only, by tpm2-pytss (TCG's ESAPI).

Whoever listens on the TPM's bus (SPI, in reach of two clips) learns no secret, and whoever alters
what goes over it is found out: every command that matters runs in a session salted by the TPM's own
storage key, whose name is kept beside the secret. So the secret itself crosses never but encrypted
(AES-128-CFB), what it authorises is shown by HMAC, and so is every answer. What is asked outside of
a session (serial number, maker, whether it is set up) can be forged, to no end but a refusal.
"""

from firmware.drivers import PartError, const, sleep_ms
from firmware.drivers.atecc608 import ERRORS

E_SILENT = const(131)
E_BOOT = const(132)
E_SECRET = const(133)
E_REFUSED = const(134)
E_FAMILY = const(135)
E_ALTERED = const(136)

ERRORS[E_SILENT] = "The TPM does not answer: switch the kit off and on, else change the kit."
ERRORS[E_BOOT] = (
    "The kit has not started as at its setup, and its TPM does not sign: change the kit."
)
ERRORS[E_SECRET] = "The kit and its TPM do not belong together: change the kit."
ERRORS[E_REFUSED] = "The TPM refused a command (%s): tell the technician."
ERRORS[E_FAMILY] = "This is not a TPM 2.0: change the kit."
ERRORS[E_ALTERED] = "The TPM's answers were altered on their way: do not use this kit."

SRK = const(0x81005A00)  # persistent, as are the keys; NV indices of the owner's range
KEYS = (const(0x81005A10), const(0x81005A11))
COUNTERS = (const(0x01805A20), const(0x01805A21))
AUTHORITY = const(0x01805A30)
LAYOUT = const(0x01805A31)

SECRET = const(32)
_TRIES = const(3)
_PAUSE_MS = const(200)

# TCG TPM 2.0 Part 2, 6.6; without the bits that say which handle, parameter or session.
RC_HANDLE = const(0x8B)
RC_SIGNATURE = const(0x9B)
RC_POLICY_FAIL = const(0x9D)
RC_NV_LOCKED = const(0x148)
_RC_AUTH = (const(0x8E), const(0xA2), const(0x12F))  # AUTH_FAIL, BAD_AUTH, AUTH_UNAVAILABLE
_RC_LATER = (const(0x908), const(0x90A), const(0x920), const(0x922))  # nothing was done yet
_RC_SESSION_GONE = (const(0x910), const(0x911), const(0x918), const(0x919))  # REFERENCE_H0, S0
_LAYER = const(0xFF0000)  # whose error it is: 0 is the TPM's own
_RSP_AUTH_FAILED = const(0x7001B)  # TSS2_ESYS_RC_RSP_AUTH_FAILED


def fault(code, *values):
    """The PartError of a code in ERRORS."""
    return PartError(code, ERRORS[code], *values)


class Link:
    """The TPM behind `tcti`, e.g. "device:/dev/tpmrm0".

    `secret`: path of the file that configure() makes: 32 B authorisation | name of the storage key.
    """

    def __init__(self, tcti, secret):
        self.tss = __import__("tpm2_pytss")  # here, not above: only a board that has a TPM has it
        self.tcti = tcti
        self.secret = secret
        self._esys = None
        self._objects = {}
        self._hmac = None
        self._policy = None
        self._left = []  # TPM's handles of what an earlier connection could not free

    def do(self, work, *args, tries=_TRIES):
        """`work(*args)`; what passes is done again, what stays is a PartError.

        With `tries=1` only what the TPM declares not to have begun is done again.
        """
        patience = _TRIES
        while True:
            tries -= 1
            try:
                return work(*args)
            except self.tss.TSS2_Exception as error:
                if error.rc in _RC_LATER and patience:
                    patience -= 1
                    tries += 1
                    sleep_ms(_PAUSE_MS)
                    continue
                self.close()
                found = _fault_of(error)
                if found.code not in (E_SILENT, E_ALTERED) or tries <= 0:
                    raise found from None

    @property
    def esys(self):
        """The ESAPI, opened when it is not."""
        if self._esys is None:
            self._esys = self.tss.ESAPI(self.tcti)
            left, self._left = self._left, []
            for handle in left:
                try:
                    self._esys.flush_context(self._esys.tr_from_tpmpublic(handle))
                except self.tss.TSS2_Exception:
                    pass  # gone with the TPM's power, or with the connection
        return self._esys

    def close(self):
        """Let go of the TPM; the next command takes it again."""
        esys, self._esys = self._esys, None
        if esys is None:
            return
        for session in (self._hmac, self._policy):
            if session is not None:
                self.flush(esys, session)
        self._hmac = self._policy = None
        self._objects = {}
        esys.close()

    def flush(self, esys, handle):
        """Free a transient object or session; a TPM holds three of each."""
        number = esys.tr_get_tpm_handle(handle)
        try:
            esys.flush_context(handle)
        except self.tss.TSS2_Exception:
            self._left.append(number)  # after a broken answer ESAPI does nothing more

    def object(self, handle, auth=None):
        """The ESAPI's reference to a persistent key or NV index; None when there is none."""
        found = self._objects.get(handle)
        if found is None:
            try:
                found = self.esys.tr_from_tpmpublic(handle)
            except self.tss.TSS2_Exception as error:
                if error.error != RC_HANDLE:
                    raise
                return None
            self._objects[handle] = found
        if auth is not None:
            self.esys.tr_set_auth(found, auth)
        return found

    def opened(self, handle):
        """The same, authorised by the kit's secret; E_SECRET when there is none."""
        found = self.object(handle, self.read_secret()[0])
        if found is None:
            raise fault(E_SECRET)
        return found

    def read_secret(self):
        """(authorisation, name of the storage key); E_SECRET without a whole file."""
        try:
            with open(self.secret, "rb") as file:
                data = file.read()
        except OSError:
            data = b""
        if len(data) != SECRET + 34:
            raise fault(E_SECRET)
        return data[:SECRET], data[SECRET:]

    def session(self):
        """The HMAC session, begun when needed; its commands and answers are encrypted."""
        if self._hmac is None:
            srk = self.object(SRK)
            # Another key there could be the listener's own, and the salt would tell him all.
            if srk is None or bytes(self.esys.tr_get_name(srk)) != self.read_secret()[1]:
                raise fault(E_SECRET)
            self._hmac = self.begin(srk, self.tss.TPM2_SE.HMAC)
        return self._encrypt(self._hmac)

    def begin(self, srk, kind):
        """A session of `kind`, salted by the key `srk`."""
        tss = self.tss
        none = tss.ESYS_TR.NONE
        session = self.esys.start_auth_session(srk, none, kind, "aes128cfb", tss.TPM2_ALG.SHA256)
        return self._encrypt(session)

    def _encrypt(self, session):
        # Anew for each command: ESAPI forgets it after one that the TPM refused.
        flags = self.tss.TPMA_SESSION
        wanted = flags.CONTINUESESSION | flags.DECRYPT | flags.ENCRYPT
        self.esys.trsess_set_attributes(session, wanted)
        return session

    def approved(self, pcrs):
        """The policy session of a signature: boot state `pcrs` and the kit's secret, both."""
        self.session()
        if self._policy is None:
            self._policy = self.begin(self.object(SRK), self.tss.TPM2_SE.POLICY)
        else:
            self.esys.policy_restart(self._policy)
        self.promise(self._policy, pcrs)
        return self._policy

    def promise(self, session, pcrs):
        """PolicyPCR and PolicyAuthValue into `session`; a key's policy is the digest of both."""
        selection = "sha256:" + ",".join([str(pcr) for pcr in pcrs])
        self.esys.policy_pcr(session, b"", self.tss.TPML_PCR_SELECTION.parse(selection))
        self.esys.policy_auth_value(session)

    def property(self, number):
        """One of the TPM's fixed or variable properties, 4 bytes (Part 2, 6.13)."""
        kind = self.tss.TPM2_CAP.TPM_PROPERTIES
        data = self.esys.get_capability(kind, number, 1)[1].marshal()
        return data[12:16]  # after capability, count and the property's own number


def _fault_of(error):
    rc = int(error.rc)
    if rc == _RSP_AUTH_FAILED:
        return fault(E_ALTERED)
    # Sessions end with the TPM's power, which may come and go beneath us.
    if rc & _LAYER or rc in _RC_SESSION_GONE or (error.error == RC_HANDLE and error.session):
        return fault(E_SILENT)
    if error.error == RC_POLICY_FAIL:
        return fault(E_BOOT)
    if error.error in _RC_AUTH:
        return fault(E_SECRET)
    return fault(E_REFUSED, hex(rc))
