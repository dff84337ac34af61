"""A PKCS#11 token for tests: SoftHSM2 (Debian softhsm2), which nobody here wrote."""

import os
import subprocess
from pathlib import Path

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN, OFFICER_PIN = "271828", "314159"


class SoftHsm:
    """One token in its own folder; `environment` leads a process to it."""

    def __init__(self, folder: Path, label: str = "KPU CONTOH"):
        self.folder, self.label = folder, label
        (folder / "tokens").mkdir(parents=True)
        conf = folder / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
        self.environment = {**os.environ, "SOFTHSM2_CONF": str(conf), "PKCS11_MODULE_PATH": MODULE}
        self.pin_file = folder / "pin"
        self.pin_file.write_text(f"{PIN}\n")
        self.run("--init-token", "--free", "--label", label, "--so-pin", OFFICER_PIN, "--pin", PIN)

    def run(self, *words: str) -> str:
        command = ["softhsm2-util", *words]
        done = subprocess.run(
            command, env=self.environment, check=True, capture_output=True, text=True
        )
        return done.stdout

    def import_key(self, path: Path, name: str, key_id: str) -> None:
        """Put the PKCS#8 key of a file into the token."""
        self.run("--import", str(path), "--token", self.label, "--label", name, "--id", key_id,
                 "--pin", PIN)  # fmt: skip

    def uri(self, name: str, pin: Path | None = None) -> str:
        """RFC 7512."""
        label = self.label.replace(" ", "%20")
        return f"pkcs11:token={label};object={name}?pin-source={pin or self.pin_file}"
