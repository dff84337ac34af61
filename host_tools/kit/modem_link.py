"""The far side of the emulated modem: a real TCP connection on loopback, or a bearer for PPP."""

import contextlib
import socket
from collections.abc import Callable

Bearer = Callable[[bytes], bytes]  # takes what the kit sent (b"" when polled), gives what it gets


class PeerLink:
    """A connection to a server in this process: `session(data) -> reply`, None = it closes."""

    end_text = "CLOSED"

    def __init__(self, session: Callable[[bytes], bytes | None]):
        self.session = session
        self.inbox = b""
        self.ended = False

    def write(self, data: bytes) -> bool:
        reply = None if self.ended else self.session(data)
        self.ended = reply is None
        self.inbox += reply or b""
        return not self.ended

    def read(self) -> bytes | None:
        data, self.inbox = self.inbox[:512], self.inbox[512:]
        return None if self.ended and not data else data

    def close(self) -> None:
        self.ended = True


Peer = Callable[[], PeerLink]  # called for each connection; OSError refuses it


class TcpLink:
    """One TCP connection to a loopback address; OSError when it is refused."""

    end_text = "CLOSED"

    def __init__(self, address: tuple[str, int]):
        self.sock = socket.create_connection(address, timeout=5)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: bytes) -> bool:
        """False when the peer is gone. Blocks while the peer does not read: flow control."""
        try:
            self.sock.settimeout(10)
            self.sock.sendall(data)
        except OSError:
            return False
        return True

    def read(self) -> bytes | None:
        """What has come, b"" when nothing did, None when the peer closed."""
        try:
            self.sock.settimeout(0)
            return self.sock.recv(512) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.close()


class BearerLink:
    """PPP's data mode: bytes go to a callable of the host."""

    end_text = "NO CARRIER"

    def __init__(self, bearer: Bearer):
        self.bearer = bearer
        self.inbox = b""

    def write(self, data: bytes) -> bool:
        self.inbox += self.bearer(data)
        return True

    def read(self) -> bytes | None:
        data, self.inbox = self.inbox + self.bearer(b""), b""
        return data

    def close(self) -> None:
        self.inbox = b""


Link = TcpLink | BearerLink | PeerLink
