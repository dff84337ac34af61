"""The host's end of the provisioning cable: one request line, one answer line, CBOR in hex."""

import time
from binascii import unhexlify
from typing import Any, Protocol

from firmware import cbor, serial_link

_NOISE = 200  # lines of a booting board that may come before the first answer


class Stream(Protocol):
    """A serial port (pyserial), or anything with its read and write; read gives b"" for nothing."""

    def read(self, size: int = 1, /) -> bytes: ...
    def write(self, data: bytes, /) -> Any: ...


class LinkError(Exception):
    """The kit does not answer, or not in its protocol."""


class KitError(Exception):
    """The kit refused. `code` is in the manual's table."""

    def __init__(self, code: int, text: str):
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"E{self.code} {self.text}"


class Link:
    """Requests over `stream`. `timeout`: seconds for one answer (the chip's setup is slowest)."""

    def __init__(self, stream: Stream, timeout: float = 30.0):
        self.stream = stream
        self.timeout = timeout
        self._read = bytearray()

    def hello(self) -> list:
        """The kit's self-description; also ends a line that an earlier, pulled cable left half."""
        if hasattr(self.stream, "reset_input_buffer"):
            self.stream.reset_input_buffer()  # type: ignore[attr-defined]
        self._read.clear()
        self.stream.write(b"\nSAKSI HELLO -\n")
        for _ in range(_NOISE):
            try:
                value = self._answer()
            except KitError as error:
                # The half line's answer: HELLO itself can only fail by its parts.
                if error.code < 800 or error.code == serial_link.FAILED:
                    raise
                continue
            if isinstance(value, bytes) and (said := _hello(value)):
                return said
        raise LinkError("the port talks, but it is not a Saksi kit waiting for provisioning")

    def request(self, verb: str, argument: bytes = b"") -> bytes:
        """The answer's bytes; raises KitError when the kit refuses, LinkError when it is silent."""
        self.stream.write(b"SAKSI %s %s\n" % (verb.encode(), argument.hex().encode() or b"-"))
        return self._answer()

    def _answer(self) -> bytes:
        deadline = time.monotonic() + self.timeout
        for _ in range(_NOISE):
            line = self._line(deadline)
            word, _, rest = line.partition(b" ")
            if word == b"OK":
                try:
                    return b"" if rest == b"-" else unhexlify(rest)
                except ValueError as error:
                    raise LinkError("the kit's answer is not hex: check the cable") from error
            code, _, text = rest.partition(b" ")
            if word == b"ERR" and code.isdigit():
                raise KitError(int(code), text.decode("ascii", "replace"))
        raise LinkError("the port talks, but it is not a Saksi kit waiting for provisioning")

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._read:
            if time.monotonic() > deadline:
                raise LinkError("the kit does not answer: check cable, port and power")
            data = self.stream.read(getattr(self.stream, "in_waiting", 0) or 1)
            self._read += data
            if not data:
                time.sleep(0.005)  # some streams return at once when there is nothing
        line, _, rest = bytes(self._read).partition(b"\n")
        self._read[:] = rest
        return line.rstrip(b"\r")


def _hello(value: bytes) -> list | None:
    """HELLO's list, or None when this is the late answer to something else."""
    try:
        said: Any = cbor.decode(value)
    except cbor.CborError:
        return None
    return said if isinstance(said, list) and len(said) in (9, 11) else None
