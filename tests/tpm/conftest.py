"""One TPM a test, and the Signer and Setup that the firmware makes of it."""

import os
from pathlib import Path

import pytest

from tests.tpm.swtpm import Swtpm

os.environ["TSS2_LOG"] = "all+NONE"  # a refusal that a test wants is no news


class Kit:
    """A kit's security part: `tpm` (swtpm), `live` and `training` (Signer), `setup` (Setup)."""

    def __init__(self, folder: Path, state: Path | None = None):
        from firmware.drivers.tpm2 import TPM2
        from firmware.drivers.tpm2_setup import Setup

        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.tpm = Swtpm(state or folder / "state")
        self.secret = folder / "tpm-secret"
        self.live = TPM2(self.tpm.tcti, str(self.secret))
        self.training = self.live.with_key(1, 1)
        self.setup = Setup(self.live)

    def close(self) -> None:
        self.live.link.close()
        self.tpm.close()


@pytest.fixture
def blank(tmp_path):
    """A kit whose TPM is as it came."""
    kit = Kit(tmp_path / "kit")
    yield kit
    kit.close()


@pytest.fixture
def kit(blank):
    """A kit that is set up."""
    blank.setup.configure()
    return blank
