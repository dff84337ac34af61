"""Starts and stops the collector's server (uvicorn), in this process or beside a demo or test."""

import fcntl
import signal
import socket
import threading
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from host_tools.collector import limits
from host_tools.collector.ack import Acknowledger
from host_tools.collector.app import make_app
from host_tools.collector.intake import Intake
from host_tools.collector.protocol import Protocol
from host_tools.collector.reasons import SetupError
from host_tools.collector.store import Store
from host_tools.collector.tls import Tls
from host_tools.collector.trust import Trust
from host_tools.collector.uploads import Uploads


class Service:
    """A collector over one folder: its store, its application, and the folder's lock."""

    def __init__(
        self,
        data: Path,
        trust: Trust,
        acknowledger: Acknowledger,
        reserve: int = limits.RESERVE,
    ):
        self.store = Store(data)
        self._lock = _lock(self.store.folder / "lock")
        self.uploads = Uploads(self.store.folder / "partial", self.store.photo_file, reserve)
        self.intake = Intake(trust, self.store, acknowledger)
        self.app: Starlette = make_app(self.intake, self.store, self.uploads, reserve)

    def close(self) -> None:
        """Let go of the database and the folder."""
        self.store.close()
        self._lock.close()


def _lock(path: Path):
    """Who writes a partial file is known in memory only: one collector a folder."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise SetupError(
            f"{path.parent}: another collector is running on this folder; stop it first"
        ) from error
    return file


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes any free one. Raises SetupError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SetupError(f"cannot listen on {host}:{port} ({error.strerror})") from error


def _server(app: Starlette, tls: Tls | None = None) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=limits.KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=5,
    )
    config.load()
    config.ssl = tls.context if tls else None
    return uvicorn.Server(config)


def run(service: Service, listener: socket.socket, tls: Tls | None = None) -> None:
    """Serve until SIGINT or SIGTERM; uploads in progress are kept to the byte."""
    server = _server(service.app, tls)

    def leave(*_signal) -> None:
        server.should_exit = True

    # uvicorn raises the signal again once it has stopped; the default would end us before close().
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    try:
        server.run([listener])
    finally:
        service.close()


class Background:
    """A collector in a thread of this process on 127.0.0.1, any free port, for demo and tests.

    with Background(Service(folder, trust, acknowledger)) as collector:
        httpx.get(collector.url + "/healthz")
    """

    def __init__(self, service: Service, tls: Tls | None = None):
        self.service = service
        self.store = service.store
        listener = listen("127.0.0.1", 0)
        self.host, self.port = listener.getsockname()
        self.url = f"{'https' if tls else 'http'}://{self.host}:{self.port}"
        self._server = _server(service.app, tls)
        # The socket listens already: who connects before the thread is up just waits a moment.
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="collector", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and let go of the folder."""
        self._server.should_exit = True
        self._thread.join()
        self.service.close()

    def __enter__(self) -> "Background":
        return self

    def __exit__(self, *_exc) -> None:
        self.stop()
