"""Where fuzzing starts from: every published vector, a record in parts, a journal, pictures."""

import io
import json
from functools import cache
from pathlib import Path

from firmware import qr_parts
from host_tools.verify.trust import Trust
from tests.host_tools.verify import world
from tests.vectors import good, keys

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "vectors.json").read_text())


@cache
def long_entry() -> bytes:
    """A signed result that takes several codes."""
    figures = list(range(400, 700))
    payload = [1, good.LIVE, good.STATION, 9, 7, figures, bytes(32), 3, bytes(32), good.START]
    return world.signed(payload)


@cache
def entries() -> list[bytes]:
    """Signed objects of every kind, and the long one."""
    named = VECTORS["good"] + VECTORS["misuse"]["entries"]
    return [bytes.fromhex(vector["hex"]) for vector in named] + [long_entry()]


@cache
def originals() -> frozenset[bytes]:
    """All that may ever be called valid."""
    return frozenset(entries())


@cache
def bad() -> list[bytes]:
    """Records that are refused, each one step away from a good one."""
    return [bytes.fromhex(vector["hex"]) for vector in VECTORS["bad"]]


@cache
def texts() -> list[str]:
    """QR texts: of records, of a credential, bent ones, and those of the long record."""
    listed = [vector["qr"] for vector in VECTORS["good"] if "qr" in vector]
    listed += [vector["text"] for vector in VECTORS["qr"]]
    return listed + qr_parts.split(good.HOST, long_entry(), 640)


@cache
def trust() -> Trust:
    """Bundles of the live and of the training election, and the station's package."""
    from firmware.package import Package

    return Trust(
        world.bundle(),
        keys.AUTHORITY.point,
        package=Package(world.entry_bytes("package")),
        others=(world.bundle("bundle-training"),),
    )


@cache
def pictures() -> list[bytes]:
    """A receipt's code as small picture files of several kinds."""
    image = world.qr(world.entry_bytes("result-12-figures"), scale=2)
    files = []
    for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"):
        out = io.BytesIO()
        image.save(out, kind)
        files.append(out.getvalue())
    return files


@cache
def journal() -> bytes:
    """A kit's whole small day, as on its flash."""
    import tempfile

    from tests.host_tools.verify.day import Day

    with tempfile.TemporaryDirectory() as folder:
        return Day(Path(folder)).whole().path.read_bytes()
