"""`saksi collect --submit`: a scanned receipt is a submission too, without its manifest."""

from dataclasses import asdict, dataclass
from typing import Any

from host_tools.collector.door import Door
from host_tools.collector.reasons import Refused, SetupError
from host_tools.verify import read


@dataclass
class Submitted:
    """What became of one receipt: its acknowledgement, or the `problem` with it."""

    where: str
    rec_id: str | None = None
    new: bool | None = None
    ack: str | None = None
    problem: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def submit(source: str, door: Door) -> list[Submitted]:
    """Hand in every receipt in `source`: a text, a file (picture or text) or "-".

    Raises SetupError when there is none, or the collector does not answer.
    """
    try:
        found = read.read(source)
    except read.ReadError as error:
        raise SetupError(str(error)) from error
    return [_one(one, door) for one in found]


def _one(found: read.Found, door: Door) -> Submitted:
    if found.missing:
        return Submitted(found.where, problem=f"still to be scanned: {found.missing}")
    if found.problem:
        return Submitted(found.where, problem=found.problem)
    try:
        taken = door.submit(found.data, None, None)
    except Refused as error:
        return Submitted(found.where, problem=f"{error.reason}: {error.sentence}")
    return Submitted(found.where, taken.rec_id.hex(), taken.new, taken.ack.hex())
