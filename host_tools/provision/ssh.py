"""A kit's cable over SSH: the system's own `ssh` runs `saksi-cable` on the kit's Raspberry Pi.

Keys, known hosts and ~/.ssh/config are the technician's own; nothing is asked and no unknown or
changed host key is taken. What comes out of ssh is the cable, byte by byte.
"""

import os
import re
import select
import subprocess
import tempfile

from host_tools.provision.link import LinkError

SCHEME = "ssh://"
REMOTE = "saksi-cable"
_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_URL = re.compile(rf"ssh://(?:({_NAME})@)?({_NAME}|\[[0-9A-Fa-f:.%]+\])(?::(\d{{1,5}}))?/?")
_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ForwardAgent=no",
    "ClearAllForwardings=yes",
)
_WAIT = 0.1  # s for one read


def command(url: str) -> list[str]:
    """The ssh command for ssh://user@host[:port]; LinkError when the address is none."""
    parts = _URL.fullmatch(url)
    if parts is None or int(parts[3] or 22) > 65535:
        raise LinkError(f"{url}: write the port as ssh://user@host or ssh://user@host:port")
    user, host, port = parts.groups()
    words = ["ssh", "-T"]
    for option in _OPTIONS:
        words += ["-o", option]
    words += ["-p", port] if port else []
    words += ["-l", user] if user else []
    return [*words, "--", host.strip("[]"), REMOTE]


class SshStream:
    """A running `ssh` with a serial port's read and write; LinkError when it has ended."""

    def __init__(self, url: str):
        self.url = url
        self._said = tempfile.TemporaryFile()
        pipe = subprocess.PIPE
        try:
            self.process = subprocess.Popen(
                command(url), stdin=pipe, stdout=pipe, stderr=self._said, bufsize=0
            )
        except FileNotFoundError as error:
            raise LinkError("there is no ssh on this machine: install openssh-client") from error
        assert self.process.stdin is not None and self.process.stdout is not None
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()

    def read(self, size: int = 1, /) -> bytes:
        """At most `size` bytes; b"" when nothing came within 0.1 s."""
        if not select.select([self._out], [], [], _WAIT)[0]:
            return b""
        data = os.read(self._out, size)
        if not data:
            raise self._end()
        return data

    def write(self, data: bytes, /) -> None:
        """All of `data`."""
        try:
            while data:
                data = data[os.write(self._in, data) :]
        except BrokenPipeError:
            raise self._end() from None

    def close(self) -> None:
        """End the connection; the kit's other connections stay."""
        self.process.terminate()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._said):
            assert pipe is not None
            pipe.close()

    def _end(self) -> LinkError:
        """Why ssh ended, in one line."""
        code = self.process.wait()
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace")
        return LinkError(f"{self.url}: {_reason(code, said)}")


def _reason(code: int, said: str) -> str:
    if "HOST IDENTIFICATION HAS CHANGED" in said:
        return (
            "another machine answers there than ssh knows by that name: do not go on before "
            "its key's fingerprint was compared (ssh-keygen -lf on the kit)"
        )
    if "Host key verification failed" in said:
        return "ssh does not know this kit yet: connect once by hand and compare its fingerprint"
    if "Permission denied" in said:
        return "the kit takes none of your SSH keys for this user"
    if code == 127:
        return f"{REMOTE} is not installed there (hardware/pi/README.md)"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else f"the connection ended (ssh's exit code {code})"
