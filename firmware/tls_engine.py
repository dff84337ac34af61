"""TLS 1.2 between two boxes of bytes, with the runtime's own library (Mbed TLS, OpenSSL).

Neither library touches the line: what has come is given to feed(), what is to go lies in `out`, and
no call waits. So TLS runs over anything that carries bytes, a modem's serial line too.

The server is known by its key alone: `check(der) -> error or None` is asked about its certificate.
Mbed TLS asks during the handshake (SSLContext.verify_callback); there is no getpeercert, and
cipher() before the end of the handshake crashes MicroPython 1.29.
"""

from firmware.compat import MICROPYTHON, const

_ALERT, _HANDSHAKE, _CHANGE = const(21), const(22), const(20)
_REJECT = -0x2700  # MBEDTLS_ERR_X509_CERT_VERIFY_FAILED; a callback's 1 would count as a byte read


class Records:
    """Watches the records that come in (RFC 5246 6.2.1) until the handshake is over.

    `alert`: description of an alert that came in clear, or None; `finished`: the server's Finished
    has come. Mbed TLS tells neither in MicroPython.
    """

    def __init__(self):
        self.alert = None
        self.finished = False
        self._changed = False
        self._head = bytearray()
        self._left = 0
        self._last = 0

    def watch(self, data):
        """Take note of `data`, which may end anywhere."""
        head = self._head
        for byte in data:
            if len(head) < 5:
                head.append(byte)
                if len(head) < 5:
                    continue
                self._left = head[3] << 8 | head[4]
            else:
                self._left -= 1
                self._last = byte
            if self._left == 0:
                self._whole(head[0])
                self._head = head = bytearray()

    def _whole(self, kind):
        if kind == _CHANGE:
            self._changed = True
        elif kind == _HANDSHAKE:
            self.finished = self.finished or self._changed
        elif kind == _ALERT and not self._changed:
            self.alert = self._last


if MICROPYTHON:
    import io

    import tls

    class _Box(io.IOBase):
        """The stream that Mbed TLS sees: never blocks, never fails."""

        def __init__(self):
            self.inbox = memoryview(b"")
            self.out = bytearray()
            self.ended = False

        def readinto(self, buf):
            n = min(len(buf), len(self.inbox))
            if not n:
                return 0 if self.ended else None
            buf[:n] = self.inbox[:n]
            self.inbox = self.inbox[n:]
            return n

        def write(self, buf):
            self.out.extend(buf)
            return len(buf)

        def ioctl(self, request, argument):
            """3 = poll for 1 (read) and 4 (write)."""
            return argument & (5 if len(self.inbox) else 4) if request == 3 else 0

    class MbedEngine:
        """One connection to `host`, whose certificate `check` judges."""

        def __init__(self, host, check):
            self.records = Records()
            self.verdict = None
            self._check = check
            self._asked = False
            self._early = bytearray(1)  # a byte read while looking whether the handshake is over
            self._have = False
            self._box = _Box()
            context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
            # The chain leads nowhere; the key decides.
            context.verify_mode = tls.CERT_OPTIONAL  # pyright: ignore[reportAttributeAccessIssue]
            context.verify_callback = self._verify  # pyright: ignore[reportAttributeAccessIssue]
            self._context = context
            self._tls = context.wrap_socket(
                self._box, server_hostname=host, do_handshake_on_connect=False
            )

        def _verify(self, der, depth):
            if depth == 0:
                self._asked = True
                self.verdict = self._check(bytes(der))
            return _REJECT if self.verdict else 0

        def feed(self, data):
            """Bytes that came from the server."""
            if not self.records.finished:
                self.records.watch(data)
            left = self._box.inbox
            self._box.inbox = memoryview(bytes(left) + bytes(data) if len(left) else bytes(data))

        def end(self):
            """The server's bytes have ended."""
            self._box.ended = True

        def take(self):
            """Bytes that are to go to the server; they are handed out once."""
            data, self._box.out = self._box.out, bytearray()
            return data

        @property
        def unread(self):
            """Bytes fed and not used yet."""
            return len(self._box.inbox) + self._have

        def step(self):
            """Go on with the handshake; True when it is over. Raises OSError or ValueError."""
            n = self._tls.readinto(self._early)
            self._have = bool(n)
            if n == 0:
                raise OSError("ended")
            over = self.records.finished and (n is not None or not len(self._box.inbox))
            if over and not self._asked:
                raise OSError("the certificate was not shown")
            return over

        def read(self, buf):
            """Bytes of data into `buf`; None when none have come, 0 at the end."""
            if self._have:
                buf[0] = self._early[0]
                self._have = False
                return 1
            return self._tls.readinto(buf)

        def write(self, view):
            """Encrypt some of `view`; how many bytes of it."""
            return self._tls.write(view) or 0

        def close(self):
            """Say goodbye and free the library's memory."""
            self._tls.close()

    Engine = MbedEngine

else:
    import ssl

    class OpensslEngine:
        """One connection to `host`, whose certificate `check` judges."""

        def __init__(self, host, check):
            self.records = Records()
            self.verdict = None
            self._check = check
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # the key decides, in step()
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
            self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
            self._tls = context.wrap_bio(self._in, self._out, server_hostname=host)

        def feed(self, data):
            """Bytes that came from the server."""
            if not self.records.finished:
                self.records.watch(data)
            self._in.write(data)

        def end(self):
            """The server's bytes have ended."""
            self._in.write_eof()

        def take(self):
            """Bytes that are to go to the server; they are handed out once."""
            return self._out.read()

        @property
        def unread(self):
            """Bytes fed and not used yet."""
            return self._in.pending + self._tls.pending()

        def step(self):
            """Go on with the handshake; True when it is over. Raises OSError or ValueError."""
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                return False
            self.verdict = self._check(self._tls.getpeercert(True) or b"")
            if self.verdict:
                raise OSError("not the server that was meant")
            return True

        def read(self, buf):
            """Bytes of data into `buf`; None when none have come, 0 at the end."""
            try:
                # The stubs know no buffer that is a memoryview.
                return self._tls.read(len(buf), buf)  # type: ignore[call-overload]
            except ssl.SSLWantReadError:
                return None
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return 0

        def write(self, view):
            """Encrypt some of `view`; how many bytes of it."""
            return self._tls.write(view)

        def close(self):
            """Say goodbye."""
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                pass

    Engine = OpensslEngine
