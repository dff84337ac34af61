"""Debian's sshd for one test: own configuration, keys and port on 127.0.0.1, for this user only."""

import getpass
import os
import socket
import stat
import subprocess
import time
from contextlib import suppress
from pathlib import Path

SSHD = "/usr/sbin/sshd"


def keygen(path: Path) -> str:
    """Make a key pair and return the public half."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "CONTOH", "-f", str(path)]
    subprocess.run(command, check=True)
    return path.with_suffix(".pub").read_text()


class Sshd:
    """Runs from construction to close(); the technician's `ssh` reads `folder/ssh_config`.

    `forced`: the only command that this key may run; else the session's PATH begins with
    `folder/bin`.
    """

    def __init__(self, folder: Path, forced: str | None = None):
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        self.host_key = keygen(folder / "host")
        client = keygen(folder / "client")
        rule = f'restrict,command="{forced}" ' if forced else "restrict "
        (folder / "authorized_keys").write_text(rule + client)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}"
        (folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {folder}/host\nPidFile none\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\n"
            f"PasswordAuthentication no\nPermitRootLogin prohibit-password\n"
            f"SetEnv PATH={self.bin}:/usr/bin:/bin\n"
        )
        (folder / "ssh_config").write_text(
            f"Host *\n  IdentityFile {folder}/client\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile none\n"
        )
        self.know(self.host_key)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own, empty
        self.log = (folder / "sshd.log").open("wb")
        command = [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")]
        self.process = subprocess.Popen(command, stderr=self.log)
        while True:
            assert self.process.poll() is None, (folder / "sshd.log").read_text()
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            time.sleep(0.01)

    def know(self, public: str) -> None:
        """The technician's known_hosts: this key, or none when it is empty."""
        line = f"[127.0.0.1]:{self.port} {public}" if public else ""
        (self.folder / "known_hosts").write_text(line)

    def client(self) -> Path:
        """A folder for the PATH, in which `ssh` is the system's with the configuration above."""
        folder = self.folder / "client-bin"
        folder.mkdir(exist_ok=True)
        script(folder / "ssh", f'exec /usr/bin/ssh -F {self.folder}/ssh_config "$@"')
        return folder

    def close(self) -> None:
        """End it, its sessions too."""
        self.process.terminate()
        self.process.wait()
        self.log.close()


def script(path: Path, line: str) -> None:
    """An executable shell script of one line."""
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
