"""Two sample elections in Banyuasin, for the demo, the tests and a first look."""

from pathlib import Path

from host_tools.provision.election import Election, load_election

FOLDER = Path(__file__).parent
NAMES = ("pilpres", "pilkada")
REGION = 1607
REGION_NAME = "Banyuasin"
STATION = 1607012001001  # Sungai Rebo, TPS 1: in both elections


def load(name: str, training: bool = False) -> Election:
    """`pilpres` (one contest) or `pilkada` (two), live or as its training election."""
    election = load_election(FOLDER / name / "election.toml")
    return election.as_training() if training else election
