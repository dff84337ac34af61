"""The relay's yardsticks over the same line: a plain POST of whole files, and tus with tuspy."""

import hashlib
import io
import socket
import threading
import time
from dataclasses import dataclass

import httpx

from firmware import cbor
from firmware.journal import Journal
from host_tools.bench.relay_link import Link

TRIES = 6  # of a plain POST before it is said that it never ends


@dataclass(frozen=True)
class Measured:
    """`seconds` from the first connection on, None when it never ended; bytes on the line."""

    seconds: float | None
    wire: int
    payload: int
    stalls: float = 0.0

    @property
    def overhead(self) -> float | None:
        """Bytes on the line beside the payload's own, for each of these."""
        return None if self.seconds is None else self.wire / self.payload - 1


class Sink:
    """The simplest HTTP server: takes whole bodies and says 201."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._take, args=(sock,), daemon=True).start()

    @staticmethod
    def _take(sock: socket.socket) -> None:
        with sock, sock.makefile("rb") as file:
            try:
                while line := file.readline():
                    length = 0
                    while line.strip():
                        name, _, value = line.partition(b":")
                        length = int(value) if name.lower() == b"content-length" else length
                        line = file.readline()
                    while length:
                        piece = file.read(min(length, 65536))
                        if not piece:
                            return
                        length -= len(piece)
                    sock.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
            except OSError:
                return

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


def plain(link: Link, files: list[bytes]) -> Measured:
    """POST each file whole on one kept connection; a cut one starts again from zero."""
    client = None
    for data in files:
        for attempt in range(TRIES + 1):
            if attempt == TRIES:
                return Measured(None, link.up + link.down, sum(map(len, files)))
            try:
                client = client or _Plain(link.port)
                client.post(data)
                break
            except OSError:
                client = None
    seconds = time.monotonic() - link.opened
    return Measured(seconds, link.up + link.down, sum(map(len, files)), link.stalls)


class _Plain:
    def __init__(self, port: int):
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.sock.settimeout(60)

    def post(self, data: bytes) -> None:
        head = f"POST /upload HTTP/1.1\r\nHost: collector.example.id\r\nContent-Length: {len(data)}"
        self.sock.sendall(head.encode() + b"\r\n\r\n" + data)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self.sock.recv(4096)
            if not piece:
                raise ConnectionResetError
            answer += piece


def announce(url: str, journal: Journal, certificate: bytes) -> None:
    """Hand in a journal's entries directly, so that its photographs may be uploaded."""
    with httpx.Client(base_url=url, headers={"Content-Type": "application/cbor"}) as client:
        for _, data, manifest in journal.entries():
            body = cbor.encode([data, manifest, certificate, []])
            client.post("/v1/records", content=body).raise_for_status()


def tuspy(link: Link, files: list[bytes], pause: float) -> Measured | None:
    """The same by tuspy, resuming as it does; None when it is not installed. `pause` in s."""
    try:
        from tusclient.client import TusClient
    except ImportError:
        return None
    client = TusClient(f"http://127.0.0.1:{link.port}/v1/u")
    for data in files:
        uploader = client.uploader(
            file_stream=io.BytesIO(data),
            metadata={"sha256": hashlib.sha256(data).hexdigest()},
            retries=10_000,
            retry_delay=pause,  # type: ignore[arg-type]
        )
        uploader.upload()
    seconds = time.monotonic() - link.opened
    return Measured(seconds, link.up + link.down, sum(map(len, files)), link.stalls)
