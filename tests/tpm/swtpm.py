"""A TPM for the tests: Debian's swtpm, reached over a wire that can be listened to, bent and cut.

    driver, tpm2-tools  ->  Wire (two TCP ports)  ->  swtpm (its own two ports)

The state lies in a folder. `kill()` is a power cut: whatever the TPM had not stored is gone.
"""

import os
import select
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

HEADER = 10  # tag, length, command or response code (TCG TPM 2.0 Part 1, 18)


def code(frame: bytes) -> int:
    """The command's code, or the response's."""
    return int.from_bytes(frame[6:10], "big")


def _pair() -> tuple[socket.socket, socket.socket]:
    """Two listening sockets on consecutive ports of 127.0.0.1, as the swtpm TCTI wants them."""
    while True:
        first = socket.create_server(("127.0.0.1", 0))
        try:
            return first, socket.create_server(("127.0.0.1", first.getsockname()[1] + 1))
        except (OSError, OverflowError):
            first.close()


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _frame(sock: socket.socket) -> bytes:
    head = _exactly(sock, HEADER)
    return head + _exactly(sock, int.from_bytes(head[2:6], "big") - HEADER)


class Swtpm:
    """The TPM whose state is in `folder`; made new when that is empty."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.frames: list[tuple[bytes, bytes]] = []  # what went over the wire, both ways
        self.exchange = self.ask
        self._process: subprocess.Popen | None = None
        self._tpm: socket.socket | None = None
        self._turn = threading.Lock()
        self._fronts = _pair()
        for front, serve in zip(self._fronts, (self._commands, self._control), strict=True):
            threading.Thread(target=self._accept, args=(front, serve), daemon=True).start()
        self.tcti = f"swtpm:host=127.0.0.1,port={self._fronts[0].getsockname()[1]}"
        self.start()

    def start(self) -> None:
        """Power on."""
        sockets = _pair()
        self._port = sockets[0].getsockname()[1]
        for sock in sockets:
            sock.close()
        where = "bindaddr=127.0.0.1"
        command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}"]
        command += ["--server", f"type=tcp,port={self._port},{where}"]
        command += ["--ctrl", f"type=tcp,port={self._port + 1},{where}"]
        command += ["--flags", "not-need-init,startup-clear"]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE)
        while True:
            if self._process.poll() is not None:
                assert self._process.stderr is not None
                raise RuntimeError(self._process.stderr.read().decode())
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self._port + 1)).close()
                return
            time.sleep(0.01)

    def kill(self) -> None:
        """Power off, without a word to the TPM before."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stderr is not None
            process.stderr.close()

    def restart(self) -> None:
        """A power cut and power again."""
        self.kill()
        self.start()

    def close(self) -> None:
        """No TPM and no wire any more."""
        self.kill()
        for front in self._fronts:
            front.close()

    def ask(self, command: bytes) -> bytes | None:
        """The TPM's own answer to `command`; None when it has no power."""
        try:
            if self._tpm is None:
                self._tpm = socket.create_connection(("127.0.0.1", self._port))
            self._tpm.sendall(command)
            return _frame(self._tpm)
        except (OSError, EOFError):
            self._hang_up()
            return None

    def tool(self, *command: object, check: bool = True) -> subprocess.CompletedProcess:
        """One of tpm2-tools, which know nothing of our driver; they leave no context behind."""
        env = {**os.environ, "TPM2TOOLS_TCTI": self.tcti}
        done = subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            env=env,
            check=False,
            timeout=60,
        )
        assert not check or done.returncode == 0, done.stderr.decode()
        return done

    def _hang_up(self) -> None:
        if self._tpm is not None:
            self._tpm.close()
            self._tpm = None

    def _accept(self, front: socket.socket, serve) -> None:
        while True:
            try:
                sock = front.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock, serve), daemon=True).start()

    def _serve(self, sock: socket.socket, serve) -> None:
        with sock, suppress(OSError, EOFError):
            serve(sock)

    def _commands(self, sock: socket.socket) -> None:
        with self._turn:
            try:
                while True:
                    command = _frame(sock)
                    answer = self.exchange(command)
                    if answer is None:
                        return
                    self.frames.append((command, answer))
                    sock.sendall(answer)
            finally:
                self._hang_up()

    def _control(self, sock: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._port + 1)) as tpm:
            ends = {sock: tpm, tpm: sock}
            while True:
                for ready in select.select(list(ends), [], [])[0]:
                    data = ready.recv(4096)
                    if not data:
                        return
                    ends[ready].sendall(data)
