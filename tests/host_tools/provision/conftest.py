"""One ceremony for all provisioning tests: making keys is the slow part."""

import pytest

from host_tools.provision import sample
from host_tools.provision.authority import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    folder = tmp_path_factory.mktemp("authority") / "keys"
    return Authority.create(folder, sample.REGION, sample.REGION_NAME)


@pytest.fixture(scope="session")
def stranger(tmp_path_factory) -> Authority:
    """Another authority, whose word counts for nothing here."""
    folder = tmp_path_factory.mktemp("stranger") / "keys"
    return Authority.create(folder, sample.REGION, "Elsewhere")
