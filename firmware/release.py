"""A release of software (record kind 40) and the cable's verbs that bring it into a slot.

Taken is only what two different releasers of the roster signed, for this board, newer than what
runs, file by file as in the signed list. The verbs and their CBOR:

    RELEASE  [statement, statement]    -> [bytes held a file] or null: the list is wanted
    FILES    [size, offset, bytes]     -> bytes of the list so far, or [bytes held a file]
    PIECE    [name, offset, bytes]     -> bytes held of the file; offset must be what it has
    INSTALL                            -> [major, minor, patch], on trial from the next start on
    SOFTWARE                           -> [running, on trial or null, trial begun, failure or null]

After a pulled cable RELEASE tells what is there.
"""

from firmware import cbor, record
from firmware.compat import CodedError, const

BAD_ARGUMENT = const(875)
NOT_SIGNED = const(876)
OTHER_BOARD = const(877)
NOT_NEWER = const(878)
BAD_LIST = const(879)

_LONGEST_LIST = const(32768)
_LONGEST_NAME = const(64)
_ROOTS = ("firmware/", "lib/")


class ReleaseError(CodedError):
    """The kit does not take this release."""


def is_safe_name(name):
    """True for firmware/… and lib/… in plain characters, no part of which begins with a dot."""
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not name.startswith(_ROOTS):
        return False
    for part in name.split("/"):
        if not part or part[0] == ".":
            return False
        for c in part:
            if not ("a" <= c <= "z" or "A" <= c <= "Z" or "0" <= c <= "9" or c in "._-"):
                return False
    return True


def check_statements(statements, releasers, verify, board, running):
    """The payload that both `statements` (bytes) sign: [40, version, board, issued, files, size].

    `releasers`: 64 B keys of the roster; `verify` is the chip's, and anything but a clear yes from
    it is a no; `running`: [major, minor, patch] that the release has to exceed.
    """
    first, second = [record.parse(data) for data in statements]
    both = first.kind == second.kind == record.RELEASE and first.kid != second.kid
    if not both or first.payload_bytes != second.payload_bytes:
        raise ReleaseError(NOT_SIGNED, "Two releasers must have signed the same release")
    for entry in (first, second):
        keys = [key for key in releasers if record.kid_of(key) == entry.kid]
        if not keys or verify(keys[0], entry.signed_digest(), entry.signature) is not True:
            raise ReleaseError(NOT_SIGNED, "A signature is not one of the roster's releasers")
    payload = first.payload
    if payload[2] != board:
        raise ReleaseError(OTHER_BOARD, "The release is for another board: %s", payload[2])
    if len(payload[1]) != 3 or payload[1] <= running:
        raise ReleaseError(NOT_NEWER, "The kit runs this version already, or a newer one")
    return payload


def check_files(data, payload):
    """The list [[name, size, SHA-256]…] in `data`, if it is the one that `payload` signs."""
    if record.sha256(data) != payload[4]:
        raise ReleaseError(BAD_LIST, "The list of files is not the signed one")
    files = cbor.decode(data)
    last, total = "", 0
    for row in files if isinstance(files, list) else [None]:
        if not isinstance(row, list) or len(row) != 3 or not is_safe_name(row[0]):
            raise ReleaseError(BAD_LIST, "The list has a file that does not belong on a kit")
        name, size, digest = row
        if name <= last or not record.is_uint(size) or not size or not record.is_digest(digest):
            raise ReleaseError(BAD_LIST, "The list is not sorted, or has a file without content")
        last = name
        total += size
    if not total or total != payload[5]:
        raise ReleaseError(BAD_LIST, "The sizes do not add up to the signed one")
    return files


class Releases:
    """The verbs' functions. `slots`: firmware.slots.Slots; the rest as in check_statements."""

    def __init__(self, slots, board, releasers, verify):
        self.slots = slots
        self.board = board
        self.releasers = releasers
        self.verify = verify
        self._statements = []
        self._payload = []
        self._list = b""

    def handlers(self):
        """{verb: function(bytes) -> bytes} for serial_link.serve."""
        return {
            "RELEASE": self.release,
            "FILES": self.files,
            "PIECE": self.piece,
            "INSTALL": self.install,
            "SOFTWARE": self.software,
        }

    def release(self, data):
        """Two statements: what is there of their files, or null when the list is not known yet."""
        statements = self._argument(data, (bytes, bytes))
        self._payload = []
        running = self.slots.running()
        payload = check_statements(statements, self.releasers, self.verify, self.board, running)
        self._statements, self._payload, self._list = statements, payload, b""
        held = self.slots.begun()
        known = cbor.encode(held) if held is not None else b""
        if record.sha256(known) != payload[4]:
            return cbor.encode(None)
        return self._begin(known)

    def files(self, data):
        """A piece of the list; with the last one the slot is made ready."""
        total, offset, piece = self._argument(data, (int, int, bytes))
        if not self._payload:
            raise ReleaseError(BAD_ARGUMENT, "RELEASE comes before FILES")
        if not 0 < total <= _LONGEST_LIST or offset + len(piece) > total:
            raise ReleaseError(BAD_ARGUMENT, "The list of files is too long")
        if offset == len(self._list):
            self._list += piece
        if len(self._list) < total:
            return cbor.encode(len(self._list))
        whole, self._list = self._list, b""
        return self._begin(whole)

    def piece(self, data):
        """A piece of a file."""
        name, offset, piece = self._argument(data, (str, int, bytes))
        return cbor.encode(self.slots.piece(name, offset, piece))

    def install(self, _):
        """Every file is read back; the release is on trial at the next start."""
        return cbor.encode(self.slots.finish())

    def software(self, _):
        """What runs, what is on trial, and what the last trial failed of."""
        return cbor.encode(self.slots.status())

    def _begin(self, files):
        self.slots.begin(self._statements, check_files(files, self._payload))
        return cbor.encode(self.slots.held())

    @staticmethod
    def _argument(data, kinds):
        try:
            value = cbor.decode(data)
        except cbor.CborError as error:
            raise ReleaseError(BAD_ARGUMENT, "Not CBOR: " + str(error)) from None
        good = isinstance(value, list) and len(value) == len(kinds)
        for i, kind in enumerate(kinds):
            # A bool is an int, and no number here is below 0.
            good = good and type(value[i]) is kind and (kind is not int or value[i] >= 0)
        if not good:
            raise ReleaseError(BAD_ARGUMENT, "The argument of this verb has another shape")
        return value
